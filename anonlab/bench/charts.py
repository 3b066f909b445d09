"""Charts of a report of `anonlab bench`: the simulator beside the kernel, and what is shipped of
one such run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from anonlab.bench.report import compare
from anonlab.linux.oracle import kernel_facts
from anonlab.linux.yardstick import Yardstick
from anonlab.view.charts.bars import bars_svg, bars_text
from anonlab.view.stage.picture import Picture

MEASURED = Path(__file__).with_name("measured.json")
TITLES = {
    "first_touch": "first touch",
    "read_zero": "read, zero page",
    "fork": "fork",
    "cow_copy": "copy on write",
    "cow_reuse": "reuse",
    "mremap": "mremap",
    "munmap": "munmap",
}


def measured() -> dict[str, Any]:
    """Return the report that comes with anonlab: one run on one machine, with its kernel and
    date."""
    plain: dict[str, Any] = json.loads(MEASURED.read_text("utf-8"))
    return plain


def bench_chart(report: Mapping[str, Any], pages: int = 0) -> Picture:
    """Return the chart of one size of a report: ns per page of each step, on both sides, and of
    a peer where one was measured.

    pages   a size of the report; 0 is the largest that a peer has too, or the largest
    raises  ValueError if the report has no such size
    """
    sizes = sorted({row["pages"] for row in report["rows"]})
    of_peers = [(p["name"], row) for p in report.get("peers", []) for row in p.get("rows", [])]
    common = [each for each in sizes if any(row["pages"] == each for _, row in of_peers)]
    size = pages or max(common or sizes)
    if size not in sizes:
        raise ValueError(f"the report has {', '.join(map(str, sizes))} pages, got {pages}")
    rows = []
    for row in report["rows"]:
        if row["pages"] != size:
            continue
        values = {"simulated": row["simulated_ns_per_page"], "Linux": row["real_ns_per_page"]}
        values |= {
            name: other["ns_per_page"]
            for name, other in of_peers
            if (other["name"], other["pages"]) == (row["name"], size)
        }
        rows.append((TITLES.get(row["name"], row["name"]), values))
    title = f"{size:,} pages: the simulator and {source(report)}"
    return Picture(bars_svg(rows, title, "ns per page"), bars_text(rows, title, "ns per page"))


def source(report: Mapping[str, Any]) -> str:
    """Return which kernel a report is of, and of which day."""
    return f"Linux {report.get('kernel', 'here')}, {report.get('date', 'just now')}"


def measure_here(pages: Sequence[int] = (200, 16384), repetitions: int = 3) -> dict[str, Any]:
    """Return a report of a quick look at this machine: the steps of the yardstick alone.

    raises  RuntimeError where this machine cannot: it says why
    """
    with Yardstick(max(os.sched_getaffinity(0))) as real:
        rows = [row for each in pages for row in compare(real, each, repetitions)]
    return {"kernel": kernel_facts()["release"], "rows": rows}
