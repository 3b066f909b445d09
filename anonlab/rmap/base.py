"""The interface of a reverse-map design: given a page, which page tables may map it?

A design is one class derived from Rmap, in one file. It keeps what it likes in `vma.rmap`,
`mm.rmap` and in mem_map's `mapping` and `index` (which nobody else writes for anonymous pages),
and must name every place that maps an anonymous page. It may name others in live address spaces:
that is its cost, and is counted. It never touches page tables, `count`, `mapcount` or flags.

Every hook does nothing by default, takes ranges, and runs after the kernel's own change.
Pages (`pfns`) and their page numbers (`vpns`) are int64[n], pairwise, distinct.

`anonlab/rmap/README.md` has a complete design in thirty lines, to start from.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from anonlab.machine.frames import MemMap
from anonlab.machine.words import Geometry, Ints, Mask, Pfns, Vpns
from anonlab.mm import Mm, MmTable, Vma
from anonlab.rmap.cost import Cost
from anonlab.rmap.description import Description

COW_RULES = ("count", "mapcount_swapcount", "count_only", "exclusive")
"""When a write fault may write in place, oldest first: anonlab/kernel/cow has the rules."""


class Candidates(NamedTuple):
    """Where a page may be mapped, in walking order, without repetition.

    mms, vpns  int64[n] each: numbers of address spaces, page numbers
    nodes      int64[n + 1] or None: elements of the design's structure that the walk has visited
               when it probes each place, and in all when it never stops; None = one for each place
    """

    mms: Ints
    vpns: Vpns
    nodes: Ints | None = None


class Rmap(Description):
    """A reverse-map design that knows nothing: the base of all others.

    cow_rule         when do_wp_page writes in place: one of COW_RULES
    early_stop       a walk ends once it has found `mapcount` places
    rehome_on_reuse  a page that is written in place moves to the writer's own object
    raises           ValueError for another cow_rule

    wants_dup        dup is called, page by page; fork then costs as much as it does
    knows_vmas       a walk has the VMA at hand; others pay a find_vma for each hit
    """

    cow_rule = "count"
    early_stop = True
    rehome_on_reuse = False
    wants_dup = False
    knows_vmas = False

    def __init__(
        self,
        *,
        cow_rule: str | None = None,
        early_stop: bool | None = None,
        rehome_on_reuse: bool | None = None,
    ) -> None:
        self.cost = Cost()
        self.version = 0
        self.owners_made = self.owners_freed = 0
        if cow_rule is not None:
            self.cow_rule = one_of("cow_rule", cow_rule, COW_RULES)
        if early_stop is not None:
            self.early_stop = early_stop
        if rehome_on_reuse is not None:
            self.rehome_on_reuse = rehome_on_reuse

    def attach(self, mem_map: MemMap, mm_table: MmTable, geometry: Geometry) -> None:
        """Belong to one machine; called once, before anything else. ValueError the second time.

        mm_table  what is known of each address space by number, its resident pages among it
        """
        if hasattr(self, "mem_map"):
            raise ValueError(
                f"this {type(self).__name__} belongs to another kernel; make a new one"
            )
        self.mem_map = mem_map
        self.mm_table = mm_table
        self.geometry = geometry

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

    def adjust_vma(self, vma: Vma) -> None:
        """`vma` begins or ends elsewhere now: a split, a merge, growth
        (anon_vma_interval_tree_post_update_vma)."""

    def unlink_vma(self, vma: Vma) -> None:
        """`vma` has no pages any more, and is gone or starts anew (unlink_anon_vmas)."""

    def moved_pgoff(self, vma: Vma, start_vpn: int) -> int:
        """Return the pgoff of the anonymous `vma` after mremap moved it to `start_vpn`."""
        return start_vpn

    # Pages

    def add(self, pfns: Pfns, vma: Vma, vpns: Vpns, exclusive: Mask) -> None:
        """Anonymous pages were mapped: new ones, or back from swap (page_add_anon_rmap).

        exclusive  bool[n], False for a page back from swap that others may still have there
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

    def moved(self, pfns: Pfns, old: Vma, old_vpns: Vpns, new: Vma, vpns: Vpns) -> None:
        """mremap moved these pages from `old_vpns` in `old` to `vpns` in `new`."""

    def index_of(self, vma: Vma, vpns: Vpns) -> Ints:
        """Return the mem_map.index of pages at `vpns` in `vma`, int64[n]."""
        return vpns

    def clash(self, index: Ints, vma: Vma, vpns: Vpns) -> Mask:
        """A swap-in wants to map pages that are still mapped elsewhere: return bool[n], True where
        a page with mem_map.index `index` could not be found at `vpns`, so that a copy is needed."""
        return np.zeros(vpns.shape, dtype=np.bool_)

    # The walk

    def candidates(self, pfn: int) -> Candidates:
        """Return where the anonymous page `pfn`, mapped at least once, may be mapped (rmap_walk).
        A question: it counts nothing."""
        raise NotImplementedError(f"{type(self).__name__} does not say where pages are mapped")

    def referenced(self, pfn: int, mms: Ints) -> None:
        """page_referenced has walked `pfn` and found it in the address spaces `mms`, int64[n], in
        walking order."""

    # For designs

    def forget_unmapped(self, pfns: Pfns) -> None:
        """Clear mapping and index of those of `pfns` that nobody maps any more: they may stay in
        the swap cache while the object that they name goes, and `mapping` must not dangle."""
        mem = self.mem_map
        if np.count_nonzero(left := mem.mapcount[pfns]):
            pfns = pfns[left == 0]
        mem.mapping[pfns] = 0
        mem.index[pfns] = 0

    def made(self, kind: str, n: int = 1) -> None:
        """Count `n` new objects of `kind`, a key of `sizes`."""
        self.cost.allocs += n
        self.owners_made += n * (kind == self.owners)
        self.grew(kind, n)

    def freed(self, kind: str, n: int = 1) -> None:
        """Count `n` objects of `kind` that were given back."""
        self.cost.frees += n
        self.owners_freed += n * (kind == self.owners)
        self.grew(kind, -n)

    def grew(self, kind: str, n: int) -> None:
        """Count the bytes of `n` things of `kind` that stand inside other objects."""
        small, large = self.sizes[kind]
        self.version += 1
        self.cost.bytes32 += n * small
        self.cost.bytes64 += n * large


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    """Return the option `value` if it is allowed; ValueError that lists what is."""
    if value not in allowed:
        raise ValueError(f"{name} is one of {', '.join(allowed)}; got {value!r}")
    return str(value)
