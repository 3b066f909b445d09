import numpy as np
PRESENT, WRITE, ACCESSED = np.int64(1), np.int64(2), np.int64(32)
OFF = np.array([[0, 0], [WRITE, WRITE | ACCESSED]])
def share_page(word):
    off = OFF[word & PRESENT]
    return word & ~off[0], word & ~off[1]
def share_range(words):
    words = words.copy()
    words.setflags(write=False)
    off = OFF[words & PRESENT].T
    return tuple(words & ~each for each in off)
