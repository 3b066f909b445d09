"""Cases one after another, with loops, min and a generator made into a list."""


def places(anonymous, mapping, index, groups, files):
    """Two helpers."""
    return list(_members(groups[mapping], index) if anonymous else _shown(files[mapping], index))


def _members(mms, vpn):
    yield from ((mm, vpn) for mm in mms)


def _shown(vmas, page):
    for mm, first, end, pgoff in vmas:
        at = page - pgoff + first
        if min(max(at, first), end - 1) == at:
            yield mm, at


def needs_copy(shared, anonymous, mappers):
    """One question after another."""
    if shared:
        return False
    if not anonymous:
        return True
    return mappers != 1
