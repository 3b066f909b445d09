"""Known wrong answers of exercise 08b: (what the message says, replaced text, its replacement)."""

WRONG = (
    ("Did you send pages to swap?", "        p swap_out 0x30000 2\n", ""),
    (
        "Did you fork?",
        "        c = fork p\n        c mremap 0x31000 1 to 0x50000\n        p read 0x31000\n        c read 0x50000\n",
        "",
    ),
    (
        "Did you read the pages again?",
        "        p read 0x31000\n        c read 0x50000\n",
        "",
    ),
    (
        "move a page that is on swap in one process only",
        "        c mremap 0x31000 1 to 0x50000\n        p read 0x31000\n        c read 0x50000\n",
        "        p read 0x31000\n",
    ),
    ("fails:", "c read 0x50000", "c read 0x60000"),
    (
        "allowed are 30",
        "        c read 0x50000\n",
        "        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n        c read 0x50000\n",
    ),
)
