def history():
    out = ["a = spawn", "a mmap 0x20000 8", "a write 0x20000 3 8", "b = fork a", "b swap_out 0x20000 8",
           "c = fork b"]
    for at in range(3):
        addr = hex(0x20000 + at * 4096)
        out += [f"{who} {what} {addr}{' ' + str(at + 5) if what == 'write' else ''}"
                for who, what in zip(("abc", "bca", "cab")[at], ("read", "write", "write"))]
    out += ["b mremap 0x24000 2 to 0x40000", "b read 0x40000 2", "a read 0x24000 2", "c write 0x24000 1 2",
            "c exit", "a exit", "b read 0x40000 2", "b exit"]
    return "\n".join(out)
