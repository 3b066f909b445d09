import numpy as np
PRESENT = 1
def exit_mm(words, count, mapcount, swap_map):
    count, mapcount, swap_map = count.copy(), mapcount.copy(), swap_map.copy()
    pfns = words[words & PRESENT == 1] >> 12
    pfns = pfns[pfns != 0]
    count[pfns] -= 1
    mapcount[pfns] -= 1
    entries = words[(words & PRESENT == 0) & (words != 0)]
    swap_map[entries >> 8] -= 1
    return count, mapcount, swap_map, np.sort(pfns[mapcount[pfns] == 0])
