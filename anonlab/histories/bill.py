"""What did copy on write cost, and who caused it? For each fork of a history: the bill.

A fork shares pages; each is copied at most once by either side, by whoever writes first, or by
nobody. A copy is charged to the newest fork through which the writer shared the page, on its side:
the parent's or the child's. A fork is on the bill until its child runs another program or exits,
and on as long as children of that child share on.

Of a log with recorded page faults these are the copies that the programs caused. Of any other log
they follow from the touch rule, and the bill says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from anonlab.machine.words import PAGE_SIZE

SIDES = ("parent", "child")
MOST_FORKS = 20
"""Forks that a table shows."""
FORK_HEADS = ("fork", "line", "shared", "tables", "copied by parent", "by child", "copied",
              "new in child", "never copied", "until")  # fmt: skip
POINTS = 200
"""Places of the history at which sums are kept, evenly spread."""
WALKS = "What finding the users of a shared page looks at, right after its fork"


class BillTable(NamedTuple):
    """One table of a bill as people read it: every cell is text."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass
class ForkBill:
    """What one fork cost, in pages of 4096 bytes.

    operation, line   where it is in the history, and in the log (0: no log)
    program   what the parent ran, and `next_program` what the child ran afterwards; '' if unknown
    shared    anonymous pages that both sides mapped at birth
    tables    page-table pages of the child at birth
    copied    by side: copies that were made because the page was shared through this fork
    new       pages of its own that the child made where it had none
    ended     how the child's share of it ended: 'execve', 'exit', or '' if it had not
    end_operation  where that is in the history, -1 if nowhere
    kept      pages that neither side had written when the child's share ended: never copied
    private   anonymous pages that only the child mapped then, its Private_Dirty but for file pages
    areas     {kind of memory: pages copied by the parent, by the child}
    looks     {design: looks of a walk for each page, the mean of the walked ones}: what finding the
              users of a shared page costs, right after birth; empty if nothing was shared
    """

    operation: int
    line: int
    parent: str
    child: str
    shared: int = 0
    program: str = ""
    next_program: str = ""
    tables: int = 0
    copied: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    new: int = 0
    ended: str = ""
    end_operation: int = -1
    kept: int = 0
    private: int = 0
    areas: dict[str, list[int]] = field(default_factory=dict)
    looks: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What forked whom."""
        return f"{self.program} {self.parent} → {self.child}".strip()

    def to_json(self) -> dict[str, Any]:
        """Return plain data: pages as counts, and the bytes of what was copied."""
        return {
            "operation": self.operation,
            "line": self.line,
            "parent": self.parent,
            "child": self.child,
            "program": self.program,
            "next_program": self.next_program,
            "shared_pages": self.shared,
            "page_table_pages": self.tables,
            "copied_by_parent_pages": self.copied["parent"],
            "copied_by_child_pages": self.copied["child"],
            "copied_bytes": sum(self.copied.values()) * PAGE_SIZE,
            "new_pages_of_child": self.new,
            "never_copied_pages": self.kept,
            "private_pages_of_child_at_end": self.private,
            "ended": self.ended,
            "end_operation": self.end_operation,
            "areas": {
                name: {"by_parent": pages[0], "by_child": pages[1]}
                for name, pages in sorted(self.areas.items(), key=lambda item: -sum(item[1]))
            },
            "looks_per_page": {name: round(looks, 3) for name, looks in self.looks.items()},
        }


@dataclass
class Bill:
    """The bill of a history: `forks` in order, and the sums over time.

    operations  in all · first  the first fork's · elsewhere  copies that no fork explains
    moved       {design: pages that mremap copied}, since it keeps one address for each page
    vforks, threads   births that copy no page table: nothing to pay
    touches     'recorded', 'rule' or 'history': where the touches come from
    over_time   [operation, copied by parents, copied by children, new pages of children] so far
    """

    forks: list[ForkBill]
    operations: int
    touches: str = "history"
    elsewhere: int = 0
    moved: dict[str, int] = field(default_factory=dict)
    over_time: list[tuple[int, int, int, int]] = field(default_factory=list)
    first: int = 0
    vforks: int = 0
    threads: int = 0

    @property
    def nothing(self) -> str:
        """What to say of a bill without forks."""
        births = ((self.vforks, "vfork"), (self.threads, "thread"))
        some = [f"{n:,} {what}{'s' if n > 1 else ''}" for n, what in births if n]
        why = f" What shares all memory copies nothing: {', '.join(some)}." if some else ""
        return f"No process forked: there is nothing on the bill.{why}"

    @property
    def every(self) -> int:
        """Operations between two points of `over_time`, which begins with the first fork."""
        return max(1, (self.operations - self.first) // POINTS)

    @property
    def copied(self) -> int:
        """Pages copied because of forks, by either side."""
        return sum(sum(fork.copied.values()) for fork in self.forks)

    def series(self) -> dict[str, list[int]]:
        """Return the sums over time for a chart, one count per point of `over_time`."""
        names = ("by parents", "by children", "new")
        return {name: [row[at] for row in self.over_time] for at, name in enumerate(names, 1)}

    def places(self) -> list[int]:
        """Return how many operations after the first fork each point of `over_time` is."""
        return [row[0] - self.first for row in self.over_time]

    def marks(self, most: int = 8) -> dict[int, str]:
        """Return {point of `over_time`: word} for the first forks, for a chart."""
        places = [row[0] for row in self.over_time]
        found = {int(np.searchsorted(places, fork.operation)): fork.child for fork in self.forks}
        return {at: f"fork {child}" for at, child in list(found.items())[:most]}

    def areas(self) -> dict[str, tuple[int, int]]:
        """Return the pages copied by parents and by children, by kind of memory, dearest first."""
        sums: Counter[tuple[str, int]] = Counter()
        for fork in self.forks:
            for name, pages in fork.areas.items():
                sums.update({(name, side): number for side, number in enumerate(pages)})
        names = {name for name, _ in sums}
        return {
            name: (sums[name, 0], sums[name, 1])
            for name in sorted(names, key=lambda name: (-sums[name, 0] - sums[name, 1], name))
        }

    def tables(self) -> list[BillTable]:
        """Return the bill as tables: forks (the MOST_FORKS dearest), memory, walks."""
        tables = [self._forks(), self._areas(), self._walks()]
        return [table for table in tables if table.rows]

    def _forks(self) -> BillTable:
        dearest = sorted(self.forks, key=lambda fork: -sum(fork.copied.values()))[:MOST_FORKS]
        rows = [
            (
                *(fork.name, str(fork.line or fork.operation)),
                *(f"{pages:,}" for pages in (fork.shared, fork.tables, *fork.copied.values())),
                size_of(sum(fork.copied.values())),
                *(
                    f"{fork.new:,}",
                    f"{fork.kept:,}",
                    f"{fork.ended or 'the end'} {fork.next_program}".rstrip(),
                ),
            )
            for fork in sorted(dearest, key=lambda fork: fork.operation)
        ]
        left = len(self.forks) - len(rows)
        title = "What each fork cost, in pages of 4 KiB"
        title += f"; {left:,} forks that cost less are left out" if left else ""
        if len(self.forks) > 1:
            sums = [sum(fork.copied[side] for fork in self.forks) for side in SIDES]
            new = f"{sum(fork.new for fork in self.forks):,}"
            copied = (*(f"{pages:,}" for pages in sums), size_of(self.copied))
            rows.append((f"all {len(self.forks):,} forks", "", "", "", *copied, new, "", ""))
        return BillTable(title, FORK_HEADS, rows)

    def _areas(self) -> BillTable:
        rows = [
            (name, f"{by_parent:,}", f"{by_child:,}", size_of(by_parent + by_child))
            for name, (by_parent, by_child) in self.areas().items()
        ]
        heads = ("memory", "by parents", "by children", "copied")
        return BillTable("Which memory was copied, in pages", heads, rows)

    def _walks(self) -> BillTable:
        one = len(self.forks) == 1
        heads = ("looks",) if one else ("looks, mean of the forks", "dearest fork")
        rows = []
        for design, moved in self.moved.items():
            looks = [fork.looks[design] for fork in self.forks if design in fork.looks]
            if looks:
                shown = looks if one else (sum(looks) / len(looks), max(looks))
                rows.append((design, *(f"{each:.1f}" for each in shown), f"{moved:,}"))
        return BillTable(WALKS, ("design", *heads, "pages copied by mremap"), rows)

    def to_json(self) -> dict[str, Any]:
        """Return what `anonlab replay --bill --json` prints as "bill"."""
        return {
            "touches": self.touches,
            "forks": [fork.to_json() for fork in self.forks],
            "copied_pages": self.copied,
            "copied_bytes": self.copied * PAGE_SIZE,
            "copied_elsewhere_pages": self.elsewhere,
            "copied_by_mremap_pages": self.moved,
            "areas": {
                name: {"by_parent": pages[0], "by_child": pages[1]}
                for name, pages in self.areas().items()
            },
            "over_time": [list(row) for row in self.over_time],
        }


def size_of(npages: int) -> str:
    """Return the bytes of so many pages as people say them."""
    nbytes = npages * PAGE_SIZE
    return f"{nbytes / 2**20:.1f} MiB" if nbytes >= 2**20 else f"{nbytes // 2**10} KiB"
