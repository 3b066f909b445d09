def history():
    ops = ("p = spawn|p mmap 0x10000 16|p write 0x10000 3 16|c = fork p|"
           "c mremap 0x10000 16 to 0x80000")
    return ops.replace("|", "\n")
