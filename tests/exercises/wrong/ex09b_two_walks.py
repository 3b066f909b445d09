"""Known wrong answers of exercise 09b: (what the message says, replaced text, its replacement)."""

WRONG = (
    ("begin with the oldest node", "order = ring[home:] + ring[:home]", "order = ring"),
    ("stop at the end of the list", "order = ring[home:] + ring[:home]", "order = ring[home:]"),
    ("nodes whose address space is gone", "for mm in order if mm]", "for mm in order]"),
    (
        "a VMA may not reach the page",
        "        if pgoff <= index < pgoff + end - start:\n",
        "        if True:\n",
    ),
    ("take the index for the page number", "start + index - pgoff)", "index)"),
    ("begin with the oldest VMA", "reversed(vmas)", "vmas"),
    ("leave out the last page", "pgoff + end - start:", "pgoff + end - start - 1:"),
    (
        "Did you work in place",
        "    order = ring[home:] + ring[:home]\n",
        "    ring[:] = ring[home:] + ring[:home]\n    order = ring\n",
    ),
)
