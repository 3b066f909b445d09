import numpy as np
PRESENT, WRITE, USER, ACCESSED, DIRTY = 1 << 0, 1 << 1, 1 << 2, 1 << 5, 1 << 6
def touch_page(word, write, pfn):
    if word >> 12:
        return word
    if write:
        return pfn << 12 | word | PRESENT | WRITE | DIRTY
    return word | PRESENT | USER | ACCESSED
def touch_range(words, write, pfns):
    free = iter(pfns.tolist())
    return [touch_page(word, write, next(free) if write and not word >> 12 else 0) for word in words.tolist()]
