import numpy as np
from functools import partial
PAGE_SHIFT = 12
def indices(addr, levels, bits):
    text = f"{addr:0{levels * bits + PAGE_SHIFT}b}"[:-PAGE_SHIFT]
    return np.array([int(text[at : at + bits], 2) for at in range(0, levels * bits, bits)])
def walk(tables, pgd, addr, levels, bits):
    word = pgd << PAGE_SHIFT
    for slot in indices(addr, levels, bits):
        word = tables[word >> PAGE_SHIFT][slot]
        if not word:
            break
    return int(word)
def walk_many(tables, pgd, addrs, levels, bits):
    shifts = PAGE_SHIFT + bits * np.arange(levels)[::-1, None]
    slots = addrs >> shifts & (1 << bits) - 1
    words = np.full(addrs.shape, pgd << PAGE_SHIFT)
    for row_of_slots in slots:
        words = tables[words >> PAGE_SHIFT, row_of_slots]
    return words.tolist()
