import numpy as np
def move_range(words, count, new_vpn, pfns):
    mapped = (words & 1 == 1) & (words >> 12 > 0)
    copied = mapped & (count > 1)
    new = words.copy()
    new[copied] = pfns[: copied.sum()] << 12 | words[copied] & 0xFFF
    index = np.zeros_like(words)
    index[mapped] = new_vpn + np.arange(mapped.sum())
    return new, index, copied
