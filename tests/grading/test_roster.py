"""Rosters of three kinds: ids are text, and nobody is guessed at."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from classroom import roster
from hypothesis import given
from hypothesis import strategies as st

from anonlab.errors import FormatError
from anonlab.grading.intake.names import owner
from anonlab.grading.intake.roster import read_roster

CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (77)\r\n"
    "    Points Possible,,,,,20\r\n"
    '"Lovelace, Ada",4711,007,ada,L1,\r\n'
    '"Ünal, Bob",4712,008,bob,L1,3.5\r\n'
)
MOODLE = (
    "\ufeffFirst name,Last name,ID number,Email address\n"
    "Ada,Lovelace,007,Ada@x.org\nBob,عمر 🎓,,bob@x.org\n"
)


def test_leading_zeros_names_and_mail_come_through(tmp_path: Path) -> None:
    found = roster(tmp_path)
    assert found.kind == "own"
    assert list(found.people) == ["007", "bob", "cleo"]
    assert (found.people["007"].name, found.people["007"].email) == ("Ada", "ada@x.org")


def test_canvas_is_known_by_its_columns(tmp_path: Path) -> None:
    found = roster(tmp_path, CANVAS)
    assert found.kind == "canvas"
    assert [(each.id, each.name, each.row) for each in found.people.values()] == [
        ("4711", "Lovelace, Ada", 1),
        ("4712", "Ünal, Bob", 2),
    ]
    assert found.find("007") == found.find("ada") == "4711"
    assert found.without_id == ()


def test_rows_of_canvas_that_are_no_students_are_none(tmp_path: Path) -> None:
    text = (
        "Student,ID,SIS Login ID,Section,HW (1)\n,,,,Manual Posting\nPoints Possible,,,,10\n"
        '"Test, Ann",3,ann,A,\nAda,,ada@x.org,A,\n"Student, Test",999,ab12ef,A,\n'
    )
    found = roster(tmp_path, text)
    assert (list(found.people), found.without_id) == (["3", "ada@x.org"], ())


def test_a_list_made_by_hand_is_read(tmp_path: Path) -> None:
    found = roster(tmp_path, "Student Name,Email\nAda Lovelace,ada@x.org\n")
    assert found.people["ada@x.org"].name == "Ada Lovelace"


def test_moodle_is_known_by_its_columns_and_a_missing_number_is_no_guess(tmp_path: Path) -> None:
    found = roster(tmp_path, MOODLE)
    assert found.kind == "moodle"
    assert list(found.people) == ["007", "bob@x.org"]
    assert found.people["bob@x.org"].name == "Bob عمر 🎓"
    assert found.find("Ada@x.org") == found.find("ada@X.ORG") == "007"


def test_an_id_that_stands_twice_is_nobodys(tmp_path: Path) -> None:
    found = roster(tmp_path, "student_id,name\n7,Ada\n07,Bob\n7,Cleo\n,Dan\n")
    assert found.duplicates == ("7",)
    assert list(found.people) == ["07"]
    assert found.find("7") == ""
    assert found.without_id == (5,)


def test_a_name_that_two_go_by_is_nobodys(tmp_path: Path) -> None:
    text = "Student,ID,SIS User ID,SIS Login ID\nA,1,2,a\nB,2,3,b\n"
    found = roster(tmp_path, text)
    assert (found.find("1"), found.find("2"), found.find("b")) == ("1", "", "2")


@pytest.mark.parametrize("text", ["student_id;name\n007;Ada\n", "student_id\tname\n007\tAda\n"])
def test_a_spreadsheet_of_another_country(tmp_path: Path, text: str) -> None:
    assert roster(tmp_path, text).people["007"].name == "Ada"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no column of ids"),
        (b"matriculation,name\n1,Ada\n", "no column of ids"),
        ("student_id,name\n1,Zoë\n".encode("latin-1"), "line 2: .* is not UTF-8"),
        (b'student_id,name\n"1,Ada\n', "is no CSV"),
    ],
)
def test_what_is_no_roster_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=says):
        read_roster(path)


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


@given(st.lists(st.tuples(st.from_regex(r"[0-9a-z]{1,6}\Z"), names), unique_by=lambda p: p[0]))
def test_every_cell_comes_through_exactly(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("student_id", "name"), *pairs])
    found = roster(tmp_path_factory.mktemp("roster"), "\ufeff" + out.getvalue())
    assert [tuple(row) for row in found.rows] == pairs
    again = io.StringIO(newline="")
    csv.writer(again, delimiter=found.delimiter).writerows([found.header, *found.rows])
    assert again.getvalue() == out.getvalue()


@pytest.mark.parametrize(
    ("name", "student", "rest"),
    [
        ("007", "007", ""),
        ("007.zip", "007", "zip"),
        ("007_ex04a_fork.py", "007", "ex04a_fork.py"),
        ("bob-final.zip", "bob", "final.zip"),
        ("bob@x.org", "bob", ""),
        ("7", "", "7"),
        ("BOB", "bob", ""),
        ("bobby.zip", "", "bobby.zip"),
    ],
)
def test_a_submission_is_whose_name_it_begins_with(
    tmp_path: Path, name: str, student: str, rest: str
) -> None:
    found = owner(roster(tmp_path), name)
    assert (found.student, found.rest) == (student, rest)


def test_downloads_of_canvas_and_moodle_are_understood(tmp_path: Path) -> None:
    canvas = roster(tmp_path, CANVAS)
    found = owner(canvas, "lovelaceada_LATE_4711_99_ex04a_fork-1.py")
    assert (found.student, found.rest) == ("4711", "ex04a_fork-1.py")
    assert owner(canvas, "lovelaceada_4799_99_x.py").student == ""
    sheet = "Identifier,Full name,Email address\nParticipant 12,Ada L,ada@x.org\n"
    moodle = roster(tmp_path, sheet)
    assert owner(moodle, "Ada L_12_assignsubmission_file_").student == "ada@x.org"


def test_a_name_that_fits_two_students_is_nobodys(tmp_path: Path) -> None:
    found = roster(tmp_path, "student_id\nann\nann-lee\nAnn\n")
    assert owner(found, "ann-lee_more.zip").student == ""
    assert owner(found, "ann-lee.zip").student == "ann-lee"  # exactly, before by its beginning
    assert owner(found, "ann_lee.zip").student == "ann"
    assert (found.find("Ann"), found.find("ANN")) == ("Ann", "")


@pytest.mark.parametrize(
    ("header", "row", "name", "student", "rest"),
    [
        ("student_id,name", "1005,Li Zhao", "zhaoli_1005_563_ex04a_fork.py", "1005",
         "ex04a_fork.py"),
        ("student_id,name", "1005,Ada", "zhaoli_1005_563_ex04a_fork.py", "", ""),
        ("First name,Surname,ID number,Email address", "Jane,Doe,7,j@x.org",
         "Jane Doe_12_assignsubmission_file_x/y.py", "7", "x/y.py"),
        ("First name,Surname,ID number,Email address", "Lorenzo,La Caille,7,j@x.org",
         "Lorenzo_La_Caille_657775_assignsubmission_file_", "7", ""),
        ("First name,Surname,ID number,Email address", "Bob,Doe,12,j@x.org",
         "Jane Doe_12_assignsubmission_file_", "", ""),
        ("Last Name,First Name,Username,Student ID", "Doe,Jane,s0000001,0000001",
         "Homework 1_s0000001_attempt_2026-10-01-11-58-03_ex04a_fork.py", "s0000001",
         "ex04a_fork.py"),
        ("Last Name,First Name,Username,Student ID", "Doe,Jane,jane_doe,0000001",
         "Home_work_1_jane_doe_attempt_2026-10-01-11-58-03_my_attempt_2.py", "jane_doe",
         "my_attempt_2.py"),
        ("OrgDefinedId,Username,Last Name,First Name,Email", "#0000001,#jdoe,Doe,Jane,j@x.org",
         "10254-388211 - Jane Doe - Oct 1, 2026 1158 AM", "0000001", ""),
        ('"identifier","github_username","github_id","name"', '"0000001","janedoe","99","Jane"',
         "hw1-JaneDoe", "0000001", ""),
        ('"identifier", "github_username"', '"0000001", "janedoe"', "hw1-janedoe", "0000001", ""),
    ],
)  # fmt: skip
def test_names_that_systems_make(
    tmp_path: Path, header: str, row: str, name: str, student: str, rest: str
) -> None:
    found = owner(roster(tmp_path, f"{header}\n{row}\n"), name)
    assert found.student == student
    assert found.rest == rest or not student
    assert bool(found.why) is not bool(student)


@pytest.mark.parametrize(
    ("name", "near"),
    [("2", "0000002"), ("0000002x", "0000002"), ("000002.zip", "0000002"), ("elephant", "")],
)
def test_a_near_miss_is_told_and_not_taken(tmp_path: Path, name: str, near: str) -> None:
    found = owner(roster(tmp_path, "student_id\n0000001\n0000002\n"), name)
    assert found.student == ""
    assert (f"did you mean {near}?" in found.why) is bool(near)
    assert ("did you mean" in found.why) is bool(near)
