"""05a · Copy on write

A program writes to a private page. The page's word is present but not writable. So the kernel takes
a fault and decides. `count` says how many users the frame has. Each word that maps the frame counts
one, and so does each device that holds it (a *pin*). Ignore the swap cache here.

* If the frame is not the zero page and `count` is 1, the page is the writer's alone. Then it
  is **reused**. The word becomes writable, dirty and accessed, and names the same frame.
* Otherwise it is **copied**: the word names a new frame, with all five bits set.

1. `break_cow(word, count, pfn)` returns the new word. If a new frame is needed, it is `pfn`.
2. `break_cow_range(words, counts, pfns)` does so for arrays. It returns the new words and a bool
   array that says which pages were copied. `pfns` are free frames, more than enough. They are
   used in order.

Do not change the lists and arrays that your functions get: the caller still needs them.
"""

import numpy as np

PRESENT, WRITE, USER, ACCESSED, DIRTY = 1 << 0, 1 << 1, 1 << 2, 1 << 5, 1 << 6
ALL = PRESENT | WRITE | USER | ACCESSED | DIRTY


def break_cow(word, count, pfn):
    """Return the writer's word after the write fault."""
    raise NotImplementedError("05a: your code goes here")


def break_cow_range(words, counts, pfns):
    """Return (new words, which were copied)."""
    raise NotImplementedError("05a: your code goes here")
