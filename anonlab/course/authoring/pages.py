"""A history as one page to look at: the player with all of its steps."""

from __future__ import annotations

from anonlab.formats.history import History
from anonlab.recording.recorder import record
from anonlab.view.player.export import html

MOST_WITH_WALKS = 2_000
"""Longer histories are recorded without the walks of the reverse map: they grow with the square."""


def history_page(history: History, design: str = "anongroup") -> str:
    """Return the HTML page that plays `history` under `design`; every operation can be reached.

    raises  ValueError if the history has no steps
    """
    walks = len(history.ops) <= MOST_WITH_WALKS
    many = f"The walks of the reverse map are left out: {len(history.ops):,} operations."
    return html(record(history, design, walks=walks), note="" if walks else many)
