"""02a · Split a VMA

A VMA is a tuple `(start, end, prot, pgoff)`: pages `[start, end)` of an address space, what the
program may do there, and `pgoff`, which says what the page at `start` shows: a page of a file,
or, for anonymous memory, a number that the reverse map may use later.

1. `split(vma, at)` cuts a VMA before page `at`, with start < at < end, and returns the lower and
   the upper part. No page may show anything else afterwards than before.
2. `unmap(vmas, start, end)` returns what is left of a list of VMAs, ascending by address, when
   the pages `[start, end)` are unmapped (`munmap`): all that lies outside, and nothing
   empty. Holes in the range are fine.

The arguments of your functions must stay as they are: whoever calls still needs them.
"""

def split(vma, at):
    """Return (lower, upper): `vma` cut before page `at`."""
    start, end, prot, pgoff = vma
    raise NotImplementedError("02a: your code goes here")


def unmap(vmas, start, end):
    """Return what is left of `vmas` when pages [start, end) are unmapped."""
    raise NotImplementedError("02a: your code goes here")
