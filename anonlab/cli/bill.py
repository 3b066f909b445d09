"""The bill of a replay, as people read it in a terminal: what copy on write cost, and who paid."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from anonlab.cli.terminal import progress, show
from anonlab.histories.bill import Bill, ForkBill
from anonlab.histories.bill_meter import bill_of
from anonlab.machine.words import PAGE_SIZE
from anonlab.proof.replaying import Replay
from anonlab.rmap import DESIGNS
from anonlab.view.charts.chart import lines_svg, lines_text

MOST_FORKS = 20
"""Forks that the table shows: the dearest."""
TITLE = "Pages copied on write because of forks"
X_LABEL = "part of the history"
BY_RULE = (
    "The log has no page faults: these copies follow from the touch rule, not from the program. "
    "Record with: anonlab record -o LOG -- COMMAND"
)


def bill_with_chart(report: Replay, design: str, chart: Path | None) -> Bill:
    """Return the bill of a replay, its walks under every design; write the chart and its text."""
    designs = (design, *(name for name in DESIGNS if name != design))
    with progress("bill") as ticker:
        owed = bill_of(report.history, designs, report.touches, ticker)
    if chart is not None:
        label = f"operation / {owed.every}"
        chart.write_text(lines_svg(owed.series(), TITLE, label, owed.marks()), "utf-8")
        text = lines_text(owed.series(), TITLE, label, owed.marks())
        chart.with_suffix(".txt").write_text(text, "utf-8")
    return owed


def show_bill(owed: Bill) -> None:
    """Print the forks, the kinds of memory that paid, and what a walk costs under each design."""
    if not owed.forks:
        click.echo("\nNo process forked: there is nothing on the bill.")
        return
    if owed.touches == "rule":
        click.echo(f"\n{BY_RULE}")
    dearest = sorted(owed.forks, key=lambda fork: -sum(fork.copied.values()))[:MOST_FORKS]
    show(_forks(sorted(dearest, key=lambda fork: fork.operation)))
    if len(dearest) < len(owed.forks):
        left = len(owed.forks) - len(dearest)
        click.echo(f"{left} forks that cost less are left out here; --json has them.")
    if owed.copied:
        show(_areas(owed))
    show(_walks(owed))


def _forks(forks: list[ForkBill]) -> Table:
    table = Table(title="\nWhat each fork cost, in pages of 4 KiB", title_justify="left")
    for name in ("fork", "line"):
        table.add_column(name)
    for name in ("shared", "tables", "copied by parent", "by child", "copied", "new in child",
                 "never copied", "until"):  # fmt: skip
        table.add_column(name, justify="right")
    for fork in forks:
        by_parent, by_child = fork.copied.values()
        table.add_row(
            f"{fork.parent} -> {fork.child}", str(fork.line or fork.operation), f"{fork.shared:,}",
            f"{fork.tables:,}", f"{by_parent:,}", f"{by_child:,}", _size(by_parent + by_child),
            f"{fork.new:,}", f"{fork.kept:,}", fork.ended or "the end",
        )  # fmt: skip
    return table


def _areas(owed: Bill) -> Table:
    table = Table(title="\nWhich memory was copied", title_justify="left")
    table.add_column("memory")
    for name in ("by parents", "by children", "copied"):
        table.add_column(name, justify="right")
    for name, (by_parent, by_child) in owed.areas().items():
        table.add_row(name, f"{by_parent:,}", f"{by_child:,}", _size(by_parent + by_child))
    return table


def _walks(owed: Bill) -> Table:
    title = (
        "\nLooks of a walk for a page, right after the fork that shared it, and what mremap copied"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("design")
    for name in ("looks, mean", "at most", "pages copied by mremap"):
        table.add_column(name, justify="right")
    for design, moved in owed.moved.items():
        looks = [fork.looks[design] for fork in owed.forks if design in fork.looks]
        mean = f"{sum(looks) / len(looks):.1f}" if looks else "-"
        table.add_row(design, mean, f"{max(looks, default=0):.1f}", f"{moved:,}")
    return table


def _size(npages: int) -> str:
    """Return the bytes of so many pages as people say them."""
    nbytes = npages * PAGE_SIZE
    return f"{nbytes / 2**20:.1f} MiB" if nbytes >= 2**20 else f"{nbytes // 2**10} KiB"
