"""The prose of a whole course: which files people read, and what their sentences are like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from anonlab.course.authoring import prose
from anonlab.course.authoring.prose import LISTED, Sentence

_READ = (
    "notebooks/source/*.py",
    "solutions/*.py",
    "notebooks/*.md",
    "README.md",
    "CONTRIBUTING.md",
    "docs/**/*.md",
    "anonlab/rmap/README.md",
    "tests/exercises/public/*.py",
    "tests/exercises/hidden/*.py",
    "anonlab/course/asking/**/*.py",
    "anonlab/course/judging/*.py",
    "anonlab/course/drills/*.py",
    "anonlab/formats/languages/en.json",
)
_LEFT_OUT = ("notebooks/COURSE_MAP.md",)
"""Made from the masters."""


def read_prose(root: Path) -> dict[str, list[Sentence]]:
    """Return the sentences of each file of the course in `root` that people read, by its name."""
    found = {}
    for pattern in _READ:
        for path in sorted(root.glob(pattern)):
            name = path.relative_to(root).as_posix()
            if name not in _LEFT_OUT and (said := prose.sentences(path)):
                found[name] = said
    return found


def prose_counts(read: dict[str, list[Sentence]]) -> dict[str, Any]:
    """Return counts of all sentences, and of each file."""
    whole = prose.counts([each for found in read.values() for each in found])
    return {**whole, "by_file": {name: prose.counts(found) for name, found in read.items()}}


def prose_report(path: Path, most: int = 10) -> dict[str, Any]:
    """Return counts and problems of one file, and `lines` for people: the `most` longest sentences.

    The course's list of long sentences is looked for in notebooks/ above the file.
    """
    found = prose.sentences(path)
    folders = (parent / "notebooks" / LISTED for parent in path.resolve().parents)
    listed = prose.read_listed(next((each for each in folders if each.is_file()), Path(LISTED)))
    counted, wrong = prose.counts(found), prose.problems(str(path), found, listed)
    lines = [
        f"{counted['sentences']} sentences; median {counted['median']:g} words, at most "
        f"{prose.MEDIAN}; longest {counted['longest']}, at most {prose.LONGEST}"
    ]
    for each in sorted(found, key=lambda each: -each.words)[:most]:
        lines.append(f"{path}:{each.line}: {each.words:2} words: {each.text}")
    return {**counted, "lines": lines, "problems": wrong}


def prose_problems(root: Path, read: dict[str, list[Sentence]]) -> list[str]:
    """Return what is wrong with the sentences of a course, and each listed one that is gone."""
    listed = prose.read_listed(root / "notebooks" / LISTED)
    wrong = [each for name, found in read.items() for each in prose.problems(name, found, listed)]
    long = [each.text for found in read.values() for each in found if each.words > prose.LONGEST]
    return wrong + [
        f"notebooks/{LISTED}: no long sentence begins “{each.begins}”: take the entry out"
        for each in listed
        if not any(text.startswith(each.begins) for text in long)
    ]
