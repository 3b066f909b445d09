"""01b · Which address?

This is the inverse of a walk. You get the slots that a walk went through, or the number of a frame.
You return the address.

1. `address_of(slots, offset, bits)` returns an address. Its walk goes through `slots`, the top
   table's first[^top-first]. It ends at byte `offset` of the page[^offset]. So `address_of([3, 10], 0x123, 4)` is
   `0x3a123`.
2. `addresses(tables, pgd, pfn, levels, bits)` returns the address of every page that is mapped to
   frame `pfn`, ascending[^ascending]. It looks in one address space: its top table is row `pgd`. Tables have
   any shape[^any-shape]. A word maps a frame if bit 0 (`PRESENT`) is set[^present]. The frame's number stands above bit
   12. Any number of pages may match[^every].

Do not change the lists and arrays that your functions get[^arguments]: the caller still needs them.
"""

EXERCISE = {
    "objectives": [
        "put an address together from table slots",
        "say what it costs to go from a frame back to addresses when nobody kept a list",
    ],
    "minutes": 20,
    "public": {"test_address_of": 2, "test_addresses": 2},
    "hidden": {"test_other_machines": 3, "test_other_histories": 3},
    "families": ["lone", "swapped", "moved", "mixed"],
    "hints": [
        "Go forward first: how do you get slots out of an address? Then do the steps in the "
        "other order: what was cut off last is put on first.",
        "For `addresses` you need every leaf table. Go through the top table. Each word "
        "that is not 0 leads to a table below. A function that calls itself keeps count of "
        "the level.",
        "From the digits 4, 7, 1 to 471: begin with 0; for each digit take ten times what you "
        "have, plus the digit. Here a digit has `bits` bits, and `<<` stands for the times. A "
        "swap entry has bits above 12 as well: ask for PRESENT.",
    ],
    "equivalent": {
        "below: tables[row].tolist() -> tables[row]": "a number of NumPy is a number",
    },
    "promises": {
        "top-first": ("put the last slot on top", "test_address_of"),
        "offset": ("leave the offset out", "test_address_of"),
        "ascending": (
            "the items are right, their order is not",
            "test_addresses",
            "test_other_histories",
        ),
        "any-shape": ("write 16 for the number of slots", "test_addresses", "test_other_machines"),
        "present": ("take swap entries for mappings", "test_addresses"),
        "every": ("stop at the first page", "test_addresses"),
        "arguments": ("Did you work in place", "test_address_of"),
    },
    "commentary": """
        `addresses` has to read every word of every table. The kernel would have to do this in
        every address space, for every page that it wants to take away. A reverse map saves
        this work. The course compares ways to save it.

        Trying all addresses with walk() is right as well. In a small machine it costs levels
        times as many lookups. With 48 bits of address it never ends.
    """,
}

PRESENT, PAGE_SHIFT = 1, 12


def address_of(slots, offset, bits):
    """Return the address whose walk goes through `slots` and ends at `offset`."""
    # <answer>
    vpn = 0
    for slot in slots:
        vpn = vpn << bits | slot
    return vpn << PAGE_SHIFT | offset
    # </answer>


def addresses(tables, pgd, pfn, levels, bits):
    """Return the addresses of all pages that are mapped to frame `pfn`, ascending."""
    # <answer>
    found = []

    def below(row, slots):
        for slot, word in enumerate(tables[row].tolist()):
            if len(slots) < levels - 1:
                if word:
                    below(word >> PAGE_SHIFT, [*slots, slot])
            elif word & PRESENT and word >> PAGE_SHIFT == pfn:
                found.append(address_of([*slots, slot], 0, bits))

    below(pgd, [])
    return found
    # </answer>
