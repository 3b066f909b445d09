import numpy as np
PRESENT, WRITE, USER, ACCESSED, DIRTY = 1 << 0, 1 << 1, 1 << 2, 1 << 5, 1 << 6
ALL = PRESENT | WRITE | USER | ACCESSED | DIRTY
def break_cow(word, count, pfn):
    if word >> 12 and count == 1:
        return word | WRITE | DIRTY
    return pfn << 12 | ALL
def break_cow_range(words, counts, pfns):
    copied = (counts != 1) | (words >> 12 == 0)
    new = words | WRITE | DIRTY
    new[copied] = pfns[: copied.sum()] << 12 | ALL
    return new, copied
