import numpy as np
def decode(word):
    there, swap, low = word >> 63 & 1, word >> 62 & 1, word & (1 << 55) - 1
    return dict(state="page" if there else "swap" if swap else "none", pfn=low if there else None,
                device=low & 31 if swap else None, slot=low >> 5 if swap else None,
                exclusive=bool(word >> 56 & 1), file=bool(word >> 61 & 1), soft_dirty=bool(word >> 55 & 1))

def shared(words):
    bit = lambda n: words >> np.uint64(n) & np.uint64(1) == 1
    frames = words & np.uint64((1 << 55) - 1)
    return np.flatnonzero(bit(63) & ~bit(61) & ~bit(56) & (frames != 0))
