"""01a · Walk the page tables

All page tables of a machine are rows of one array, `tables`. Row `r`, slot `s` holds the word
`tables[r][s]`. A word of an upper table holds the row of the next table, from bit 12 up. A word of
the last table is the page-table entry. `pgd` is the row of the top table, and row 0 is always
empty.

The low 12 bits of an address are the offset. Above them stands one index of `bits` bits for each
of the `levels` tables. The top table's index stands highest.

1. `indices(addr, levels, bits)` returns the indices, top first. The lesson machine has
   2 levels of 4 bits: `0x3a123` gives `[3, 10]` there.
2. `walk(tables, pgd, addr, levels, bits)` returns the entry for the address. It returns 0
   if a table is missing. A swap entry is an entry too: it is no special case.
3. `walk_many(tables, pgd, addrs, levels, bits)` does so for an array of addresses, in any
   order.

1 of the 10 points is for array operations. For 800 addresses `walk_many` may make at most 50 steps
more than for 100. So if it makes 30 steps for 100 addresses, it may make 80 for 800. A step is a
line of yours that runs, a call of a function of yours, or a turn of a loop. A loop over the
addresses is correct, but you do not get this point.

Do not change the lists and arrays that your functions get: the caller still needs them.
"""

PAGE_SHIFT = 12


def indices(addr, levels, bits):
    """Return the index into each table, top first."""
    raise NotImplementedError("01a: your code goes here")


def walk(tables, pgd, addr, levels, bits):
    """Return the page-table entry of `addr`, 0 if there is none."""
    raise NotImplementedError("01a: your code goes here")


def walk_many(tables, pgd, addrs, levels, bits):
    """Return the entries of an int64 array of addresses."""
    raise NotImplementedError("01a: your code goes here")
