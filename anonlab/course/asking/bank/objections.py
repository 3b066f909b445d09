"""The objections of 2003 and 2004: each a claim, a history that tests it, and what is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from anonlab.kernel import Kernel
from anonlab.kernel.walk import walk
from anonlab.machine.words import PAGE_SIZE

Counted = Callable[[Kernel], int]

_FORKED = "machine lesson frames 64 swap 16\np = spawn\np mmap 0x30000 8\np write 0x30000 1 8\n"


class Objection(NamedTuple):
    """What was said and by whom, the history, what is counted, and what came out.

    stands_out  which designs the numbers speak against; the question asks for them
    """

    claim: str
    history: str
    unit: str
    count: Counted
    stands_out: Callable[[int], bool]
    verdict: str


def forks(number: int, parent: str = "p", child: str = "c") -> str:
    """Return `number` lines in which `parent` forks c1, c2, …"""
    return "".join(f"{child}{at} = fork {parent}\n" for at in range(1, number + 1))


def looks(who: str, address: int, pages: int = 1) -> Counted:
    """Count the page-table entries that walks from the pages of `who` look at."""

    def counted(kernel: Kernel) -> int:
        before = kernel.design.cost.probes
        for at in range(address, address + pages * PAGE_SIZE, PAGE_SIZE):
            page = kernel.processes[who].page(at)
            assert page is not None, f"{who} has no page at {at:#x}"
            walk(kernel, page.pfn)
        return kernel.design.cost.probes - before

    return counted


def copied(cause: str) -> Counted:
    """Count the pages that were copied for `cause`, a counter of Cost."""
    return lambda kernel: int(getattr(kernel.design.cost, cause))


def areas(kernel: Kernel) -> int:
    """Count the VMAs of p."""
    mm = kernel.processes["p"].mm
    return len(mm.vmas) if mm else 0


def finds(kernel: Kernel) -> int:
    """Count the look-ups of a VMA that a design needs because it does not know it."""
    return int(kernel.design.cost.vma_finds)


OBJECTIONS: dict[str, Objection] = {
    "malloc": Objection(
        "Andrea Arcangeli: memory that one child has (a malloc) is looked for in all the group.",
        _FORKED + forks(20) + "c5 mmap 0x50000 1\nc5 write 0x50000 9\n",
        "entries looked at, for c5's page",
        looks("c5", 0x50000),
        lambda number: number > 1,
        "True of the mail's sketch. Not true of Hugh Dickins's code: it looks at home first.",
    ),
    "inherited": Objection(
        "And anon_vma does not have this trouble.",
        _FORKED + forks(20) + "c5 write 0x30000 9\n",
        "entries looked at, for c5's page",
        looks("c5", 0x30000),
        lambda number: number > 1,
        "False. The anon_vma that Linux took has the same trouble with inherited memory. It was "
        "mended in 2010.",
    ),
    "offsets": Objection(
        "Andrea Arcangeli to Rik van Riel: one space, equal offsets, and many looks in vain.",
        _FORKED
        + forks(8)
        + "".join(f"c{n} mmap 0x50000 1\nc{n} write 0x50000 {n}\n" for n in range(1, 9)),
        "entries looked at, for c8's page",
        looks("c8", 0x50000),
        lambda number: number > 1,
        "True. Seven of the eight look-ups in the space find another page. The group looks at one "
        "more, the parent.",
    ),
    "reading": Objection(
        "Rik van Riel: a copy in mremap only takes the copy on write early.",
        _FORKED + "c = fork p\nc mremap 0x30000 8 to 0x80000\n",
        "pages copied in mremap",
        copied("copies_mremap"),
        lambda number: number > 0,
        "Not here: eight copies, and none was ever needed. Had c written all eight pages "
        "afterwards, they would have been early, and not extra.",
    ),
    "swapped": Objection(
        "Hugh Dickins: pages on swap must be copied, too.",
        _FORKED
        + "c = fork p\np swap_out 0x30000 8\nc mremap 0x30000 8 to 0x80000\n"
        + "c read 0x80000 8\np read 0x30000 8\n",
        "pages copied when they come back",
        copied("copies_swapin_clash"),
        lambda number: number > 0,
        "True. The mremap could copy nothing, since nothing was there. The second reader finds "
        "the page at another address, and pays.",
    ),
    "merging": Objection(
        "Hugh Dickins: who keeps something for each VMA cannot merge them any more.",
        "p = spawn\np mmap 0x30000 1\np mmap 0x50000 1\np write 0x30000 1\np write 0x50000 2\n"
        "p mremap 0x50000 1 to 0x31000\n",
        "VMAs of one process, after it moved two pages together",
        areas,
        lambda number: number > 1,
        "True. Two neighbours stay two VMAs in each design that keeps an offset in the VMA. Under "
        "anon_vma there is a second reason: the two have different anon_vmas.",
    ),
    "vma": Objection(
        "Linus Torvalds: “we may not even need to look up the \"vma\" at all”.",
        _FORKED + forks(8) + "p swap_out 0x30000\n",
        "VMAs looked up by find_vma, to swap out a page that nine share",
        finds,
        lambda number: number > 0,
        "The entry is found without it. But before a page goes to swap somebody must know whether "
        "it is locked there, and the VMA knows. Designs that list VMAs have it at hand.",
    ),
    "strangers": Objection(
        "William Lee Irwin: the walk visits address spaces that do not have the page.",
        _FORKED + forks(8) + "".join(f"c{n} munmap 0x30000 8\n" for n in range(1, 8))
        + "p munmap 0x30000 8\n",
        "entries looked at, for four pages that only c8 has",
        looks("c8", 0x30000, 4),
        lambda number: number > 4,
        "True of the group. Hugh Dickins's code passes over an address space without pages. The "
        "danger that Irwin named, huge pages at that address, is not in our machine.",
    ),
}  # fmt: skip
"""In the order of notebook 11. The questions to them are predictions of the same name."""
