import numpy as np
def exit_mm(words, count, mapcount, swap_map):
    frames = (words >> 12)[(words & 1).astype(bool)]
    gone = np.bincount(frames, minlength=count.size)
    gone[0] = 0
    left = np.bincount(words[(words != 0) & (words % 2 == 0)] >> 8, minlength=swap_map.size)
    after = count - gone
    return after, mapcount - gone, swap_map - left, np.flatnonzero(gone & (after == 0)).tolist()
