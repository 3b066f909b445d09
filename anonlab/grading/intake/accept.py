"""Which of a submission's files count: one of the expected name for each exercise, or the answer
cell of a notebook. Only these are copied; all else is listed as ignored, with why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from anonlab.course.authoring.masters import Master
from anonlab.grading.intake import variants
from anonlab.grading.intake.answers import Cell, notebook_answers
from anonlab.grading.intake.archives import (
    LIMIT,
    MOST_BYTES,
    MOST_ENTRIES,
    Entry,
    Listing,
    Rejected,
    copy,
    in_memory,
    is_archive,
    list_folder,
    list_zip,
    megabytes,
    read,
    shown,
    write,
)
from anonlab.grading.intake.candidates import (
    Candidate,
    choose,
    copy_number,
    in_order,
    notebook_order,
)
from anonlab.grading.intake.submission import Fate

MOST_ANSWER = 1_000_000
"""Bytes of one answer."""
MOST_NOTEBOOK_BYTES = 4 * MOST_BYTES
"""Of all notebooks of one submission that are read."""
_LISTED = 40
"""So many ignored names are listed for the student."""
NO_ANSWER = "no answer to an exercise of this assignment"
MADE_BY_MACHINES = "hidden, or made by a machine"
INNER = "an archive in an archive: not opened"


class Accepted(NamedTuple):
    """Copies by exercise number, names that are ignored, sentences for the student, those of them
    that somebody should look at, and what became of every file."""

    files: dict[str, Path]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    fates: tuple[Fate, ...] = ()
    variant_file: bytes = b""


@dataclass
class _Desk:
    """Where a submission lies while it is sorted. `fates` by entry: (exercise, why)."""

    masters: Mapping[str, Master]
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    fates: dict[int, tuple[str, str]] = field(default_factory=dict)


def accept_files(
    given: Path | Listing, masters: Mapping[str, Master], target: Path, boxed: bool
) -> Accepted:
    """Copy the answers among `given`, a folder or what was listed, to the new folder `target`.

    boxed   notebooks are read in a box
    raises  Rejected if the submission as a whole is not taken
    """
    listing = list_folder(given) if isinstance(given, Path) else given
    desk = _Desk(masters)
    every = list(listing.entries)
    dropped = list(listing.dropped)
    if opened := _opened(listing.entries, desk):
        every += opened.entries
        dropped += opened.dropped
    target.mkdir(parents=True)
    entries = opened.entries if opened else listing.entries
    files = _take(entries, desk, target, boxed)
    variant = _variant(entries, desk)
    names = [shown(each.base) for each in entries]
    desk.notes += _missing(masters, files, names, desk.notes)
    fates = [Fate(shown(each.name), *desk.fates.get(id(each), ("", NO_ANSWER))) for each in every]
    ignored = [shown(each.name) for each in every
               if not desk.fates.get(id(each), ("", ""))[0]]  # fmt: skip
    fates += [Fate(shown(each), "", MADE_BY_MACHINES) for each in dropped[:MOST_ENTRIES]]
    if more := dropped[MOST_ENTRIES:]:
        fates.append(Fate(f"and {len(more)} more", "", MADE_BY_MACHINES))
    return Accepted(
        files,
        _short([*ignored, *map(shown, dropped)]),
        tuple(dict.fromkeys(desk.notes)),
        tuple(dict.fromkeys(desk.doubts)),
        tuple(fates),
        variant,
    )


def _opened(entries: Sequence[Entry], desk: _Desk) -> Listing | None:
    """Return the files of the only archive, if there are no answers beside it."""
    archives = [each for each in entries if is_archive(each.name)]
    if not archives or any(_is_answer(each, desk.masters) for each in entries):
        return None
    if len(archives) > 1:
        names = ", ".join(shown(each.base) for each in archives)
        raise Rejected(f"{len(archives)} archives ({names}): send one")
    listing = _list(archives[0])
    desk.fates[id(archives[0])] = ("zip", "opened")
    inner = [each for each in listing.entries if is_archive(each.name)]
    if len(inner) == 1 and not any(_is_answer(each, desk.masters) for each in listing.entries):
        more = _list(in_memory(inner[0]))
        desk.notes.append(f"{shown(inner[0].name)} is an archive in an archive; it was opened")
        desk.fates[id(inner[0])] = ("zip", "opened")
        rest = [each for each in listing.entries if each is not inner[0]]
        entries = (*more.entries, *rest, inner[0])
        listing = Listing(entries, (*listing.dropped, *more.dropped))
        inner = [each for each in more.entries if is_archive(each.name)]
    for each in inner:
        desk.fates[id(each)] = ("", INNER)
        desk.notes.append(f"{shown(each.name)} is {INNER}: send the files themselves")
    return listing


def _list(archive: Entry) -> Listing:
    if not archive.name.lower().endswith(".zip"):
        raise Rejected(f"{shown(archive.base)} is not read: send a zip or plain files")
    return list_zip(archive)


def _is_answer(entry: Entry, masters: Mapping[str, Master]) -> bool:
    return entry.base.lower().endswith(".ipynb") or any(
        copy_number(entry.base, master) is not None for master in masters.values()
    )


def _take(entries: Sequence[Entry], desk: _Desk, target: Path, boxed: bool) -> dict[str, Path]:
    """Copy what counts for each exercise; return the copies."""
    exact, loose = _named(entries, desk.masters)
    declared = sum(each.size for several in (*exact.values(), *loose.values()) for each in several)
    if declared > MOST_BYTES:
        raise Rejected(f"unpacked it has {megabytes(declared)}, {LIMIT}")
    notebooks = [each for each in entries if each.name.lower().endswith(".ipynb")]
    cells, trouble = _cells(sorted(notebooks, key=notebook_order), desk, target, boxed)
    if trouble and not exact and not loose and not cells:
        raise Rejected(trouble[0])
    files: dict[str, Path] = {}
    for number, master in desk.masters.items():
        mine = [each for each in cells if each.number == number]
        choice = choose(
            number, master, _read(exact.get(number, ())), _of_cells(mine, master),
            _read(loose.get(number, ())),
        )  # fmt: skip
        wrong = [f"{number}: {each.where}: {each.problem}" for each in mine if each.problem]
        desk.notes += [*choice.notes, *wrong]
        desk.doubts += [*choice.doubts, *wrong]
        for other, why in choice.others:
            if other.entry is not None:
                desk.fates[id(other.entry)] = ("", why)
        if choice.taken is not None:
            files[number] = target / f"{master.name}.py"
            write(files[number], [choice.taken.data])
            if choice.taken.entry is not None:
                desk.fates[id(choice.taken.entry)] = (number, "taken")
    desk.notes += trouble
    desk.doubts += trouble
    return files


def _variant(entries: Sequence[Entry], desk: _Desk) -> bytes:
    """Return the file that says which variant was answered, b"" if there is not just one."""
    found = [each for each in entries if each.base == variants.FILE]
    if len(found) != 1 or found[0].size > variants.MOST_BYTES:
        return b""
    desk.fates[id(found[0])] = ("", "says which variant it answers")
    return read(found[0], variants.MOST_BYTES)


def _named(
    entries: Sequence[Entry], masters: Mapping[str, Master]
) -> tuple[dict[str, list[Entry]], dict[str, list[Entry]]]:
    """Return the files of the expected name by exercise, and those of nearly that name."""
    exact: dict[str, list[Entry]] = {}
    loose: dict[str, list[Entry]] = {}
    for number, master in masters.items():
        numbered = [(copy_number(each.base, master), each) for each in entries]
        found = [(at, each) for at, each in numbered if at is not None]
        right = f"{master.name}.py"
        if ours := in_order([(each.again, each) for _, each in found if each.base == right]):
            exact[number] = ours
        if others := in_order([(at, each) for at, each in found if each.base != right]):
            loose[number] = others
    return exact, loose


def _read(entries: Sequence[Entry]) -> list[Candidate]:
    return [Candidate(shown(each.name), read(each, MOST_ANSWER), each) for each in entries]


def _of_cells(cells: Sequence[Cell], master: Master) -> list[Candidate]:
    """Return cells as the text of the student's file."""
    found = []
    for each in cells:
        if not each.problem:
            code = each.code.strip()
            data = f"{master.header}\n{code}\n" if code else ""
            found.append(Candidate(each.where, data.encode(), note=each.note))
    return found


def _cells(
    notebooks: Sequence[Entry], desk: _Desk, target: Path, boxed: bool
) -> tuple[list[Cell], list[str]]:
    """Return the answer cells of all notebooks, and a sentence for each that cannot be read."""
    found: list[Cell] = []
    trouble: list[str] = []
    left = MOST_NOTEBOOK_BYTES
    for entry in notebooks:
        try:
            if entry.size > left:
                raise Rejected(f"{shown(entry.name)} is not read: too many notebooks")
            left -= entry.size
            cells = _of_notebook(entry, target, boxed)
        except Rejected as error:
            trouble.append(str(error))
            desk.fates[id(entry)] = ("", str(error))
            continue
        found += cells
        numbers = dict.fromkeys(each.number for each in cells if each.number in desk.masters)
        told = f"read for its cells: {', '.join(numbers)}" if numbers else "read: no answers in it"
        desk.fates[id(entry)] = ("cells", told)
    return found, trouble


def _of_notebook(entry: Entry, folder: Path, boxed: bool) -> list[Cell]:
    """Return the answer cells of a notebook, by way of a copy that does not stay."""
    copied = folder / "notebook"
    try:
        copy(entry, copied, MOST_BYTES)
        return notebook_answers(copied, entry.base, boxed)
    finally:
        copied.unlink(missing_ok=True)


def _missing(
    masters: Mapping[str, Master], files: dict[str, Path], names: list[str], notes: list[str]
) -> list[str]:
    """Return a sentence for each exercise without a file that no other sentence is about."""
    told = {note.partition(":")[0] for note in notes}
    found = f"found: {', '.join(_short(sorted(names)))}" if names else "nothing was found"
    return [
        f"{number}: no file named {master.name}.py, and no cell %%exercise {number}; {found}"
        for number, master in masters.items()
        if number not in files and number not in told
    ]


def _short(names: list[str]) -> tuple[str, ...]:
    more = len(names) - _LISTED
    return (*names[:_LISTED], *([f"and {more} more"] if more > 0 else []))
