import numpy as np
def break_cow(word, count, pfn):
    (new,), _ = break_cow_range(np.array([word]), np.array([count]), np.array([pfn]))
    return new
def break_cow_range(words, counts, pfns):
    alone = np.logical_and(counts == 1, words >> 12 != 0)
    new = np.empty_like(words)
    new[alone] = words[alone] | 2 | 64 | 32
    np.place(new, ~alone, pfns[: np.count_nonzero(~alone)] * 4096 + 0b1100111) if not alone.all() else None
    return new, np.invert(alone)
