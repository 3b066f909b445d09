"""Known wrong answers of exercise 04a: (what the message says, replaced text, its replacement)."""

WRONG = (
    (
        "leave the parent's word writable",
        "return parent, parent & ~ACCESSED",
        "return word, parent & ~ACCESSED",
    ),
    ("write-protect neither side", "parent = word & ~WRITE", "parent = word"),
    ("let the child keep ACCESSED", "return parent, parent & ~ACCESSED", "return parent, parent"),
    ("take a word that is not present for an empty one", "return word, word", "return word, 0"),
    (
        "take bits out of a swap entry",
        "    if not word & PRESENT:\n        return word, word\n",
        "",
    ),
    (
        "right, but page by page",
        "    present = (words & PRESENT) != 0\n",
        "    if words.size:\n"
        "        return np.vectorize(share_page)(words)\n"
        "    present = (words & PRESENT) != 0\n",
    ),
    (
        "Did you work in place",
        "    parent = np.where(present, words & ~WRITE, words)\n",
        "    words[present] &= ~WRITE\n    parent = words\n",
    ),
    ("give the child nothing", "return parent, parent & ~ACCESSED", "return parent, 0"),
    (
        "forget swap entries in the range",
        "np.where(present, parent & ~ACCESSED, parent)",
        "parent & ~ACCESSED",
    ),
)
