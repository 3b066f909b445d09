"""The real reverse map: from a page of a live process to its anon_vma, the VMAs in its interval
tree, and the processes behind them, as the running kernel keeps them.

Everything is still while it is read, because every process waits for its next command. Nothing is
written. Addresses of the kernel leave this module only as names that tell things apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from anonlab.linux.kernel_memory import BtfTypes, KernelMemory
from anonlab.linux.pagemap import PM_PFN, Frames, own_pages
from anonlab.machine.words import PAGE_SHIFT

VMEMMAP_BASES = (0xFFFFEA0000000000, 0xFFD4000000000000)
"""Where struct pages lie without address randomisation, with 4 and with 5 levels of tables."""
MAPPING_BITS, MAPPING_ANON = 3, 1
NODES_MAX = 10_000
"""A tree with more nodes has changed under us."""
_MEMBERS = {
    "page": ("mapping", "_mapcount"),
    "folio": ("index",),
    "anon_vma": ("root", "parent", "refcount", "num_children", "num_active_vmas", "rb_root"),
    "anon_vma_chain": ("vma", "anon_vma", "same_vma", "rb"),
    "vm_area_struct": (
        *("vm_start", "vm_end", "vm_pgoff", "vm_mm"),
        *("anon_vma", "anon_vma_chain"),
    ),
    "mm_struct": ("owner",),
    "task_struct": ("pid",),
}


class Candidate(NamedTuple):
    """A place where a page may be mapped, by the kernel's own reverse map."""

    pid: int
    vpn: int


class RealAnonVma(NamedTuple):
    """What the kernel keeps of an anon_vma: its number, those of parent and root, and counts.

    Numbers are given in the order in which anon_vmas are met, from 0: AV0, AV1, …
    """

    number: int
    parent: int
    root: int
    num_children: int
    num_active_vmas: int
    refcount: int
    nvmas: int


class RealArea(NamedTuple):
    """What the kernel keeps of a VMA: whose it is, its pages, and the numbers of the anon_vmas on
    its chain, as the list has them, and of its own one."""

    pid: int
    vpn: int
    npages: int
    pgoff: int
    chain: tuple[int, ...]
    own: int


class RealPage(NamedTuple):
    """What struct page says of an anonymous page: the number of its anon_vma, index, mapcount."""

    anon_vma: int
    page_index: int
    mapcount: int


class RealRmap:
    """The running kernel's reverse map, to be read.

    raises  OSError or ValueError where this kernel does not allow it or does not look as it
            should: the message says why
    """

    def __init__(self) -> None:
        types = BtfTypes()
        self._at = {
            (structure, member): types.offset(structure, member)
            for structure, members in _MEMBERS.items()
            for member in members
        }
        self._page_bytes = types.size("page")
        self._numbers: dict[int, int] = {}
        self._memory = KernelMemory()
        try:
            self._vmemmap = self._base()
        except BaseException:
            self._memory.close()
            raise

    def close(self) -> None:
        """Give everything back."""
        self._memory.close()

    def home(self, pfn: int) -> RealAnonVma:
        """Return the anon_vma of an anonymous page."""
        anon, _ = self._anon_vma_and_index(pfn)
        return self._fact(anon)

    def page(self, pfn: int) -> RealPage:
        """Return what struct page says of the anonymous page `pfn`."""
        anon, index = self._anon_vma_and_index(pfn)
        page = self._vmemmap + pfn * self._page_bytes
        return RealPage(self._number(anon), index, self._int(page, "page", "_mapcount") + 1)

    def candidates(self, pfn: int) -> list[Candidate]:
        """Return where the anonymous page `pfn` may be mapped (rmap_walk_anon)."""
        anon, index = self._anon_vma_and_index(pfn)
        found = []
        for vma in self._vmas(anon):
            start, npages, pgoff = self._range(vma)
            if 0 <= index - pgoff < npages:
                found.append(Candidate(self._pid(vma), start + index - pgoff))
        return found

    def reachable(self, pfns: Iterable[int]) -> tuple[list[RealAnonVma], list[RealArea]]:
        """Return the anon_vmas and VMAs that can be reached from anonymous pages, through trees,
        chains, parents and roots.

        raises  ValueError if chains and trees do not hold the same links: they have changed
        """
        todo = [self._anon_vma_and_index(pfn)[0] for pfn in pfns]
        anons: dict[int, list[int]] = {}  # anon_vma -> VMAs in its tree
        chains: dict[int, list[int]] = {}  # VMA -> anon_vmas on its chain
        while todo:
            anon = todo.pop()
            if anon in anons:
                continue
            anons[anon] = list(self._vmas(anon))
            todo += [self._word(anon, "anon_vma", name) for name in ("parent", "root")]
            for vma in anons[anon]:
                if vma not in chains:
                    chains[vma] = list(self._chain(vma))
                    todo += chains[vma]
        trees = {(vma, anon) for anon, vmas in anons.items() for vma in vmas}
        if trees != {(vma, anon) for vma, chain in chains.items() for anon in chain}:
            raise ValueError(
                "trees and chains do not agree: they have changed while they were read"
            )
        return [self._fact(anon) for anon in anons], [self._area(*each) for each in chains.items()]

    def _fact(self, anon: int) -> RealAnonVma:
        at = self._at
        return RealAnonVma(
            self._number(anon),
            self._number(self._word(anon, "anon_vma", "parent")),
            self._number(self._word(anon, "anon_vma", "root")),
            self._memory.word(anon + at["anon_vma", "num_children"]),
            self._memory.word(anon + at["anon_vma", "num_active_vmas"]),
            self._int(anon, "anon_vma", "refcount"),
            sum(1 for _ in self._vmas(anon)),
        )

    def _area(self, vma: int, chain: list[int]) -> RealArea:
        own = self._number(self._word(vma, "vm_area_struct", "anon_vma"))
        return RealArea(self._pid(vma), *self._range(vma), tuple(map(self._number, chain)), own)

    def _range(self, vma: int) -> tuple[int, int, int]:
        """Return first page number, number of pages and pgoff of a VMA."""
        start, end, pgoff = (
            self._word(vma, "vm_area_struct", name) for name in ("vm_start", "vm_end", "vm_pgoff")
        )
        return start >> PAGE_SHIFT, end - start >> PAGE_SHIFT, pgoff

    def _pid(self, vma: int) -> int:
        owner = self._word(self._word(vma, "vm_area_struct", "vm_mm"), "mm_struct", "owner")
        return self._int(owner, "task_struct", "pid")

    def _chain(self, vma: int) -> Iterator[int]:
        """Yield the anon_vmas on the chain of a VMA, newest first (same_vma)."""
        head = vma + self._at["vm_area_struct", "anon_vma_chain"]
        entry, seen = self._memory.word(head), 0
        while entry != head:
            seen += 1
            if seen > NODES_MAX:
                raise ValueError("the chain has changed while it was read")
            link = entry - self._at["anon_vma_chain", "same_vma"]
            yield self._word(link, "anon_vma_chain", "anon_vma")
            entry = self._memory.word(entry)

    def _anon_vma_and_index(self, pfn: int) -> tuple[int, int]:
        """Return the anon_vma of a page and the page's index."""
        page = self._vmemmap + pfn * self._page_bytes
        mapping = self._word(page, "page", "mapping")
        if mapping & MAPPING_BITS != MAPPING_ANON:
            raise ValueError(f"pfn {pfn:#x} is no anonymous page")
        return mapping & ~MAPPING_BITS, self._word(page, "folio", "index")

    def _vmas(self, anon: int) -> Iterator[int]:
        """Yield the VMAs in the interval tree of an anon_vma, in no order."""
        todo, seen = [self._word(anon, "anon_vma", "rb_root")], 0
        while todo:
            node = todo.pop()
            if not node:
                continue
            seen += 1
            if seen > NODES_MAX:
                raise ValueError("the tree has changed while it was read")
            todo += [self._memory.word(node + 8), self._memory.word(node + 16)]
            link = node - self._at["anon_vma_chain", "rb"]
            yield self._word(link, "anon_vma_chain", "vma")

    def _number(self, anon: int) -> int:
        return self._numbers.setdefault(anon, len(self._numbers))

    def _word(self, addr: int, structure: str, member: str) -> int:
        return self._memory.word(addr + self._at[structure, member])

    def _int(self, addr: int, structure: str, member: str) -> int:
        data = self._memory.read(addr + self._at[structure, member], 4)
        return int.from_bytes(data, "little", signed=True)

    def _base(self) -> int:
        """Return where struct pages lie, proved on a page of our own."""
        with own_pages() as (pagemap, vpn):
            pfn = pagemap.words(vpn, 1)[0] & PM_PFN
            frames = Frames()
            try:
                mapcount = frames.mapcount(pfn)
            finally:
                frames.close()
            for base in VMEMMAP_BASES if pfn else ():
                page = base + pfn * self._page_bytes
                try:
                    mapping = self._word(page, "page", "mapping")
                    count = self._int(page, "page", "_mapcount") + 1
                except OSError:
                    continue
                if mapping & MAPPING_BITS == MAPPING_ANON and count == mapcount:
                    return base
        raise ValueError("struct pages are not where they should be: addresses are randomised")
