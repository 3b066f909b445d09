"""Which of several answers to one exercise counts: the rules, and the sentences about them.

A template never counts, nor does what is empty. A file of the expected name counts before a cell,
because a cell writes the file; both before a file whose name is only nearly right. Of several of
one kind the last counts. Equal ones are one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from anonlab.course.authoring.masters import Master
from anonlab.grading.intake.archives import Entry

_COPY = r"(?: ?\((?P<n>\d+)\)|[ _-]+(?:copy|kopie|copie)(?: ?\(?(?P<m>\d+)\)?)?|[-_ ](?P<k>\d+))?"
"""What browsers and file managers add to a name that is there already."""


@dataclass(frozen=True)
class Candidate:
    """One answer to one exercise.

    where   its name, or its cell's, as it may be shown
    data    the bytes that would be graded
    entry   the file; None for a cell
    note    what was changed about it, "" for nothing
    """

    where: str
    data: bytes
    entry: Entry | None = None
    note: str = ""


@dataclass
class Choice:
    """What was chosen for an exercise, None if there is nothing; sentences for the student, those
    of them that somebody should look at, and why each other one is not taken."""

    taken: Candidate | None = None
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    others: list[tuple[Candidate, str]] = field(default_factory=list)


def copy_number(base: str, master: Master) -> int | None:
    """Return which copy of the expected file a name is, 0 for the first; None if it is none.

    `ex04a_fork (1).py`, `Ex04a_Fork.py` and `ex04a_fork.py.txt` are nearly right.
    """
    match = re.fullmatch(rf"{re.escape(master.name)}{_COPY}\.py(?:\.txt)?", base, re.IGNORECASE)
    if match is None:
        return None
    digits = next((match[name] for name in "nmk" if match[name]), None)
    plain = match["n"] is None and match["m"] is None and match["k"] is None
    beside = base.casefold().removesuffix(".txt").removesuffix(".py") == master.name.casefold()
    return 0 if plain and beside else int((digits or "1")[:9])


def core(data: bytes, master: Master) -> str:
    """Return an answer as it is compared: its text without header, line ends and outer blanks."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    return text.strip().removeprefix(master.header.strip()).strip()


def choose(
    number: str,
    master: Master,
    exact: Sequence[Candidate],
    cells: Sequence[Candidate],
    loose: Sequence[Candidate],
) -> Choice:
    """Return which of the answers to exercise `number` counts; each sequence is in its order."""
    choice = Choice()
    stub = core(master.stub.encode(), master)
    text = {id(each): core(each.data, master) for each in (*exact, *cells, *loose)}
    text[0] = stub  # no object has this id
    good = [
        [each for each in several if text[id(each)] not in ("", stub)]
        for several in (exact, cells, loose)
    ]
    best = next((several for several in good if several), None)
    if best is None:
        _nothing(choice, number, [*exact, *cells, *loose], text)
        return choice
    choice.taken = taken = best[-1]
    if best is good[2] and taken.entry is not None:
        choice.notes.append(f"{number}: {taken.where} is taken as {master.name}.py")
    if taken.note:
        choice.notes.append(f"{number}: {taken.where}: {taken.note}")
    for each in (*exact, *cells, *loose):
        if each is not taken:
            beside = each in exact and best is good[1]
            _compare(choice, number, taken, each, text, beside)
    choice.notes += choice.doubts
    return choice


def _compare(
    choice: Choice,
    number: str,
    taken: Candidate,
    other: Candidate,
    text: dict[int, str],
    beside: bool,
) -> None:
    """Say why `other` is not taken; `beside` is a file whose place a cell has taken."""
    own = text[id(other)]
    if own == text[id(taken)]:
        why = f"equal to {taken.where}"
    elif own in ("", text[0]):
        why = "the template" if own else "empty"
        if beside:
            choice.notes.append(
                f"{number}: {other.where} is {why}; the cell in the notebook counts"
            )
    else:
        why = f"differs from {taken.where}, which counts"
        choice.doubts.append(f"{number}: {taken.where} counts; {other.where} differs from it")
    choice.others.append((other, why))


def _nothing(choice: Choice, number: str, all_: list[Candidate], text: dict[int, str]) -> None:
    """Take a template where there is nothing else, so that it is called unchanged."""
    template = next((each for each in all_ if text[id(each)]), None)
    choice.taken = template
    for each in all_:
        if each is template:
            continue
        same = template is not None and text[id(each)]
        choice.others.append((each, "the template" if same else "empty"))
        if template is None:
            choice.notes.append(f"{number}: {each.where} is empty")


def in_order(entries: Sequence[tuple[int, Entry]]) -> list[Entry]:
    """Return files of one kind in their order: by the number of the copy, then those nearer the
    top, then by name; the last one counts."""
    key = sorted(entries, key=lambda each: (each[0], -each[1].name.count("/"), each[1].name))
    return [entry for _, entry in key]


def notebook_order(entry: Entry) -> tuple[str, int, str]:
    """Return what sorts notebooks so that a copy comes after what it was copied from."""
    stem = entry.name.removesuffix(".ipynb")
    match = re.fullmatch(r"(.+?)(?: ?\((\d+)\)|-Copy(\d+))", stem)
    if match is None:
        return stem, 0, ""
    return match[1], int((match[2] or match[3])[:9]), entry.name
