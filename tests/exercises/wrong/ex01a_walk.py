"""Known wrong answers of exercise 01a: (what the message says, replaced text, its replacement)."""

WRONG = (
    ("begin with the last table", "(levels - 1 - at)) & mask", "at) & mask"),
    ("forget the offset", "(PAGE_SHIFT + bits * (levels - 1 - at))", "(bits * (levels - 1 - at))"),
    ("keep the bits above each index", "(levels - 1 - at)) & mask", "(levels - 1 - at))"),
    ("use `bits` itself as a mask", "mask = (1 << bits) - 1", "mask = bits"),
    ("return the frame's number", "    return word\n", "    return word >> PAGE_SHIFT\n"),
    (
        "write the lesson's two levels of four bits down",
        "    words = 0 * addrs + (pgd << PAGE_SHIFT)\n    for slots in indices(addrs, levels, bits):\n"
        "        words = tables[words >> PAGE_SHIFT, slots]\n",
        "    words = tables[pgd, addrs >> 16 & 15]\n"
        "    words = tables[words >> PAGE_SHIFT, addrs >> PAGE_SHIFT & 15]\n",
    ),
    ("return only present entries", "    return word\n", "    return word if word & 1 else 0\n"),
    (
        "keep addresses in 32 bits",
        "    for slots in indices(addrs, levels, bits):\n",
        "    for slots in indices(addrs & 0xFFFFFFFF, levels, bits):\n",
    ),
    (
        "sort the addresses",
        "    words = 0 * addrs + (pgd << PAGE_SHIFT)\n",
        "    addrs = sorted(set(addrs.tolist()))\n    return [walk(tables, pgd, each, levels, bits) for each in addrs]\n"
        "    words = 0 * addrs + (pgd << PAGE_SHIFT)\n",
    ),
    (
        "yours is None (a forgotten return?)",
        "        word = int(tables[word >> PAGE_SHIFT][index])\n",
        "        word = int(tables[word >> PAGE_SHIFT][index])\n        if not word:\n            return None\n",
    ),
    (
        "right, but page by page",
        "    words = 0 * addrs + (pgd << PAGE_SHIFT)\n",
        "    return [walk(tables, pgd, each, levels, bits) for each in addrs.tolist()]\n"
        "    words = 0 * addrs + (pgd << PAGE_SHIFT)\n",
    ),
    (
        "Did you work in place",
        "    words = 0 * addrs + (pgd << PAGE_SHIFT)\n",
        "    addrs &= ~0xFFF\n    words = 0 * addrs + (pgd << PAGE_SHIFT)\n",
    ),
)
