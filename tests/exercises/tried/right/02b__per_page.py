def pages(vma):
    start, end, *rest, pgoff = vma
    return [(page, *rest, page - start + pgoff) for page in range(start, end)]
def merge(lower, upper):
    both = (lower[0], upper[1], *lower[2:])
    if upper[0] == lower[1] and pages(lower) + pages(upper) == pages(both):
        return list(both)
