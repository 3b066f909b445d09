"""From a folder of submissions to accepted files in fresh folders, whatever was handed in.

First it is listed who handed in what, without opening anything; then the newest submission before
the deadline is chosen; then its accepted files are copied. Nothing of a student's is run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path

from anonlab.course.authoring.masters import Master
from anonlab.grading.intake.accept import accept_files
from anonlab.grading.intake.archives import (
    Entry,
    Listing,
    Rejected,
    check_plain,
    list_folder,
    plain_file,
    shown,
)
from anonlab.grading.intake.entrants import (
    Entrant,
    Naming,
    Superseded,
    choose,
    find_entrants,
    is_folder,
    names_of,
    with_times,
)
from anonlab.grading.intake.gradescope_export import METADATA, export_folder, export_receipts
from anonlab.grading.intake.groups import Groups
from anonlab.grading.intake.receipts import Receipts
from anonlab.grading.intake.roster import Roster
from anonlab.grading.intake.submission import Submission

_AGAIN = re.compile(r"((?:ex\d\d[a-z]|lab\d)_[a-z0-9_]+)-(\d+)(\.py)\Z")
"""Canvas adds a number to the name of a file that is handed in once more."""
_LITTER = ("__MACOSX", "Thumbs.db", "desktop.ini", "index.html", METADATA)
"""What file managers leave behind, and what systems put beside submissions."""


@dataclass(frozen=True)
class Survey:
    """Who handed in what. `entrants` count, one for each student, and those that nobody knows;
    `ignored` are names in the folder that are no submission; `notes` is for the instructor."""

    entrants: tuple[Entrant, ...]
    superseded: tuple[Superseded, ...]
    absent: tuple[str, ...]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]


def survey_folder(
    folder: Path,
    roster: Roster,
    masters: Mapping[str, Master],
    received: Receipts | None = None,
    due: Mapping[str, datetime] | None = None,
    groups: Groups | None = None,
    names: re.Pattern[str] | None = None,
    zone: tzinfo | None = None,
) -> Survey:
    """List the submissions in `folder` and choose which count; nothing is opened.

    received  from read_receipts
    due       the deadline by student; who is not there has none
    names     decides alone whose a name is, by its group `student`
    zone      of times that stand in names
    """
    folder = export_folder(folder)
    known, receipts = None, received or Receipts()
    if (folder / METADATA).is_file():
        known, said = export_receipts(folder / METADATA, roster)
        receipts = replace(receipts, by_name={**said, **receipts})
    paths = sorted(folder.iterdir())
    ignored = [path for path in paths if path.name.startswith(".") or path.name in _LITTER]
    naming = Naming(roster, masters, receipts, groups or Groups(), names, known, zone)
    left_out = set(ignored)
    found = find_entrants([path for path in paths if path not in left_out], naming)
    found = with_times(found, receipts)
    counting, superseded = choose(found, due or {})
    handed_in = {student for each in found for student in (each.student, *each.partners)}
    seen = {name for each in found for name in names_of(each)}
    lost = [f"{name} has a receipt, but is not in {folder}" for name in receipts
            if name not in seen]  # fmt: skip
    return Survey(
        tuple(sorted(counting, key=lambda each: each.id)),
        tuple(superseded),
        tuple(each for each in roster.people if each not in handed_in),
        tuple(shown(path.name) for path in ignored),
        (*lost, *receipts.notes, *_contradictions(receipts, found)),
    )


def _contradictions(receipts: Receipts, found: list[Entrant]) -> list[str]:
    """Return a sentence for whoever handed in something that a system does not know of."""
    without = set(receipts.without)
    return [
        f"{each.id}: the receipts say that {each.student} handed in nothing"
        for each in found if each.student in without and each.received is None
    ]  # fmt: skip


def accept(
    entrant: Entrant, masters: Mapping[str, Master], target: Path, boxed: bool = False
) -> Submission:
    """Copy what counts of a submission to the new folder `target`, with fixed modes.

    masters  of the exercises of the assignment, by number
    boxed    notebooks are read in a box
    """
    taken = Submission(
        entrant.id, entrant.student, {}, entrant.received, entrant.rejected,
        partners=entrant.partners, late=entrant.late,
    )  # fmt: skip
    if entrant.rejected:
        return taken
    try:
        found = accept_files(_listing(entrant), masters, target, boxed)
    except Rejected as error:
        return replace(taken, rejected=str(error))
    return replace(taken, **found._asdict())


def _listing(entrant: Entrant) -> Listing:
    """Return the files of a submission: those of its folder, or its loose ones."""
    found: list[Entry] = []
    dropped: list[str] = []
    for path, name in entrant.paths:
        if is_folder(path):
            inside = list_folder(path)
            more = f"{path.name}/" if len(entrant.paths) > 1 else ""
            found += [replace(each, name=more + each.name) for each in inside.entries]
            dropped += [more + each for each in inside.dropped]
        else:
            check_plain(path.lstat(), name)
            found.append(_named_again(plain_file(path, name), entrant.system))
    return Listing(tuple(found), tuple(dropped))


def _named_again(entry: Entry, system: str) -> Entry:
    """Return a file by the name that it had before Canvas numbered it."""
    match = _AGAIN.match(entry.name) if system == "canvas" else None
    if match is None:
        return entry
    return replace(entry, name=match[1] + match[3], again=int(match[2]))
