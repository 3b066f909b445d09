import numpy as np
READ, ALL = 0x25, 0x67
def touch_page(word, write, pfn):
    return word if word >> 12 else pfn << 12 | ALL if write else READ

def touch_range(words, write, pfns):
    out = words.copy()
    for at, pfn in zip(np.flatnonzero(words < 4096), pfns):
        out[at] = touch_page(0, write, pfn)
    return out
