"""What really arrives, row by row, through the command line: taken, or told what to do."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import stand_in
from classroom import MASTERS, ONE, OTHER, RIGHT, notebook, put, zipped
from click.testing import CliRunner
from ordinary import give, needs_box, open_folder, run_as_ordinary_user
from project import ROOT

from anonlab.cli.verbs import cli
from anonlab.course.authoring.variants import variant_seed
from anonlab.grading.intake.roster import read_roster
from anonlab.grading.intake.submission import Settings, Submission
from anonlab.grading.intake.variants import with_variant
from anonlab.grading.judging.grade_submission import seed_of
from anonlab.grading.reports.late import Grade
from anonlab.grading.reports.lms import fill
from anonlab.grading.store import result as judged

OWN = "student_id,name,email\n0000001,Jane Doe,n1@uni.example\n0000002,Li Zhao,n2@uni.example\n"
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section\n"
    '"Doe, Jane",1004,0000001,jdoe,1\n"Zhao, Li",1005,0000002,zhaoli,1\n'
)
MOODLE = "First name,Surname,ID number,Email address\nJane,Doe,0000001,n1@x\nLi,Zhao,0000002,n2@x\n"
WORKSHEET = "Identifier,Full name,Email address,Status\nParticipant 12,Jane Doe,n1@x,Submitted\n"
BLACKBOARD = "Last Name,First Name,Username,Student ID\nDoe,Jane,s0000001,0000001\n"
BRIGHTSPACE = "OrgDefinedId,Username,Last Name,First Name,Email\n#0000001,#jdoe,Doe,Jane,n1@x\n"
GITHUB = '"identifier","github_username","github_id","name"\n"0000001","janedoe","9","Jane Doe"\n'
GRADESCOPE = "First Name,Last Name,SID,Email,Role\nJane,Doe,0000001,n1@x,Student\n"
METADATA = (
    "---\nsubmission_111:\n  :submitters:\n  - :name: Jane Doe\n    :sid: '0000001'\n"
    "    :email: n1@x\n  :created_at: 2026-10-01 11:58:03.120000000 Z\n  :score: 0.0\n"
    "  :history:\n  - :id: 5\n    :created_at: 2026-09-01 11:58:03.120000000 Z\n"
)
OURS = "our own long secret"
BOTH = {ONE: RIGHT[ONE], OTHER: RIGHT[OTHER]}


@dataclass
class Graded:
    """What a run left: rows of its tables, and the summary."""

    status: int
    told: str
    intake: list[dict[str, str]]
    files: list[dict[str, str]]
    grades: list[dict[str, str]]
    attention: list[dict[str, str]]

    def answers(self, student: str) -> str:
        """Return the numbers of what was taken of a student, in one submission."""
        (row,) = [each for each in self.intake
                  if each["student"] == student and each["state"] != "superseded"]  # fmt: skip
        return row["exercises"]

    def why(self, status: str) -> list[str]:
        """Return the reasons of one status that need attention."""
        return [each["reason"] for each in self.attention if each["status"] == status]


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


@pytest.fixture
def graded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Grade a class by the command line, with the stand-in for a judge and no box."""
    monkeypatch.setattr("anonlab.grading.judging.grade_submission.grade_one", stand_in.judge)

    def run(
        roster: str | bytes,
        files: dict[str, str | bytes],
        *more: str,
        hw: str = "",
        **tables: str | bytes,
    ) -> Graded:
        put(
            tmp_path,
            {"roster.csv": roster, "hw.toml": 'name = "hw"\nexercises = ["04a", "05a"]\n' + hw},
        )
        put(tmp_path / "in", files)
        put(tmp_path, {f"{name}.csv": text for name, text in tables.items()})
        words = ["grade", str(tmp_path / "in"), "--roster", str(tmp_path / "roster.csv"),
                 "--assignment", str(tmp_path / "hw.toml"), "--out", str(tmp_path / "out"),
                 "--course", str(ROOT), "--unsafe-in-process", "--jobs", "1", *more]  # fmt: skip
        for name in tables:
            words += [f"--{name}", str(tmp_path / f"{name}.csv")]
        done = CliRunner().invoke(cli, words)
        out = tmp_path / "out" / "instructor"
        if not (out / "summary.json").exists():
            return Graded(done.exit_code, done.output, [], [], [], [])
        summary = json.loads((out / "summary.json").read_text("utf-8"))
        grades = rows(next(out.glob("*grades.csv")))
        return Graded(
            done.exit_code, done.output, rows(out / "intake.csv"), rows(out / "files.csv"),
            grades, summary["attention"],
        )  # fmt: skip

    return run


# -- names of systems -----------------------------------------------------------------------------

CANVAS_FILES = {f"zhaoli_LATE_1005_563_{ONE}": RIGHT[ONE], "zhaoli_1005_564_ex05a_cow-1.py": "x=1"}
BB = "Homework 1_s0000001_attempt_2026-10-01-11-58-03"
D2L = "10254-388211 - Jane Doe - Oct 1, 2026 1158 AM"


@pytest.mark.parametrize(
    ("roster", "files", "student"),
    [
        (CANVAS, CANVAS_FILES, "1005"),
        (CANVAS, {"zhaoli_1005_563_hw.zip": zipped(BOTH), "zhaoli_1005_564_me.png": "?"}, "1005"),
        (WORKSHEET, {f"Jane Doe_12_assignsubmission_file_/{n}": BOTH[n] for n in BOTH}, "n1@x"),
        (WORKSHEET, {f"Jane Doe_12_assignsubmission_file_{n}": BOTH[n] for n in BOTH}, "n1@x"),
        (MOODLE, {f"Jane Doe_12_assignsubmission_file_/{n}": BOTH[n] for n in BOTH}
         | {"Jane Doe_12_assignsubmission_onlinetext_/onlinetext.html": "<p>"}, "0000001"),
        (BLACKBOARD, {f"{BB}_{n}": BOTH[n] for n in BOTH} | {f"{BB}.txt": "Name:"}, "s0000001"),
        (BRIGHTSPACE, {f"{D2L}/{n}": BOTH[n] for n in BOTH} | {"index.html": ""}, "0000001"),
        (BRIGHTSPACE, {f"{D2L} - {n}": BOTH[n] for n in BOTH}, "0000001"),
        (GITHUB, {f"hw1-JaneDoe/{n}": BOTH[n] for n in BOTH}, "0000001"),
        (GRADESCOPE, {f"assignment_99_export/submission_111/{n}": BOTH[n] for n in BOTH}
         | {"assignment_99_export/submission_metadata.yml": METADATA}, "0000001"),
        (OWN, {f"N2@Uni.Example/{n}": BOTH[n] for n in BOTH}, "0000002"),
        (CANVAS, {f"0000001/{n}": BOTH[n] for n in BOTH}, "1004"),
        (CANVAS, {f"JDOE_{n}": BOTH[n] for n in BOTH}, "1004"),
    ],
    ids=["canvas", "canvas, a zip", "moodle", "moodle, flat", "moodle, grade book", "blackboard",
         "brightspace", "brightspace, flat", "github", "gradescope", "case of mail", "other id",
         "case of login"],
)  # fmt: skip
def test_a_download_is_one_submission_of_its_student(graded, roster, files, student) -> None:  # type: ignore[no-untyped-def]
    found = graded(roster, files)
    assert found.answers(student) == "04a 05a", found.told
    assert [each["student_id"] for each in found.grades if each["submission_id"]] == [student]


def test_gradescope_says_when_and_with_whom(graded) -> None:  # type: ignore[no-untyped-def]
    more = "  - :name: Li Zhao\n    :sid: '0000002'\n  :created"
    pair = METADATA.replace("  :created", more, 1)
    files = {"x/submission_metadata.yml": pair, f"x/submission_111/{ONE}": "1"}
    found = graded(OWN, files)
    assert [each["received_utc"] for each in found.intake] == ["2026-10-01T11:58:03.120000Z"]
    assert [(each["student_id"], each["raw"]) for each in found.grades] == [
        ("0000001", found.grades[0]["raw"]), ("0000002", found.grades[0]["raw"]),
    ]  # fmt: skip


def test_the_last_attempt_counts_where_names_say_which_it_is(graded) -> None:  # type: ignore[no-untyped-def]
    later = BB.replace("10-01-11", "10-02-09")
    found = graded(BLACKBOARD, {f"{BB}_{ONE}": "1", f"{later}_{ONE}": "2"})
    states = {each["submission"].split("attempt-")[-1][:10]: each["state"] for each in found.intake}
    assert states == {"2026-10-02": "accepted", "2026-10-01": "superseded"}


def test_names_of_nowhere_are_read_by_a_pattern(graded) -> None:  # type: ignore[no-untyped-def]
    files = {f"Abgabe3--0000001--{ONE}": "1", f"Abgabe3--2--{ONE}": "1", "hello.py": "1"}
    found = graded(OWN, files, "--names", r"^Abgabe\d+--(?P<student>\d+)--")
    assert found.answers("0000001") == "04a"
    assert sorted(found.why("unmatched")) == [
        "--names does not match hello.py",
        "nobody in the roster goes by the name of '2'; did you mean 0000002?",
    ]


@pytest.mark.parametrize("pattern", ["(", "no group", "(?P<who>.)"])
def test_a_pattern_that_names_nobody_is_wrong_use(graded, pattern: str) -> None:  # type: ignore[no-untyped-def]
    assert graded(OWN, {}, "--names", pattern).status == 2


def test_nobody_is_guessed_and_the_near_miss_is_told(graded) -> None:  # type: ignore[no-untyped-def]
    found = graded(OWN, {f"2/{ONE}": "1", f"stranger/{ONE}": "1"})
    assert found.why("unmatched") == [
        "nobody in the roster goes by the name of 2; did you mean 0000002?",
        "nobody in the roster goes by the name of stranger",
    ]
    assert found.status == 1
    assert "did you mean 0000002?" in found.told


def test_exact_beats_a_beginning(graded) -> None:  # type: ignore[no-untyped-def]
    found = graded("student_id\nann\nann-lee\n", {f"ann-lee/{ONE}": "1", f"ann.x/{ONE}": "1"})
    assert found.answers("ann-lee") == found.answers("ann") == "04a"


# -- junk and answers -----------------------------------------------------------------------------

STUB = MASTERS["04a"].stub
CELLS = [f"%%exercise {name[2:5]}\n{BOTH[name]}" for name in BOTH]
BIG = json.loads(notebook("1"))
BIG["cells"][0]["outputs"] = ["x" * 12_000_000]


@pytest.mark.parametrize(
    "files",
    [
        {"0000001.zip": zipped({f"exercises\\{n}": BOTH[n] for n in BOTH})},
        {"0000001.zip": zipped(BOTH | {f".venv/lib/{at}.py": "" for at in range(1500)})},
        {"0000001.zip": zipped(BOTH | {"all.ipynb": json.dumps(BIG)})},
        {"0000001/a.ipynb": notebook(*CELLS, CELLS[0])},
        {"0000001/a.ipynb": notebook(*CELLS, f"%%exercise 04a\n{STUB}")},
        {"0000001/ex04a_fork (1).py": RIGHT[ONE], "0000001/Ex05A_Cow.py": RIGHT[OTHER]},
        {"0000001/ex04a_fork.py.txt": RIGHT[ONE], f"0000001/{OTHER}": RIGHT[OTHER]},
        {"0000001/a.ipynb": notebook(*(f"# mine\n{each}\n%matplotlib inline" for each in CELLS))},
        {"0000001.zip": zipped({"hw.zip": zipped(BOTH)})},
    ],
    ids=["backslashes", "venv", "big notebook", "equal cells", "template beside", "browser copies",
         "py.txt", "harmless magic", "zip in a zip"],
)  # fmt: skip
def test_a_right_answer_is_taken_whatever_lies_beside_it(graded, files) -> None:  # type: ignore[no-untyped-def]
    found = graded(OWN, files)
    assert found.answers("0000001") == "04a 05a", found.intake


def test_two_answers_are_both_named(graded) -> None:  # type: ignore[no-untyped-def]
    cells = notebook("%%exercise 04a\nx = 1", "%%exercise 05a\nx = 1", "%%exercise 05a\nx = 2")
    found = graded(OWN, {f"0000001/{ONE}": "old = 1", "0000001/new.ipynb": cells})
    assert found.why("ambiguous") == [
        f"04a: {ONE} counts; cell 1 of new.ipynb differs from it",
        "05a: cell 3 of new.ipynb counts; cell 2 of new.ipynb differs from it",
    ]
    assert all(each["do"] for each in found.attention)


def test_an_answer_that_cannot_be_read_is_missing_and_not_ambiguous(graded) -> None:  # type: ignore[no-untyped-def]
    found = graded(OWN, {"0000001/a.ipynb": notebook("%%exercise 04a\n!ls")})
    told = "04a: cell 1 of a.ipynb: `!ls` is for notebooks alone; an answer is plain Python"
    assert told in found.why("missing")
    assert found.why("ambiguous") == []


def test_what_was_handed_in_and_not_taken_is_told_with_what_to_do(graded) -> None:  # type: ignore[no-untyped-def]
    found = graded(OWN, {"0000001/homework.docx": "?", f"0000002/{ONE}": "1", "0000002/b.py": "2"})
    assert found.why("missing") == [
        "handed in, but nothing was taken: homework.docx",
        "no answer to 05a; not taken: b.py",
    ]


@pytest.mark.parametrize("due", ["", "due = 2026-10-01T12:00:00Z\n"])
def test_lateness_that_nobody_knows_is_told_once(graded, due: str) -> None:  # type: ignore[no-untyped-def]
    found = graded(CANVAS, {f"zhaoli_{ONE}": "1", f"jdoe_{ONE}": "1"}, hw=due)
    told = "lateness is unknown for 2 of 2 submissions: no table says when they came"
    assert found.why("lateness") == ([told] if due else [])


WALL = 'due = 2026-10-24T22:00:00\nzone = "Europe/Berlin"\n[late]\npercent_per_day = 10\n'
SHEET = WORKSHEET.replace("Status", "Status,Last modified (submission)")
DEUTSCH = (
    "ID,Vollständiger Name,E-Mail-Adresse,Status,Zuletzt geändert (Abgabe)\n"
    'Teilnehmer/in12,Jane Doe,n1@x,"Zur Bewertung abgegeben","Sonntag, 25. Oktober 2026, 21:30"\n'
)
MOODLES = f"Jane Doe_12_assignsubmission_file_/{ONE}"
HUB = (
    "github_username,roster_identifier,student_repository_name,submission_timestamp\n"
    "janedoe,0000001,uni/hw1-janedoe,2026-10-25T20:30:00Z\n"
)


@pytest.mark.parametrize(
    ("roster", "name", "received"),
    [
        (OWN, f"0000001/{ONE}", "submission,received\n0000001,2026-10-25T21:30:00\n"),
        (OWN, f"0000001/{ONE}", "Student ID,submitted_at\n0000001,2026-10-25T20:30:00Z\n"),
        (WORKSHEET, MOODLES,
         SHEET.replace("Submitted", '"S","Sunday, 25 October 2026, 9:30 PM"')),
        (DEUTSCH, MOODLES, DEUTSCH),
        (GITHUB, f"hw1-janedoe/{ONE}", HUB),
        (GRADESCOPE, f"x/submission_111/{ONE}",
         "SID,Email,Submission ID,Submission Time\n0000001,n1@x,111,2026-10-25 13:30:00 -0700\n"),
        (BLACKBOARD, f"{BB.replace('10-01-11-58-03', '10-25-21-30-00')}_{ONE}", None),
        (BRIGHTSPACE, f"{D2L.replace('Oct 1, 2026 1158 AM', 'Oct 25, 2026 930 PM')}/{ONE}", None),
    ],
    ids=["ours", "by student", "moodle", "moodle in German", "github", "gradescope",
         "blackboard's name", "brightspace's name"],
)  # fmt: skip
def test_the_day_after_on_the_same_wall_is_one_day_late(graded, roster, name, received) -> None:  # type: ignore[no-untyped-def]
    """22:00 the day before, with a clock change between: 24 hours and a half, and one day."""
    meta = {"x/submission_metadata.yml": METADATA} if name.startswith("x/") else {}
    tables = {} if received is None else {"received": received}
    found = graded(roster, {name: "1", **meta}, hw=WALL, **tables)
    (row,) = [each for each in found.grades if each["submission_id"]]
    assert (row["received_utc"], row["days_late"]) == ("2026-10-25T20:30:00Z", "1"), found.told
    assert found.why("lateness") == []


def test_late_in_a_name_is_told_where_nobody_says_when(graded) -> None:  # type: ignore[no-untyped-def]
    found = graded(CANVAS, {**CANVAS_FILES, f"jdoe_{ONE}": "1"}, hw=WALL)
    late, unknown = [each for each in found.attention if each["status"] == "lateness"]
    assert (late["student"], "its name says LATE" in late["reason"]) == ("1005", True)
    assert "unknown for 2 of 2" in unknown["reason"]
    assert "--received" in late["do"]


def test_a_sheet_says_who_handed_in_nothing_and_who_is_not_ours(graded) -> None:  # type: ignore[no-untyped-def]
    table = (
        "Identifier,Email address,Last modified (submission)\nParticipant 12,n1@x,-\n"
        'Participant 13,who@x,"Sunday, 25 October 2026, 9:30 PM"\n'
    )
    found = graded(WORKSHEET, {MOODLES: "1"}, hw=WALL, received=table)
    assert (
        "receipts, line 3: nobody in the roster goes by the name of 'Participant 13'" in found.told
    )
    assert "the receipts say that n1@x handed in nothing" in found.told


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("submission,received\n0000001,10/11/2026 9:30 PM\n", "line 2: "),
        ("student,received\n1,2026-10-01\n1,2026-10-01\n0000001,2026-10-01\n", "line 4: "),
        ("Participant,When\n", "or those of a grading sheet of Moodle"),
    ],
)
def test_a_receipt_that_cannot_be_read_is_an_error(graded, table: str, why: str) -> None:  # type: ignore[no-untyped-def]
    found = graded(OWN, {f"0000001/{ONE}": "1"}, hw=WALL, received=table)
    assert (found.status, why in found.told) == (2, True), found.told


# -- variants -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secret", "made_for", "told"),
    [
        (OURS, "0000001", False),
        (OURS, "jdoe", False),
        (OURS, "1004", False),
        (OURS, "1005", True),
        ("another", "0000001", True),
    ],
)
def test_a_variant_of_any_id_of_the_person_is_theirs(  # type: ignore[no-untyped-def]
    graded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str, made_for: str, told: bool
) -> None:
    monkeypatch.setenv("ANONLAB_SECRET", OURS)
    seeds = {number: variant_seed(secret, made_for, number) for number in ("04a", "05a")}
    file = json.dumps({"student": made_for, "seeds": seeds})
    files = {"jdoe/exercises/variant.json": file, f"jdoe/exercises/{ONE}": "1"}
    found = graded(CANVAS, files, hw="[grading]\nvariants = true\n")
    assert bool(found.why("ambiguous")) is told
    taken = Submission("jdoe", "1004", {}, variant_file=file.encode())
    taken = with_variant(taken, read_roster(tmp_path / "roster.csv"), OURS, ["04a", "05a"])
    rules = Settings(ROOT, "hw", {}, OURS, variants=True)
    expected = variant_seed(OURS, "1004" if told else made_for, "04a")
    assert seed_of(taken, rules, "04a", keyed=False) == expected


# -- tables ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["adjustments", "extensions", "groups"])
def test_an_id_that_nobody_has_is_an_error_with_its_line(graded, option: str) -> None:  # type: ignore[no-untyped-def]
    table = {
        "adjustments": 'student_id,points,reason,author\n2,1,"zeros lost",kim\n',
        "extensions": "student_id,due,reason\n2,2026-10-03T12:00:00Z,ill\n",
        "groups": "group,student_id\nA,2\n",
    }[option]
    found = graded(OWN, {f"0000002/{ONE}": "1"}, **{option: table})
    assert found.status == 2
    assert "line 2: " in found.told
    assert "'2'; did you mean 0000002?" in found.told


def test_receipts_of_a_spreadsheet_are_read(graded) -> None:  # type: ignore[no-untyped-def]
    table = "\ufeffSubmission;Student;Received\r\n0000002;;2026-10-01T12:00:00Z\r\n;;\r\n"
    found = graded(OWN, {f"0000002/{ONE}": "1"}, received=table)
    assert [each["received_utc"] for each in found.intake] == ["2026-10-01T12:00:00Z"]


@pytest.mark.parametrize("name", ["0000001.zip", "Team A.zip", "Team A_77_assignsubmission_file_"])
def test_partners_share_a_submission_and_its_grade(graded, name: str) -> None:  # type: ignore[no-untyped-def]
    groups = "login_id,group_name\nn1@uni.example,Team A\n0000002,Team A\n"
    files = {name: zipped({ONE: "7"})} if name.endswith("zip") else {f"{name}/{ONE}": "7"}
    found = graded(
        OWN, files, groups=groups,
        adjustments="student_id,points,reason,author\n0000002,1,spoke,kim\n",
    )  # fmt: skip
    by = {each["student_id"]: each for each in found.grades}
    assert by["0000001"]["raw"] == by["0000002"]["raw"] != ""
    assert float(by["0000002"]["final"]) == float(by["0000001"]["final"]) + 1
    assert found.status == 0, found.told


def test_no_table_that_is_written_has_a_formula(graded, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    evil = '=HYPERLINK("http:,evil","click").txt'
    found = graded(OWN, {f"0000001/{evil}": "?", f"0000001/{ONE}": "1", evil: "?", "+1.py": "?"})
    assert any(evil in each["file"] for each in found.files)
    for path in (tmp_path / "out").rglob("*.csv"):
        cells = [cell for row in csv.reader(path.read_text("utf-8").splitlines()) for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))] == []


def test_a_grade_book_of_another_system_is_filled_by_any_id(graded, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    put(tmp_path, {"book.csv": "First name,Email address,hw\r\nJane,JDOE@x.org,\r\n"})
    roster = "student_id,email\n0000001,jdoe@x.org\n"
    found = graded(roster, {f"0000001/{ONE}": "1"}, "--lms", str(tmp_path / "book.csv"))
    assert "not official" in found.told  # practice fills nothing
    test = judged.TestResult("04a", "test_it", "It", False, "pass", 3.0, 3.0)
    result = Grade(judged.Result("s", "0000001", "hw", "", "graded", (test,)), final=3.0)
    who = read_roster(tmp_path / "roster.csv").find
    filled = fill((tmp_path / "book.csv").read_bytes(), [result], "hw", find=who)
    assert filled.data == b"First name,Email address,hw\r\nJane,JDOE@x.org,3\r\n"


# -- all rows in one class ------------------------------------------------------------------------

ALL_ROWS: dict[str, dict[str, str | bytes]] = {
    "01": {f"doejane_01_561_{n}": BOTH[n] for n in BOTH},
    "02": {"02.zip": zipped({f"x\\{n}": BOTH[n] for n in BOTH})},
    "03": {"03.zip": zipped(BOTH | {f".venv/{at}": "" for at in range(1500)})},
    "04": {"04.zip": zipped(BOTH | {"out.ipynb": json.dumps(BIG)})},
    "05": {"05/a.ipynb": notebook(*CELLS, CELLS[0], f"%%exercise 05a\n{MASTERS['05a'].stub}")},
    "06": {"06/ex04a_fork (1).py": RIGHT[ONE], "06/ex05a_cow.py.txt": RIGHT[OTHER]},
    "07": {"07/a.ipynb": notebook(*(f"# mine\n{each}\n!pip install x" for each in CELLS))},
    "08": {f"hw_08_attempt_2026-10-01-11-58-03_{n}": BOTH[n] for n in BOTH},
    "09": {f"9-1 - Li Ray - Oct 1, 2026 1158 AM/{n}": BOTH[n] for n in BOTH},
    "10": {f"Al Kim_77_assignsubmission_file_/{n}": BOTH[n] for n in BOTH},
    "11": {f"N11@Uni.Example_{n}": BOTH[n] for n in BOTH},
    "12": {"12/hw.zip": zipped({"inner.zip": zipped(BOTH)})},
    "014": {f"014/{n}": BOTH[n] for n in BOTH},
}
"""What each student of a class hands in; all of it is to be taken."""
TROUBLE: dict[str, dict[str, str | bytes]] = {
    "missing": {"15/notes.docx": "?"},
    "rejected": {"16.zip": zipped({"../../evil.py": "1"})},
    "unmatched": {f"1400/{ONE}": "1"},
    "ambiguous": {f"17/{ONE}": "x = 1", "17/new.ipynb": notebook(*CELLS)},
}
"""What needs somebody, by the word for it."""


def test_all_kinds_together_are_one_class_and_nobody_is_lost(graded) -> None:  # type: ignore[no-untyped-def]
    names = {"01": "Jane Doe", "09": "Li Ray", "10": "Al Kim"}
    people = [*ALL_ROWS, "15", "16", "17", "18"]
    roster = "student_id,name,email\n" + "".join(
        f"{each},{names.get(each, '')},n{each}@uni.example\n" for each in people
    )
    files = {name: data for each in (*ALL_ROWS.values(), *TROUBLE.values())
             for name, data in each.items()}  # fmt: skip
    found = graded(roster, {**files, ".DS_Store": "", "=1.txt": "?"}, hw=WALL)
    assert {each: found.answers(each) for each in ALL_ROWS} == dict.fromkeys(ALL_ROWS, "04a 05a")
    told = {(each["status"], each["submission"]) for each in found.attention}
    assert {status for status, _ in told} == {*TROUBLE, "lateness"}
    assert {("missing", "15"), ("rejected", "16.zip"), ("unmatched", "1400")} <= told
    assert [each["student_id"] for each in found.grades if not each["submission_id"]] == ["18"]
    listed = {each["submission"] for each in found.intake}
    assert len(listed) == len(found.intake) == len(ALL_ROWS) + len(TROUBLE) + 1
    assert all(each["do"] for each in found.attention)


# -- the whole class, in the box ------------------------------------------------------------------


@needs_box
def test_a_class_of_everything_is_graded_as_an_ordinary_user() -> None:
    files: dict[str, str | bytes] = {
        f"zhaoli_1_5_{ONE}": RIGHT[ONE],
        "2.zip": zipped({f"x\\{ONE}": RIGHT[ONE], **{f".venv/{at}": "" for at in range(1500)}}),
        "3/a.ipynb": notebook(f"# here\n%%exercise 04a\n%matplotlib inline\n{RIGHT[ONE]}"),
        "4/ex04a_fork (1).py": RIGHT[ONE],
        f"N5@x.org_{ONE}": RIGHT[ONE],
        "6/notes.docx": "?",
        f"77/{ONE}": RIGHT[ONE],
    }
    roster = "student_id,name,email\n1,Li Zhao,\n" + "".join(
        f"{at},,n{at}@x.org\n" for at in range(2, 8)
    )
    with open_folder() as folder:
        put(folder / "in", files)
        put(folder, {"roster.csv": roster, "hw.toml": 'name = "hw"\nexercises = ["04a"]\n'})
        give(folder)
        done = run_as_ordinary_user(
            sys.executable, "-m", "anonlab", "grade", str(folder / "in"),
            "--roster", str(folder / "roster.csv"), "--assignment", str(folder / "hw.toml"),
            "--out", str(folder / "out"), "--course", str(ROOT), "--jobs", "1",
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        grades = rows(folder / "out" / "instructor" / "grades.csv")
        summary = json.loads((folder / "out" / "instructor" / "summary.json").read_text("utf-8"))
    full = {each["student_id"] for each in grades if each["raw"] == each["max"] != ""}
    assert full == {"1", "2", "3", "4", "5"}
    assert [(each["status"], each["submission"]) for each in summary["attention"]] == [
        ("unmatched", "77"),
        ("missing", "6"),
    ]
