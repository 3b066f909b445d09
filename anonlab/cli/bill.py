"""The bill of a replay, as people read it in a terminal: what copy on write cost, and who paid."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from anonlab.cli.terminal import progress, show, write_chart
from anonlab.histories.bill import Bill
from anonlab.histories.bill_meter import bill_of
from anonlab.proof.replaying import Replay
from anonlab.rmap import DESIGNS
from anonlab.view.charts.chart import lines_svg, lines_text

LABEL = "operations since the first fork"
TITLE = "Pages copied on write because of forks"
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
        what = owed.series(), TITLE, LABEL, owed.marks(), owed.places()
        write_chart(chart, lines_svg(*what), lines_text(*what))
    return owed


def show_bill(owed: Bill) -> None:
    """Print the forks, the kinds of memory that paid, and what a walk costs under each design."""
    if not owed.forks:
        click.echo(f"\n{owed.nothing}")
        return
    if owed.touches == "rule":
        click.echo(f"\n{BY_RULE}")
    for title, heads, rows in owed.tables():
        table = Table(title=f"\n{title}", title_justify="left")
        for number, head in enumerate(heads):
            table.add_column(head, justify="right" if number else "left")
        for row in rows:
            table.add_row(*row)
        show(table)
