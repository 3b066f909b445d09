"""JSON as files of anonlab are written and read: strictly, and wrong text is named with its line.

A name that stands twice in an object, NaN, half a character and lists without end are refused:
programs differ in what they read there. json is imported where it is needed, since most programs
that import anonlab write no file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from anonlab.errors import FormatError

T = TypeVar("T")
TOO_DEEP = "not a file of anonlab: lists in lists in lists, too deep"


def write_json(plain: Any) -> str:
    """Return `plain` as JSON text; equal values give equal text."""
    import json

    return json.dumps(plain, separators=(",", ":"), sort_keys=True)


def parse_json(text: str) -> Any:
    """Return the value of JSON `text`; raises FormatError with the line of the first mistake."""
    import json

    try:
        plain = json.loads(text, parse_constant=_no_number, object_pairs_hook=_each_once)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(plain, ensure_ascii=False).encode()  # could nobody print or write it?
        return plain
    except json.JSONDecodeError as error:
        raise FormatError(f"not JSON: {error.msg} at column {error.colno}", error.lineno) from error
    except RecursionError:
        raise FormatError(TOO_DEEP) from None
    except FormatError:
        raise
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise FormatError(f"not a file of anonlab: {half} alone is half a character") from None
    except ValueError as error:
        raise FormatError(f"not a file of anonlab: {error}") from None


def read_json(text: str, read: Callable[[Any], T]) -> T:
    """Return what `read` makes of the value of JSON `text`; raises FormatError, also where the
    value is nested so deep that nobody can even show it."""
    try:
        return read(parse_json(text))
    except RecursionError:
        raise FormatError(TOO_DEEP) from None


def _no_number(text: str) -> Any:
    raise FormatError(f"{text} is no number of JSON")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; FormatError if a name stands twice in it: nobody knows which counts."""
    plain = dict(pairs)
    if len(plain) < len(pairs):
        left = dict.fromkeys(plain, 1)
        twice = next(name for name, _ in pairs if not left.pop(name, 0))
        raise FormatError(f"an object has the name {twice!r:.60} more than once")
    return plain


def check_header(plain: Any, name: str, *versions: int) -> None:
    """Raise FormatError unless `plain` is an object of format `name` and one of `versions`."""
    if not isinstance(plain, dict) or plain.get("format") != name:
        found = plain.get("format") if isinstance(plain, dict) else type(plain).__name__
        raise FormatError(f"expected an object with format {name!r}, got {found!r}")
    if plain.get("version") not in versions:
        known = " and ".join(map(str, versions))
        raise FormatError(
            f"{name} version {plain.get('version')!r} is not known here; this anonlab reads "
            f"version {known}: install the version of anonlab that wrote the file"
        )
