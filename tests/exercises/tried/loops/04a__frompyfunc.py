import numpy as np
def share_page(word):
    match word & 1, word:
        case 0, swapped_or_empty:
            return swapped_or_empty, swapped_or_empty
        case _, _:
            return word & ~2, word & ~0x22
both = np.frompyfunc(share_page, 1, 2)
def share_range(words):
    return [side.astype(np.int64) for side in both(words)]
