"""Known wrong answers of exercise 06a: (what the message says, replaced text, its replacement)."""

WRONG = (
    (
        "take a swap entry for a mapping",
        "    pfns = words[present] >> 12\n",
        "    pfns = words >> 12\n",
    ),
    ("forget mapcount", "    mapcount[pfns] -= 1\n", ""),
    ("forget count?", "    count[pfns] -= 1\n", ""),
    ("forget the swap entries", "    swap_map[slots] -= 1\n", ""),
    ("free every frame that the process had", "np.sort(pfns[count[pfns] == 0])", "np.sort(pfns)"),
    ("lower the zero page as well", "    pfns = pfns[pfns != 0]\n", ""),
    (
        "ask mapcount whether the frame is free",
        "pfns[count[pfns] == 0]",
        "pfns[mapcount[pfns] == 0]",
    ),
    (
        "item 3 is wrong",
        "    freed = np.sort(pfns[count[pfns] == 0])\n",
        "    freed = np.sort(pfns[count[pfns] == 0])[::-1]\n",
    ),
    (
        "Did you work in place",
        "    count, mapcount, swap_map = count.copy(), mapcount.copy(), swap_map.copy()\n",
        "    count, mapcount = count.copy(), mapcount.copy()\n",
    ),
)
