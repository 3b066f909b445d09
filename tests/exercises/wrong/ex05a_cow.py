"""Known wrong answers of exercise 05a: (what the message says, replaced text, its replacement)."""

WRONG = (
    ("always copy", "if word >> 12 == 0 or count > 1:", "if True:"),
    ("never copy", "if word >> 12 == 0 or count > 1:", "if False:"),
    (
        "reuse a page that two have",
        "if word >> 12 == 0 or count > 1:",
        "if word >> 12 == 0 or count > 2:",
    ),
    ("write into the zero page", "if word >> 12 == 0 or count > 1:", "if count > 1:"),
    (
        "forget that the write makes the page dirty",
        "    return word | WRITE | DIRTY | ACCESSED\n",
        "    return word | WRITE\n",
    ),
    ("leave the copy read-only", "return pfn << 12 | ALL", "return pfn << 12 | (ALL & ~WRITE)"),
    ("leave the writer with the old frame", "return pfn << 12 | ALL", "return word"),
    ("say which pages were reused", "    return new, copied\n", "    return new, ~copied\n"),
    (
        "hand out frames by the place of the page",
        "    new[copied] = pfns[: np.count_nonzero(copied)] << 12 | ALL\n",
        "    new[copied] = pfns[: words.size][copied] << 12 | ALL\n",
    ),
    (
        "Did you work in place",
        "    new = words | WRITE | DIRTY | ACCESSED\n",
        "    words |= WRITE | DIRTY | ACCESSED\n    new = words\n",
    ),
)
