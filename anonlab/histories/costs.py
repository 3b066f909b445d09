"""One history under several designs: what each operation and each walk costs, as numbers.

The contents of memory are the same under every design; what differs is what it takes to find who
maps a page. Counts are exact and repeatable, so they can be compared with published ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from anonlab.formats.history import History, Op
from anonlab.formats.history_text import parse
from anonlab.histories import library
from anonlab.histories.run import Outcome, as_history, make_kernel, run_on
from anonlab.histories.scenarios import SCENARIOS, Place, Scenario
from anonlab.kernel import Kernel
from anonlab.kernel.walk import walk
from anonlab.machine.words import PG_ANON
from anonlab.rmap import DESIGNS, Rmap
from anonlab.rmap.cost import NAMES

COPIES = tuple(name for name in NAMES if name.startswith("copies_"))
EVERY_PAGE = "every anonymous page"
WALK = "walk: "


@dataclass(frozen=True)
class CostRow:
    """What one kind of operation cost under one design.

    operation  a verb of the history; 'cow' for writes that copied; 'walk: …' for walks
    times      how often · costs  counters of Cost by name, summed up; bytes32 and bytes64 say by
               how much the design's own objects grew
    """

    design: str
    operation: str
    times: int
    costs: dict[str, int]

    @property
    def copies(self) -> int:
        """Pages copied, whatever for."""
        return sum(self.costs[name] for name in COPIES)


@dataclass(frozen=True)
class Comparison:
    """The rows of all designs, in the order of designs, then of first use."""

    rows: tuple[CostRow, ...]

    @property
    def designs(self) -> tuple[str, ...]:
        """The designs, in order."""
        return tuple(dict.fromkeys(row.design for row in self.rows))

    @property
    def operations(self) -> tuple[str, ...]:
        """The kinds of operations, in order of first use."""
        return tuple(dict.fromkeys(row.operation for row in self.rows))

    def row(self, design: str, operation: str) -> CostRow:
        """Return one row; KeyError if there is none."""
        for row in self.rows:
            if (row.design, row.operation) == (design, operation):
                return row
        raise KeyError(f"no row for {operation!r} under {design!r}")

    def records(self) -> list[dict[str, Any]]:
        """Return one flat dictionary per row: design, operation, times, copies and all counters."""
        return [
            {
                "design": row.design,
                "operation": row.operation,
                "times": row.times,
                "copies": row.copies,
                **row.costs,
            }
            for row in self.rows
        ]

    def table(self, counter: str = "nodes") -> list[dict[str, Any]]:
        """Return one dictionary per design with `counter` of each kind of operation.

        raises  ValueError for an unknown counter
        """
        known = ("times", "copies", *NAMES)
        if counter not in known:
            raise ValueError(f"counter is one of {', '.join(known)}; got {counter!r}")
        cells = {(each["design"], each["operation"]): each[counter] for each in self.records()}
        return [
            {"design": name, **{kind: cells.get((name, kind), 0) for kind in self.operations}}
            for name in self.designs
        ]

    def to_json(self) -> dict[str, Any]:
        """Return {design: {operation: {times, copies, counters …}}}."""
        plain: dict[str, Any] = {name: {} for name in self.designs}
        for each in self.records():
            plain[each.pop("design")][each.pop("operation")] = each
        return plain


class Meter:
    """Adds up what a design's counters say between two looks."""

    def __init__(self, design: Rmap) -> None:
        self.design = design
        self.sums: dict[str, tuple[int, np.ndarray[Any, Any]]] = {}
        self.last = self._now()

    def _now(self) -> np.ndarray[Any, Any]:
        return np.array([number for _, number in self.design.cost.items()], dtype=np.int64)

    def restart(self) -> None:
        """Forget what was spent since the last look."""
        self.last = self._now()

    def charge(self, kind: str, times: int = 1) -> None:
        """What was spent since the last look was spent on `kind`, or on 'cow' if it copied."""
        spent = self._now() - self.last
        if kind == "write" and spent[NAMES.index("copies_cow")]:
            kind = "cow"
        count, total = self.sums.get(kind, (0, np.zeros_like(spent)))
        self.sums[kind] = (count + times, total + spent)
        self.restart()

    def rows(self) -> list[CostRow]:
        """Return a row for each kind."""
        return [
            CostRow(self.design.name, kind, times, dict(zip(NAMES, spent.tolist(), strict=True)))
            for kind, (times, spent) in self.sums.items()
        ]


def compare(
    history: History | Scenario | str, designs: str | Iterable[str | Rmap] = "all"
) -> Comparison:
    """Run `history` under each of `designs` and return what everything cost.

    history  a History, its text, or a Scenario, which also says which pages to walk afterwards;
             otherwise every anonymous page is walked once
    designs  'all', names joined by commas, or names and new instances of designs
    raises   ValueError for an unknown design, FormatError for a history that cannot be run
    """
    scenario = history if isinstance(history, Scenario) else Scenario(as_history(history))
    rows: list[CostRow] = []
    for design in _chosen(designs):
        rows += _measure(scenario, design)
    return Comparison(tuple(rows))


def scenario_named(history: str, children: int = 10) -> Scenario:
    """Return what `history` names: one of SCENARIOS with so many `children`, a history of the
    library, or a file.

    raises  ValueError if there is none, FormatError for a file that is no history
    """
    if history in SCENARIOS:
        return SCENARIOS[history](children)
    if history in library.names():
        return Scenario(library.load(history))
    path = Path(history)
    if not path.is_file():
        known = ", ".join([*SCENARIOS, *library.names()])
        raise ValueError(f"there is no history {history!r}: name a file, or one of {known}")
    return Scenario(parse(path.read_text("utf-8")))


def _chosen(designs: str | Iterable[str | Rmap]) -> Sequence[str | Rmap]:
    if designs == "all":
        return tuple(DESIGNS)
    if isinstance(designs, str):
        return tuple(name.strip() for name in designs.split(","))
    return tuple(designs)


def _measure(scenario: Scenario, design: str | Rmap) -> list[CostRow]:
    kernel = make_kernel(scenario.history, design)
    meter = Meter(kernel.design)

    def after(op: Op, outcome: Outcome) -> None:
        meter.charge(op.verb)

    run_on(kernel, scenario.history, after=after)
    for claim, pfns in _pages(kernel, scenario.walks).items():
        for pfn in pfns:  # page_referenced comes first in reclaim, and puts things in order
            kernel.page_referenced(pfn)
        meter.restart()
        for pfn in pfns:
            walk(kernel, pfn)
        meter.charge(WALK + claim, len(pfns))
    return meter.rows()


def _pages(kernel: Kernel, walks: dict[str, tuple[Place, ...]]) -> dict[str, list[int]]:
    """Return which frames to walk, by claim."""
    if not walks:
        mem = kernel.mem_map
        mapped = np.flatnonzero(((mem.flags & PG_ANON) != 0) & (mem.mapcount > 0))
        return {EVERY_PAGE: mapped.tolist()}
    pages = {
        claim: [kernel.processes[who].page(addr) for who, addr in places]
        for claim, places in walks.items()
    }
    return {claim: [page.pfn for page in found if page] for claim, found in pages.items()}
