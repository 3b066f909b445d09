from __future__ import annotations
from dataclasses import dataclass
import numpy as np
PAGE_SHIFT = 12
@dataclass(frozen=True, slots=True)
class Shape:
    levels: int
    bits: int
    def digits(self, addr):
        page = addr >> PAGE_SHIFT
        for up in range(self.levels - 1, -1, -1):
            yield (page >> up * self.bits) % (1 << self.bits)
def indices(addr, levels, bits):
    return tuple(Shape(levels, bits).digits(addr))
def walk(tables, pgd, addr, levels, bits):
    row, todo = pgd, list(indices(addr, levels, bits))
    while todo:
        match tables[row, todo.pop(0)]:
            case 0:
                return 0
            case word:
                row = word >> PAGE_SHIFT
    return word
def walk_many(tables, pgd, addrs, levels, bits):
    out = np.zeros(addrs.shape, np.int64)
    alive, rows = np.arange(addrs.size), np.full(addrs.size, pgd)
    for digit in Shape(levels, bits).digits(addrs):
        found = tables[rows, digit[alive]]
        there = found != 0
        alive, rows, last = alive[there], found[there] >> PAGE_SHIFT, found[there]
    out[alive] = last
    return out
