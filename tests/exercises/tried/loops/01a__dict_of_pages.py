import functools
PAGE_SHIFT = 12
def indices(addr, levels, bits):
    return [addr >> PAGE_SHIFT + bits * at & (1 << bits) - 1 for at in reversed(range(levels))]
def walk(tables, pgd, addr, levels, bits):
    down = lambda word, slot: tables[word >> PAGE_SHIFT, slot]
    return functools.reduce(down, indices(addr, levels, bits), pgd << PAGE_SHIFT)
def walk_many(tables, pgd, addrs, levels, bits):
    pages = (addrs >> PAGE_SHIFT).tolist()
    found = {page: walk(tables, pgd, page << PAGE_SHIFT, levels, bits) for page in set(pages)}
    return list(map(found.get, pages))
