"""When a drill is due again: five right in a row are a round, and rounds come again, days apart.

The rule: a drill is due 1, 3, 7 and 21 days after its last five in a row. The first round and four
more, and it is kept: it is not due any more. A round before its day counts as the last five in a
row and moves nothing else. A wrong answer only begins the row anew.

That practice on several days keeps more than practice on one is measured: 29 studies, g = 0.74
(Latimier, Peyre, Ramus, Educational Psychology Review 33 (2021) 959,
doi:10.1007/s10648-020-09572-8).
The same review finds no difference between gaps that grow and gaps that stay equal; growing ones
keep the average high on the way (Kang, Lindsey, Mozer, Pashler, Psychonomic Bulletin & Review 21
(2014) 1544, doi:10.3758/s13423-014-0636-z). The four numbers are a choice of ours, not a finding.

Days are those of the learner's clock now. A time that cannot be read, or lies more than a day ahead
of now, is not known: such a round is due at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from anonlab.course.asking.progress_log import Event, ProgressLog
from anonlab.course.drills.drills import LEVELS

GAPS = (1, 3, 7, 21)
"""Days after the last five in a row until a drill is due again, round by round."""
AHEAD = timedelta(days=1)
"""A clock may be wrong by so much, and zones differ by less."""


@dataclass(frozen=True)
class DrillState:
    """Where a learner is with one drill.

    row     right answers in a row, in the round that goes on
    rounds  rounds of five in a row: the first, and those made when the drill was due
    last    the day of the last five in a row, None if there is none or it is not known
    due     the day from which the drill is due again; None if it is not: never done, or kept
    """

    row: int = 0
    rounds: int = 0
    last: date | None = None
    due: date | None = None

    @property
    def is_done(self) -> bool:
        """True if five in a row have ever been right."""
        return self.rounds > 0

    @property
    def is_kept(self) -> bool:
        """True if it is not due any more."""
        return self.rounds > len(GAPS)

    def is_due(self, today: date) -> bool:
        """Return whether the drill is due on the day `today`."""
        return self.due is not None and self.due <= today


def drill_state(log: ProgressLog, name: str, now: datetime | None = None) -> DrillState:
    """Return where the learner is with the drill `name`, at `now` (with its zone)."""
    moment = now or datetime.now().astimezone()
    return state_of(log.events("drill", name=name), moment)


def state_of(events: list[Event], now: datetime) -> DrillState:
    """Return the state after these answers to one drill, in order."""
    row, rounds = 0, 0
    last = due = None
    today = now.date()
    for event in events:
        day = day_of(event, now)
        if row >= LEVELS and due is not None and due <= (day or today):
            row = 0  # a new round: its questions grow harder again
        row = row + 1 if _is_right(event) else 0
        if row == LEVELS:
            rounds += not rounds or (due is not None and due <= (day or today))
            last, due = day, _next(day, rounds, today)
    if row >= LEVELS and due is not None and due <= today:
        row = 0
    return DrillState(row, rounds, last, due)


def _next(day: date | None, rounds: int, today: date) -> date | None:
    """Return the day on which a drill is due after its round number `rounds`, made on `day`."""
    if rounds > len(GAPS):
        return None
    return today if day is None else day + timedelta(days=GAPS[rounds - 1])


def day_of(event: Event, now: datetime) -> date | None:
    """Return the day of an event in the zone of `now`; None if it is not known."""
    when = time_of(event, now.tzinfo)
    return None if when is None or when > now + AHEAD else when.date()


def time_of(event: Event, zone: tzinfo | None) -> datetime | None:
    """Return the time of an event in `zone`, None if it cannot be read; without a zone of its own
    it is UTC."""
    try:
        when = datetime.fromisoformat(str(event.get("when", "")))
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(zone)
    except (ValueError, OverflowError):
        return None


def _is_right(event: Event) -> bool:
    return event.get("of") is not None and event.get("right") == event.get("of")
