"""04a · fork shares pages

`fork` gives the child all memory of the parent without copying a page. For each page-table word
of private memory it makes the child's word and changes the parent's:

* a **present** word (bit `PRESENT` is set): both name the same frame, and `WRITE` is off in both.
  The child has not touched the page yet, so `ACCESSED` is off in the child's word;
* a word that is **not present and not 0** is a swap entry: parent and child both keep it;
* **0** stays 0 on both sides.

Write `share_page(word)`, which returns the parent's and the child's new word. Then write
`share_range(words)`: the same for an array of words at once. It returns two arrays,
the parent's and the child's.

1 of the 10 points is for array operations. For 800 words `share_range` may make at most 50 steps
more than for 100. So if it makes 30 steps for 100 words, it may make 80 for 800. A step is a line
of yours that runs, a call of a function of yours, or a turn of a loop. A loop over the words is
correct, but you do not get this point.

Do not change the lists and arrays that your functions get: the caller still needs them.
"""

import numpy as np

PRESENT, WRITE, ACCESSED = 1 << 0, 1 << 1, 1 << 5


def share_page(word):
    """Return (the parent's word, the child's word) after fork."""
    raise NotImplementedError("04a: your code goes here")


def share_range(words):
    """Return (the parent's words, the child's words) for an int64 array of words."""
    raise NotImplementedError("04a: your code goes here")
