"""How far a long work is: a line every so often where there is no terminal."""

from __future__ import annotations

import pytest

from anonlab.cli.terminal import Lines


def lines(
    capsys: pytest.CaptureFixture[str], seconds: float, total: int, speed: float
) -> list[str]:
    """What is told of a work of `total` things, `speed` a second, in its first `seconds`."""
    now = [0.0]
    tell = Lines(lambda: now[0])
    for done in range(total + 1):
        now[0] = done / speed
        if now[0] <= seconds:
            tell("grading", done, total)
    return capsys.readouterr().err.splitlines()


def test_the_first_line_comes_soon_and_says_how_long_it_takes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = lines(capsys, 70, 10_000, 2)
    assert found == [
        "anonlab: grading: 4 of 10,000, 2.0/s, 1 h 23 min left",
        "anonlab: grading: 64 of 10,000, 2.0/s, 1 h 23 min left",
        "anonlab: grading: 124 of 10,000, 2.0/s, 1 h 22 min left",
    ]


def test_what_is_done_at_once_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(capsys, 9, 100, 60) == []


def test_what_an_earlier_run_has_done_does_not_count_for_the_speed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [0.0]
    tell = Lines(lambda: now[0])
    tell("grading", 900, 1000)
    now[0] = 4
    tell("grading", 904, 1000)
    tell("reports", 1, 1000)
    now[0] = 6.5
    tell("reports", 501, 1000)
    assert capsys.readouterr().err.splitlines() == [
        "anonlab: grading: 904 of 1,000, 1.0/s, 2 min left",
        "anonlab: reports: 501 of 1,000, 200.0/s, 2 s left",
    ]
