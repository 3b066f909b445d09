"""Feedback packed as learning management systems take it back, by the names that they gave.

moodle   OUT/give-back/moodle.zip: "upload multiple feedback files in a zip". A file belongs to the
         student whose name and number are in its folder, as in the download (assign/feedback/file,
         importziplib.php: fullname_userid_assignsubmission_file_/…)
canvas   OUT/give-back/canvas.zip: "re-upload submissions". A file belongs to the numbers of user
         and attachment in its name, and that attachment must be there (assignment.rb:
         infer_comment_context_from_filename). Canvas shows it by the attachment's name, so it is
         the text, which opens everywhere
folder   OUT/give-back/feedback/NAME/: page and text in a folder that is called like what came

Whoever handed in something that has no such name is listed: nobody is left out without a word.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from anonlab.grading.intake.archives import is_archive
from anonlab.grading.intake.roster import PARTICIPANT, Person, Roster
from anonlab.grading.intake.submission import Submission
from anonlab.grading.reports.write import STUDENTS, file_name

KINDS = ("moodle", "canvas", "folder")
FOLDER = "give-back"
_MOODLE = re.compile(r"(.+?_\d+)_assignsubmission_", re.DOTALL)
_CANVAS = re.compile(r"([^_]*(?:_LATE)?_\d+_\d+)_.+\Z", re.DOTALL | re.IGNORECASE)
_ENDING = re.compile(r"\.(?:zip|ipynb|py)\Z", re.IGNORECASE)
_WHEN = (2004, 3, 13, 0, 0, 0)


@dataclass(frozen=True)
class Feedback:
    """What one student gets: where the page and the text are, without their endings, and what the
    student's submission was called when it came, all names of it."""

    student: str
    report: Path
    names: tuple[str, ...]


def give_back(
    kind: str, out: Path, submissions: Iterable[Submission], names: dict[str, tuple[str, ...]],
    roster: Roster,
) -> list[str]:  # fmt: skip
    """Pack the feedback that is in `out`; return sentences for the instructor.

    kind    of KINDS
    names   what each submission was called when it came, by its id
    raises  FileExistsError if there is such a folder already
    """
    target = out / FOLDER
    target.mkdir(mode=0o700)
    every = [each for submission in submissions for each in _feedback(out, submission, names)]
    if kind == "folder":
        return _folders(target / "feedback", every)
    packed, left = 0, []
    path = target / f"{kind}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in every:
            entries = list(_MADE[kind](each, roster.people.get(each.student)))
            for name, source in entries:
                info = zipfile.ZipInfo(name, _WHEN)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o100644 << 16
                archive.writestr(info, source.read_bytes())
            packed += bool(entries)
            left += [] if entries else [each.student]
    told = [f"{path}: feedback for {packed} students, to be uploaded to {kind.capitalize()}"]
    if left:
        told.append(
            f"{kind.capitalize()} takes back only what it has handed out; not in {path.name}: "
            f"{', '.join(left)}: send them their pages of {out / STUDENTS}"
        )
    return told


def _feedback(
    out: Path, submission: Submission, names: dict[str, tuple[str, ...]]
) -> Iterator[Feedback]:
    """Yield what belongs to a submission: one for its student, and one for each partner."""
    if not submission.student:
        return
    own = names.get(submission.id, ())
    page = out / STUDENTS / file_name(submission.id)
    yield Feedback(submission.student, page, own)
    for partner in submission.partners:
        page = out / STUDENTS / file_name(f"{submission.id}+{partner}")
        yield Feedback(partner, page, ())


def _ending(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}.{ending}")


def _moodle(each: Feedback, person: Person | None) -> Iterator[tuple[str, Path]]:
    """Yield page and text in the student's folder; its number may stand in the grading sheet."""
    found = next((match[1] for name in each.names if (match := _MOODLE.match(name))), "")
    if not found and person is not None:
        numbers = [PARTICIPANT.sub("", id_) for id_ in person.ids if PARTICIPANT.match(id_)]
        found = f"{person.name.replace('/', ' ')}_{numbers[0]}" if numbers else ""
    for ending in ("html", "txt") if found else ():
        name = f"{found}_assignsubmission_file_/feedback.{ending}"
        yield name, _ending(each.report, ending)


def _canvas(each: Feedback, person: Person | None) -> Iterator[tuple[str, Path]]:
    """Yield the text, in place of a file of the student's, and rather not of an archive."""
    fits = [name for name in sorted(each.names, key=is_archive) if _CANVAS.match(name)]
    for name in fits[:1]:
        match = _CANVAS.match(name)
        assert match is not None
        yield f"{match[1]}_feedback.txt", _ending(each.report, "txt")


_MADE = {"moodle": _moodle, "canvas": _canvas}


def _folders(target: Path, every: list[Feedback]) -> list[str]:
    """Copy page and text into a folder for each student, called like what came."""
    target.mkdir(parents=True)
    for each in every:
        came = each.names[0] if len(each.names) == 1 else each.report.name
        folder = target / file_name(_ENDING.sub("", came))
        if folder.exists():
            folder = target / each.report.name
        folder.mkdir()
        for ending in ("html", "txt"):
            shutil.copyfile(_ending(each.report, ending), folder / f"feedback.{ending}")
    return [f"{target}: feedback for {len(every)} students, a folder each"]
