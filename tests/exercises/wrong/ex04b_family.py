"""Known wrong answers of exercise 04b: (what the message says, replaced text, its replacement)."""

WRONG = (
    ("read where you should have written", "shell write 0x30000 1 3", "shell read 0x30000 3"),
    ("forget the write after fork", "        child write 0x31000 9\n", ""),
    ("write pages that nobody asked for", "write 0x30000 1 3", "write 0x30000 1 4"),
    ("write too much after fork", "child write 0x31000 9", "child write 0x31000 9 2"),
    (
        "write after fork what the child should have got",
        "shell write 0x30000 1 3\n        child = fork shell\n",
        "child = fork shell\n        shell write 0x30000 1 3\n",
    ),
    (
        "write page by page",
        "shell write 0x30000 1 3",
        "shell write 0x30000 1\n        shell write 0x31000 1\n        shell write 0x32000 1",
    ),
    (
        "operations, 7 are enough",
        "        child write 0x31000 9\n",
        "        child read 0x30000\n        child read 0x30000\n        shell read 0x30000\n        child write 0x31000 9\n",
    ),
)
