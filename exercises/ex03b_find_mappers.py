"""03b · Find all mappers by hand

A frame knows *how many* words map it (`mapcount`), not *which*. Find them the hard way: read
every page table of every process.

1. `mappers(tables, pgds, pfn, levels, bits)` returns the list of all `(place, address)` where the
   frame `pfn` is mapped. `place` says which of the top tables `pgds` it is; 0 is the first.
   `address` is in bytes. The list is ascending. As in 01b, a word maps a frame if bit 0
   is set, and the frame's number stands above bit 12.
2. `words_read(tables, pgds, levels, bits)` returns how many leaf words such a search has to read.
   It reads every slot of every leaf table that exists. Tables have any shape.

Do not change the lists and arrays that your functions get: the caller still needs them.
"""

def leaves(tables, row, level, bits, vpn=0):
    """Yield (address, word) of every slot of every leaf table below `row`; level 1 is a leaf."""
    for slot, word in enumerate(tables[row].tolist()):
        at = vpn << bits | slot
        if level == 1:
            yield at << 12, word
        elif word:
            yield from leaves(tables, word >> 12, level - 1, bits, at)


def mappers(tables, pgds, pfn, levels, bits):
    """Return [(place, address), …] of every word that maps frame `pfn`."""
    raise NotImplementedError("03b: your code goes here")


def words_read(tables, pgds, levels, bits):
    """Return how many leaf words a search through all processes reads."""
    raise NotImplementedError("03b: your code goes here")
