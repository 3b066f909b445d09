"""07a · Move a range

`mremap` gives pages another address. Under the anon memory group every anonymous page has exactly
one address. It is kept in its frame's `index`. That makes moving hard.

Write `move_range(words, count, new_vpn, pfns)`. `words` are the words of a range of private
anonymous memory. `count` says how many users the frame of each word has, 0 where there is no frame.
`new_vpn` is the page number that the first page gets. Return three arrays:

* the words as they stand at the new address;
* the `index` that the frame of each word must have afterwards[^index], 0 where there is none;
* which pages were copied, as bools.

A present word that maps a frame with `count` 1 moves as it is[^moves]. If `count` is more than 1,
somebody else may map or hold the frame at the old address[^copied]. Then the word gets a new frame, the
next of `pfns`[^in-order], and keeps its bits[^bits]. The zero page, swap entries and 0 move untouched. They
have no index[^no-index].

Do not change the arrays that your function gets[^arguments]: the caller still needs them.
"""

EXERCISE = {
    "objectives": [
        "say what mremap moves, and what it must change under one address per page",
        "see what the design pays for it: the copy of a shared page",
    ],
    "minutes": 20,
    "public": {"test_move": 4},
    "hidden": {"test_other_histories": 4, "test_every_kind_of_page": 2},
    "families": ["moved", "moved_swapped", "pinned_moved", "mixed"],
    "hints": [
        "What would the walk find after the move, if index stayed as it was? And if a "
        "shared page simply got the new index?",
        "Four kinds of words: 0, swap entries, the zero page, own frames. Only the last "
        "kind has an index, and only there can a copy be needed.",
        "Take a number of two parts, 0x1207. The upper part is 0x1207 >> 8, the lower 0x1207 & "
        "0xFF. With `<<` and `|` you put a new upper part before the old lower one. Which part "
        "of a word is the frame's number? `first + np.arange(n)` counts from `first` on.",
    ],
    "equivalent": {
        "move_range: 12 -> 11": "no word of this machine has bit 11 set",
        "move_range: mapped & (count > 1) -> (count > 1)": (
            "count is 0 where there is no frame, as the statement says"
        ),
    },
    "promises": {
        "index": ("leave out the index", "test_move"),
        "moves": ("copy a page that nobody shares", "test_move"),
        "in-order": (
            "hand out frames by the place of the page",
            "test_move",
            "test_other_histories",
            "test_every_kind_of_page",
        ),
        "bits": ("forget the bits of a copied word", "test_move"),
        "copied": ("move a shared page without a copy", "test_move"),
        "no-index": ("give swap entries or the zero page an index", "test_move"),
        "arguments": ("Did you work in place", "test_move"),
    },
    "commentary": """
        The mail calls mremap after fork the only problem. It solves it with a copy: "if
        (PageAnonymous(page) && page->count > 1)". Because count decides, a page that is only
        pinned is copied as well. Then a device goes on with the old frame. Hugh Dickins took
        mapcount instead.

        The designs with an anon_vma keep both: the index of the page and the pgoff of the VMA.
        Only the address at which the VMA starts changes, so the two still fit. Nothing is
        copied. Two VMAs that became neighbours in this way may not merge any more.
    """,
}

import numpy as np


def move_range(words, count, new_vpn, pfns):
    """Return (new words, index of each frame, which were copied)."""
    # <answer>
    mapped = ((words & 1) != 0) & (words >> 12 != 0)
    copied = mapped & (count > 1)
    new = words.copy()
    new[copied] = pfns[: np.count_nonzero(copied)] << 12 | words[copied] & 0xFFF
    index = np.where(mapped, new_vpn + np.arange(words.size), 0)
    return new, index, copied
    # </answer>
