def history():
    return """# the child sets up a pipe (one page), then execs
    shell = spawn
    shell mmap 0x20000 13
    shell write 0x20000 1 13
    child = fork shell
    child write 0x20000 2
    child execve grep
    shell write 0x2c000 3 1"""
