"""The map of what was done: right from old, broken and odd logs; drills come again by the rule."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from project import ROOT

from anonlab import learn
from anonlab.cli.verbs import cli
from anonlab.course.asking.drill_rounds import GAPS, state_of
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.asking.progress_map import map_text, progress_map
from anonlab.course.asking.progress_page import page
from anonlab.course.authoring.exercises import Course

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def answers(day: str, right: int = 5, wrong: int = 0) -> list[dict[str, object]]:
    """Answers to a drill on one day: wrong ones, then right ones."""
    one = {"when": day, "what": "drill", "name": "04", "of": 1}
    return [one | {"right": 0}] * wrong + [one | {"right": 1}] * right


def written(course: Course, *lines: object) -> None:
    path = ProgressLog(course.root).path
    path.parent.mkdir(exist_ok=True)
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(text) + "\n", "utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("log", "rounds", "due"),
    [
        ([], 0, None),
        (answers("2026-03-10T09:00:00+00:00", right=4), 0, None),
        (answers("2026-03-10T09:00:00+00:00"), 1, date(2026, 3, 11)),
        # More on the same day is the same round.
        (answers("2026-03-10T09:00:00+00:00", right=12), 1, date(2026, 3, 11)),
        # Five in a row again before the day: the last five in a row, and no round more.
        (answers("2026-03-08T09:00:00+00:00") + answers("2026-03-08T10:00:00+00:00", 5, 1),
         1, date(2026, 3, 9)),
        (answers("2026-03-01T09:00:00+00:00") + answers("2026-03-09T09:00:00+00:00"),
         2, date(2026, 3, 12)),
        # Four on the day it is due are not five.
        (answers("2026-03-01T09:00:00+00:00") + answers("2026-03-09T09:00:00+00:00", 4),
         1, date(2026, 3, 2)),
        # A day that is not known, or is to come: due now.
        (answers("last Tuesday"), 1, NOON.date()),
        (answers("2099-01-01T00:00:00+00:00"), 1, NOON.date()),
    ],
)  # fmt: skip
def test_a_drill_is_due_by_the_rule(
    log: list[dict[str, object]], rounds: int, due: date | None
) -> None:
    state = state_of(log, NOON)
    assert (state.rounds, state.due) == (rounds, due)


def test_after_all_rounds_a_drill_is_kept() -> None:
    day, log = NOON - timedelta(days=60), list[dict[str, object]]()
    for gap in (0, *GAPS):
        day += timedelta(days=gap)
        log += answers(day.isoformat())
    state = state_of(log, NOON)
    assert (state.rounds, state.due, state.is_kept) == (5, None, True)


def test_days_are_those_of_the_learners_clock() -> None:
    """23:30 UTC on the 9th is the 10th in Tokyo, and still the 9th in Honolulu."""
    log = answers("2026-03-09T23:30:00+00:00")
    for zone, due in (("Asia/Tokyo", 11), ("Pacific/Honolulu", 10), ("UTC", 10)):
        assert state_of(log, NOON.astimezone(ZoneInfo(zone))).due == date(2026, 3, due), zone
    assert state_of(answers("2026-03-09T23:30:00"), NOON).due == date(2026, 3, 10), "no zone: UTC"
    assert state_of(answers("2026-03-10T08:30:00+09:00"), NOON).due == date(2026, 3, 10)


def test_a_drill_that_is_due_begins_anew_and_a_round_ends_it(course: Course) -> None:
    written(course, *answers("2026-03-01T09:00:00+00:00"))
    assert "0 of 5 in a row. It was done, and is due again." in repr(learn.drill("04"))
    assert "drill due again" in repr(learn.progress())
    assert 'Due today: drill("04").' in repr(learn.progress())


def test_a_log_with_all_kinds_of_damage_is_read_and_what_is_left_out_is_said(
    course: Course,
) -> None:
    written(
        course,
        {"when": "2026-03-01T10:00:00+00:00", "what": "check", "exercise": "04a", "ok": True,
         "points": 4},
        '{"when": "2026-03-01T10:0',
        "\udcff\udcfe not text",
        "[" * 100_000,
        '["check"]',
        '{"what": 7}',
        {"what": "check", "exercise": "04b", "ok": False, "points": "many"},
        {"when": 3, "what": "check", "exercise": "05a", "ok": False, "points": 999},
        {"when": "2099-01-01T00:00:00Z", "what": "hint", "exercise": "05a", "hint": 99},
        {"when": "2026-03-02T10:00:00", "what": "marked", "name": "04 x", "marks": [1]},
        {"when": "2026-03-02T10:00:00Z", "what": "predict", "name": "09 one look", "answer": "0"},
        {"when": "2026-03-02T10:00:00Z", "what": "predict", "name": "no longer asked"},
        {"when": "2026-03-02T10:00:00Z", "what": "scored", "name": "09 one look", "right": "x"},
        {"when": "2026-03-02T10:00:00Z", "what": "check", "exercise": "99z", "ok": True},
        {"when": "2026-03-02T10:00:00Z", "what": "drill", "name": ["04"], "right": 1, "of": 1},
        {"when": "0001-01-01T00:00:00+23:00", "what": "start"},
    )  # fmt: skip
    done = progress_map(course, NOON)
    text = map_text(done)
    assert "04a  passed    4 of  4 public points  fork shares pages" in text
    assert "04b  open      0 of  4" in text
    assert "05a  started   4 of  4" in text, "never more than there are"
    assert "9 lines of the log cannot be read: left out." in text
    assert "3 lines of the log without a time, or with one that is still to come" in text
    assert done.days == (date(2026, 3, 1), date(2026, 3, 2))
    answered = sum(each.answered for each in done.notebooks)
    assert answered == 1
    assert "no predictions" not in repr(learn.predicted("09"))


def test_nothing_done_is_a_map_too(course: Course) -> None:
    text = map_text(progress_map(course, NOON))
    assert "0 of" in text
    assert "Next: 01a." in text
    assert "lab1 open" in text


def test_the_page_needs_nothing_and_says_what_it_is_not(course: Course, tmp_path: Path) -> None:
    written(course, *answers("2026-03-01T09:00:00+00:00"))
    made = page(progress_map(course, NOON))
    assert "It is no certificate." in made
    assert "http" not in made.replace("http-equiv", "")
    assert "<script" not in made
    out = tmp_path / "done.html"
    told = CliRunner().invoke(cli, ["progress", "--page", str(out)])
    assert told.exit_code == 0, told.output
    assert "Due again: <code>drill(&#34;04&#34;)" in out.read_text("utf-8") or (
        'Due again: <code>drill("04")' in out.read_text("utf-8")
    )
    assert "Next: 01a." in CliRunner().invoke(cli, ["progress"]).output
    refused = CliRunner().invoke(cli, ["progress", "--page", str(tmp_path / "no" / "x.html")])
    assert refused.exit_code == 2
    assert "No such file or directory" in refused.output


def test_passed_is_followed_by_what_is_next(course: Course, right: dict[str, str]) -> None:
    course.file("04a").write_text(f"{course['04a'].header}\n{right['04a']}", "utf-8")
    for said in (
        repr(learn.check("04a")),
        CliRunner().invoke(cli, ["check", "04a"]).output,
    ):
        assert "What next?" in said
        assert 'drill("04") asks fresh questions on fork: 0 of 5 in a row' in said
        assert "%%exercise 04b: Which history was it?, about 15 minutes" in said
        assert "another way to solve it" in said
    assert "What next?" not in repr(learn.check("04b"))


def test_the_next_exercise_is_the_next_open_one_and_labs_come_last(course: Course) -> None:
    everything = [n for n in course.exercises if n != "lab1"]
    passed = [{"what": "check", "exercise": number, "ok": True} for number in everything]
    written(course, *[each for each in passed if each["exercise"] != "02b"])
    assert progress_map(course, NOON).following == "02b"
    written(course, *passed)
    assert progress_map(course, NOON).following == "lab1"


def test_hidden_checks_run_where_they_are_and_elsewhere_it_says_how_to_get_them(
    course: Course, right: dict[str, str]
) -> None:
    course.file("04a").write_text(f"{course['04a'].header}\n{right['04a']}", "utf-8")
    told = CliRunner().invoke(cli, ["check", "--all", "04a"])
    assert told.exit_code == 2
    assert "the hidden checks of 04a are not in this folder" in told.output
    assert "anonlab check --all 04a" in told.output
    assert "not in this folder" in repr(learn.check("04a", everything=True))
    for folder in ("solutions", "tests/exercises/hidden"):
        shutil.copytree(ROOT / folder, course.root / folder)
    told = CliRunner().invoke(cli, ["check", "--all", "04a"])
    assert told.exit_code == 0, told.output
    assert re.search(r"All checks, hidden ones too: (\d+) of \1 passed \(10 of 10 po", told.output)
    assert "4 of  4 public points, all checks passed" in repr(learn.progress())
    careless = right["04a"].replace("parent & ~ACCESSED", "parent")
    course.file("04a").write_text(f"{course['04a'].header}\n{careless}", "utf-8")
    assert CliRunner().invoke(cli, ["check", "--all", "04a"]).exit_code == 1
