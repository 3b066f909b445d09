"""Whatever comes in, and however it is called: each file is taken, or listed with why, once."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from classroom import MASTERS, ONE, OTHER, put
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anonlab.errors import FormatError
from anonlab.grading.intake.archives import shown
from anonlab.grading.intake.groups import read_groups
from anonlab.grading.intake.intake import accept, survey_folder
from anonlab.grading.intake.receipts import read_receipts
from anonlab.grading.intake.roster import read_roster
from anonlab.grading.intake.submission import Submission
from anonlab.grading.publish import file_rows
from anonlab.grading.reports.late import read_adjustments, read_extensions

ROSTER = (
    "Student,ID,SIS User ID,SIS Login ID,Section\n"
    '"Doe, Jane",1004,0000001,jdoe,1\n"Zhao, Li",1005,0000002,zhao-li,1\n"Ann",7,ann,ann@x.org,1\n'
)
STEMS = ("doejane_1004_1_", "zhaoli_LATE_1005_2_", "0000001", "zhao-li_", "7-", "ann", "JDOE ",
         "Jane Doe_12_assignsubmission_file_", "HW_ann_attempt_2026-10-01-11-58-03_", "stranger",
         "10-3 - Li Zhao - Oct 1, 2026 1158 AM", "", ".hidden", "__MACOSX")  # fmt: skip
BASES = (ONE, OTHER, "ex04a_fork (1).py", "Ex04a_Fork.py", "ex04a_fork.py.txt", "ex04a_fork-2.py",
         "notes.txt", "x.zip", ".DS_Store", "a.ipynb", "=1.csv")  # fmt: skip
FOLDERS = ("", "hw/", "./", ".git/", "venv/lib/", "deep/er/", "__pycache__/")
CONTENTS = ("x = 1\n", "x = 2\n", "", f"{MASTERS['04a'].header}\n{MASTERS['04a'].stub}", "\0\xff")
text = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), max_size=9)
tops = st.one_of(
    st.builds(str.__add__, st.sampled_from(STEMS), st.sampled_from(("", ".zip", *BASES))),
    st.builds(str.__add__, st.sampled_from(STEMS), text),
).filter(lambda name: name not in ("", ".", "..") and len(name.encode()) < 200)
inner = st.dictionaries(
    st.builds(str.__add__, st.sampled_from(FOLDERS), st.one_of(st.sampled_from(BASES), text))
    .filter(lambda name: name.rpartition("/")[2] not in ("", ".", "..")),
    st.sampled_from(CONTENTS), max_size=6,
)  # fmt: skip
classes = st.dictionaries(tops, st.one_of(st.sampled_from(CONTENTS), inner), max_size=8)


def lay(folder: Path, name: str, content: str | dict[str, str]) -> None:
    """Put a file, a folder or a zip there."""
    if isinstance(content, str):
        put(folder, {name: content.encode("utf-8", "replace")})
    elif name.lower().endswith(".zip"):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for each, lines in content.items():
                archive.writestr(each, lines)
        put(folder, {name: data.getvalue()})
    else:
        (folder / name).mkdir()
        put(folder / name, content)


def until_junk(name: str) -> str:
    """A path as it is listed: up to where it is hidden, or made by a machine."""
    parts = [part for part in name.split("/") if part != "."]
    for at, part in enumerate(parts, 1):
        if part.startswith(".") or part in ("__MACOSX", "__pycache__", "venv"):
            return "/".join(parts[:at]) + "/" * (at < len(parts))
    return "/".join(parts)


def inside(content: str | dict[str, str]) -> set[str]:
    """What has to be accounted for in a folder or a zip."""
    return set() if isinstance(content, str) else {until_junk(name) for name in content}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(classes)
def test_every_file_is_taken_or_listed_once(
    tmp_path_factory: pytest.TempPathFactory, handed_in: dict[str, str | dict[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("class")
    (folder / "in").mkdir()
    for name, content in handed_in.items():
        lay(folder / "in", name, content)
    put(folder, {"roster.csv": ROSTER})
    survey = survey_folder(folder / "in", read_roster(folder / "roster.csv"), MASTERS)
    places = Counter([path.name for each in survey.entrants for path, _ in each.paths])
    places.update(path.name for each in survey.superseded for path, _ in each.entrant.paths)
    assert Counter(map(shown, places)) + Counter(survey.ignored) == Counter(map(shown, handed_in))
    assert set(places.values()) <= {1}
    taken = [accept(each, MASTERS, folder / "out" / each.id) for each in survey.entrants]
    for entrant, found in zip(survey.entrants, taken, strict=True):
        if found.fates:
            check_fates(entrant.paths, found, handed_in)
        copies = {path.name for path in (folder / "out" / entrant.id).glob("*")}
        assert found.rejected or copies == {path.name for path in found.files.values()}
        whose = {fate.exercise for fate in found.fates} - {"", "zip", "cells"}
        assert whose <= set(found.files)
        assert entrant.student or not found.files
    rows = list(file_rows(survey, taken))[1:]
    assert all(row[3] or row[4] for row in rows)


def check_fates(
    paths: tuple[tuple[Path, str], ...],
    found: Submission,
    handed_in: dict[str, str | dict[str, str]],
) -> None:
    """Every file of a submission that was looked into has one line."""
    opened = any(fate.why == "opened" for fate in found.fates)
    wanted = 0
    names = [fate.name for fate in found.fates]
    for path, _ in paths:
        content = handed_in[path.name]
        zipped = path.name.lower().endswith(".zip")
        more = inside(content) if opened or not zipped else set()
        wanted += len(more) + (zipped or isinstance(content, str))
        if len(paths) == 1:
            assert {shown(each) for each in more} <= set(names)
    inner = [fate for fate in found.fates if fate.why == "opened"][1:]
    assert len(names) == wanted or inner, (names, wanted)


cells = st.one_of(
    st.sampled_from(
        ("0000001", "2", "jdoe", "ANN@X.org", "1,5", "", "why", "A", "-", "2026-10-01T12:00:00Z")
    ),
    text,
)
headers = st.sampled_from(
    ("student_id", "Student ID", "points", "reason", "author", "due", "group", "submission",
     "received", "Email", "ID", "", "Last modified (submission)", "Submission ID")
)  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(headers, min_size=1, max_size=5),
    st.lists(st.lists(cells, max_size=6), max_size=5),
    st.sampled_from(",;\t"),
    st.sampled_from(("utf-8", "utf-8-sig", "utf-16")),
    st.booleans(),
)
def test_each_row_of_a_table_is_read_or_refused_with_its_line(
    tmp_path_factory: pytest.TempPathFactory,
    header: list[str], rows: list[list[str]], delimiter: str, encoding: str, marked: bool,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("tables")
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([header, *rows])
    mark = f"sep={delimiter}\r\n" if marked else ""
    (folder / "t.csv").write_bytes((mark + out.getvalue()).encode(encoding))
    put(folder, {"roster.csv": ROSTER})
    roster = read_roster(folder / "roster.csv")
    full = [row for row in rows if any(cell.strip() for cell in row)]
    readers = {
        "adjustments": lambda path: sum(map(len, read_adjustments(path, roster).values())),
        "extensions": lambda path: len(read_extensions(path, roster, None)),
        "receipts": lambda path: len(read_receipts(path, roster)),
        "groups": lambda path: len(full) if read_groups(path, roster) else 0,
        "roster": lambda path: len(full) if read_roster(path) else 0,
    }
    for read in readers.values():
        try:
            assert read(folder / "t.csv") == len(full)
        except FormatError as error:
            assert error.line
