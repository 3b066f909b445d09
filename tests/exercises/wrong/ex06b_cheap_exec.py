"""Known wrong answers of exercise 06b: (what the message says, replaced text, its replacement)."""

WRONG = (
    (
        "Did you count processes?",
        "        shell mmap 0x30000 12\n        shell write 0x30000 1 12\n"
        "        child = fork shell\n        child execve ls\n",
        "        child = fork shell\n        child execve ls\n        shell mmap 0x30000 12\n"
        "        shell write 0x30000 1 12\n        v = vfork shell\n        v exit\n",
    ),
    ("Did you fork?", "child = fork shell", "child = spawn"),
    (
        "write the pages before the fork",
        "        shell write 0x30000 1 12\n",
        "        shell read 0x30000 12\n",
    ),
    ("Did the parent call execve, or nobody?", "child execve ls", "shell execve ls"),
    ("did somebody exit", "child execve ls", "child execve ls\n        child exit"),
    (
        "write shared pages before execve",
        "child execve ls",
        "child write 0x30000 5 12\n        child execve ls",
    ),
    (
        "allowed are 12",
        "        child = fork shell\n",
        "        child = fork shell\n        child read 0x30000\n        child read 0x30000\n        child read 0x30000\n        child read 0x30000\n        child read 0x30000\n        child read 0x30000\n        child read 0x30000\n        child read 0x30000\n",
    ),
)
