def history():
    lines = ["old = spawn", "old mmap 0x40000 32", "old write 0x41000 1 31"]
    for at in range(2):
        lines += [f"k{at} = fork old", f"k{at} mremap 0x41000 31 to 0x8{at}000", f"k{at} munmap 0x8{at}000 31"]
    return "# a child that unmaps stays alive\n" + "\n".join([*lines, "k2 = fork old", "old mremap 0x41000 31 to 0xa0000"])
