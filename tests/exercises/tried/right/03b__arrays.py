import numpy as np
def _tables(tables, pgd, levels):
    rows = np.array([pgd])
    base = np.zeros(1, dtype=np.int64)
    for _ in range(levels - 1):
        words = tables[rows]
        at, slot = words.nonzero()
        base = base[at] * tables.shape[1] + slot
        rows = words[at, slot] >> 12
    return rows, base
def mappers(tables, pgds, pfn, levels, bits):
    out = []
    for place, pgd in enumerate(pgds):
        rows, base = _tables(tables, pgd, levels)
        words = tables[rows]
        at, slot = np.nonzero((words & 1 == 1) & (words >> 12 == pfn))
        out += zip([place] * len(at), (base[at] << bits) + slot << 12)
    return out
def words_read(tables, pgds, levels, bits):
    return sum(_tables(tables, pgd, levels)[0].size for pgd in pgds) << bits
