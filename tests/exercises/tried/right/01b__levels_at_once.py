import numpy as np
PRESENT, PAGE_SHIFT = 1, 12
def address_of(slots, offset, bits):
    from functools import reduce
    return offset + (reduce(lambda a, s: (a << bits) + s, slots, 0) << PAGE_SHIFT)
def addresses(tables, pgd, pfn, levels, bits):
    rows, base = np.array([pgd]), np.array([0])
    for level in range(levels):
        words = tables[rows]
        at, slot = np.nonzero(words)
        base, words = base[at] * 2**bits + slot, words[at, slot]
        rows = words >> PAGE_SHIFT
    hit = (words % 2 == 1) & (rows == pfn)
    return base[hit] << PAGE_SHIFT
