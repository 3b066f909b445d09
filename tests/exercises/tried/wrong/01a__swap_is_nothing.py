PAGE_SHIFT = 12
def indices(addr, levels, bits):
    vpn, found = addr >> PAGE_SHIFT, []
    for _ in range(levels):
        found.insert(0, vpn % (1 << bits))
        vpn >>= bits
    return found
def walk(tables, pgd, addr, levels, bits):
    row = pgd
    for index in indices(addr, levels, bits):
        word = int(tables[row][index])
        if not word & 1:
            return 0
        row = word >> PAGE_SHIFT
    return word
def walk_many(tables, pgd, addrs, levels, bits):
    rows = pgd
    for at in range(levels):
        words = tables[rows, (addrs >> PAGE_SHIFT + bits * (levels - 1 - at)) & (1 << bits) - 1]
        rows = words >> PAGE_SHIFT
    return words
