"""Known wrong answers of exercise 05b: (what the message says, replaced text, its replacement)."""

WRONG = (
    (
        "Did you fork?",
        "        c = fork p\n        c write 0x30000 9\n",
        "        p write 0x30000 9\n",
    ),
    ("Did you touch the page before the fork?", "        p write 0x30000 7\n", ""),
    ("Did anybody write after the fork?", "        c write 0x30000 9\n", ""),
    (
        "write another page than the shared one",
        "mmap 0x30000 1\n        p write 0x30000 7\n        c = fork p\n        c write 0x30000",
        "mmap 0x30000 2\n        p write 0x30000 7\n        c = fork p\n        c write 0x31000",
    ),
    (
        "keep operations that the bug does not need",
        "        p write 0x30000 7\n",
        "        p read 0x30000\n        p write 0x30000 7\n        p read 0x30000\n",
    ),
    (
        "operations, 7 are enough",
        "        c write 0x30000 9\n",
        "        c read 0x30000\n        c read 0x30000\n        p read 0x30000\n        c write 0x30000 9\n",
    ),
)
