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
    (
        "right, but page by page",
        "    fresh = (words >> 12) == 0\n",
        "    free = iter(pfns.tolist())\n"
        "    touch = lambda word: touch_page(word, write, next(free) if write and not word >> 12 else 0)\n"
        "    return list(map(touch, words.tolist()))\n"
        "    fresh = (words >> 12) == 0\n",
    ),
    ("Did you work in place", "    new = words.copy()\n", "    new = words\n"),
)
