import numpy as np
def rmap_walk(tables, pgds, index, pfn, mapcount, levels, bits):
    rows = np.array(pgds, dtype=np.int64)
    for level in range(levels):
        words = tables[rows, index >> bits * (levels - 1 - level) & (1 << bits) - 1]
        rows = words >> 12
    hits = np.flatnonzero((words & 1 == 1) & (rows == pfn))[:mapcount]
    return hits, int(hits[-1]) + 1 if len(hits) == mapcount else len(pgds)
def try_to_unmap(words, pfn, entry):
    words = np.array(words, dtype=np.int64)
    return np.where((words & 1 == 1) & (words >> 12 == pfn), entry, words)
