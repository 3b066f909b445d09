"""Known wrong answers of exercise 03a: (what the message says, replaced text, its replacement)."""

WRONG = (
    (
        "give a frame to a page that is only read",
        "    if write:\n        return pfn",
        "    if True:\n        return pfn",
    ),
    (
        "map the zero page writable",
        "return PRESENT | USER | ACCESSED",
        "return PRESENT | USER | ACCESSED | WRITE",
    ),
    (
        "write into the zero page",
        "    if write:\n        return pfn",
        "    if write and word:\n        return word | ALL\n    if write:\n        return pfn",
    ),
    (
        "take a new frame for a page that has one",
        "    if word >> 12:\n",
        "    if word >> 12 and not write:\n",
    ),
    (
        "forget DIRTY and ACCESSED",
        "return pfn << 12 | ALL",
        "return pfn << 12 | PRESENT | WRITE | USER",
    ),
    (
        "hand out frames by the place of the page",
        "    new[fresh] = pfns[: np.count_nonzero(fresh)] << 12 | ALL\n",
        "    new[fresh] = pfns[: words.size][fresh] << 12 | ALL\n",
    ),
    ("Did you work in place", "    new = words.copy()\n", "    new = words\n"),
)
