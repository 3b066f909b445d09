PAGE_SHIFT = 12
def indices(addr, levels, bits):
    return [addr >> PAGE_SHIFT + bits * up & (1 << bits) - 1 for up in reversed(range(levels))]

import numpy as np
def walk(tables, pgd, addr, levels, bits):
    word = pgd << 12
    for slot in indices(addr, levels, bits):
        word = tables[word >> 12][slot]
    return int(word)
def walk_many(tables, pgd, addrs, levels, bits):
    words = np.full(addrs.shape, pgd << 12)
    for slots in indices(addrs.astype(np.int32), levels, bits):
        words = tables[words >> 12, slots]
    return words
