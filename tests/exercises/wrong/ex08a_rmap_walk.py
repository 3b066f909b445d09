"""Known wrong answers of exercise 08a: (what the message says, replaced text, its replacement)."""

WRONG = (
    (
        "take every member of the group for a mapper",
        "        if word & 1 and word >> 12 == pfn:\n",
        "        if True:\n",
    ),
    (
        "test only that the word is present",
        "        if word & 1 and word >> 12 == pfn:\n",
        "        if word & 1:\n",
    ),
    ("look on after the last mapping", "if len(found) == mapcount:", "if False:"),
    ("stop at the first mapping", "if len(found) == mapcount:", "if len(found) == 1:"),
    ("replace every word?", "entry if word & 1 and word >> 12 == pfn else word", "entry"),
    (
        "replace every present word",
        "entry if word & 1 and word >> 12 == pfn else word",
        "entry if word & 1 else word",
    ),
    (
        "clear the words",
        "entry if word & 1 and word >> 12 == pfn else word",
        "0 if word & 1 and word >> 12 == pfn else word",
    ),
    (
        "Did you work in place",
        "    return [entry if word & 1 and word >> 12 == pfn else word for word in words]\n",
        "    words[:] = [entry if word & 1 and word >> 12 == pfn else word for word in words]\n    return words\n",
    ),
    (
        "a word may be a swap entry",
        "    return [entry if word & 1 and word >> 12 == pfn else word for word in words]\n",
        "    return [entry if word >> 12 == pfn else word for word in words]\n",
    ),
)
