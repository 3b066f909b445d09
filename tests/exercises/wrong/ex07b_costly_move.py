"""Known wrong answers of exercise 07b: (what the message says, replaced text, its replacement)."""

WRONG = (
    (
        "Did you move anything?",
        "        a mremap 0x10000 31 to 0x50000\n        a exit\n        b = fork p\n        b mremap 0x10000 31 to 0x50000\n        b exit\n        c = fork p\n        c mremap 0x10000 31 to 0x50000\n",
        "        a write 0x10000 5 31\n",
    ),
    ("Did you write before the fork?", "        p write 0x10000 1 31\n", ""),
    (
        "Did you let one process move only?",
        "        a mremap 0x10000 31 to 0x50000\n        a exit\n        b = fork p\n        b mremap 0x10000 31 to 0x50000\n        b exit\n        c = fork p\n        c mremap 0x10000 31 to 0x50000\n",
        "        a mremap 0x10000 31 to 0x50000\n",
    ),
    (
        "Did you move the same pages twice?",
        "        a mremap 0x10000 31 to 0x50000\n        a exit\n        b = fork p\n        b mremap 0x10000 31 to 0x50000\n        b exit\n        c = fork p\n        c mremap 0x10000 31 to 0x50000\n",
        "        a mremap 0x10000 31 to 0x50000\n        a mremap 0x50000 31 to 0x80000\n",
    ),
    ("ENOMEM", "        a exit\n", ""),
    (
        "Did you keep all children alive?",
        "p mmap 0x10000 31\n        p write 0x10000 1 31\n        a = fork p\n        a mremap 0x10000 31 to 0x50000\n        a exit\n        b = fork p\n        b mremap 0x10000 31 to 0x50000\n        b exit\n        c = fork p\n        c mremap 0x10000 31 to 0x50000\n",
        "p mmap 0x10000 12\n        p write 0x10000 1 12\n        a = fork p\n        b = fork p\n        c = fork p\n        a mremap 0x10000 12 to 0x50000\n        b mremap 0x10000 12 to 0x50000\n        c mremap 0x10000 12 to 0x50000\n",
    ),
    (
        "allowed are 12",
        "        a = fork p\n",
        "        a = fork p\n        a read 0x10000\n        a read 0x10000\n",
    ),
    (
        "the machine is to be the lesson machine",
        "        p = spawn\n",
        "        machine lesson frames 256 swap 16\n        p = spawn\n",
    ),
)
