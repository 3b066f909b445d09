import numpy as np
READ, ALL = 0x25, 0x67
def touch_page(word, write, pfn):
    return word if word >> 12 else pfn << 12 | ALL if write else READ

def touch_range(words, write, pfns):
    out = words.copy()
    if not write:
        out[words == 0] = READ
        return out
    zero, never = words == READ, words == 0
    out[zero] = pfns[: zero.sum()] << 12 | ALL
    out[never] = pfns[zero.sum() : zero.sum() + never.sum()] << 12 | ALL
    return out
