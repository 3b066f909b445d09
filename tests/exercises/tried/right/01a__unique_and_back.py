import functools, operator
import numpy as np
PAGE_SHIFT = 12
def indices(addr, levels, bits):
    if not levels: return []
    *upper, last = indices(addr >> bits, levels - 1, bits) + [addr >> PAGE_SHIFT & ~(-1 << bits)]
    return [*upper, last]
def walk(tables, pgd, addr, levels, bits):
    step = lambda word, slot: operator.getitem(tables, (word >> PAGE_SHIFT, slot))
    return functools.reduce(step, indices(addr, levels, bits), pgd << PAGE_SHIFT)
def walk_many(tables, pgd, addrs, levels, bits):
    pages, back = np.unique(addrs >> PAGE_SHIFT, return_inverse=True)
    words = np.full_like(pages, pgd << PAGE_SHIFT)
    level = levels
    while (level := level - 1) >= 0:
        words = tables.ravel()[(words >> PAGE_SHIFT) * tables.shape[1] + (pages >> level * bits & tables.shape[1] - 1)]
    return words[back]
