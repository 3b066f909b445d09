"""Days on the wall of a zone, and times as systems write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from classroom import MASTERS
from hypothesis import given, settings
from hypothesis import strategies as st

from anonlab.course.authoring.release import read_assignment
from anonlab.course.authoring.wall_clock import days_begun
from anonlab.grading.intake.times import read_time
from anonlab.grading.reports.late import LatePolicy

BERLIN, APIA = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")


@pytest.mark.parametrize(
    ("due", "received", "days"),
    [
        ("2026-10-24T22:00", "2026-10-25T21:30", 1),  # clocks go back: 24 h 30 min, and one day
        ("2026-10-24T22:00", "2026-10-25T22:00", 1),
        ("2026-10-24T22:00", "2026-10-25T22:01", 2),
        ("2026-03-28T22:00", "2026-03-29T22:00", 1),  # clocks go forward: 23 hours, and one day
        ("2026-03-28T22:00", "2026-03-29T22:01", 2),
        ("2026-03-28T02:30", "2026-03-29T03:30", 1),  # 2:30 is not on the wall that day
        ("2026-03-28T02:30", "2026-03-29T03:31", 2),
    ],
)
def test_a_day_late_ends_at_the_same_time_on_the_wall(due: str, received: str, days: int) -> None:
    first, then = (datetime.fromisoformat(each).replace(tzinfo=BERLIN) for each in (due, received))
    assert LatePolicy().days_late(then.astimezone(UTC), first.astimezone(UTC), BERLIN) == days


def test_the_second_half_past_two_of_a_long_night_is_still_that_day() -> None:
    due = datetime(2026, 10, 24, 2, 30, tzinfo=BERLIN)
    second = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN)
    assert days_begun(second, due, BERLIN) == 1
    assert days_begun(second + timedelta(hours=1), due, BERLIN) == 2


@settings(deadline=None)
@given(
    st.sampled_from([BERLIN, APIA, ZoneInfo("America/St_Johns"), ZoneInfo("Australia/Lord_Howe")]),
    st.datetimes(datetime(2011, 12, 1), datetime(2012, 1, 31)) | st.datetimes(
        datetime(2026, 1, 1), datetime(2026, 12, 31)),
    st.integers(0, 10 * 86400),
)  # fmt: skip
def test_days_are_counted_like_on_a_calendar(zone: ZoneInfo, due: datetime, late: int) -> None:
    """A day has begun for each time that the wall has passed the hour of the deadline."""
    first = due.replace(tzinfo=zone).astimezone(UTC)
    received = first + timedelta(seconds=late)
    wall = first.astimezone(zone).replace(tzinfo=None)

    def over(days: int) -> bool:
        ends = [(wall + timedelta(days=days)).replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
        return all(end.astimezone(UTC) < received for end in ends)

    expected = 0 if not late else 1 + sum(over(days) for days in range(1, 15))
    assert days_begun(received, first, zone) == expected


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-10-01T13:58:00+02:00", "2026-10-01T11:58"),
        ("2026-10-01 11:58:00 UTC", "2026-10-01T11:58"),
        ("2026-10-01 04:58:00 -0700", "2026-10-01T11:58"),
        ("2026-10-01 11:58:00.120000000 Z", "2026-10-01T11:58"),
        ("2026-10-01 13:58:00", "2026-10-01T11:58"),
        ("Thursday, 1 October 2026, 1:58 PM", "2026-10-01T11:58"),
        ("Thursday, October 1, 2026, 12:05 AM", "2026-09-30T22:05"),
        ("Donnerstag, 1. Oktober 2026, 13:58", "2026-10-01T11:58"),
        ("jeudi 1 octobre 2026 à 13h58", "2026-10-01T11:58"),
        ("1.10.2026 13:58", "2026-10-01T11:58"),
        ("10/23/2026 1:58 PM", "2026-10-23T11:58"),
        ("Thu Oct 1 13:58:00 2026 CEST", "2026-10-01T11:58"),
        ("2026-10-25 02:30", "2026-10-25T00:30"),
    ],
)
def test_a_time_of_a_system_is_read_on_the_wall_of_the_zone(text: str, utc: str) -> None:
    assert read_time(text, BERLIN) == datetime.fromisoformat(f"{utc}:00+00:00").replace(
        microsecond=120000 if ".12" in text else 0
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10/11/2026 1:58 PM", "two months: write 2026-MM-DD"),
        ("Thu Oct 1 13:58:00 2026 EDT", "EDT is no zone to be sure of"),
        ("2026-03-29 02:30", "clocks were set forward"),
        ("1 jui 2026 12:00", "is no time"),
        ("Oct 1, 2026", "is no time"),
        ("2026-10-01", "a day without a time of day"),
        ("13:00 PM 1 Oct 2026", "the hour 13 PM"),
    ],
)
def test_a_time_that_may_be_another_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_time(text, BERLIN)


@settings(deadline=None)
@given(st.text(alphabet="0123456789 :.,-/+APMZUTCOctmärz()", max_size=30))
def test_whatever_stands_in_a_cell_is_a_time_or_a_sentence(text: str) -> None:
    try:
        assert read_time(text, BERLIN).tzinfo is not None
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("lines", "due"),
    [
        ('due = 2026-10-24T22:00:00\nzone = "Europe/Berlin"', "2026-10-24T22:00:00+02:00"),
        ('due = 2026-10-24T20:00:00Z\nzone = "Europe/Berlin"', "2026-10-24T22:00:00+02:00"),
        ("due = 2026-10-24T20:00:00Z", "2026-10-24T20:00:00+00:00"),
        ('due = 2026-10-25T02:30:00\nzone = "Europe/Berlin"', "write 2026-10-25T02:30:00.02:00 or"),
        ('due = 2026-03-29T02:30:00\nzone = "Europe/Berlin"', "clocks were set forward"),
        ("due = 2026-10-24T22:00:00", 'or has zone = "Europe/Berlin" beside it'),
        ('zone = "Berlin"', "'Berlin' is no time zone, such as Europe/Berlin"),
        ("zone = 1", "zone is the name of a time zone"),
    ],
)
def test_a_deadline_stands_on_the_wall_of_its_zone(tmp_path: Path, lines: str, due: str) -> None:
    path = tmp_path / "hw.toml"
    path.write_text(lines, "utf-8")
    if due.startswith("2026"):
        assert read_assignment(path, tuple(MASTERS.values())).due == due
    else:
        with pytest.raises(ValueError, match=due):
            read_assignment(path, tuple(MASTERS.values()))
