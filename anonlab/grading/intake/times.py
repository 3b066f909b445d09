"""Times as systems write them: ISO, `Thursday, 1 October 2026, 11:58 AM`, `1.10.2026 11:58`, …

Nothing is guessed. A time without a zone is on the wall of the assignment's zone; where an hour is
there twice, the first counts. `10/11/2026` may be October or November: it is refused.
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from anonlab.course.authoring.wall_clock import in_utc

_MONTHS = (
    "january januar janvier enero gennaio januari janeiro",
    "february februar février febrero febbraio februari fevereiro",
    "march märz mars marzo maart março",
    "april avril abril aprile",
    "may mai mayo maggio mei maio",
    "june juni juin junio giugno junho",
    "july juli juillet julio luglio julho",
    "august août agosto augustus",
    "september septembre septiembre settembre setembro",
    "october oktober octobre octubre ottobre outubro",
    "november novembre noviembre novembro",
    "december dezember décembre diciembre dicembre dezembro",
)
"""Their names in English, German, French, Spanish, Italian, Dutch and Portuguese."""
_CLOCK = re.compile(
    r"(?<![\d:.])(\d{1,2})(?:[:h.]| ?Uhr )(\d\d)(?::(\d\d)(?:\.\d+)?)?"
    r"\s*([ap]\.?m\b\.?)?(?![\d:.])",
    re.I,
)
_ZONE = re.compile(r"\s*(?:\(?(UTC|GMT|Z)\)?|(?:UTC|GMT)?([+-]\d\d):?(\d\d))\s*\Z", re.I)
_ABBREVIATED = re.compile(r"\(?(?<![^\W\d_])(?!AM\b|PM\b)([A-Z]{2,5})\)?\Z")
"""EDT, CET, IST: several zones of the world have the same letters."""
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)")
_SLASHES = re.compile(r"(?<!\d)(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?!\d)")
_WORD = re.compile(r"[^\W\d_]{3,}")
_NUMBER = re.compile(r"(?<!\d)\d{1,4}(?!\d)")


def read_time(text: str, zone: tzinfo | None = None) -> datetime:
    """Return in UTC the time that `text` says; ValueError, with what would be right, if it says
    none, or more than one.

    zone  of times that are written without one
    """
    plain = " ".join(text.split())
    try:
        when = datetime.fromisoformat(re.sub(r" (?:UTC|GMT)\Z", "Z", plain).replace(" -", "-")
                                      .replace(" +", "+").replace(" Z", "Z"))  # fmt: skip
    except ValueError:
        when = _in_words(plain, zone)
    else:
        if ":" not in plain and "T" not in plain:
            raise ValueError(f"{text!r} is a day without a time of day")
    if when.tzinfo is None and zone is None:
        raise ValueError(
            f"{text!r} is no time with its zone, such as 2026-10-01T12:00:00+02:00; or name the "
            'zone of the assignment: zone = "Europe/Berlin"'
        )
    return in_utc(when, zone)


def _in_words(text: str, zone: tzinfo | None) -> datetime:
    if found := _ZONE.search(text):
        return _words(text[: found.start()], "+00:00" if found[1] else f"{found[2]}:{found[3]}")
    if letters := _ABBREVIATED.search(text):
        when = _words(text[: letters.start()])
        for fold in (0, 1):
            own = when.replace(tzinfo=zone, fold=fold)
            if zone is not None and own.tzname() == letters[1]:
                return own
        raise ValueError(f"{text!r}: {letters[1]} is no zone to be sure of: write +02:00 or UTC")
    return _words(text)


def _words(text: str, offset: str = "") -> datetime:
    clocks = [*_CLOCK.finditer(_DAY_FIRST.sub(lambda match: " " * len(match[0]), text))]
    if len(clocks) != 1:
        raise ValueError(f"{text!r} is no time such as 2026-10-01T12:00:00+02:00")
    clock = clocks[0]
    year, month, day = _date(text[: clock.start()] + " " + text[clock.end() :], text)
    hour, minute, second = (int(clock[at] or 0) for at in (1, 2, 3))
    if half := (clock[4] or "").casefold()[:1]:
        if not 1 <= hour <= 12:
            raise ValueError(f"{text!r} has the hour {hour} {clock[4]}")
        hour = hour % 12 + 12 * (half == "p")
    try:
        iso = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{offset}"
        return datetime.fromisoformat(iso)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time: {error}") from None


def _date(text: str, whole: str) -> tuple[int, int, int]:
    if match := _DAY_FIRST.search(text):
        return int(match[3]), int(match[2]), int(match[1])
    if match := _SLASHES.search(text):
        one, other = int(match[1]), int(match[2])
        if one != other and max(one, other) <= 12:
            raise ValueError(f"{whole!r} may be of two months: write {match[3]}-MM-DD")
        return int(match[3]), min(one, other), max(one, other)
    months = {month for word in _WORD.findall(text) if (month := _month(word))}
    numbers = [int(each) for each in _NUMBER.findall(text)]
    years = [each for each in numbers if each >= 1970]
    days = [each for each in numbers if each <= 31]
    if len(months) != 1 or len(years) != 1 or len(days) != 1:
        raise ValueError(f"{whole!r} is no time such as 2026-10-01T12:00:00+02:00")
    return years[0], months.pop(), days[0]


def _month(word: str) -> int:
    """Return the month that a word, or its beginning, is in one of the languages; 0 for none, and
    for what may be two."""
    own = word.casefold()
    fits = {
        number
        for number, names in enumerate(_MONTHS, 1)
        for name in names.split()
        if name == own or (len(own) <= 4 and name.startswith(own))
    }
    return fits.pop() if len(fits) == 1 else 0
