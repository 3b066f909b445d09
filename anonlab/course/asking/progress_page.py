"""A page of what a learner has done: one file, for the screen and for paper, without a network.

It is the learner's own record and says so: nobody has checked it.
"""

from __future__ import annotations

from pathlib import Path

from anonlab.course.asking.progress_map import PASSED, ProgressMap, drill_words
from anonlab.course.templates import filled
from anonlab.version import __version__


def page(done: ProgressMap) -> str:
    """Return the page as HTML."""
    exercises = [each for book in done.notebooks for each in book.exercises]
    drills = [book.drill for book in done.notebooks if book.drill]
    counts = {
        "exercises": (sum(each.state == PASSED for each in exercises), len(exercises)),
        "drills": (sum(drill.is_done for drill in drills), len(drills)),
        "questions": (
            sum(book.answered for book in done.notebooks),
            sum(book.asked for book in done.notebooks),
        ),
    }
    return filled(
        "asking/progress.html.j2",
        done=done,
        counts=counts,
        drill_words=drill_words,
        version=__version__,
    )


def write_page(done: ProgressMap, path: Path) -> Path:
    """Write the page to `path`, whole or not at all; return it.

    raises  OSError if it cannot be written
    """
    half = path.with_name(f".{path.name}.half")
    try:
        half.write_text(page(done), "utf-8", newline="\n")
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    return path
