"""02b · When two VMAs become one

After `mmap` the kernel looks at the VMA below and above. If two VMAs touch and have the same rule,
one VMA is enough. A VMA is a tuple `(start, end, prot, shared, file, pgoff)`, in pages. `file` is
`""` for anonymous memory (memory of no file).

Write `merge(lower, upper)`: it returns the one VMA that takes the place of both, or `None` if
they must stay two. Private anonymous memory has its own page numbers as pgoff, until it is moved to
another address. For each field ask: what would a program notice if you ignored it?
"""

def merge(lower, upper):
    """Return the VMA that stands for both, or None."""
    raise NotImplementedError("02b: your code goes here")
