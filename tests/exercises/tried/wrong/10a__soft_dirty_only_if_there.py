import numpy as np
def decode(word):
    bit = lambda n: bool(word >> n & 1)
    out = {"state": "none", "pfn": None, "device": None, "slot": None,
           "exclusive": False, "file": bit(61), "soft_dirty": False}
    if bit(63):
        out.update(state="page", pfn=word & (1 << 55) - 1, exclusive=bit(56), soft_dirty=bit(55))
    elif bit(62):
        out.update(state="swap", device=word & 31, slot=word >> 5 & (1 << 50) - 1, soft_dirty=bit(55))
    return out
def shared(words):
    w = np.uint64
    keep = (words >> w(63) == 1) & (words >> w(61) & w(1) == 0) & (words >> w(56) & w(1) == 0)
    return np.flatnonzero(keep)
