"""The course map: every exercise with its notebook, minutes and points, made from the masters."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from anonlab.course.authoring.masters import Master

NAME = "COURSE_MAP.md"
CORE = ("01", "02", "03", "04", "05", "08")
"""The core track."""


def course_map(masters: tuple[Master, ...], notebooks: tuple[str, ...]) -> str:
    """Return the course map as Markdown.

    notebooks  the names of the notebooks, without .ipynb, in order
    """
    points, minutes = sum(m.points for m in masters), sum(m.minutes for m in masters)
    lines = [
        "# Course map",
        "",
        "Generated from the masters of the exercises: `anonlab course build`. "
        "**Bold** notebooks are the core track.",
        "",
        "| notebook | exercise | the student can … | minutes | points |",
        "|---|---|---|---|---|",
    ]
    names = {name[:2]: name for name in notebooks if name[2:3] == "_"}
    for number, group in groupby(masters, key=lambda master: master.notebook):
        name = names.get(number, number or "labs, for days")
        shown = f"[{name}]({name}.ipynb)" if number in names else name
        shown = f"**{shown}**" if number in CORE else shown
        for master in group:
            can = "; ".join(master.objectives)
            lines.append(
                f"| {shown} | {master.number} {master.title} | {can} | {master.minutes} "
                f"| {master.points} |"
            )
            shown = ""
    lines.append(f"| | {len(masters)} exercises | | {minutes} | {points} |")
    return "\n".join(lines) + "\n"


def map_of(folder: Path, masters: tuple[Master, ...]) -> str:
    """Return the course map for the notebooks whose sources are in `folder`/source."""
    names = tuple(path.stem for path in sorted((folder / "source").glob("*.py")))
    return course_map(masters, names)
