"""The interface of a reverse-map design: given a page, which page tables may map it?

A design is one class derived from Rmap, in one file. It keeps what it likes in `vma.rmap`,
`mm.rmap` and in mem_map's `mapping` and `index` (which nobody else writes for anonymous pages),
and must name every place that maps an anonymous page. It may name places that do not: that is its
cost, and is counted. It never touches page tables, `count` or `mapcount`.

Every hook does nothing by default, takes ranges, and runs after the kernel's own change.
Pages (`pfns`) and their page numbers (`vpns`) are int64[n], pairwise, distinct.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from anonlab.formats.snapshot import Edge, Node
from anonlab.formats.words import Ints, Mask, Pfns, Vpns
from anonlab.machine import Machine
from anonlab.mm import Mm, Vma
from anonlab.rmap.cost import Cost


class Rmap:
    """A reverse-map design that knows nothing: the base of all others.

    name        what people call it: Kernel(design=name)
    cow_rule    when do_wp_page writes in place: 'count' = the rule of 2004 (can_share_swap_page)
    early_stop  a walk ends once it has found `mapcount` places
    wants_dup   dup is called, page by page; fork then costs as much as it does
    keeps_mapping  mem_map.mapping stays when a page is mapped nowhere; nobody may follow it then
    """

    name = ""
    cow_rule = "count"
    early_stop = True
    keeps_mapping = False
    wants_dup = False

    def __init__(self) -> None:
        self.cost = Cost()

    def attach(self, machine: Machine) -> None:
        """Belong to `machine`; called once, before anything else. ValueError the second time."""
        if hasattr(self, "machine"):
            raise ValueError(
                f"this {type(self).__name__} belongs to another kernel; make a new one"
            )
        self.machine = machine
        self.mem_map = machine.mem_map

    # Address spaces

    def new_mm(self, mm: Mm) -> None:
        """An empty address space was made: spawn, execve (exec_rmap)."""

    def fork_mm(self, child: Mm, parent: Mm) -> None:
        """`child` was forked off `parent`; its VMAs and pages come after this (dup_rmap)."""

    def drop_mm(self, mm: Mm) -> None:
        """`mm` is gone, all its pages before it (exit_rmap)."""

    # VMAs

    def prepare(self, vma: Vma) -> None:
        """Anonymous pages, the first or more, are about to be mapped (anon_vma_prepare)."""

    def fork_vma(self, child: Vma, parent: Vma) -> None:
        """`child` is the copy of `parent` in a forked mm (anon_vma_fork)."""

    def copy_vma(self, new: Vma, old: Vma) -> None:
        """`new` was split off `old`, or mremap made it to take pages of `old` (anon_vma_clone)."""

    def can_merge(self, lower: Vma, upper: Vma) -> bool:
        """Return whether two adjacent, otherwise compatible VMAs may become one."""
        return True

    def merge_vma(self, keep: Vma, gone: Vma) -> None:
        """`gone` was absorbed by `keep`, pages and all; unlink_vma(gone) follows."""

    def unlink_vma(self, vma: Vma) -> None:
        """`vma` is gone (unlink_anon_vmas)."""

    def moved_pgoff(self, vma: Vma, start_vpn: int) -> int:
        """Return the pgoff of the anonymous `vma` after mremap moved it to `start_vpn`."""
        return start_vpn

    # Pages

    def add(self, pfns: Pfns, vma: Vma, vpns: Vpns, exclusive: bool = True) -> None:
        """Anonymous pages were mapped: new ones, or back from swap (page_add_anon_rmap).

        exclusive  False after a swap-in of a page that others still have on swap
        """

    def dup(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """fork mapped anonymous pages once more, in the child's `vma` (page_dup_rmap)."""

    def remove(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """Anonymous pages lost one mapping each (page_remove_rmap)."""

    def reused(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """A write fault found nobody else: the pages stay (page_move_anon_rmap)."""

    def move(self, pfns: Pfns, old: Vma, vpns: Vpns) -> Mask:
        """mremap wants to move mapped anonymous pages: return bool[n], True where the page must be
        copied instead. A question: nothing may change yet."""
        return np.zeros(pfns.shape, dtype=np.bool_)

    def moved(self, pfns: Pfns, new: Vma, vpns: Vpns) -> None:
        """mremap moved these pages to `vpns` in `new`."""

    def clash(self, index: Ints, vma: Vma, vpns: Vpns) -> Mask:
        """A swap-in wants to map pages that are still mapped elsewhere: return bool[n], True where
        a page with mem_map.index `index` could not be found at `vpns`, so that a copy is needed."""
        return np.zeros(vpns.shape, dtype=np.bool_)

    # The walk

    def candidates(self, pfn: int) -> tuple[Ints, Vpns]:
        """Return where the anonymous page `pfn` may be mapped: mm numbers int64[n], vpns int64[n],
        in walking order, without repetition (rmap_walk)."""
        raise NotImplementedError(f"{type(self).__name__} does not say where pages are mapped")

    # For people

    def home(self, mm: Mm) -> str:
        """Return the graph node id of what the design keeps for `mm`, '' if nothing."""
        return ""

    def mapping_names(self) -> Iterable[tuple[int, str]]:
        """Return (number in mem_map.mapping, its name) for every object of the design."""
        return ()

    def graph(self) -> tuple[list[Node], list[Edge]]:
        """Return the design's own structure as nodes and edges, in a stable order."""
        return [], []

    def check(self, mms: Mapping[int, Mm], numbers: Ints, vpns: Vpns, pfns: Pfns) -> None:
        """Raise AssertionError if the design's own rules are broken.

        mms                  the live address spaces by number
        numbers, vpns, pfns  int64[n]: every anonymous mapping that a scan of all page tables found
        """
