import numpy as np
PAGE_SHIFT = 12
def indices(addr, levels, bits):
    number, _ = divmod(addr, 2**PAGE_SHIFT)
    digits = ()
    for _ in range(levels):
        number, digit = divmod(number, 2**bits)
        digits = (digit, *digits)
    return digits
def walk(tables, pgd, addr, levels, bits):
    match indices(addr, levels, bits):
        case (last,):
            return tables[pgd, last]
        case (first, *_):
            return walk(tables, tables[pgd, first] >> PAGE_SHIFT, addr, levels - 1, bits)
def walk_many(tables, pgd, addrs, levels, bits):
    flat, place = tables.ravel(), np.zeros_like(addrs) + pgd
    for digit in indices(addrs, levels, bits):
        word = flat.take(place * tables.shape[1] + digit)
        place = word >> PAGE_SHIFT
    return word
