def anonmm_places(ring, home, vpn):
    return [(mm, vpn) for mm in ring[home:] + ring[:home] if mm]
def anon_vma_places(vmas, index):
    out = []
    for mm, start, end, pgoff in vmas[::-1]:
        at = index - pgoff + start
        if start <= at <= end:
            out.append((mm, at))
    return out
