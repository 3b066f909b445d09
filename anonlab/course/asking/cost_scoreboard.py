"""What a scenario costs under each design, on one board: the least and the most in each column.

The counts are those of real runs of the simulated kernel; they say what was done, not how long it
would take.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from anonlab.course.asking.note import Note
from anonlab.histories.costs import Comparison, CostRow

COLUMNS: dict[str, Callable[[CostRow], int]] = {
    "looks": lambda row: row.costs["probes"],
    "objects made": lambda row: row.costs["allocs"],
    "bytes left": lambda row: row.costs["bytes64"],
    "pages copied": lambda row: row.copies - row.costs["copies_cow"],
}
"""Column: what it counts of a row. Copies on write are the same under every design."""


def board(comparison: Comparison) -> dict[str, dict[str, int]]:
    """Return {design: {column: sum over all operations and walks}}."""
    return {
        design: {
            column: sum(count(row) for row in comparison.rows if row.design == design)
            for column, count in COLUMNS.items()
        }
        for design in comparison.designs
    }


def marks(counts: list[int]) -> list[str]:
    """Return 'least' and 'most' for the counts that are; nothing where all are equal."""
    if min(counts) == max(counts):
        return [""] * len(counts)
    words = {min(counts): "least", max(counts): "most"}
    return [words.get(count, "") for count in counts]


def scoreboard(comparison: Comparison) -> Note:
    """Show looks at page tables, objects made and bytes left for the reverse map (64 bits), and
    pages copied by mremap and swap-in, for each design."""
    rows = board(comparison)
    columns = {name: [each[name] for each in rows.values()] for name in COLUMNS}
    marked = {name: marks(counts) for name, counts in columns.items()}
    widths = {name: max(len(name), 16) for name in COLUMNS}
    lines = ["design          " + "".join(f"{name:>{widths[name]}}" for name in COLUMNS)]
    for at, design in enumerate(rows):
        cells = [
            f"{marked[name][at]:>{widths[name] - 9}} {columns[name][at]:8,}" for name in COLUMNS
        ]
        lines.append(f"{design:16}{''.join(cells)}")
    return Board("\n".join(lines), columns, marked, list(rows))


class Board(Note):
    """The board as a table, with the same words as text."""

    def __init__(
        self,
        text: str,
        columns: dict[str, list[int]],
        marked: dict[str, list[str]],
        designs: list[str],
    ) -> None:
        super().__init__(text)
        self.columns, self.marked, self.designs = columns, marked, designs

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{escape(each)}</th>' for each in ("design", *COLUMNS))
        body = ""
        for at, design in enumerate(self.designs):
            cells = "".join(
                f"<td>{_cell(self.columns[name][at], self.marked[name][at])}</td>"
                for name in COLUMNS
            )
            body += f'<tr><th scope="row"><code>{escape(design)}</code></th>{cells}</tr>'
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(count: int, mark: str) -> str:
    return f"<strong>{mark}</strong> {count:,}" if mark else f"{count:,}"
