"""From scores to grades: days late, what they cost, extensions, and adjustments made by hand.

Everything here is computed from stored results: a changed policy runs no student's code. A
submission that arrives exactly at its deadline is on time. Days are counted on the wall of the
assignment's zone: due at 22:00, the first day ends at 22:00, also where clocks change in between.
Without a zone they have 24 hours each, in UTC.

The policy is the table `[late]` of an assignment; without it lateness is told and costs nothing::

    [late]
    percent_per_day = 10     # of the score, for each day that has begun
    most_percent = 50        # never more than this; optional
    grace_minutes = 15       # so much later is still on time; optional
    missing = "zero"         # what was not handed in: "empty" (no grade) or "zero"; optional
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from anonlab.course.authoring.wall_clock import days_begun, in_utc
from anonlab.errors import FormatError
from anonlab.grading.intake.roster import Roster
from anonlab.grading.intake.tables import number_in, student_rows
from anonlab.grading.store.result import Result

ADJUSTMENT_COLUMNS = ("student_id", "points", "reason", "author")
EXTENSION_COLUMNS = ("student_id", "due", "reason")


@dataclass(frozen=True)
class LatePolicy:
    """What lateness costs.

    percent_per_day   of the score reached, for each day after the deadline that has begun
    most_percent      the most that lateness costs, of the score reached
    grace             received so much after the deadline is on time; days count from the deadline
    missing_is_zero   a submission that never came gets 0; otherwise it gets no grade
    """

    percent_per_day: float = 0.0
    most_percent: float = 100.0
    grace: timedelta = timedelta()
    missing_is_zero: bool = False

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> LatePolicy:
        """Return the policy in a table `[late]`; ValueError that names what is wrong with it."""
        known = ("percent_per_day", "most_percent", "grace_minutes", "missing")
        if unknown := sorted(set(plain) - set(known)):
            raise ValueError(f"[late]: unknown field {unknown[0]!r}; there are {', '.join(known)}")
        if plain.get("missing", "empty") not in ("empty", "zero"):
            raise ValueError(f"[late]: missing is 'empty' or 'zero', got {plain['missing']!r}")
        return cls(
            _number(plain, "percent_per_day", 0.0, 100.0),
            _number(plain, "most_percent", 100.0, 100.0),
            timedelta(minutes=_number(plain, "grace_minutes", 0.0, 7 * 24 * 60)),
            plain.get("missing", "empty") == "zero",
        )

    def days_late(self, received: datetime, due: datetime, zone: tzinfo = UTC) -> int:
        """Return how many days after `due` have begun on the wall of `zone`; both times have a
        zone of their own."""
        late = utc(received) - utc(due)  # in UTC: two times of one zone are subtracted as wall time
        return 0 if late <= self.grace else days_begun(received, due, zone)

    def penalty(self, score: float, days: int) -> float:
        """Return the points that `days` of lateness cost."""
        percent = min(self.percent_per_day * days, self.most_percent)
        return points(score * percent / 100)

    def __str__(self) -> str:
        """The policy as a sentence for students."""
        if not self.percent_per_day:
            return "Lateness costs nothing."
        grace = f", after {self.grace // timedelta(minutes=1)} minutes of grace" * bool(self.grace)
        return (
            f"Each day that has begun costs {self.percent_per_day:g} % of the score, "
            f"{self.most_percent:g} % at most{grace}."
        )


def _number(plain: Mapping[str, Any], name: str, default: float, most: float) -> float:
    value = plain.get(name, default)
    if type(value) not in (int, float) or not 0 <= value <= most:
        raise ValueError(f"[late]: {name} is a number from 0 to {most:g}, got {value!r}")
    return float(value)


def utc(when: datetime) -> datetime:
    """Return the same moment in UTC; ValueError for a time without a zone."""
    if when.tzinfo is None or when.utcoffset() is None:
        raise ValueError(f"{when} is a time without a zone; write it as {when.isoformat()}Z")
    return when.astimezone(UTC)


def moment(text: str, zone: tzinfo | None = None) -> datetime:
    """Return the time that `text` writes, in UTC; without a zone it is on the wall of `zone`.

    raises  ValueError if it is none
    """
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no time such as 2026-10-01T12:00:00Z") from None
    return in_utc(when, zone)


def points(value: float) -> float:
    """Return points rounded to hundredths, and never -0."""
    return round(value, 2) + 0.0


@dataclass(frozen=True)
class Adjustment:
    """Points that somebody gave or took by hand. The student reads the reason, not the author."""

    points: float
    reason: str
    author: str


@dataclass(frozen=True)
class Terms:
    """On what terms scores become grades.

    due          the deadline, with its zone; None if there is none
    extensions   by student: another deadline
    adjustments  by student
    zone         whose clocks count days
    """

    due: datetime | None = None
    policy: LatePolicy = LatePolicy()
    extensions: Mapping[str, datetime] = field(default_factory=dict)
    adjustments: Mapping[str, tuple[Adjustment, ...]] = field(default_factory=dict)
    zone: tzinfo = UTC


@dataclass(frozen=True)
class Grade:
    """What a student gets for a submission.

    received     when it came; None if nobody says, and then it is on time
    due          this student's own deadline; both are in the zone that counts days
    penalty      points that lateness costs, >= 0
    adjustment   points given or taken by hand
    final        max(0, score - penalty + adjustment); None if there is no grade
    reasons      of the adjustment; without a grade it has no effect
    """

    result: Result
    received: datetime | None = None
    due: datetime | None = None
    days_late: int = 0
    penalty: float = 0.0
    adjustment: float = 0.0
    final: float | None = None
    reasons: tuple[str, ...] = ()


def grade(result: Result, received: datetime | None, terms: Terms) -> Grade:
    """Return what `result` is worth on `terms`; ValueError for a time without a zone."""
    due = terms.extensions.get(result.student, terms.due)
    days = 0
    if received is not None and due is not None:
        days = terms.policy.days_late(received, due, terms.zone)
    received, due = (
        None if when is None else utc(when).astimezone(terms.zone) for when in (received, due)
    )
    by_hand = terms.adjustments.get(result.student, ())
    reasons = tuple(f"{each.points:+g}: {each.reason}" for each in by_hand)
    score = result.score
    if score is None and result.status == "missing" and terms.policy.missing_is_zero:
        score = 0.0
    if score is None:
        return Grade(result, received, due, days, reasons=reasons)
    penalty = terms.policy.penalty(score, days)
    adjustment = points(math.fsum(each.points for each in by_hand))
    final = points(max(0.0, score - penalty + adjustment))
    return Grade(result, received, due, days, penalty, adjustment, final, reasons)


def read_adjustments(path: Path, roster: Roster) -> dict[str, tuple[Adjustment, ...]]:
    """Return the adjustments in a CSV with the columns student_id, points, reason, author.

    raises  FormatError, with the line, for an id that nobody in the roster has, for points that are
            no number, or no reason or author
    """
    found: dict[str, tuple[Adjustment, ...]] = {}
    columns = ADJUSTMENT_COLUMNS[1:]
    for row in student_rows(path, "adjustments", columns, roster.find, roster.why_not):
        for name in ("reason", "author"):
            if not row.cells[name]:
                raise FormatError(f"adjustments ({path}): {name} is empty; it is needed", row.line)
        value = number_in(row.cells["points"])
        if not math.isfinite(value):
            told = f"points is a number such as -1.5, got {row.cells['points']!r}"
            raise FormatError(f"adjustments ({path}): {told}", row.line)
        made = Adjustment(value, row.cells["reason"], row.cells["author"])
        found[row.student] = (*found.get(row.student, ()), made)
    return found


def read_extensions(
    path: Path, roster: Roster, due: datetime | None, zone: tzinfo | None = None
) -> dict[str, datetime]:
    """Return the deadlines in a CSV with the columns student_id, due, reason.

    zone    of times that are written without one
    raises  FormatError, with the line, for an id that nobody in the roster has, a time without
            zone, a deadline before the common one, or two for one student
    """
    found: dict[str, datetime] = {}
    columns = EXTENSION_COLUMNS[1:]
    for row in student_rows(path, "extensions", columns, roster.find, roster.why_not):
        try:
            own = moment(row.cells["due"], zone)
        except ValueError as error:
            raise FormatError(f"extensions ({path}): {error}", row.line) from None
        if row.student in found:
            raise FormatError(
                f"extensions ({path}): student {row.student!r} once, please", row.line
            )
        if due is not None and own < utc(due):
            told = f"{row.cells['due']} is before the deadline, {utc(due)}"
            raise FormatError(f"extensions ({path}): {told}", row.line)
        found[row.student] = own
    return found
