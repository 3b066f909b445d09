"""Known wrong answers of exercise 10b: (what the message says, replaced text, its replacement)."""

WRONG = (
    (
        "Did you fork?",
        "        c = fork p\n        c mremap 0x30000 1 to 0x80000\n",
        "        p mremap 0x30000 1 to 0x80000\n",
    ),
    ("Did you write before the fork?", "        p write 0x30000 7\n", "        p read 0x30000\n"),
    (
        "Did you move anything?",
        "        c mremap 0x30000 1 to 0x80000\n",
        "        c write 0x30000 9\n",
    ),
    (
        "Did you move before the fork?",
        "        c = fork p\n        c mremap 0x30000 1 to 0x80000\n",
        "        p mremap 0x30000 1 to 0x80000\n        c = fork p\n",
    ),
    (
        "Did somebody write after the move?",
        "        c mremap 0x30000 1 to 0x80000\n",
        "        c mremap 0x30000 1 to 0x80000\n        c write 0x80000 9\n",
    ),
    (
        "Did a sharer go?",
        "        c mremap 0x30000 1 to 0x80000\n",
        "        c mremap 0x30000 1 to 0x80000\n        p exit\n",
    ),
    (
        "keep operations that change no mapcount",
        "        p write 0x30000 7\n",
        "        p read 0x30000\n        p write 0x30000 7\n        p read 0x30000\n"
        "        p write 0x30000 8\n",
    ),
    (
        "allowed are 10",
        "        c = fork p\n",
        "        c = fork p\n        c read 0x30000\n        c read 0x30000\n        c read 0x30000\n        c read 0x30000\n        c read 0x30000\n        c read 0x30000\n",
    ),
    (
        "operations, 7 are enough",
        "        c = fork p\n",
        "        c = fork p\n        c read 0x30000\n        c read 0x30000\n        p read 0x30000\n",
    ),
)
