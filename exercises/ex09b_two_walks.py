"""09b · The walk of two other designs

Here are two designs. In each the operation that matters is missing: where may a page be mapped?

**anonmm** (Hugh Dickins, 2003; his code of 2004). Every address space has a node. The nodes since
one execve form a ring. A page remembers one page number and its *home*, the node of the process
that touched it first. The walk looks at home first. Then it goes once round the ring from
there.

1. `anonmm_places(ring, home, vpn)`: `ring` lists the nodes, oldest first. Each is the number of
   its address space, or 0 if that is gone or has no page in memory. `home` is the place of the
   home in this list. Return the `(mm, vpn)` to look at, in walking order. A node that is 0 is
   passed over.

**anon_vma** (Andrea Arcangeli, as merged in 2.6.7). A page remembers an anon_vma and an *index*.
The anon_vma lists VMAs. The page lies in a VMA where its pgoff says so: a page with the VMA's
`pgoff` as index lies at its first page.

2. `anon_vma_places(vmas, index)`: `vmas` lists `(mm, start, end, pgoff)`, oldest first. All are in
   pages. Return the `(mm, vpn)` to look at, **newest VMA first**. A VMA that does not reach the
   index is no place, and its last page is one.

Do not change the lists and arrays that your functions get: the caller still needs them.
"""

def anonmm_places(ring, home, vpn):
    """Return [(mm, vpn), …] in walking order."""
    raise NotImplementedError("09b: your code goes here")


def anon_vma_places(vmas, index):
    """Return [(mm, vpn), …], newest VMA first."""
    raise NotImplementedError("09b: your code goes here")
