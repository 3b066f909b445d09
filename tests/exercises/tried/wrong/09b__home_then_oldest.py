def anonmm_places(ring, home, vpn):
    order = [ring[home]] + [mm for at, mm in enumerate(ring) if at != home]
    return [(mm, vpn) for mm in order if mm]
def anon_vma_places(vmas, index):
    return [(mm, start + index - pgoff) for mm, start, end, pgoff in reversed(vmas)
            if 0 <= index - pgoff < end - start]
