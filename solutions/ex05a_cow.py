"""05a · Copy on write

A program writes to a private page. The page's word is present but not writable. So the kernel takes
a fault and decides. `count` says how many users the frame has. Each word that maps the frame counts
one, and so does each device that holds it (a *pin*). Ignore the swap cache here.

* If the frame is not the zero page[^zero-page] and `count` is 1[^count], the page is the writer's alone. Then it
  is **reused**. The word becomes writable, dirty and accessed, and names the same frame[^reused].
* Otherwise it is **copied**: the word names a new frame[^copied], with all five bits set[^five-bits].

1. `break_cow(word, count, pfn)` returns the new word. If a new frame is needed, it is `pfn`.
2. `break_cow_range(words, counts, pfns)` does so for arrays. It returns the new words and a bool
   array that says which pages were copied[^which]. `pfns` are free frames, more than enough. They are
   used in order[^in-order].

Do not change the lists and arrays that your functions get[^arguments]: the caller still needs them.
"""

EXERCISE = {
    "objectives": [
        "decide copy or reuse for any page, and say whose page is copied",
        "do it to a range, with frames for exactly the pages that are copied",
    ],
    "minutes": 20,
    "public": {"test_break_cow": 2, "test_break_cow_range": 2},
    "hidden": {"test_other_histories": 3, "test_range_is_page_by_page": 3},
    "families": ["forked", "family", "pinned", "mixed"],
    "hints": [
        "Who can see the frame besides the writer? If nobody can, a copy would be wasted; "
        "if somebody can, writing into it would show.",
        "The zero page is everybody's, whatever its count says. Which numbers tell that a "
        "frame is the zero page?",
        "Two conditions on arrays: `weekend = (days == 5) | (days == 6)` is true where one of "
        "them is. With `where = np.flatnonzero(late)`, `plan[where] = seats[: len(where)]` "
        "hands out as many seats as there are late guests, in order.",
    ],
    "equivalent": {
        "break_cow: 12 -> 11": "no word of this machine has bit 11 set",
        "break_cow_range: 12 -> 11": "no word of this machine has bit 11 set",
    },
    "promises": {
        "zero-page": ("write into the zero page", "test_break_cow"),
        "count": ("reuse a page that two have", "test_break_cow"),
        "reused": ("forget that the write makes the page dirty", "test_break_cow"),
        "copied": ("leave the writer with the old frame", "test_break_cow"),
        "five-bits": ("leave the copy read-only", "test_break_cow"),
        "which": ("say which pages were reused", "test_break_cow_range", "test_other_histories"),
        "in-order": (
            "hand out frames by the place of the page",
            "test_break_cow_range",
            "test_range_is_page_by_page",
        ),
        "arguments": ("Did you work in place", "test_break_cow_range"),
    },
    "commentary": """
        This is do_wp_page with the rule that Linux had up to 2.6.12. The number that decides has
        changed three times since. In 2005 it was mapcount and swap entries, in 2020 count again,
        and in 2022 it became a mark on the page. A pinned page shows why it matters. With count
        it is copied although one process maps it. The device goes on writing to the old frame.

        Always copying is correct as well. It never shows in memory's contents. It wastes a
        frame and a copy for each page that a child leaves behind when it exits.
    """,
}

import numpy as np

PRESENT, WRITE, USER, ACCESSED, DIRTY = 1 << 0, 1 << 1, 1 << 2, 1 << 5, 1 << 6
ALL = PRESENT | WRITE | USER | ACCESSED | DIRTY


def break_cow(word, count, pfn):
    """Return the writer's word after the write fault."""
    # <answer>
    if word >> 12 == 0 or count > 1:
        return pfn << 12 | ALL
    return word | WRITE | DIRTY | ACCESSED
    # </answer>


def break_cow_range(words, counts, pfns):
    """Return (new words, which were copied)."""
    # <answer>
    copied = (words >> 12 == 0) | (counts > 1)
    new = words | WRITE | DIRTY | ACCESSED
    new[copied] = pfns[: np.count_nonzero(copied)] << 12 | ALL
    return new, copied
    # </answer>
