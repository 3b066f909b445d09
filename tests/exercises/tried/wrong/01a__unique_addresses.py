import numpy as np
PAGE_SHIFT = 12
def indices(addr, levels, bits):
    return [addr >> PAGE_SHIFT + bits * at & (1 << bits) - 1 for at in range(levels)][::-1]
def walk(tables, pgd, addr, levels, bits):
    row = pgd
    for index in indices(addr, levels, bits):
        word = tables[row][index]
        row = word >> PAGE_SHIFT
    return word
def walk_many(tables, pgd, addrs, levels, bits):
    addrs = np.unique(addrs)
    rows = np.full(addrs.size, pgd)
    for index in indices(addrs, levels, bits):
        words = tables[rows, index]
        rows = words >> PAGE_SHIFT
    return words
