def leaves(tables, row, level, bits, vpn=0):
    for slot, word in enumerate(tables[row].tolist()):
        at = vpn << bits | slot
        if level == 1:
            yield at << 12, word
        elif word:
            yield from leaves(tables, word >> 12, level - 1, bits, at)
def mappers(tables, pgds, pfn, levels, bits):
    return [(i, a) for i, pgd in enumerate(pgds) for a, w in leaves(tables, pgd, levels, bits) if w & 1 and w >> 12 == pfn]
def words_read(tables, pgds, levels, bits):
    return sum(1 for pgd in pgds for _, word in leaves(tables, pgd, levels, bits) if word)
