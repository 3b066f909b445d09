"""03a · First touch

`mmap` gives no memory, only a promise. Memory comes when a page is touched, and it matters how. A
page of private anonymous memory has one of these words before a touch:

* `0`: never touched. A **read** maps the zero page, frame 0: present, for users, accessed, but
  not writable. A **write** maps a new frame, with all five bits set;
* the zero page: a **read** changes nothing. A **write** maps a new frame, as above;
* any other present word here belongs to this process alone and has all five bits: nothing changes.

1. `touch_page(word, write, pfn)` returns the word after a read (`write` is False) or a write. If
   a new frame is needed, it is `pfn`.
2. `touch_range(words, write, pfns)` does so for an array of words. `pfns` are free frames, more
   than enough: they are used in order, one for each page that needs one.

1 of the 10 points is for array operations. For 800 words `touch_range` may make at most 50 steps
more than for 100. So if it makes 30 steps for 100 words, it may make 80 for 800. A step is a line
of yours that runs, a call of a function of yours, or a turn of a loop. A loop over the words is
correct, but you do not get this point.

Do not change the lists and arrays that your functions get: the caller still needs them.
"""

import numpy as np

PRESENT, WRITE, USER, ACCESSED, DIRTY = 1 << 0, 1 << 1, 1 << 2, 1 << 5, 1 << 6
ALL = PRESENT | WRITE | USER | ACCESSED | DIRTY


def touch_page(word, write, pfn):
    """Return the word after the touch."""
    raise NotImplementedError("03a: your code goes here")


def touch_range(words, write, pfns):
    """Return the words after the touch, int64[n]."""
    raise NotImplementedError("03a: your code goes here")
