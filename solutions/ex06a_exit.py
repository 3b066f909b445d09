"""06a · exit gives everything back

When a process exits, its words go one by one. Each word used a frame or a slot of swap. So lower
the counters of what it used.

Write `exit_mm(words, count, mapcount, swap_map)`. `words` are the words of the process's private
memory. For each frame, `count` says how many users it has, and `mapcount` how many words map it.
`swap_map` says how many entries use each swap slot; the swap cache counts as one more. Return the
three arrays as they are afterwards, and the ascending[^ascending] list of the frames that became free.

* For a present word that maps a frame, subtract 1 from `mapcount`[^mapcount] and 1 from `count`[^count] of this frame.
  A frame whose `count` falls to 0 is free. A frame that somebody else holds stays[^held].
* The zero page (frame 0) has no mapcount and is never freed. Nothing changes for it[^zero-page].
* For a swap entry, subtract 1 from `swap_map` of its slot, which is `word >> 8`[^swap]. Change nothing
  else[^not-present]. Bits 1 to 5 name the swap area: the disk or the file that has the slot. No two slots have
  the same number, even in different areas.
* Do not change the arrays that you get[^arguments]. One process never maps a frame twice.
"""

EXERCISE = {
    "objectives": [
        "say who must be told when a mapping goes",
        "see why the last mapping frees a page, not the parent's",
    ],
    "minutes": 15,
    "public": {"test_exit": 4},
    "hidden": {"test_other_histories": 6},
    "families": ["family", "forked", "swapped", "pinned"],
    "hints": [
        "What three kinds of words are there? For which of them does anybody keep a count?",
        "Frames and swap slots have counts of their own. Lower `count` first. Then ask it whether "
        "the frame is free: a device may hold a frame that nobody maps.",
        "Ages by number: after = ages.copy(), then `after[guests] -= 1` makes all guests a "
        "year younger. Now `guests[after[guests] < 18]` are those who are under age. "
        "Entries are words that are not 0 and not present.",
    ],
    "promises": {
        "mapcount": ("forget mapcount", "test_exit"),
        "count": ("forget count?", "test_exit"),
        "held": ("ask mapcount whether the frame is free", "test_exit", "test_other_histories"),
        "zero-page": ("lower the zero page as well", "test_exit"),
        "swap": ("forget the swap entries", "test_exit"),
        "not-present": ("take a swap entry for a mapping", "test_exit"),
        "ascending": ("item 3 is wrong", "test_exit", "test_other_histories"),
        "arguments": ("Did you work in place", "test_exit"),
    },
    "commentary": """
        `a[i] -= 1` with an array of places counts a repeated place once. Here that is right
        only because one process maps a frame at most once. Otherwise np.subtract.at is
        needed.

        Linux does this in unmap_vmas and free_pages_and_swap_cache on the way of exit_mmap. A
        loop over the words is right too, and easier to read. It costs a step for every page,
        and exit is as frequent as fork.
    """,
}

import numpy as np

PRESENT = 1


def exit_mm(words, count, mapcount, swap_map):
    """Return (count, mapcount, swap_map, freed frames) after the exit."""
    # <answer>
    count, mapcount, swap_map = count.copy(), mapcount.copy(), swap_map.copy()
    present = (words & PRESENT) != 0
    pfns = words[present] >> 12
    pfns = pfns[pfns != 0]
    count[pfns] -= 1
    mapcount[pfns] -= 1
    slots = words[~present & (words != 0)] >> 8
    swap_map[slots] -= 1
    freed = np.sort(pfns[count[pfns] == 0])
    return count, mapcount, swap_map, freed
    # </answer>
