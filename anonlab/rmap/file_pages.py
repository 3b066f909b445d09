"""File pages: the inode's VMA list (i_mmap), which lives beside every design for anonymous pages.

objrmap, Dave McCracken, February 2003: a page of a file knows its file (`page->mapping`) and its
offset in it (`page->index`); every VMA that maps the file says at which address that offset lies.
Linus's mail leaves file pages to it: "look up page using the inode vma list".
"""

from __future__ import annotations

import numpy as np

from anonlab.mm import File
from anonlab.rmap.base import Candidates


def candidates(file: File, pgoff: int, file_index: str = "tree") -> Candidates:
    """Return where page `pgoff` of `file` may be mapped.

    A VMA that does not reach that offset is passed over without a probe (vma_address). The list of
    2003 visits it all the same; the tree of 2004 does not.
    """
    places = [
        (vma.mm.number, vma.start_vpn + pgoff - vma.pgoff, at + 1)
        for at, vma in enumerate(file.vmas)
        if vma.pgoff <= pgoff < vma.pgoff + vma.npages
    ]
    mms, vpns, visited = np.array(places, dtype=np.int64).reshape(-1, 3).T
    nodes = np.append(visited, len(file.vmas)) if file_index == "list" else None
    return Candidates(mms, vpns, nodes)
