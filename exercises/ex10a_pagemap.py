"""10a · Read a pagemap word

`/proc/PID/pagemap` has one word of 64 bits for each page of a process:

| bits | if the page is present (bit 63) | if it is swapped out (bit 62) |
|---|---|---|
| 0–54 | number of its frame (*pfn*) | 0–4 number of the swap device, 5–54 slot on it |
| 55 | soft-dirty | soft-dirty |
| 56 | mapped exclusively: by one page table | 0 |
| 61 | page of a file, or shared memory | the same |

Other bits may be set as well. Ignore them.

1. `decode(word)` returns a dictionary. `state` is `"page"`, `"swap"` or `"none"`. `pfn` is the
   frame or `None`. `device` and `slot` are numbers on swap, or `None`. `exclusive`, `file` and
   `soft_dirty` are `True` or `False`. Report `soft_dirty` for an absent page, too. (Soft-dirty is a
   mark of Linux: a program has written to the page since the marks were last cleared.)
2. `shared(words)` takes an array (uint64) of the words of pages 0, 1, 2, … It returns the numbers
   of some pages, ascending. They are those that are present, not of a file, and not mapped
   exclusively. The zero page looks like one of them: the word alone does not tell.

1 of the 10 points is for array operations. For 800 words `shared` may make at most 50 steps more
than for 100. So if it makes 30 steps for 100 words, it may make 80 for 800. A step is a line of
yours that runs, a call of a function of yours, or a turn of a loop. A loop over the words is
correct, but you do not get this point.

Do not change the lists and arrays that your functions get: the caller still needs them.
"""

import numpy as np

PFN_BITS, DEVICE_BITS = 55, 5
SOFT_DIRTY, EXCLUSIVE, FILE, SWAPPED, PRESENT = 55, 56, 61, 62, 63


def decode(word):
    """Return what a word of pagemap says, as a dictionary."""
    raise NotImplementedError("10a: your code goes here")


def shared(words):
    """Return the numbers of the pages that are present, not of a file, and not exclusive."""

    raise NotImplementedError("10a: your code goes here")
