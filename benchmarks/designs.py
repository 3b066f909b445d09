"""Bulk operations under every design, side by side: `python benchmarks/designs.py [--json]`.

The steps are those of `yardstick.c`; the designs take turns, so that a busy moment meets them all,
and each figure is the median of the repetitions after a first, discarded one. The ratio is to the
anon memory group. pte_chain works page by page where pages are shared, as it did in its time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # measure the anonlab beside this file

from anonlab import DESIGNS
from anonlab.bench.simulator import BulkSteps
from anonlab.linux.yardstick import STEPS

BASE = "anongroup"


def measure(pages: int, repetitions: int) -> dict[str, dict[str, float]]:
    """Return ns per page by design and step."""
    machines = {name: BulkSteps(pages, name) for name in DESIGNS}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in DESIGNS}
    for _ in range(repetitions + 1):
        for name, machine in machines.items():
            runs[name].append(machine.repetition(1))
    return {
        name: {step: statistics.median(run[step] for run in each[1:]) for step in STEPS}
        for name, each in runs.items()
    }


def rows(pages: int, repetitions: int) -> list[dict[str, Any]]:
    """Return a row for each design and step."""
    figures = measure(pages, repetitions)
    return [
        {
            "design": name,
            "name": step,
            "pages": pages,
            "ns_per_page": round(ns, 2),
            "ratio": round(ns / figures[BASE][step], 2),
        }
        for name, steps in figures.items()
        for step, ns in steps.items()
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=16384)
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.pages < 1 or options.repetitions < 1:
        parser.error("pages and repetitions must be >= 1")
    found = rows(options.pages, options.repetitions)
    if options.json:
        print(json.dumps({"rows": found}))
        return
    print(f"{'':16}" + "".join(f"{step:>14}" for step in STEPS))
    for name in DESIGNS:
        ratios = [row["ratio"] for row in found if row["design"] == name]
        print(f"{name:16}" + "".join(f"{ratio:14.2f}" for ratio in ratios))
    print(f"ratio of time per page to {BASE}, {options.pages} pages")


if __name__ == "__main__":
    main()
