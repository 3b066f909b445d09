"""Three ways through the course: two, five and ten weeks, with hours made from the notebooks'
minutes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from anonlab.course.authoring.masters import Master
from anonlab.course.teaching.minutes import notebook_minutes
from anonlab.course.teaching.plans import LESSON
from anonlab.course.teaching.slides import notebook_titles

NAME = "SYLLABUS.md"


class Week(NamedTuple):
    """One week: the notebooks of its lessons, of the work at home, and what is handed in."""

    lessons: tuple[str, ...]
    home: tuple[str, ...]
    exercises: tuple[str, ...] = ()
    more: str = ""


TRACKS: dict[str, tuple[str, tuple[Week, ...]]] = {
    "Two weeks": (
        "A unit inside a course on operating systems, after virtual memory. Four lessons. It gives "
        "up mremap, execve and the running kernel.",
        (
            Week(("00", "04"), ("00", "01", "03", "04"), ("03a", "04a")),
            Week(("05", "08"), ("05", "08"), ("05a", "08a"), "a quiz of 20 minutes"),
        ),
    ),
    "Five weeks": (
        "Half a term. Ten lessons, two a week. Everything up to the comparison of designs.",
        (
            Week(("00", "01"), ("00", "01"), ("01a", "01b")),
            Week(("02", "03"), ("02", "03"), ("02a", "03a", "03b")),
            Week(("04", "05"), ("04", "05", "05b"), ("04a", "04b", "05a")),
            Week(("06", "07"), ("06", "07"), ("05b", "06a", "07a"), "a midterm of 45 minutes"),
            Week(("08", "09"), ("08", "09"), ("08a", "08b", "09a"), "the recommendation of 09"),
        ),
    ),
    "Ten weeks": (
        "A course of its own, or a seminar with a lab. One or two lessons a week, and lab1 from "
        "week seven on.",
        (
            Week(("00",), ("00",), (), "baseline(): eight scenarios, no points"),
            Week(("01",), ("01",), ("01a", "01b")),
            Week(("02", "03"), ("02", "03"), ("02a", "02b", "03a", "03b")),
            Week(("04",), ("04",), ("04a", "04b")),
            Week(("05", "05b"), ("05", "05b", "13"), ("05a", "05b"), "a quiz of 20 minutes"),
            Week(("06",), ("06",), ("06a", "06b"), "a midterm of 45 minutes"),
            Week(("07",), ("07",), ("07a", "07b"), "lab1 begins: milestones 1 and 2"),
            Week(("08",), ("08",), ("08a", "08b"), "lab1: milestones 3 and 4"),
            Week(("09", "11"), ("09", "11"), ("09a", "09b"),
                 "the recommendation of 09; lab1: milestones 5 and 6"),
            Week(("12", "10"), ("12", "10", "10b"), ("10a", "10b", "lab1"),
                 "the report of 10, the project of 11; final()"),
        ),
    ),
}  # fmt: skip


def syllabus(root: Path, masters: tuple[Master, ...]) -> str:
    """Return the syllabus as Markdown. A notebook that the course has not is left out.

    Minutes of a notebook hold those of its exercises; a lab is counted apart.
    """
    minutes, titles = notebook_minutes(root / "notebooks"), notebook_titles(root / "notebooks")
    labs = {master.number: master.minutes for master in masters if master.is_lab}
    lines = [
        "# Syllabus for two, five and ten weeks",
        "",
        "Made by `anonlab course build` from the minutes that the notebooks say. A lesson has "
        f"{LESSON} minutes. Work at home is the notebooks with their exercises. Their minutes "
        "follow from a rule ([course map](../../notebooks/COURSE_MAP.md)): nobody has been timed "
        "yet. If you measure, write it down ([README](README.md#what-you-measured)).",
        "",
    ]
    for name, (about, weeks) in TRACKS.items():
        lines += [f"## {name}", "", about, ""]
        lines += ["| week | lessons | at home | hand in | hours |", "|---|---|---|---|---|"]
        total = 0
        for at, week in enumerate(weeks, 1):
            lessons = [each for each in week.lessons if each in titles]
            home = [each for each in week.home if each in titles]
            taken = len(lessons) * LESSON + sum(minutes[each] for each in home)
            taken += sum(labs.get(each, 0) for each in week.exercises)
            total += taken
            plans = ", ".join(f"[{titles[each]}](plans/{each}.md)" for each in lessons)
            given = "; ".join(filter(None, (", ".join(week.exercises), week.more)))
            lines.append(f"| {at} | {plans} | {', '.join(home)} | {given} | {_hours(taken)} |")
        lines += [f"| | | | **in all** | **{_hours(total)}** |", ""]
    if labs:
        lines += ["The hours of a lab stand in the week in which it is handed in. It is the work "
                  "of the weeks before, too.", ""]  # fmt: skip
    return "\n".join(lines)


def _hours(minutes: int) -> str:
    return f"{minutes / 60:.1f}"
