"""Files for other programs keep zero, missing, unchanged and trouble apart, there and back."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from made import FACTS, FOUR, TITLES, result, school
from project import ROOT

from anonlab.grading.reports.cells import Sheet, csv_text, guarded, plain
from anonlab.grading.reports.clean import clean, clean_result
from anonlab.grading.reports.gradescope import VISIBILITIES, results_json
from anonlab.grading.reports.junit import junit
from anonlab.grading.reports.late import Grade, Terms, grade
from anonlab.grading.reports.lms import COLUMNS, fill, grades_csv, read_grades_csv, words_csv
from anonlab.grading.store import result as store_result
from anonlab.grading.store.result import (
    FORMAT,
    STATUSES,
    STUDENTS_DOING,
    VERSION,
    Result,
)

SCHEMAS = {
    name: Draft202012Validator(
        json.loads((ROOT / "anonlab" / "grading" / "schemas" / f"{name}.json").read_text("utf-8"))
    )
    for name in ("result", "gradescope")
}
MEANT = {
    "zero": ("graded", 0.0),
    "missing": ("missing", None),
    "unchanged": ("unchanged", 0.0),
    "infra": ("infra", None),
    "rejected": ("rejected", None),
    "full": ("graded", 40.0),
}
"""(status, final) that must come back out of every format."""
GRADES = {name: grade(each, None, Terms()) for name, each in FOUR.items()}
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from("\t\n"))
NASTY = st.text(st.characters() | st.sampled_from("\x00\x1b\x85\ud800\ufffe\r\n\t,\"';=+-@<&"))


def number(cell: str | None) -> float | None:
    """The points in a cell; None for an empty one."""
    return float(cell) if cell else None


def test_a_grade_is_what_it_must_be() -> None:
    assert {name: (each.result.status, each.final) for name, each in GRADES.items()} == MEANT
    assert len({*MEANT.values()}) == len(MEANT)


# -- text from outside -----------------------------------------------------------------------------


@settings(deadline=None)
@given(NASTY)
def test_clean_text_is_valid_and_obeyed_by_no_terminal(text: str) -> None:
    told = clean(text)
    told.encode("utf-8")
    assert all(c in "\n\t" or (c.isprintable() or ord(c) > 0x9F) for c in told)
    assert clean(told) == told
    ElementTree.fromstring(f"<a>{told.replace('&', '&amp;').replace('<', '&lt;')}</a>")


def test_cleaning_keeps_what_people_write() -> None:
    said = "tab\there\nنص 🎓 é \u202bx\u202c"
    assert clean(said) == said
    assert clean("a\r\nb\rc\x1b[31m\x00") == "a\nb\nc[31m"
    assert clean(b"latin: \xe4") == "latin: \ufffd"


def test_every_text_of_a_result_is_cleaned() -> None:
    dirty = result("1", ("fail", "fail", "fail"))
    test = dirty.tests[0]
    shown = {**test.shown, "printed": "\x1b[2J"}
    private = {"deep": [{"er\x00": "\x07"}], "seed": 7}
    dirty = replace(dirty, reason="\x00", tests=(replace(test, shown=shown, private=private),))
    told = clean_result(dirty)
    assert (told.reason, told.tests[0].shown["printed"]) == ("", "[2J")
    assert told.tests[0].private == {"deep": [{"er": ""}], "seed": 7}


# -- Gradescope ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FOUR)
def test_gradescope_gets_what_it_knows_and_a_score_only_where_there_is_one(name: str) -> None:
    told = json.loads(json.dumps(results_json(GRADES[name], "Homework 1", TITLES)))
    SCHEMAS["gradescope"].validate(told)
    assert (told["extra_data"]["status"], told.get("score")) == MEANT[name]
    assert ("score" in told) == (MEANT[name][1] is not None)
    scores = [test["score"] for test in told["tests"] if "score" in test]
    if "score" in told:
        assert sum(scores) == told["score"]
    else:
        assert scores == [], "Gradescope would add them up"


def test_only_trouble_has_no_verdict_in_gradescope() -> None:
    told = results_json(GRADES["infra"], "Homework 1", TITLES)
    assert [test.get("status") for test in told["tests"]] == ["passed"] * 5 + [None]


@pytest.mark.parametrize("hidden", VISIBILITIES)
def test_hidden_tests_are_shown_when_the_assignment_says(hidden: str) -> None:
    told = results_json(GRADES["full"], "Homework 1", TITLES, hidden)
    SCHEMAS["gradescope"].validate(told)
    seen = {test["name"]: test["visibility"] for test in told["tests"]}
    public = [test.title for test in FOUR["full"].tests if not test.hidden]
    assert {seen.pop(title) for title in public} == {"visible"}
    assert {*seen.values()} == {hidden}
    assert ("hidden: 2 of 2 passed" in told["output"]) == (hidden == "visible")
    assert "public checks: 2 of 2 passed" in told["output"]


def test_gradescope_gets_nothing_unofficial_and_no_visibility_of_its_own_making() -> None:
    with pytest.raises(ValueError, match="unofficial"):
        results_json(grade(result("1", ("pass",), official=False), None, Terms()), "x", {})
    with pytest.raises(ValueError, match="hidden tests are visible, hidden"):
        results_json(GRADES["full"], "x", {}, "never")


# -- the store -------------------------------------------------------------------------------------


def stored(given: Result) -> dict[str, Any]:
    """A result as the store writes it."""
    made: dict[str, Any] = json.loads(
        json.dumps({"format": FORMAT, "version": VERSION, **asdict(given)})
    )
    return made


@pytest.mark.parametrize("name", FOUR)
def test_a_stored_result_follows_its_schema(name: str) -> None:
    SCHEMAS["result"].validate(stored(FOUR[name]))


def break_points(told: dict[str, Any]) -> None:
    told["tests"][0]["points"] = None


def break_infra(told: dict[str, Any]) -> None:
    told["tests"][0] |= {"status": "infra", "points": 0.0}


def break_hidden(told: dict[str, Any]) -> None:
    told["tests"][2]["shown"] = {"message": "secret"}


def break_status(told: dict[str, Any]) -> None:
    told["status"] = "infra"


def break_none(told: dict[str, Any]) -> None:
    told["tests"] = []


@pytest.mark.parametrize(
    "fault", [break_points, break_infra, break_hidden, break_status, break_none]
)
def test_the_schema_refuses_a_result_that_mixes_values_up(fault: Any) -> None:
    told = stored(FOUR["zero"])
    fault(told)
    with pytest.raises(ValidationError):
        SCHEMAS["result"].validate(told)


# -- JUnit -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FOUR)
def test_junit_keeps_the_values_apart(name: str) -> None:
    root = ElementTree.fromstring(junit([GRADES[name]], "Homework 1"))
    (suite,) = root
    facts = {each.attrib["name"]: each.attrib["value"] for each in suite.iter("property")
             if each in list(suite[0])}  # fmt: skip
    assert (facts["status"], number(facts["final"])) == MEANT[name]


def test_junit_names_no_machine_and_blames_the_student_only_for_what_is_theirs() -> None:
    text = junit(school(), "Homework 1")
    assert "hostname" not in text
    assert "timestamp" not in text
    verdicts = {}
    for case in ElementTree.fromstring(text).iter("testcase"):
        for child in case:
            if child.tag in ("failure", "error"):
                verdicts.setdefault(child.attrib["type"], set()).add(child.tag)
    assert verdicts.pop("infra") == {"error"}
    assert {tag for tags in verdicts.values() for tag in tags} == {"failure"}
    assert {"fail", "timeout", "crash", "skipped", "missing", "unchanged"} <= {*verdicts}


def test_junit_counts_what_it_holds() -> None:
    for suite in ElementTree.fromstring(junit(school(), "Homework 1")):
        for tag, name in (("testcase", "tests"), ("failure", "failures"), ("error", "errors")):
            assert int(suite.attrib[name]) == len(list(suite.iter(tag)))


def test_points_are_properties_of_a_test() -> None:
    case = next(ElementTree.fromstring(junit([GRADES["full"]], "x")).iter("testcase"))
    facts = {each.attrib["name"]: each.attrib["value"] for each in case.iter("property")}
    assert (facts["points"], facts["max"], facts["visibility"]) == ("4", "4", "public")


@settings(deadline=None)
@given(NASTY)
def test_junit_can_hold_any_text(text: str) -> None:
    told = replace(FOUR["full"], reason=text, submission=text)
    parsed = ElementTree.fromstring(junit([grade(clean_result(told), None, Terms())], text and "x"))
    assert parsed[0].attrib["tests"] == "6"


# -- our own table ---------------------------------------------------------------------------------


def test_the_table_keeps_the_values_apart() -> None:
    rows = read_grades_csv(grades_csv(GRADES.values()))
    got = {
        name: (row["status"], number(row["final"])) for name, row in zip(FOUR, rows, strict=True)
    }
    assert got == MEANT
    assert tuple(rows[0]) == COLUMNS
    assert [row["raw"] for row in rows] == ["0", "", "0", "", "", "40"]


@settings(deadline=None)
@given(st.lists(TEXT.filter(bool), min_size=1, max_size=4, unique=True))
def test_ids_of_any_kind_come_back_exactly(ids: list[str]) -> None:
    grades = [Grade(replace(FOUR["zero"], student=each, submission=each)) for each in ids]
    rows = read_grades_csv(grades_csv(grades))
    assert [row["student_id"] for row in rows] == ids


@settings(deadline=None)
@given(TEXT)
def test_a_text_is_never_a_formula(text: str) -> None:
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert plain(guarded(text)) == text


def test_leading_zeros_and_negative_numbers_stay_what_they_are() -> None:
    made = grade(replace(FOUR["full"], student="007"), None, Terms())
    made = replace(made, adjustment=-1.5, received=datetime(2026, 10, 1, 12, tzinfo=UTC))
    row = read_grades_csv(grades_csv([made]))[0]
    assert row["student_id"] == "007"
    assert row["adjustment"] == "-1.5", "a number gets no apostrophe"
    assert row["received_utc"] == "2026-10-01T12:00:00Z"


# -- files of a learning management system ---------------------------------------------------------

CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Homework 1 (4711),Quiz (12)\r\n"
    "    Points Possible,,,,,40.0,10.0\r\n"
    '"Zero, Zoë",1,1000,z@x.org,"A ""1""",,7\r\n'
    "=cmd|' /C calc'!A0,2,1001,m@x.org,A 1,,\r\n"
    "Ünchanged 🎓,3,1002,u@x.org,A 1,,\r\n"
    "Infra,4,1003,i@x.org,A 1,17.00,\r\n"
    "Rejected,5,1004,r@x.org,A 1,,\r\n"
    "Full,6,1005,f@x.org,A 1,12.5,\r\n"
    "Stranger,7,9999,s@x.org,A 1,33,\r\n"
    'Test Student,,,,"A 1",,'
).encode()
MOODLE = (
    '"First name";Surname;"ID number";"Email address";"Assignment: Homework 1 (Real)"\n'
    "Zoë;Zero;1000;z@x.org;-\n"
    "M;M;1001;m@x.org;\n"
    "U;U;1002;u@x.org;\n"
    "I;I;1003;i@x.org;\n"
    "R;R;1004;r@x.org;\n"
    "F;F;1005;f@x.org;\n"
).encode()


def back(data: bytes, words: str, column: int, ids: int) -> dict[str, tuple[str, float | None]]:
    """What a filled file and its list of words say, by student, read with Python's own csv."""
    text = data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in text else ","))
    said = {row["student_id"]: row["status"] for row in csv.DictReader(io.StringIO(words))}
    return {row[ids]: (said.get(row[ids], "graded"), number(row[column])) for row in rows[1:]}


@pytest.mark.parametrize(("exported", "column", "ids"), [(CANVAS, 5, 2), (MOODLE, 4, 2)])
def test_a_filled_file_keeps_the_values_apart(exported: bytes, column: int, ids: int) -> None:
    filled = fill(exported, GRADES.values(), "Homework 1")
    got = back(filled.data, words_csv(filled), column, ids)
    names = {each.student: name for name, each in FOUR.items()}
    assert {names[student]: got[student] for student in names} == MEANT


@pytest.mark.parametrize("exported", [CANVAS, MOODLE, CANVAS.replace(b"\r\n", b"\n")])
def test_every_other_cell_keeps_its_bytes(exported: bytes) -> None:
    filled = fill(exported, GRADES.values(), "Homework 1")
    before, after = Sheet.read(exported), Sheet.read(filled.data)
    at = [before.value(0, column) for column in range(len(before.rows[0]))].index(filled.column)
    ours = {each.student for each in FOUR.values()}
    for old, new in zip(before.rows, after.rows, strict=True):
        mine = {cell.decode() for cell in old} & ours
        assert [cell for column, cell in enumerate(new) if column != at or not mine] == [
            cell for column, cell in enumerate(old) if column != at or not mine
        ]
    assert after.ends == before.ends
    assert after.bom == before.bom


def test_canvas_keeps_its_points_possible_and_what_strangers_have() -> None:
    filled = fill(CANVAS, GRADES.values(), "Homework 1")
    lines = filled.data.decode("utf-8-sig").split("\r\n")
    assert lines[1] == "    Points Possible,,,,,40.0,10.0"
    assert lines[2] == '"Zero, Zoë",1,1000,z@x.org,"A ""1""",0,7'
    assert lines[8] == "Stranger,7,9999,s@x.org,A 1,33,"
    assert filled.left == ("9999",)
    assert filled.replaced == {"1003": "17.00", "1005": "12.5"}
    assert filled.matched == "SIS User ID"
    assert filled.possible == "40.0"


def test_a_dash_of_moodle_is_no_grade_that_was_replaced() -> None:
    filled = fill(MOODLE, GRADES.values(), "Homework 1")
    assert b"1000;z@x.org;0\n" in filled.data
    assert filled.replaced == {}


def test_trouble_of_the_grader_leaves_no_number() -> None:
    filled = fill(CANVAS, GRADES.values(), "Homework 1")
    assert filled.written["1003"] == ""
    assert "1003,infra,,17.00" in words_csv(filled)


def test_whoever_is_not_in_the_file_is_named() -> None:
    more = grade(replace(FOUR["full"], student="5555"), None, Terms())
    assert fill(CANVAS, [*GRADES.values(), more], "Homework 1").absent == ("5555",)


@pytest.mark.parametrize(
    ("change", "named", "message"),
    [
        ((b"Homework 1 (4711)", b"Homework 2 (1)"), {}, "there is no column called 'Homework 1'"),
        ((b"Quiz (12)", b"Homework 1 (12)"), {}, "2 columns are called 'Homework 1'"),
        ((b",1001,", b",1000,"), {}, "'1000' stands in rows 3 and 4"),
        ((b"m@x.org", b"1000"), {}, "row 4 has the ids of"),
        ((b"", b""), {"ids": "Section"}, "none of our students stands in column 'Section'"),
        ((b"", b""), {"column": "Homework 1"}, "there is no column called 'Homework 1'"),
        ((b"Full,6", b'"Full,6'), {}, "row 8: text stands after a quote that ends"),
        ((b',,,,"A 1",,', b',,,,"A 1,,'), {}, "row 10: a quote is never closed"),
        (("Ü".encode(), b"\xdc"), {}, "not UTF-8 at byte"),
    ],
)
def test_a_file_that_cannot_be_filled_is_refused(
    change: tuple[bytes, bytes], named: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fill(CANVAS.replace(*change), GRADES.values(), "Homework 1", **named)


def test_one_student_has_one_grade() -> None:
    twice = [GRADES["full"], replace(GRADES["zero"], result=replace(FOUR["zero"], student="1005"))]
    with pytest.raises(ValueError, match="'1005' has two grades"):
        fill(CANVAS, twice, "Homework 1")


CELL = st.text(st.characters(codec="utf-8", exclude_characters='\r\n",;\t\ufeff'), max_size=5)
QUOTED = st.text(st.sampled_from('a",;\r\n\t=é'), max_size=6).map(
    lambda text: '"' + text.replace('"', '""') + '"'
)
ROWS = st.lists(st.lists(CELL | QUOTED, min_size=1, max_size=4), max_size=5)


@settings(deadline=None)
@given(ROWS, st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_file_is_read_and_written_byte_for_byte(
    rows: list[list[str]], delimiter: str, end: str, bom: bool
) -> None:
    rows = [["one", "two"], *rows]  # a header, which says what the delimiter is
    data = ("\ufeff" * bom + end.join(delimiter.join(row) for row in rows)).encode()
    sheet = Sheet.read(data)
    assert sheet.to_bytes() == data


@settings(deadline=None)
@given(ROWS, st.sampled_from([",", ";", "\t"]))
def test_cells_are_those_that_pythons_csv_reads(rows: list[list[str]], delimiter: str) -> None:
    rows = [["one", "two"], *(row for row in rows if row != [""])]
    data = "\n".join(delimiter.join(row) for row in rows) + "\n"
    sheet = Sheet.read(data.encode())
    got = [[sheet.value(at, column) for column in range(len(cells))]
           for at, cells in enumerate(sheet.rows)]  # fmt: skip
    assert got == list(csv.reader(io.StringIO(data, newline=""), delimiter=delimiter))


def test_csv_is_rfc_4180() -> None:
    assert csv_text([["a", 'b "c"', "d,e", "f\ng"]]) == 'a,"b ""c""","d,e","f\ng"\r\n'


# -- the values, at random -------------------------------------------------------------------------

POINTS = st.floats(0, 100).map(lambda value: round(value, 2))
STATUS = st.sampled_from(["graded", "missing", "unchanged", "rejected", "infra"])


@settings(deadline=None)
@given(st.lists(st.tuples(STATUS, POINTS, st.floats(-5, 5)), min_size=1, max_size=5))
def test_any_class_comes_back_from_every_format(given: list[tuple[str, float, float]]) -> None:
    grades = []
    for at, (status, points, by_hand) in enumerate(given):
        told = FOUR["unchanged" if status == "unchanged" else "full"]
        tests = tuple(replace(test, points=0.0) for test in told.tests)
        if status == "graded":
            tests = (replace(tests[0], points=points, most=100.0), *tests[1:])
        made = replace(told, status=status, student=f"{at:04d}", submission=f"s{at}", tests=tests)
        final = None if made.score is None else round(max(0.0, made.score + by_hand), 2)
        grades.append(Grade(made, adjustment=round(by_hand, 2), final=final))
    want = [(each.result.status, each.final) for each in grades]
    rows = read_grades_csv(grades_csv(grades))
    assert [(row["status"], number(row["final"])) for row in rows] == want
    suites = ElementTree.fromstring(junit(grades, FACTS.assignment))
    facts = [{each.attrib["name"]: each.attrib["value"] for each in suite[0]} for suite in suites]
    assert [(each["status"], number(each["final"])) for each in facts] == want
    scopes = [results_json(each, "x", TITLES) for each in grades]
    assert [(each["extra_data"]["status"], each.get("score")) for each in scopes] == want
    exported = "student_id,x\n" + "".join(f"{each.result.student},\n" for each in grades)
    filled = fill(exported.encode(), grades, "x")
    got = back(filled.data, words_csv(filled), 1, 0)
    assert [got[each.result.student] for each in grades] == want


def test_the_schema_of_results_has_the_fields_and_statuses_of_the_classes() -> None:
    schema = json.loads((ROOT / "anonlab/grading/schemas/result.json").read_text("utf-8"))
    test = schema["$defs"]["test"]
    for described, cls in ((schema, Result), (test, store_result.TestResult)):
        names = [each.name for each in fields(cls)]
        assert sorted(described["properties"]) == sorted(described["required"])
        assert sorted({*described["properties"]} - {"format", "version"}) == sorted(names)
    assert schema["properties"]["status"]["enum"] == [*STATUSES]
    assert test["properties"]["status"]["enum"] == [*STUDENTS_DOING, "infra"]
    known = {name: schema["properties"][name]["const"] for name in ("format", "version")}
    assert known == {"format": FORMAT, "version": VERSION}
