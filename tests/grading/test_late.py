"""Lateness is counted in UTC from what the LMS says, and a grade from a stored score."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from classroom import put, roster
from hypothesis import given, settings
from hypothesis import strategies as st

from anonlab.errors import FormatError
from anonlab.grading.intake.roster import Roster
from anonlab.grading.reports.late import (
    Adjustment,
    LatePolicy,
    Terms,
    grade,
    moment,
    read_adjustments,
    read_extensions,
)
from anonlab.grading.store import result as outcome
from anonlab.grading.store.result import Result

DUE = datetime(2026, 10, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TEN = LatePolicy(percent_per_day=10, most_percent=50)


def result(points: float | None, status: str = "graded", student: str = "0042") -> Result:
    tests = (outcome.TestResult("04a", "test_one", "one", False, "pass", points, 20.0),)
    return Result("s1", student, "hw1", "key", status, tests if points is not None else ())


def test_exactly_at_the_deadline_is_on_time() -> None:
    assert TEN.days_late(DUE, DUE) == 0
    assert TEN.days_late(DUE + SECOND, DUE) == 1


@pytest.mark.parametrize(
    ("late", "days"),
    [
        (timedelta(days=-3), 0),
        (timedelta(microseconds=1), 1),
        (timedelta(days=1), 1),
        (timedelta(days=1, microseconds=1), 2),
        (timedelta(days=6, hours=23), 7),
    ],
)
def test_days_that_have_begun_count(late: timedelta, days: int) -> None:
    assert TEN.days_late(DUE + late, DUE) == days


def test_grace_forgives_minutes_and_no_more() -> None:
    policy = LatePolicy(10, 50, timedelta(minutes=15))
    assert policy.days_late(DUE + timedelta(minutes=15), DUE) == 0
    assert policy.days_late(DUE + timedelta(minutes=15) + SECOND, DUE) == 1
    assert policy.days_late(DUE + timedelta(days=1, minutes=10), DUE) == 2


def test_a_day_with_25_hours_costs_nobody_an_hour() -> None:
    berlin = ZoneInfo("Europe/Berlin")  # clocks go back on 25 October 2026
    due = datetime(2026, 10, 24, 23, 0, tzinfo=berlin)  # 21:00 UTC
    # 22:30 on the wall of the next day is 24 h 30 min later; wall time alone says 23 h 30 min.
    received = datetime(2026, 10, 25, 22, 30, tzinfo=berlin)
    assert received - due == timedelta(hours=23, minutes=30), "what Python makes of one zone"
    assert TEN.days_late(received, due) == 2


def test_a_missing_hour_is_no_day_late() -> None:
    berlin = ZoneInfo("Europe/Berlin")  # clocks go forward on 29 March 2026, at 2:00
    due = datetime(2026, 3, 29, 1, 59, tzinfo=berlin)  # 00:59 UTC
    received = datetime(2026, 3, 30, 2, 30, tzinfo=berlin)  # 00:30 UTC: 23 h 31 min
    assert TEN.days_late(received, due) == 1


@settings(deadline=None)
@given(st.integers(-(10**6), 10**6), st.integers(-14 * 60, 14 * 60), st.integers(-14 * 60, 14 * 60))
def test_zones_change_nothing(seconds: int, there: int, here: int) -> None:
    zones = [timezone(timedelta(minutes=minutes)) for minutes in (there, here)]
    received = DUE + seconds * SECOND
    plain = TEN.days_late(received, DUE)
    assert plain == max(0, -(-seconds // 86400))
    assert TEN.days_late(received.astimezone(zones[0]), DUE.astimezone(zones[1])) == plain


def test_a_time_without_zone_is_refused() -> None:
    naive = datetime(2026, 10, 1, 12)
    with pytest.raises(ValueError, match="without a zone; write it as 2026-10-01T12:00:00Z"):
        grade(result(10.0), naive, Terms(DUE))
    with pytest.raises(ValueError, match="without a zone"):
        moment("2026-10-01T12:00:00")
    assert moment("2026-10-01T14:00:00+02:00") == DUE


@pytest.mark.parametrize(
    ("days", "penalty"), [(0, 0.0), (1, 2.0), (3, 6.0), (5, 10.0), (6, 10.0), (400, 10.0)]
)
def test_the_penalty_is_a_part_of_the_score_up_to_a_most(days: int, penalty: float) -> None:
    got = grade(result(20.0), DUE + timedelta(days=days), Terms(DUE, TEN))
    assert (got.days_late, got.penalty, got.final) == (days, penalty, 20.0 - penalty)


def test_without_a_policy_lateness_is_told_and_costs_nothing() -> None:
    got = grade(result(20.0), DUE + timedelta(days=2), Terms(DUE))
    assert (got.days_late, got.penalty, got.final) == (2, 0.0, 20.0)


def test_no_receipt_time_is_on_time() -> None:
    assert grade(result(20.0), None, Terms(DUE, TEN)).final == 20.0


def table(folder: Path, text: str) -> tuple[Path, Roster]:
    """A table, and the roster of the class that it is about."""
    put(folder, {"table.csv": text})
    return folder / "table.csv", roster(folder, "student_id,email\n0042,ada@x.org\n7,bob@x.org\n")


def test_an_extension_is_one_students_own_deadline(tmp_path: Path) -> None:
    text = "student_id,due,reason\n0042,2026-10-03T12:00:00Z,ill\n"
    terms = Terms(DUE, TEN, read_extensions(*table(tmp_path, text), DUE))
    three = DUE + timedelta(days=3)
    assert grade(result(20.0), three, terms).days_late == 1
    assert grade(result(20.0, student="0043"), three, terms).days_late == 3


def test_an_adjustment_comes_after_the_penalty_and_never_below_zero(tmp_path: Path) -> None:
    text = 'student_id,points,reason,author\n0042,1.5,"typed, by hand",ada\n0042,-30,copied,bob\n'
    found = read_adjustments(*table(tmp_path, text))
    assert found == {
        "0042": (Adjustment(1.5, "typed, by hand", "ada"), Adjustment(-30.0, "copied", "bob"))
    }
    got = grade(result(20.0), DUE, Terms(DUE, TEN, adjustments=found))
    assert (got.adjustment, got.final) == (-28.5, 0.0)
    assert got.reasons == ("+1.5: typed, by hand", "-30: copied")


def test_no_score_is_no_grade_whatever_was_adjusted() -> None:
    terms = Terms(DUE, TEN, adjustments={"0042": (Adjustment(5.0, "kind", "ada"),)})
    for status in ("missing", "rejected", "infra"):
        assert grade(result(None, status), DUE, terms).final is None


def test_zero_is_a_grade_and_missing_is_one_only_if_the_policy_says_so() -> None:
    assert grade(result(0.0), DUE, Terms(DUE)).final == 0.0
    assert grade(result(None, "unchanged"), DUE, Terms(DUE)).final == 0.0
    assert grade(result(None, "missing"), None, Terms(DUE)).final is None
    zero = Terms(DUE, LatePolicy.from_plain({"missing": "zero"}))
    assert grade(result(None, "missing"), None, zero).final == 0.0
    for status in ("rejected", "infra"):
        assert grade(result(None, status), None, zero).final is None


def test_a_policy_is_read_from_an_assignment() -> None:
    plain = {"percent_per_day": 10, "most_percent": 50, "grace_minutes": 15}
    policy = LatePolicy.from_plain(plain)
    assert policy == LatePolicy(10, 50, timedelta(minutes=15))
    assert str(policy) == (
        "Each day that has begun costs 10 % of the score, 50 % at most, after 15 minutes of grace."
    )
    assert LatePolicy.from_plain({}) == LatePolicy()


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"per_day": 10}, "unknown field 'per_day'; there are percent_per_day"),
        ({"percent_per_day": "10"}, "is a number from 0 to 100, got '10'"),
        ({"percent_per_day": True}, "got True"),
        ({"most_percent": 101}, "got 101"),
        ({"grace_minutes": -1}, "got -1"),
        ({"missing": 0}, "missing is 'empty' or 'zero', got 0"),
    ],
)
def test_a_wrong_policy_is_refused(plain: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LatePolicy.from_plain(plain)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("0042,many,why,ada", "line 2: .*points is a number such as -1.5, got 'many'"),
        ("0042,nan,why,ada", "got 'nan'"),
        ("0042,1,,ada", "line 2: .*reason is empty"),
        ("0042,1,why, ", "author is empty"),
        ("0042,1", "line 2: .*reason is empty"),
        ("0042,1,well, then,ada", "line 2: .*more cells than there are columns"),
    ],
)
def test_a_wrong_adjustment_is_named_with_its_line(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_adjustments(*table(tmp_path, f"student_id,points,reason,author\n{row}\n"))
    with pytest.raises(ValueError, match="the columns are student_id,points"):
        read_adjustments(*table(tmp_path, "id,points\n"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("0042,2026-10-03T12:00:00,ill", "line 2: .* without a zone"),
        ("0042,tomorrow,ill", "line 2: .*'tomorrow' is no time such as"),
        ("0042,2026-09-03T12:00:00Z,ill", "is before the deadline"),
        ("7,2026-10-03T12:00:00Z,a\n7,2026-10-04T12:00:00Z,b", "line 3: .*student '7' once"),
    ],
)
def test_a_wrong_extension_is_named_with_its_line(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_extensions(*table(tmp_path, f"student_id,due,reason\n{rows}\n"), DUE)


@pytest.mark.parametrize(
    "data",
    [
        b"student_id,points,reason,author\n0042,1.5,why,kim\n",
        b"\xef\xbb\xbfstudent_id;points;reason;author\r\n0042;1,5;why;kim\r\n;;;\r\n\r\n",
        b'sep=;\r\n"Student ID";"Points";"Reason";"Author";""\r\n"0042";"1,5";"why";"kim";""\r\n',
        b"reason,author,SID,points\nwhy,kim,0042,1.5\n",
        b"Email,Points,Reason,Author\nADA@X.org,1.5,why,kim\n",
        "student_id\tpoints\treason\tauthor\n0042\t1,5\twhy\tkim\n".encode("utf-16"),
    ],
    ids=["ours", "BOM, semicolons, blank rows", "sep=", "other order", "e-mail", "Unicode text"],
)
def test_a_table_is_read_as_spreadsheets_write_it(tmp_path: Path, data: bytes) -> None:
    path, known = table(tmp_path, "")
    path.write_bytes(data)
    assert read_adjustments(path, known) == {"0042": (Adjustment(1.5, "why", "kim"),)}


def test_an_id_that_nobody_has_is_an_error_with_its_line_and_whose_it_may_be(
    tmp_path: Path,
) -> None:
    rows = "student_id,points,reason,author\n0042,1,kind,kim\n\n42,1,zeros lost,kim\n"
    with pytest.raises(FormatError, match="line 4: .*'42'; did you mean 0042?"):
        read_adjustments(*table(tmp_path, rows))


@settings(deadline=None)
@given(
    st.floats(0, 1000).map(lambda value: round(value, 2)),
    st.integers(0, 60),
    st.floats(0, 100),
    st.floats(0, 100),
)
def test_lateness_never_gives_points_and_never_takes_more_than_all(
    score: float, days: int, percent: float, most: float
) -> None:
    policy = LatePolicy(percent, most)
    terms = Terms(DUE, policy)
    test = outcome.TestResult("04a", "test_one", "one", False, "pass", score, 1000.0)
    got = grade(Result("s", "1", "hw", "k", "graded", (test,)), DUE + days * timedelta(1), terms)
    assert got.final is not None
    assert 0 <= got.final <= score
    later = grade(got.result, DUE + (days + 1) * timedelta(1), terms)
    assert later.final is not None
    assert later.final <= got.final
