"""The course map: notebooks with their minutes, exercises with their points, and how minutes are
counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from anonlab.course.authoring import minutes
from anonlab.course.authoring.masters import Master
from anonlab.course.authoring.minutes import CORE, Measured, Minutes

NAME = "COURSE_MAP.md"


def map_of(folder: Path, masters: tuple[Master, ...]) -> str:
    """Return the course map, as Markdown, for the notebooks whose sources are in `folder`/source.

    raises  FormatError if what teachers measured cannot be read
    """
    names = {
        minutes.number_of(path): path.stem for path in sorted((folder / "source").glob("*.py"))
    }
    found = minutes.notebook_minutes(folder, {each.number: each.minutes for each in masters})
    measured = minutes.read_measured(folder / minutes.MEASURED)
    lines = [
        "# Course map",
        "",
        "Generated from the notebooks and the masters of the exercises: `anonlab course build`. "
        "**Bold** notebooks are the core track.",
        "",
        *_notebooks(names, found, measured),
        "",
        "## Exercises",
        "",
        *_exercises(masters, names),
        "",
        "## How minutes are counted",
        "",
        "| rule | where it is from |",
        "|---|---|",
        *(f"| {what} | {source} |" for what, source in minutes.RULE),
        "",
        f"Write what you measured into `notebooks/{minutes.MEASURED}`: a line for each notebook "
        "and class. It has the number, the minutes of the middle learner, how many learners there "
        "were, the day and a note. The map shows the median.",
    ]
    return "\n".join(lines) + "\n"


def _notebooks(
    names: Mapping[str, str], found: Mapping[str, Minutes], measured: Iterable[Measured]
) -> list[str]:
    """Return the table of notebooks, with the sums of the core track and of all."""
    measured = tuple(measured)
    lines = [
        "| notebook | reading | code and stages | answers | exercises | minutes | measured |",
        "|---|---|---|---|---|---|---|",
    ]
    for number, each in found.items():
        parts = " | ".join(f"{part:.0f}" for part in each)
        seen = minutes.middle(measured, number)
        shown = f"{seen[0]:g} ({seen[1]} learners)" if seen else ""
        lines.append(f"| {_link(number, names)} | {parts} | {each.total} | {shown} |")
    every, core = sum(each.total for each in found.values()), minutes.core_minutes(found)
    lines.append(f"| **core track** | | | | | **{core}** | |")
    return [*lines, f"| all notebooks | | | | | {every} | |"]


def _exercises(masters: tuple[Master, ...], names: Mapping[str, str]) -> list[str]:
    """Return the table of exercises."""
    lines = [
        "| notebook | exercise | the student can … | minutes | points |",
        "|---|---|---|---|---|",
    ]
    for number, group in groupby(masters, key=lambda master: master.notebook):
        shown = _link(number, names) if number in names else number or "labs, for days"
        for master in group:
            can = "; ".join(master.objectives)
            lines.append(
                f"| {shown} | {master.number} {master.title} | {can} | {master.minutes} "
                f"| {master.points} |"
            )
            shown = ""
    points, every = sum(m.points for m in masters), sum(m.minutes for m in masters)
    return [*lines, f"| | {len(masters)} exercises | | {every} | {points} |"]


def _link(number: str, names: Mapping[str, str]) -> str:
    link = f"[{names[number]}]({names[number]}.ipynb)"
    return f"**{link}**" if number in CORE else link
