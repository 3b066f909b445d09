"""The simulator's operations beside the same ones on the Linux kernel below it, and the budgets.

Both sides run the same sequence in turn, one repetition each, on one CPU. A figure is the median
of 15 repetitions (5 above 100,000 pages) after a discarded one; below 1000 pages a repetition is
the mean of 20 sequences. Only ratios travel from machine to machine, and they move by about half
between runs.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TypedDict

import numpy as np

from anonlab.bench import simulator
from anonlab.bench.peers import Peer, measure_peers
from anonlab.linux.oracle import kernel_facts
from anonlab.linux.yardstick import STEPS, Yardstick

DEFAULT_PAGES = [200, 16384, 262144]
DEFAULT_MMS = [1000, 10000, 100000]
RATIO_BUDGETS = {
    "first_touch": {10_000: 0.05},
    "fork": {200: 0.85, 10_000: 0.2, 100_000: 0.1},
    "cow_copy": {10_000: 0.05},
    "mremap": {200: 5.0, 10_000: 1.3},
    "munmap": {10_000: 0.3},
}
"""Ratios to the running kernel that each step must keep, by the pages from which on they hold;
where there is none, the fixed cost of an operation decides."""
WALK_BUDGET_NS = 75.0
FAULT_BUDGET_US = 40.0
RECORDED_FAULT_BUDGET_US = 60.0
IMPORT_BUDGET_MS = 50.0

TABLE_BYTES_PER_MM = 4 * 4096
NOTE = (
    "Both sides in one run on one CPU; quote the ratios, not the times. The simulator copies an "
    "8-byte content tag where the kernel clears or copies 4096 bytes: its small cow_copy and "
    "first_touch ratios say that nothing waits for it, not that it is a faster kernel."
)


class Row(TypedDict):
    """One step at one size."""

    name: str
    pages: int
    simulated_ns_per_page: float
    real_ns_per_page: float
    ratio: float


class Report(TypedDict):
    """What `--json` prints."""

    rows: list[Row]
    walk_ns_per_mm: dict[str, float]
    single_fault_us: float
    single_fault_recorded_us: float
    import_ms: float


class Held(TypedDict):
    """One figure that has a budget."""

    what: str
    measured: float
    budget: float
    within: bool


class FullReport(Report):
    """What `anonlab bench --json` prints, and what is shipped of one such run."""

    kernel: str
    machine: str
    python: str
    numpy: str
    date: str
    note: str
    budgets: list[Held]
    peers: list[Peer]


def counts(text: str) -> list[int]:
    """Return the numbers in `text`, each >= 1; raises ValueError."""
    words = text.split(",")
    if not all(word.isascii() and word.isdigit() and int(word) >= 1 for word in words):
        raise ValueError(
            f"expected whole numbers >= 1 with commas between, e.g. 200,16384; got {text!r}"
        )
    return [int(word) for word in words]


def measure(
    pages: Sequence[int],
    mms: Sequence[int],
    repetitions: int | None = None,
    say: Callable[[str], None] = lambda progress: None,
) -> Report:
    """Measure everything, on one CPU.

    pages, mms   sizes of the bulk steps, and of the groups that a walk goes through
    repetitions  None for what the method says
    say          told what is measured next
    raises       RuntimeError where this machine cannot: it says why
    """
    if not hasattr(os, "sched_setaffinity"):
        raise RuntimeError(f"the comparison needs Linux; this is {sys.platform}")
    require_memory(pages, mms)
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        return _measured(pages, mms, repetitions, say, max(before))
    finally:
        os.sched_setaffinity(0, before)


def _measured(
    pages: Sequence[int],
    mms: Sequence[int],
    repetitions: int | None,
    say: Callable[[str], None],
    cpu: int,
) -> Report:
    rows: list[Row] = []
    with Yardstick(cpu) as real:
        for each in pages:
            say(f"{each} pages")
            rows += compare(real, each, repetitions)
    say("walks, single faults, import")
    repetitions = repetitions or 15
    return {
        "rows": rows,
        "walk_ns_per_mm": {
            str(each): round(simulator.walk_ns_per_mm(each, repetitions), 2) for each in mms
        },
        "single_fault_us": round(simulator.single_fault_us(5 * repetitions, recorded=False), 2),
        "single_fault_recorded_us": round(simulator.single_fault_us(repetitions, recorded=True), 2),
        "import_ms": round(simulator.import_ms(max(7, repetitions)), 2),
    }


def budgets(report: Report) -> list[Held]:
    """Return every figure of a report that has a budget, with the budget."""
    figures = [
        (f"{row['name']}, {row['pages']:,} pages, ratio", row["ratio"], budget)
        for row in report["rows"]
        if (budget := ratio_budget(row)) is not None
    ]
    figures += [(what, figure, budget) for what, figure, _, budget in singles(report)]
    return [
        {"what": what, "measured": figure, "budget": budget, "within": figure <= budget}
        for what, figure, budget in figures
    ]


def ratio_budget(row: Row) -> float | None:
    """Return the ratio that a row must keep; None if there is no budget for its size."""
    sizes = RATIO_BUDGETS.get(row["name"], {})
    most = max((size for size in sizes if size <= row["pages"]), default=None)
    return None if most is None else sizes[most]


def full_report(
    pages: Sequence[int], mms: Sequence[int], repetitions: int | None, peer_python: str
) -> FullReport:
    """Measure everything and the peers; say where and when, and which budgets are held."""
    report = measure(pages, mms, repetitions)
    known = kernel_facts()
    return {
        **report,
        "kernel": known["release"],
        "machine": known["machine"],
        "python": platform.python_version(),
        "numpy": np.__version__,
        "date": date.today().isoformat(),
        "note": NOTE,
        "budgets": budgets(report),
        "peers": measure_peers(pages, repetitions or 5, peer_python),
    }


def compare(real: Yardstick, pages: int, repetitions: int | None) -> list[Row]:
    """Return the rows of `pages` pages: both sides in turn, the first repetition discarded."""
    repetitions = repetitions or (5 if pages > 100_000 else 15)
    sequences = 20 if pages < 1000 else 1
    simulated = simulator.BulkSteps(pages)
    turns = [
        (real.repetition(pages, sequences), simulated.repetition(sequences))
        for _ in range(repetitions + 1)
    ][1:]
    return [
        row(
            step,
            pages,
            statistics.median(ours[step] for _, ours in turns),
            statistics.median(theirs[step] for theirs, _ in turns),
        )
        for step in STEPS
    ]


def row(name: str, pages: int, simulated_ns: float, real_ns: float) -> Row:
    """Return one row, rounded to what the method can resolve."""
    return {
        "name": name,
        "pages": pages,
        "simulated_ns_per_page": round(simulated_ns, 2),
        "real_ns_per_page": round(real_ns, 2),
        "ratio": round(simulated_ns / real_ns, 4),
    }


def require_memory(pages: Sequence[int], mms: Sequence[int]) -> None:
    """Raise RuntimeError if the largest size does not fit into free memory."""
    text = Path("/proc/meminfo").read_text()
    free = 1024 * int(text.split("MemAvailable:")[1].split()[0])
    # the C program holds parent and copies; growing the table array needs the old and the new
    for option, largest, each in (
        ("--pages", max(pages), 2 * 4096),
        ("--mms", max(mms), 3 * TABLE_BYTES_PER_MM),
    ):
        if largest * each > free:
            raise RuntimeError(
                f"{option} {largest} needs {largest * each >> 20} MiB of memory and "
                f"{free >> 20} MiB are free: at most {option} {free // each} fits"
            )


def print_tables(report: Report) -> None:
    """Print the report for people, each figure beside its budget."""
    from rich.console import Console
    from rich.table import Table

    bulk = Table("step", title="Simulator against the running kernel")
    for heading in ("pages", "simulated ns/page", "real ns/page", "ratio", "budget", "verdict"):
        bulk.add_column(heading, justify="right")
    for each in report["rows"]:
        bulk.add_row(*bulk_cells(each))
    single = Table("what", title="Simulator alone")
    for heading in ("measured", "budget", "verdict"):
        single.add_column(heading, justify="right")
    for cells in single_cells(report):
        single.add_row(*cells)
    console = Console()
    console.print(bulk, single, NOTE, sep="\n\n")


def bulk_cells(each: Row) -> list[str]:
    """Return the cells of one row of the bulk table."""
    budget = ratio_budget(each)
    return [
        each["name"],
        f"{each['pages']:,}",
        f"{each['simulated_ns_per_page']:.1f}",
        f"{each['real_ns_per_page']:.1f}",
        f"{each['ratio']:.3f}",
        "" if budget is None else f"<= {budget:g}",
        "" if budget is None else verdict(each["ratio"], budget),
    ]


def singles(report: Report) -> Iterator[tuple[str, float, str, float]]:
    """Yield the figures that only the simulator has: what, figure, unit, budget."""
    for mms, ns in report["walk_ns_per_mm"].items():
        what = f"walk of one page, group of {int(mms):,} mms"
        yield what, ns, "ns per mm", WALK_BUDGET_NS
    yield "one fault in a lesson", report["single_fault_us"], "µs", FAULT_BUDGET_US
    recorded = report["single_fault_recorded_us"]
    yield "one fault in a lesson, recorded", recorded, "µs", RECORDED_FAULT_BUDGET_US
    yield "import anonlab beyond NumPy", report["import_ms"], "ms", IMPORT_BUDGET_MS


def single_cells(report: Report) -> list[list[str]]:
    """Return the rows of the table of figures that only the simulator has."""
    return [
        [what, f"{figure:.1f} {unit}", f"<= {budget:g} {unit}", verdict(figure, budget)]
        for what, figure, unit, budget in singles(report)
    ]


def verdict(figure: float, budget: float) -> str:
    """Return the word for the last column."""
    return "[green]within[/green]" if figure <= budget else "[bold red]over[/bold red]"
