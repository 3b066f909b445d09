"""What each object of anonlab looks like in a notebook: HTML, SVG and text with the same facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from html import escape
from typing import Any

from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import Trace
from anonlab.histories.bill import Bill
from anonlab.histories.costs import Comparison
from anonlab.kernel import Kernel, Page, Task
from anonlab.recording.snapshot import snapshot
from anonlab.rmap.cost import Cost
from anonlab.view.charts.costs import costs_svg, costs_text
from anonlab.view.stage.picture import Picture, picture, space_picture

Bundle = dict[str, str]
"""{MIME type: content}."""
MOST_ROWS = 60
"""Steps of a trace that its table lists."""


def bundle(thing: Any) -> Bundle:
    """Return the representations of `thing`, one of the classes in DRAWN."""
    draw = next(draw for kind, draw in DRAWN.items() if isinstance(thing, kind))
    return draw(thing)


def _snapshot(taken: Snapshot) -> Bundle:
    return _picture(picture(taken))


def _picture(drawn: Picture) -> Bundle:
    html = drawn._repr_html_()
    return {"text/html": html, "image/svg+xml": drawn.svg, "text/plain": drawn.text}


def _kernel(kernel: Kernel) -> Bundle:
    return _snapshot(snapshot(kernel))


def _task(task: Task) -> Bundle:
    if task.mm is None:
        return {"text/html": f"<p>process {escape(task.name)}: exited</p>"}
    return _picture(space_picture(snapshot(task.kernel), task.mm.number))


def _page(page: Page) -> Bundle:
    names = [entry.name for entry in fields(page)]
    values = [getattr(page, name) for name in names]
    told = [" ".join(value) if isinstance(value, tuple) else value for value in values]
    told[names.index("index")] = f"{page.index:#x}"  # as in its text: a page number reads in hex
    return {"text/html": _table(names, [told])}


def _cost(cost: Cost) -> Bundle:
    rows = [(name.replace("_", " "), f"{count:,}") for name, count in cost.items()]
    return {"text/html": _table(("what the design did", "so far"), rows)}


def _comparison(comparison: Comparison) -> Bundle:
    shown = ("nodes", "probes", "hits", "locks", "bytes64")
    rows = [
        (row.operation, row.design, row.times, row.copies, *(row.costs[name] for name in shown))
        for operation in comparison.operations
        for row in comparison.rows
        if row.operation == operation
    ]
    table = _table(("operation", "design", "times", "copies", *shown), rows)
    drawn, told = (make(comparison.records()) for make in (costs_svg, costs_text))
    details = f"<details><summary>All counts</summary>{table}</details>"
    return {"text/html": drawn + details, "image/svg+xml": drawn, "text/plain": told}


def _bill(owed: Bill) -> Bundle:
    if not owed.forks:
        return {"text/html": f"<p>{escape(owed.nothing)}</p>"}
    tables = [
        f"<p><b>{escape(title)}</b></p>{_table(heads, _unbroken(rows))}"
        for title, heads, rows in owed.tables()
    ]
    return {"text/html": "".join(tables)}


def _unbroken(rows: Iterable[Iterable[str]]) -> list[list[str]]:
    """Return the cells of a bill so that no line ends with an arrow: "bash p7 → p8"."""
    return [[cell.replace("→ ", "→\N{NO-BREAK SPACE}") for cell in row] for row in rows]


def _history(history: History) -> Bundle:
    text = history_text(history)
    title = f"<p><b>{escape(history.title)}</b></p>" if history.title else ""
    return {"text/html": f"{title}<pre>{escape(text)}</pre>", "text/plain": text}


def _trace(trace: Trace) -> Bundle:
    title = f"{trace.title or 'trace'}: {len(trace.steps)} steps"
    if not trace.steps:
        return {"text/plain": title}
    rows = [
        (at, step.text if step.level == "op" else "", step.title, step.sentence)
        for at, step in enumerate(trace.steps[:MOST_ROWS])
    ]
    more = len(trace.steps) - len(rows)
    note = f"<p>and {more} more</p>" if more > 0 else ""
    last = picture(trace.steps[-1].snapshot)
    table = _table(("step", "operation", "what", "in words"), rows)
    html = (
        f"<p><b>{escape(title)}</b></p>{last._repr_html_()}"
        f"<details><summary>Its steps</summary>{table}{note}</details>"
    )
    lines = "\n".join(f"{at}: {step.title}: {step.sentence}" for at, step in enumerate(trace.steps))
    return {"text/html": html, "text/plain": f"{title}\n{lines}", "image/svg+xml": last.svg}


def _table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    head = "".join(f'<th scope="col" style="text-align:left">{escape(word)}</th>' for word in heads)
    cell = '<td style="text-align:left">'
    body = "".join(
        f"<tr>{''.join(f'{cell}{escape(str(value))}</td>' for value in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


DRAWN: dict[type, Callable[[Any], Bundle]] = {
    Kernel: _kernel,
    Task: _task,
    Page: _page,
    Cost: _cost,
    Comparison: _comparison,
    Bill: _bill,
    Snapshot: _snapshot,
    History: _history,
    Trace: _trace,
}
