"""03b · Find all mappers by hand

A frame knows *how many* words map it (`mapcount`), not *which*. Find them the hard way: read
every page table of every process.

1. `mappers(tables, pgds, pfn, levels, bits)` returns the list of all `(place, address)` where the
   frame `pfn` is mapped[^all]. `place` says which of the top tables `pgds` it is; 0 is the first[^place].
   `address` is in bytes[^bytes]. The list is ascending[^ascending]. As in 01b, a word maps a frame if bit 0
   is set[^present], and the frame's number stands above bit 12.
2. `words_read(tables, pgds, levels, bits)` returns how many leaf words such a search has to read.
   It reads every slot of every leaf table that exists[^every-slot]. Tables have any shape[^any-shape].

Do not change the lists and arrays that your functions get[^arguments]: the caller still needs them.
"""

EXERCISE = {
    "objectives": [
        "find the page tables that map a frame without any help",
        "say what that costs, and so why a reverse map is needed",
    ],
    "minutes": 20,
    "public": {"test_mappers": 2, "test_words_read": 2},
    "hidden": {"test_other_histories": 6},
    "families": ["forked", "moved", "swapped", "mixed"],
    "hints": [
        "Write a function that yields (address, word) for every leaf word of one process, "
        "and do the rest on top of it. You may take the one from 01b.",
        "Two processes may map one frame at two addresses (one of them may have moved its memory). "
        "So you cannot take the address from one process and look there in the others.",
        "Two loops: over the places (enumerate gives number and row), and in it over "
        "leaves(). For one process, `sum(word == 0 for address, word in leaves(tables, "
        "pgds[0], levels, bits))` counts its empty words. You need other conditions, or none.",
    ],
    "equivalent": {
        "words_read: ignores bits": (
            "leaves() reads whole tables; bits are for the addresses alone"
        ),
    },
    "promises": {
        "all": ("stop at the first mapping", "test_mappers"),
        "place": ("return the rows of the top tables", "test_mappers"),
        "bytes": ("return page numbers", "test_mappers"),
        "ascending": (
            "the items are right, their order is not",
            "test_mappers",
            "test_other_histories",
        ),
        "present": ("take swap entries for mappings", "test_mappers"),
        "every-slot": ("count only words that are not empty", "test_words_read"),
        "any-shape": ("write 16 for the number of slots", "test_mappers", "test_words_read"),
        "arguments": ("Did you work in place", "test_mappers"),
    },
    "commentary": """
        This is the oracle of the whole course. Everything that a reverse map answers is
        compared with such a scan. It needs no help from anybody, and it cannot be out of
        date. But it is far too slow. For one page it reads a quarter of a million words of
        a process with a gigabyte, and so on for every process.

        You can also read all tables once and sort all words by frame. That answers the
        question for all frames together. NumPy does it with one argsort.
    """,
}


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
    # <answer>
    return [
        (place, address)
        for place, pgd in enumerate(pgds)
        for address, word in leaves(tables, pgd, levels, bits)
        if word & 1 and word >> 12 == pfn
    ]
    # </answer>


def words_read(tables, pgds, levels, bits):
    """Return how many leaf words a search through all processes reads."""
    # <answer>
    return sum(1 for pgd in pgds for _ in leaves(tables, pgd, levels, bits))
    # </answer>
