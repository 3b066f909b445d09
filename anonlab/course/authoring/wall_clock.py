"""Times as they stand on a wall: a zone by its name, and moments in it.

A zone is a name such as "Europe/Berlin". Where its clocks are set back, an hour stands there twice;
where they are set forward, one does not stand there at all.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

NO_ZONE = "a time without a zone: write it as {}+02:00, or name the zone of the assignment"


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone called `name`; ValueError if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        remedy = "such as Europe/Berlin or America/New_York"
        if not available_timezones():  # Windows, and small containers
            remedy = "and this Python has no time zones at all: pip install tzdata"
        raise ValueError(f"{name!r} is no time zone, {remedy}") from None


def in_utc(when: datetime, zone: tzinfo | None) -> datetime:
    """Return the moment of a time in UTC; one without a zone is read on the wall of `zone`, and the
    first of two if it stands there twice.

    raises  ValueError for a time without a zone where there is none, or which is not on the wall
    """
    if when.utcoffset() is not None:
        return when.astimezone(UTC)
    if zone is None:
        raise ValueError(NO_ZONE.format(when.isoformat()))
    moment = when.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != when:
        raise ValueError(f"{when.isoformat()} does not exist in {zone}: clocks were set forward")
    return moment


def stands_twice(when: datetime, zone: tzinfo) -> bool:
    """Return whether a time without a zone is on the wall of `zone` twice."""
    first, second = (when.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first < second


def days_later(moment: datetime, days: int, zone: tzinfo) -> datetime:
    """Return in UTC when the clock on the wall of `zone` says the same, `days` later: the last such
    moment if it is there twice, and the time after the gap if clocks pass over it."""
    wall = moment.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    return max(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def days_begun(received: datetime, due: datetime, zone: tzinfo) -> int:
    """Return how many days after `due` have begun at `received`: the first ends a day later at the
    same time on the wall. 0 if `received` is not after `due`; both have a zone."""
    received, due = received.astimezone(UTC), due.astimezone(UTC)
    if received <= due:
        return 0
    days = max(1, (received.astimezone(zone).date() - due.astimezone(zone).date()).days)
    while days_later(due, days, zone) < received:
        days += 1
    while days > 1 and days_later(due, days - 1, zone) >= received:
        days -= 1
    return days
