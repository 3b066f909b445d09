import numpy as np
from typing import NamedTuple
class Sides(NamedTuple):
    parent: object
    child: object
OFF = np.array([[2], [2 | 32]])
def share_page(word):
    match word & 1:
        case 0: return Sides(word, word)
        case 1: return Sides(*(word - (word & int(off)) for (off,) in OFF))
def share_range(words):
    return Sides(*(words & np.where(words & 1, ~OFF, -1)))
