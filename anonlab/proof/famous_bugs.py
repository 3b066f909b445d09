"""What went wrong with copy on write, and the fewest operations in which it does.

Each case says what must never happen, from where, and with which operations it is looked for; each
rule is that of a year. `shortest_bug` tries everything, so what it finds is the shortest history
there is with these operations.

source  CVE-2020-29374 and the two lost pages: David Hildenbrand, "Summary of COW (Copy On Write)
        Related Issues in Upstream Linux", 15 November 2021; Dirty COW: commit 19be0eaffa3a (2016);
        the anon_vma of 2010: LWN 383162
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from anonlab.kernel import Kernel
from anonlab.kernel.walk import NOWHERE
from anonlab.machine.words import PAGE_SHIFT, PG_ANON, Mask, Pfns, Vpns
from anonlab.mm import Vma
from anonlab.proof.shortest import shortest
from anonlab.rmap import AnonGroup, AnonVmaChain, Candidates, Rmap

AT = 0x30000
_PAGE = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\n"
_FORKED = f"machine lesson frames 8 swap 0\n{_PAGE}c = fork p\n"
_FILE = """machine lesson frames 8 swap 0
secret = file 1
p = spawn
p mmap 0x30000 1 rw file secret
t = clone_vm p
"""


class HomeIsWhoFaults(AnonVmaChain):
    """anon_vma_chain as it was until April 2010: a page from swap belongs to who brings it back,
    whoever else may have it there."""

    def add(self, pfns: Pfns, vma: Vma, vpns: Vpns, exclusive: Mask) -> None:
        """Every page names the own anon_vma of the VMA."""
        super().add(pfns, vma, vpns, np.ones_like(exclusive))

    def candidates(self, pfn: int) -> Candidates:
        """An anon_vma that is gone leads to nobody; the kernel read memory that it had freed."""
        known = int(self.mem_map.mapping[pfn]) in self.anon_vmas
        return super().candidates(pfn) if known else NOWHERE


def _held(kernel: Kernel, who: str) -> list[int]:
    """Return the frames that were pinned at the page of `who`, oldest first."""
    mm = kernel.processes[who].mm
    return kernel.pins.get((mm.number, AT >> PAGE_SHIFT), []) if mm else []


def leaks(kernel: Kernel) -> bool:
    """The child holds a frame with what its parent wrote after the fork."""
    return any(kernel.mem_map.data[pfn] == 99 for pfn in _held(kernel, "c"))


def loses(kernel: Kernel) -> bool:
    """A device holds another frame than the process that handed it over."""
    page = kernel.processes["p"].page(AT) if kernel.processes["p"].mm else None
    return page is not None and any(pfn != page.pfn for pfn in _held(kernel, "p"))


def writes_to_file(kernel: Kernel) -> bool:
    """The kernel has made a copy to write to, and then takes hold of the file's own page."""
    anonymous = [bool(kernel.mem_map.flags[pfn] & PG_ANON) for pfn in _held(kernel, "p")]
    return any(anonymous) and not anonymous[-1]


def names_nobody(kernel: Kernel) -> bool:
    """A page that is mapped names an anon_vma that is gone."""
    mem, design = kernel.mem_map, kernel.design
    mapped = mem.mapping[(mem.mapcount > 0) & ((mem.flags & PG_ANON) != 0)].tolist()
    return any(number not in design.anon_vmas for number in mapped)  # type: ignore[attr-defined]


class Bug(NamedTuple):
    """What must never happen, from where, and what may be done to reach it."""

    says: str
    start: str
    lines: tuple[str, ...]
    happened: Callable[[Kernel], bool]


BUGS = {
    "leak": Bug(
        "A child reads what its parent wrote after the fork.",
        _FORKED,
        (
            *("p write 0x30000 99", "p read 0x30000", "p pin 0x30000", "c pin 0x30000 read"),
            *("c munmap 0x30000 1", "c write 0x30000 8", "c read 0x30000", "c pin 0x30000"),
            "c exit",
        ),
        leaks,
    ),
    "lost after fork": Bug(
        "A device fills a frame that its process does not have any more.",
        f"machine lesson frames 8 swap 0\n{_PAGE}",
        (
            *("c = fork p", "p write 0x30000 99", "p pin 0x30000", "p read 0x30000"),
            *("c write 0x30000 8", "c read 0x30000", "c exit"),
        ),
        loses,
    ),
    "lost alone": Bug(
        "The same, although nobody else ever had the page.",
        f"machine lesson frames 8 swap 0\n{_PAGE}",
        (
            *("p write 0x30000 99", "p pin 0x30000", "p mprotect 0x30000 1 r"),
            *("p mprotect 0x30000 1 rw", "p read 0x30000"),
        ),
        loses,
    ),
    "dirty cow, a retry that reads": Bug(
        "The kernel writes to the file's own page, for a process that may not.",
        _FILE,
        ("p pin 0x30000", "p pin 0x30000 read", "t madvise 0x30000 1 dontneed", "t read 0x30000"),
        writes_to_file,
    ),
    "dirty cow, a retry that writes": Bug(
        "The same, but every try says that it wants to write.",
        _FILE,
        ("p pin 0x30000", "t madvise 0x30000 1 dontneed", "t read 0x30000"),
        writes_to_file,
    ),
    "home": Bug(
        "A page names an anon_vma that is gone.",
        f"machine lesson frames 8 swap 4\n{_PAGE}",
        (
            *("c = fork p", "p swap_out 0x30000", "p read 0x30000", "c read 0x30000"),
            *("p write 0x30000 99", "c write 0x30000 8", "p exit", "c exit"),
        ),
        names_nobody,
    ),
}
"""What is looked for, by name."""

RULES: dict[str, Callable[[], Rmap]] = {
    "2004": lambda: AnonGroup(cow_rule="count"),
    "2005": lambda: AnonGroup(cow_rule="mapcount_swapcount"),
    "2020": lambda: AnonGroup(cow_rule="count_only"),
    "2022": lambda: AnonGroup(cow_rule="exclusive"),
    "March 2010": HomeIsWhoFaults,
    "April 2010": AnonVmaChain,
}
"""The rule of a year, by the year: when a page is written in place, and, in 2010, where a page that
comes back from swap belongs."""


def shortest_bug(name: str, rule: str, most: int = 5) -> tuple[str, ...] | None:
    """Return the fewest operations in which the bug `name` shows under the rule of a year, None if
    no `most` of them show it.

    raises  ValueError for a bug or a year that is not there
    """
    for what, value, known in (("bug", name, tuple(BUGS)), ("year", rule, tuple(RULES))):
        if value not in known:
            raise ValueError(f"{what} is one of {', '.join(known)}; got {value!r}")
    bug = BUGS[name]
    return shortest(bug.start, bug.lines, bug.happened, RULES[rule], most)
