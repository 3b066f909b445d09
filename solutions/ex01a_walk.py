"""01a · Walk the page tables

All page tables of a machine are rows of one array, `tables`. Row `r`, slot `s` holds the word
`tables[r][s]`. A word of an upper table holds the row of the next table, from bit 12 up. A word of
the last table is the page-table entry. `pgd` is the row of the top table, and row 0 is always
empty.

The low 12 bits of an address are the offset[^offset]. Above them stands one index of `bits` bits for each
of the `levels` tables[^any-shape]. The top table's index stands highest.

1. `indices(addr, levels, bits)` returns the indices, top first[^top-first]. The lesson machine has
   2 levels of 4 bits: `0x3a123` gives `[3, 10]` there.
2. `walk(tables, pgd, addr, levels, bits)` returns the entry for the address[^entry]. It returns 0
   if a table is missing[^missing]. A swap entry is an entry too: it is no special case[^swap].
3. `walk_many(tables, pgd, addrs, levels, bits)` does so for an array of addresses, in any
   order[^many].

[=test_array_operations] of the 10 points is for array operations[^steps]. For 800 addresses `walk_many` may make at most 50 steps
more than for 100. So if it makes 30 steps for 100 addresses, it may make 80 for 800. A step is a
line of yours that runs, a call of a function of yours, or a turn of a loop. A loop over the
addresses is correct, but you do not get this point.

Do not change the lists and arrays that your functions get[^arguments]: the caller still needs them.
"""

EXERCISE = {
    "objectives": [
        "cut an address into indices and offset",
        "walk tables of any depth, for one address and for many",
    ],
    "minutes": 20,
    "public": {
        "test_indices": 1,
        "test_walk": 1,
        "test_many_addresses": 1,
        "test_array_operations": 1,
    },
    "hidden": {"test_walk_many": 3, "test_deeper_tables": 3},
    "families": ["lone", "forked", "swapped", "mixed"],
    "hints": [
        "Write the address of the lesson machine in hex. Which digit is which index, and "
        "which digits are the offset? Then think of bits instead of digits.",
        "Level 0 is the top. Its index stands highest: below it are the indices of all "
        "other levels and the 12 bits of the offset. Shift those away, then keep `bits` "
        "bits.",
        "Decimal digits are cut out in the same way: the hundreds of 4711 are 4711 // 100 % "
        "10. Here a digit has `bits` bits: `>>` divides, and `&` with as many ones keeps the "
        "rest. In the walk row 0 is empty, so a missing table needs no test.",
    ],
    "equivalent": {
        "walk: int(tables[word >> PAGE_SHIFT][index]) -> tables[word >> PAGE_SHIFT][index]": (
            "a number of NumPy is a number"
        ),
        "walk_many: 0 * addrs -> 0": (
            "one row for all addresses: the first lookup makes an array of it"
        ),
        "walk_many: 0 * addrs + (pgd << PAGE_SHIFT) -> (pgd << PAGE_SHIFT)": (
            "one row for all addresses: the first lookup makes an array of it"
        ),
    },
    "promises": {
        "offset": ("forget the offset", "test_indices"),
        "any-shape": (
            "write the lesson's two levels of four bits down",
            "test_many_addresses",
            "test_deeper_tables",
        ),
        "top-first": ("begin with the last table", "test_indices"),
        "entry": ("return the frame's number", "test_walk"),
        "missing": ("yours is None (a forgotten return?)", "test_walk"),
        "swap": ("return only present entries", "test_walk"),
        "many": ("sort the addresses", "test_many_addresses", "test_walk_many"),
        "steps": ("right, but page by page", "test_array_operations"),
        "arguments": ("Did you work in place", "test_many_addresses", "test_walk_many"),
    },
    "commentary": """
        Because row 0 is empty, the walk follows zeros to zeros and needs no branch. That is
        why the same three lines work for an array: `tables[rows, slots]` looks up all
        addresses at once.

        A walk that stops at the first 0 is right too. With arrays it costs a mask at every
        level, and saves nothing: the addresses that go on need the lookup anyway.
    """,
}

PAGE_SHIFT = 12


def indices(addr, levels, bits):
    """Return the index into each table, top first."""
    # <answer>
    mask = (1 << bits) - 1
    return [addr >> (PAGE_SHIFT + bits * (levels - 1 - at)) & mask for at in range(levels)]
    # </answer>


def walk(tables, pgd, addr, levels, bits):
    """Return the page-table entry of `addr`, 0 if there is none."""
    # <answer>
    word = pgd << PAGE_SHIFT
    for index in indices(addr, levels, bits):
        word = int(tables[word >> PAGE_SHIFT][index])
    return word
    # </answer>


def walk_many(tables, pgd, addrs, levels, bits):
    """Return the entries of an int64 array of addresses."""
    # <answer>
    words = 0 * addrs + (pgd << PAGE_SHIFT)
    for slots in indices(addrs, levels, bits):
        words = tables[words >> PAGE_SHIFT, slots]
    return words
    # </answer>
