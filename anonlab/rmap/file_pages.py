"""File pages: the inode's VMA list (i_mmap), which lives beside every design for anonymous pages.

objrmap, Dave McCracken, February 2003: a page of a file knows its file (`page->mapping`) and its
offset in it (`page->index`); every VMA that maps the file says at which address that offset lies.
Linus's mail leaves file pages to it: "look up page using the inode vma list".
"""

from __future__ import annotations

import numpy as np

from anonlab.mm import File, Vma
from anonlab.rmap.base import Places


def link(vma: Vma) -> None:
    """Put `vma` on its file's list, if it has a file (vma_link)."""
    if vma.file is not None:
        vma.file.vmas[vma] = None


def unlink(vma: Vma) -> None:
    """Take `vma` off its file's list (remove_shared_vm_struct)."""
    if vma.file is not None:
        del vma.file.vmas[vma]


def candidates(file: File, pgoff: int, imap: str = "tree") -> Places:
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
    nodes = np.append(visited, len(file.vmas)) if imap == "list" else None
    return Places(mms, vpns, nodes)
