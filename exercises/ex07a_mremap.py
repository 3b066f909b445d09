"""07a · Move a range

`mremap` gives pages another address. Under the anon memory group every anonymous page has exactly
one address. It is kept in its frame's `index`. That makes moving hard.

Write `move_range(words, count, new_vpn, pfns)`. `words` are the words of a range of private
anonymous memory. `count` says how many users the frame of each word has, 0 where there is no frame.
`new_vpn` is the page number that the first page gets. Return three arrays:

* the words as they stand at the new address;
* the `index` that the frame of each word must have afterwards, 0 where there is none;
* which pages were copied, as bools.

A present word that maps a frame with `count` 1 moves as it is. If `count` is more than 1,
somebody else may map or hold the frame at the old address. Then the word gets a new frame, the
next of `pfns`, and keeps its bits. The zero page, swap entries and 0 move untouched. They
have no index.

Do not change the arrays that your function gets: the caller still needs them.
"""

import numpy as np


def move_range(words, count, new_vpn, pfns):
    """Return (new words, index of each frame, which were copied)."""
    raise NotImplementedError("07a: your code goes here")
