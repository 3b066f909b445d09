PRESENT, PAGE_SHIFT = 1, 12
def address_of(slots, offset, bits):
    number = 0
    for slot in slots:
        number = number * 2**bits + slot
    return number * 4096 + offset
def addresses(tables, pgd, pfn, levels, bits):
    # all tables of this address space, row by row
    where = {pgd: 0}
    for _ in range(levels - 1):
        below = {}
        for row, base in where.items():
            for slot, word in enumerate(tables[row].tolist()):
                if word:
                    below[word >> PAGE_SHIFT] = base << bits | slot
        where = below
    return [(base << bits | slot) << 12
            for row, base in sorted(where.items())
            for slot, word in enumerate(tables[row].tolist())
            if word & PRESENT and word >> 12 == pfn]
