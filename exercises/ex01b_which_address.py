"""01b · Which address?

This is the inverse of a walk. You get the slots that a walk went through, or the number of a frame.
You return the address.

1. `address_of(slots, offset, bits)` returns an address. Its walk goes through `slots`, the top
   table's first. It ends at byte `offset` of the page. So `address_of([3, 10], 0x123, 4)` is
   `0x3a123`.
2. `addresses(tables, pgd, pfn, levels, bits)` returns the address of every page that is mapped to
   frame `pfn`, ascending. It looks in one address space: its top table is row `pgd`. Tables have
   any shape. A word maps a frame if bit 0 (`PRESENT`) is set. The frame's number stands above bit
   12. Any number of pages may match.

Do not change the lists and arrays that your functions get: the caller still needs them.
"""

PRESENT, PAGE_SHIFT = 1, 12


def address_of(slots, offset, bits):
    """Return the address whose walk goes through `slots` and ends at `offset`."""
    raise NotImplementedError("01b: your code goes here")


def addresses(tables, pgd, pfn, levels, bits):
    """Return the addresses of all pages that are mapped to frame `pfn`, ascending."""
    raise NotImplementedError("01b: your code goes here")
