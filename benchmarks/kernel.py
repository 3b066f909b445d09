"""How fast is the simulator? Its operations beside the same ones on the Linux kernel below it.

    python benchmarks/kernel.py                  a table with the project's budgets
    python benchmarks/kernel.py --json           one JSON object
    python benchmarks/kernel.py --pages 200,16384

Both sides run the same sequence in turn, one repetition each, on one CPU. A figure is the median
of 15 repetitions (5 above 100,000 pages) after a discarded one; below 1000 pages a repetition is
the mean of 20 sequences. Only ratios travel from machine to machine, and they move by about half
between runs. This is a benchmark, not a test: it judges, but never fails.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from pathlib import Path
from typing import TypedDict

from yardstick import STEPS, Yardstick

sys.path.insert(0, str(Path(__file__).parent.parent))  # measure the anonlab beside this file

import simulator

RATIO_BUDGETS = {"first_touch": 0.05, "fork": 0.35, "cow_copy": 0.05, "mremap": 2.0, "munmap": 0.3}
BUDGETS_FROM_PAGES = 10_000
"""Below this the fixed cost of an operation decides, and no budget is set."""
WALK_BUDGET_NS = 100.0
FAULT_BUDGET_US = 60.0
RECORDED_FAULT_BUDGET_US = 200.0
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


def main() -> None:
    """Measure and print; a mistake of the caller or a missing compiler ends in one clear line."""
    options = arguments()
    try:
        report = measure(options)
    except RuntimeError as error:
        sys.exit(f"benchmarks/kernel.py: {error}")
    if options.json:
        print(json.dumps(report))
    else:
        print_tables(report)


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--pages", type=counts, default=[200, 16384, 262144], help="sizes, e.g. 200,16384"
    )
    parser.add_argument(
        "--mms", type=counts, default=[1000, 10000, 100000], help="group sizes of the walk"
    )
    parser.add_argument(
        "--repetitions", type=int, help="instead of 15 (5 above 100,000 pages); for a quick look"
    )
    options = parser.parse_args()
    if options.repetitions is not None and options.repetitions < 1:
        parser.error(f"--repetitions must be >= 1, got {options.repetitions}")
    return options


def counts(text: str) -> list[int]:
    """Return the numbers in `text`, each >= 1; raises ArgumentTypeError."""
    words = text.split(",")
    if not all(word.isascii() and word.isdigit() and int(word) >= 1 for word in words):
        raise argparse.ArgumentTypeError(
            f"expected whole numbers >= 1 with commas between, e.g. 200,16384; got {text!r}"
        )
    return [int(word) for word in words]


def measure(options: argparse.Namespace) -> Report:
    """Measure everything; raises RuntimeError where this machine cannot."""
    if not hasattr(os, "sched_setaffinity"):
        raise RuntimeError(f"the comparison needs Linux; this is {sys.platform}")
    require_memory(options.pages, options.mms)
    cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    rows: list[Row] = []
    with Yardstick(cpu) as real:
        for pages in options.pages:
            say(f"{pages} pages")
            rows += compare(real, pages, options.repetitions)
    say("walks, single faults, import")
    repetitions = options.repetitions or 15
    return {
        "rows": rows,
        "walk_ns_per_mm": {
            str(mms): round(simulator.walk_ns_per_mm(mms, repetitions), 2) for mms in options.mms
        },
        "single_fault_us": round(simulator.single_fault_us(5 * repetitions, recorded=False), 2),
        "single_fault_recorded_us": round(simulator.single_fault_us(repetitions, recorded=True), 2),
        "import_ms": round(simulator.import_ms(max(7, repetitions)), 2),
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


def require_memory(pages: list[int], mms: list[int]) -> None:
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


def say(progress: str) -> None:
    """Tell a waiting person where we are, on standard error."""
    if sys.stderr.isatty():
        print(f"measuring {progress} …", file=sys.stderr)


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
    budget = RATIO_BUDGETS.get(each["name"]) if each["pages"] >= BUDGETS_FROM_PAGES else None
    return [
        each["name"],
        f"{each['pages']:,}",
        f"{each['simulated_ns_per_page']:.1f}",
        f"{each['real_ns_per_page']:.1f}",
        f"{each['ratio']:.3f}",
        "" if budget is None else f"<= {budget:g}",
        "" if budget is None else verdict(each["ratio"], budget),
    ]


def single_cells(report: Report) -> list[list[str]]:
    """Return the rows of the table of figures that only the simulator has."""
    walks = [
        (f"walk of one page, group of {int(mms):,} mms", ns, "ns per mm", WALK_BUDGET_NS)
        for mms, ns in report["walk_ns_per_mm"].items()
    ]
    rest = [
        ("one fault in a lesson", report["single_fault_us"], "µs", FAULT_BUDGET_US),
        (
            "one fault in a lesson, recorded",
            report["single_fault_recorded_us"],
            "µs",
            RECORDED_FAULT_BUDGET_US,
        ),
        ("import anonlab beyond NumPy", report["import_ms"], "ms", IMPORT_BUDGET_MS),
    ]
    return [
        [what, f"{figure:.1f} {unit}", f"<= {budget:g} {unit}", verdict(figure, budget)]
        for what, figure, unit, budget in (*walks, *rest)
    ]


def verdict(figure: float, budget: float) -> str:
    """Return the word for the last column."""
    return "[green]within[/green]" if figure <= budget else "[bold red]over[/bold red]"


if __name__ == "__main__":
    main()
