"""Build all that is generated: exercises from their masters, then notebooks from their sources."""

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
    return changed + notebooks.build_notebooks(folder)


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
    return found + notebooks.notebook_drift(folder)


def masters_beside(folder: Path) -> tuple[Master, ...]:
    """Return the masters in `solutions/` beside the notebooks' folder, none if there is none."""
    beside = folder.resolve().parent / "solutions"
    return read_masters(beside) if beside.is_dir() else ()
