def split(vma, at):
    start, end, prot, pgoff = vma
    return (start, at, prot, pgoff), (at, end, prot, pgoff + at - start)
def unmap(vmas, start, end):
    left = []
    for vma in vmas:
        s, e, prot, pgoff = vma
        if e <= start or s >= end:
            left.append(vma)
            continue
        if s <= start:
            left.append((s, start, prot, pgoff))
        if e >= end:
            left.append((end, e, prot, pgoff + end - s))
    return left
