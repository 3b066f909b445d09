from itertools import groupby
def split(vma, at):
    start, end, prot, pgoff = vma
    return [[start, at, prot, pgoff], [at, end, prot, pgoff + at - start]]
def unmap(vmas, start, end):
    pages = [(which, page, vma) for which, vma in enumerate(vmas) for page in range(vma[0], vma[1])
             if not start <= page < end]
    out = []
    for (_, _), group in groupby(pages, lambda each: (each[0], each[1] >= end)):
        group = list(group)
        first, vma = group[0][1], group[0][2]
        out.append((first, group[-1][1] + 1, vma[2], vma[3] + first - vma[0]))
    return out
