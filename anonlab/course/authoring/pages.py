"""A history as one page to look at: the player, with as many of its steps as a page holds."""

from __future__ import annotations

from collections.abc import Iterator

from anonlab.formats.history import History
from anonlab.formats.trace import Step, Trace
from anonlab.recording.recorder import record
from anonlab.view.player.export import html

MOST_OPERATIONS = 2000
"""Longer histories are not recorded: every step keeps a whole snapshot."""
MOST_STEPS = 250
"""More steps than that are not even tried: drawing them takes half a minute and is too large."""
MOMENTS = ("start", "fork", "vfork", "clone_vm", "execve", "exit", "fault.wp_copy", "mremap.copy")
"""Labels of the steps that are kept when there are too many: who shares with whom changes there."""


def history_page(history: History, design: str = "anongroup") -> str:
    """Return the HTML page that plays `history` under `design`.

    A page that would be too large keeps only the last step of each operation, then only the
    MOMENTS, then the first of these; its title says how many steps it shows.
    raises  ValueError if the history has more than MOST_OPERATIONS operations, or not even one
            step fits on a page
    """
    if len(history.ops) > MOST_OPERATIONS:
        raise ValueError(
            f"a page can be made of a history with up to {MOST_OPERATIONS:,} operations, "
            f"this one has {len(history.ops):,}: leave --html out, or shorten the file"
        )
    trace = record(history, design)
    refused = ValueError("the history has no steps")
    for steps in _choices(trace.steps):
        try:
            return html(Trace(_title(trace, len(steps)), steps), thin=False)
        except ValueError as error:  # too large for a page
            refused = error
    raise refused


def _title(trace: Trace, shown: int) -> str:
    title = trace.title or "history"
    return title if shown == len(trace.steps) else f"{title}: {shown} of {len(trace.steps)} steps"


def _choices(steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """Yield the steps to try, fewer each time."""
    ends = tuple(step for step in steps if step.level == "op")
    moments = tuple(step for step in steps if step.label in MOMENTS)
    for some in (steps, ends, moments):
        if len(some) <= MOST_STEPS:
            yield some
    size = min(len(moments), 2 * MOST_STEPS) // 2
    while size:
        yield moments[:size]
        size //= 2
