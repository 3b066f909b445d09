"""Build all that is generated: exercises from their masters, notebooks from their sources, and what
is made for teachers."""

from __future__ import annotations

from pathlib import Path

from anonlab.course.authoring import exercises, notebooks, overview
from anonlab.course.authoring.masters import Master, read_masters


def build_course(folder: Path) -> tuple[Path, ...]:
    """Build the notebooks in `folder`, and the exercises beside it if there are masters; return
    what changed.

    raises  FileNotFoundError if there are no sources, ValueError for a source or master
            that cannot be read
    """
    changed: tuple[Path, ...] = ()
    if masters := masters_beside(folder):
        changed = exercises.build_exercises(masters, folder.resolve().parent / "exercises")
        target, text = folder / overview.NAME, overview.map_of(folder, masters)
        if not target.exists() or target.read_text("utf-8") != text:
            target.write_text(text, "utf-8", newline="\n")
            changed += (target,)
    return changed + notebooks.build_notebooks(folder) + build_teaching(folder)


def course_drift(folder: Path) -> tuple[str, ...]:
    """Return one sentence for each generated file that is not what it is made of.

    raises  as build_course
    """
    found: tuple[str, ...] = ()
    if masters := masters_beside(folder):
        found = exercises.exercise_drift(masters, folder.resolve().parent / "exercises")
        target = folder / overview.NAME
        if not target.exists() or target.read_text("utf-8") != overview.map_of(folder, masters):
            found += (f"{target} is not what the masters make",)
    return found + notebooks.notebook_drift(folder) + teaching_drift(folder)


def teaching_pages(folder: Path) -> dict[Path, str]:
    """Return what is made for teachers beside the notebooks, in docs/teaching, by file; nothing
    where there is no such folder."""
    from anonlab.course.teaching import plans, syllabus

    root = folder.resolve().parent
    place = root / "docs" / "teaching"
    if not place.is_dir():
        return {}
    masters = masters_beside(folder)
    made = {place / syllabus.NAME: syllabus.syllabus(root, masters)}
    return made | plans.plan_pages(root, masters)


def build_teaching(folder: Path) -> tuple[Path, ...]:
    """Write the syllabus and the made parts of the plans; return what changed."""
    changed = []
    for path, text in teaching_pages(folder).items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8", newline="\n")
            changed.append(path)
    return tuple(changed)


def teaching_drift(folder: Path) -> tuple[str, ...]:
    """Return one sentence for each page for teachers that is not what is made, and for each
    notebook without a plan."""
    from anonlab.course.teaching.plans import without_plan

    found = [
        f"{path} is not what is made"
        for path, text in teaching_pages(folder).items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
    root = folder.resolve().parent
    if (root / "docs" / "teaching").is_dir():
        found += [f"docs/teaching/plans/{number}.md is missing" for number in without_plan(root)]
    return tuple(found)


def masters_beside(folder: Path) -> tuple[Master, ...]:
    """Return the masters in `solutions/` beside the notebooks' folder, none if there is none."""
    beside = folder.resolve().parent / "solutions"
    return read_masters(beside) if beside.is_dir() else ()
