"""A small class to grade in tests: masters, rosters and folders of submissions."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from project import ROOT

from anonlab.course.authoring.masters import Master, read_masters
from anonlab.grading.intake.intake import Survey, accept, survey_folder
from anonlab.grading.intake.receipts import read_receipts
from anonlab.grading.intake.roster import Roster, read_roster
from anonlab.grading.intake.submission import Submission

MASTERS: dict[str, Master] = {
    master.number: master
    for master in read_masters(ROOT / "solutions")
    if master.number in ("04a", "05a")
}
ONE, OTHER = "ex04a_fork.py", "ex05a_cow.py"
RIGHT = {name: MASTERS[name[2:5]].solution for name in (ONE, OTHER)}
ROSTER = "student_id,name,email\n007,Ada,ada@x.org\nbob,Bob,bob@x.org\ncleo,Cleo,cleo@x.org\n"


def roster(folder: Path, text: str = ROSTER) -> Roster:
    path = folder / "roster.csv"
    path.write_bytes(text.encode())
    return read_roster(path)


def take(
    tmp_path: Path,
    masters: Mapping[str, Master] = MASTERS,
    receipts: str = "",
    boxed: bool = False,
    **more: Any,
) -> tuple[Survey, dict[str, Submission]]:
    """Take in tmp_path/in; return the survey and the submissions by id."""
    known = None
    if receipts:
        table = tmp_path / "receipts.csv"
        table.write_text(f"submission,student,received\n{receipts}", "utf-8")
        known = read_receipts(table, roster(tmp_path))
    found = survey_folder(tmp_path / "in", roster(tmp_path), masters, known, **more)
    taken = {
        each.id: accept(each, masters, tmp_path / "out" / each.id, boxed) for each in found.entrants
    }
    return found, taken


def put(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def entry(name: str, mode: int = 0) -> zipfile.ZipInfo:
    """An entry of a zip, dated 1980: bytes that hold the time of day are other bytes each time."""
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def zipped(files: Mapping[str, str | bytes] | list[tuple[zipfile.ZipInfo, bytes]]) -> bytes:
    """A zip of files by name, or of entries made by hand."""
    if isinstance(files, Mapping):
        files = [(entry(name, 0o600), data) for name, data in files.items()]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for info, data in files:
            archive.writestr(info, data)
    return out.getvalue()


def notebook(*cells: str, **more: Any) -> str:
    """A notebook of code cells."""
    plain = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": cell.splitlines(True)}
        for cell in cells
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": plain} | more)
