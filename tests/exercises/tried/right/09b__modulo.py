import numpy as np
def anonmm_places(ring, home, vpn):
    n = len(ring)
    return [[ring[(home + step) % n], vpn] for step in range(n) if ring[(home + step) % n] != 0]
def anon_vma_places(vmas, index):
    if not vmas:
        return []
    mm, start, end, pgoff = np.array(vmas).T[:, ::-1]
    vpn = start + (index - pgoff)
    keep = (vpn >= start) & (vpn < end)
    return np.stack([mm[keep], vpn[keep]], axis=1)
