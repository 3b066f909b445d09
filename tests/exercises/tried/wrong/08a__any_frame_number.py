def word_at(tables, pgd, vpn, levels, bits):
    word = pgd << 12
    for level in range(levels):
        word = int(tables[word >> 12][vpn >> bits * (levels - 1 - level) & (1 << bits) - 1])
    return word
def rmap_walk(tables, pgds, index, pfn, mapcount, levels, bits):
    places, looked = [], 0
    for at, pgd in enumerate(pgds):
        looked += 1
        word = word_at(tables, pgd, index, levels, bits)
        if word & 1 and word >> 12 == pfn:
            places.append(at)
            if len(places) == mapcount:
                break
    return places, looked
def try_to_unmap(words, pfn, entry):
    return [entry if word >> 12 == pfn else word for word in words]
