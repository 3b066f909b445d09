from dataclasses import dataclass
import numpy as np
@dataclass
class Bits:
    present: int = 1; write: int = 2; user: int = 4; accessed: int = 32; dirty: int = 64
    def zero(self): return self.present | self.user | self.accessed
    def all(self): return self.zero() | self.write | self.dirty
B = Bits()
def touch_page(word, write, pfn):
    match (divmod(word, 4096), write):
        case ((0, _), True): return pfn * 4096 + B.all()
        case ((0, _), False): return B.zero()
        case _: return word
def touch_range(words, write, pfns):
    fresh = words < 4096
    if not write: return np.where(fresh, B.zero(), words)
    return np.where(fresh, pfns[np.cumsum(fresh) - 1] * 4096 + B.all(), words)
