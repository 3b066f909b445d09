"""04a · fork shares pages

`fork` gives the child all memory of the parent without copying a page. For each page-table word
of private memory it makes the child's word and changes the parent's:

* a **present** word (bit `PRESENT` is set): both name the same frame[^same-frame], and `WRITE` is off in both[^write-off].
  The child has not touched the page yet, so `ACCESSED` is off in the child's word[^accessed];
* a word that is **not present and not 0** is a swap entry: parent and child both keep it[^swap];
* **0** stays 0 on both sides.

Write `share_page(word)`, which returns the parent's and the child's new word. Then write
`share_range(words)`: the same for an array of words at once[^range]. It returns two arrays,
the parent's and the child's.

[=test_array_operations] of the 10 points is for array operations[^steps]. For 800 words `share_range` may make at most 50 steps
more than for 100. So if it makes 30 steps for 100 words, it may make 80 for 800. A step is a line
of yours that runs, a call of a function of yours, or a turn of a loop. A loop over the words is
correct, but you do not get this point.

Do not change the lists and arrays that your functions get[^arguments]: the caller still needs them.
"""

EXERCISE = {
    "objectives": [
        "say which bits fork changes, and on which side",
        "do to an array of page-table words what you did to one",
    ],
    "minutes": 15,
    "public": {"test_share_page": 2, "test_share_range": 1, "test_array_operations": 1},
    "hidden": {"test_other_histories": 3, "test_range_is_page_by_page": 3},
    "families": ["forked", "family", "swapped", "mixed"],
    "hints": [
        "Look at one present page first. Which of the two processes may write to it without "
        "a fault after fork? What would happen to the other's memory then?",
        "There are three kinds of words: 0, swap entries, present words. Only one of the "
        "three changes. `word & PRESENT` tells it from the others.",
        "Another bit as an example: `word & ~DIRTY` switches DIRTY off. And `np.where(late, "
        "0, marks)` gives 0 where `late` is true, and the mark elsewhere.",
    ],
    "promises": {
        "same-frame": ("give the child nothing", "test_share_page"),
        "write-off": ("leave the parent's word writable", "test_share_page"),
        "accessed": ("let the child keep ACCESSED", "test_share_page"),
        "swap": ("take a word that is not present for an empty one", "test_share_page"),
        "range": (
            "forget swap entries in the range",
            "test_share_range",
            "test_other_histories",
            "test_range_is_page_by_page",
        ),
        "steps": ("right, but page by page", "test_array_operations"),
        "arguments": ("Did you work in place", "test_share_range"),
    },
    "commentary": """
        The child's word is the parent's new word without ACCESSED, so the work is done once.
        Linux does the same in copy_one_pte (2.6): it never asks who will write first, and
        that is the point. Whoever writes first faults, and only then is a page copied.

        Another correct way is a loop over share_page. It costs the point for array operations
        and a Python call for every page: with 16,384 pages some hundred times as long.
    """,
}

import numpy as np

PRESENT, WRITE, ACCESSED = 1 << 0, 1 << 1, 1 << 5


def share_page(word):
    """Return (the parent's word, the child's word) after fork."""
    # <answer>
    if not word & PRESENT:
        return word, word
    parent = word & ~WRITE
    return parent, parent & ~ACCESSED
    # </answer>


def share_range(words):
    """Return (the parent's words, the child's words) for an int64 array of words."""
    # <answer>
    present = (words & PRESENT) != 0
    parent = np.where(present, words & ~WRITE, words)
    return parent, np.where(present, parent & ~ACCESSED, parent)
    # </answer>
