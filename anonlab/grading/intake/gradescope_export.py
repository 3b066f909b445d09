"""What an export of Gradescope says of its submissions: who, and when.

An export is a folder of submission_111/ with submission_metadata.yml beside them. Of that file two
things are read, by their place: the list `:submitters:` and the time `:created_at:`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from anonlab.errors import FormatError
from anonlab.grading.intake.receipts import Receipt
from anonlab.grading.intake.roster import Roster
from anonlab.grading.intake.times import read_time

METADATA = "submission_metadata.yml"
MOST_BYTES = 200_000_000
_PAIR = re.compile(r"(?P<indent> *)(?P<item>- +)?:?(?P<key>[\w-]+):(?: +(?P<value>.*))?\Z")


@dataclass
class Handed:
    """One submission there. Each submitter has `sid`, `email` and `name`, as far as they are
    known; `created` is text as it stands there."""

    submitters: list[dict[str, str]] = field(default_factory=list)
    created: str = ""


def export_folder(folder: Path) -> Path:
    """Return the folder with the metadata: `folder`, or the only one in it; else `folder`."""
    if not (folder / METADATA).is_file():
        inner = [each for each in folder.iterdir() if (each / METADATA).is_file()]
        if len(inner) == 1 and not inner[0].is_symlink():
            return inner[0]
    return folder


def read_export(path: Path) -> dict[str, Handed]:
    """Return the submissions in the metadata of an export, by the name of their folder."""
    if path.stat().st_size > MOST_BYTES:
        raise FormatError(f"{path} is too large")
    found: dict[str, Handed] = {}
    mine, level, section = Handed(), 0, ""
    for text in path.read_text("utf-8-sig", "replace").splitlines():
        match = _PAIR.match(text)
        if match is None:
            continue
        indent, key, value = len(match["indent"]), match["key"], _scalar(match["value"] or "")
        if not indent and not match["item"]:
            mine, level, section = found.setdefault(key, Handed()), 0, ""
            continue
        level = level or indent
        if indent == level and not match["item"]:
            section = key
            if key == "created_at":
                mine.created = value
        elif section == "submitters":
            if match["item"]:
                mine.submitters.append({})
            if mine.submitters:
                mine.submitters[-1].setdefault(key, value)
    return found


def _scalar(text: str) -> str:
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1]
    return "" if text in ("null", "~") else text


def export_receipts(
    path: Path, roster: Roster
) -> tuple[dict[str, tuple[str, ...]], dict[str, Receipt]]:
    """Return whose each submission is, all of its submitters, and when it came.

    raises  FormatError for a time that is none
    """
    whose, receipts = {}, {}
    for name, handed in read_export(path).items():
        people = [_person(roster, each) for each in handed.submitters]
        whose[name] = tuple(dict.fromkeys(filter(None, people)))
        if handed.created:
            receipts[name] = Receipt("", _time(path, handed.created))
    return whose, receipts


def _person(roster: Roster, said: dict[str, str]) -> str:
    ids = (said.get("sid", ""), said.get("email", ""))
    found = [student for each in ids if each and (student := roster.find(each))]
    return found[0] if found else roster.by_name(said.get("name", ""))


def _time(path: Path, text: str) -> datetime:
    try:
        return read_time(text)
    except ValueError as error:
        raise FormatError(f"{path}: {error}") from None
