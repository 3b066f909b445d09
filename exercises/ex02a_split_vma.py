"""02a · Split a VMA

A VMA is a tuple `(start, end, prot, pgoff)`. It is about the pages `[start, end)` of an address
space. `prot` says what the program may do there. `pgoff` says what the page at `start` shows. That
is a page of a file. For anonymous memory (memory of no file) it is a number that the reverse map
may use later.

1. `split(vma, at)` cuts a VMA before page `at`, with start < at < end. It returns the lower and the
   upper part. Afterwards every page must show what it showed before.
2. `unmap(vmas, start, end)` unmaps the pages `[start, end)`, as `munmap` does. It returns what is
   left of a list of VMAs, ascending by address. Keep all pages outside of the range. Return no
   empty VMA. Holes in the range are fine.

Do not change the lists and arrays that your functions get: the caller still needs them.
"""

def split(vma, at):
    """Return (lower, upper): `vma` cut before page `at`."""
    start, end, prot, pgoff = vma
    raise NotImplementedError("02a: your code goes here")


def unmap(vmas, start, end):
    """Return what is left of `vmas` when pages [start, end) are unmapped."""
    raise NotImplementedError("02a: your code goes here")
