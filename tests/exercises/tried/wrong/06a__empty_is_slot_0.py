import numpy as np
PRESENT = 1
def exit_mm(words, count, mapcount, swap_map):
    count, mapcount, swap_map = np.array(count), np.array(mapcount), np.array(swap_map)
    present = words & PRESENT != 0
    pfns = np.unique(words[present] >> 12)
    pfns = pfns[pfns > 0]
    count[pfns] -= 1
    mapcount[pfns] -= 1
    np.subtract.at(swap_map, np.unique(words[~present] >> 8), 1)
    return count, mapcount, swap_map, pfns[count[pfns] == 0]
