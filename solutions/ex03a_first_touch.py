"""03a · First touch

`mmap` gives no memory, only a promise. Memory comes when a page is touched, and it matters how. A
page of private anonymous memory has one of these words before a touch:

* `0`: never touched. A **read** maps the zero page, frame 0[^zero-page]: present, for users, accessed, but
  not writable[^not-writable]. A **write** maps a new frame, with all five bits set[^five-bits];
* the zero page: a **read** changes nothing. A **write** maps a new frame, as above[^second-touch];
* any other present word here belongs to this process alone and has all five bits: nothing changes[^own].

1. `touch_page(word, write, pfn)` returns the word after a read (`write` is False) or a write. If
   a new frame is needed, it is `pfn`.
2. `touch_range(words, write, pfns)` does so for an array of words. `pfns` are free frames, more
   than enough: they are used in order, one for each page that needs one[^in-order].

[=test_array_operations] of the 10 points is for array operations[^steps]. For 800 words `touch_range` may make at most 50 steps
more than for 100. So if it makes 30 steps for 100 words, it may make 80 for 800. A step is a line
of yours that runs, a call of a function of yours, or a turn of a loop. A loop over the words is
correct, but you do not get this point.

Do not change the lists and arrays that your functions get[^arguments]: the caller still needs them.
"""

EXERCISE = {
    "objectives": [
        "say what a read and a write do to an untouched page",
        "hand out frames to the pages of a range that need one, with array operations",
    ],
    "minutes": 20,
    "public": {"test_touch_page": 2, "test_touch_range": 1, "test_array_operations": 1},
    "hidden": {"test_other_histories": 3, "test_range_is_page_by_page": 3},
    "families": ["lone", "areas", "files", "mixed"],
    "hints": [
        "Make a table: three kinds of words down, read and write across. Only three of the "
        "six cells change anything.",
        "For a write, two kinds of words need a frame, and a word that has one already is "
        "not 0 and not the zero page. The zero page's word has frame number 0: word >> 12 "
        "== 0.",
        "Seats for late guests: with late = np.array([True, False, True]) and seats = "
        "np.array([7, 8, 9]), `where = np.flatnonzero(late)` is [0, 2], and `plan[where] = "
        "seats[: len(where)]` puts 7 and 8 there. Which pages of a range are late, for a "
        "write?",
    ],
    "equivalent": {
        "touch_page: 12 -> 11": "no word of this machine has bit 11 set",
        "touch_range: 12 -> 11": "no word of this machine has bit 11 set",
    },
    "promises": {
        "zero-page": ("give a frame to a page that is only read", "test_touch_page"),
        "not-writable": ("map the zero page writable", "test_touch_page"),
        "five-bits": ("forget DIRTY and ACCESSED", "test_touch_page"),
        "second-touch": ("write into the zero page", "test_touch_page"),
        "own": ("take a new frame for a page that has one", "test_touch_page"),
        "in-order": (
            "hand out frames by the place of the page",
            "test_touch_range",
            "test_other_histories",
            "test_range_is_page_by_page",
        ),
        "steps": ("right, but page by page", "test_array_operations"),
        "arguments": ("Did you work in place", "test_touch_range"),
    },
    "commentary": """
        A word with frame number 0 is either 0 or the zero page: one test covers both, and a
        write needs nothing else. In Linux this is do_anonymous_page; for the zero page's
        second touch it is do_wp_page, because the word is present and not writable.

        A loop over touch_page with an iterator over pfns is right too. It costs a Python call
        for every page, and the point for array operations.
    """,
}

import numpy as np

PRESENT, WRITE, USER, ACCESSED, DIRTY = 1 << 0, 1 << 1, 1 << 2, 1 << 5, 1 << 6
ALL = PRESENT | WRITE | USER | ACCESSED | DIRTY


def touch_page(word, write, pfn):
    """Return the word after the touch."""
    # <answer>
    if word >> 12:
        return word
    if write:
        return pfn << 12 | ALL
    return PRESENT | USER | ACCESSED
    # </answer>


def touch_range(words, write, pfns):
    """Return the words after the touch, int64[n]."""
    # <answer>
    fresh = (words >> 12) == 0
    if not write:
        return np.where(fresh, PRESENT | USER | ACCESSED, words)
    new = words.copy()
    new[fresh] = pfns[: np.count_nonzero(fresh)] << 12 | ALL
    return new
    # </answer>
