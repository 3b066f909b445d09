"""Text from outside is cleaned once, where it enters a report; each writer then only escapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from anonlab.grading.store.result import Result, TestResult

_KEPT = "\n\t"
_FORBIDDEN = {
    code: None
    for code in (*range(0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF)
    if chr(code) not in _KEPT
}
"""Control characters, and the two that no XML may hold."""
_T = TypeVar("_T", Result, TestResult)
_FIELDS = {kind: tuple(each.name for each in fields(kind)) for kind in (Result, TestResult)}


def clean(text: str | bytes) -> str:
    """Return valid Unicode without control characters except newline and tab."""
    if isinstance(text, str) and text.isprintable():
        return text  # most are: a class may be large
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    text = raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return text.translate(_FORBIDDEN)


def clean_plain(value: Any) -> Any:
    """Return plain data with every text in it cleaned, those of keys included."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean_plain(key): clean_plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(clean_plain(each) for each in value)
    return value


def clean_result(result: Result) -> Result:
    """Return `result` with every text in it cleaned; itself if there is nothing to clean."""
    tests = tuple(_cleaned(test) for test in result.tests)
    if all(one is other for one, other in zip(tests, result.tests, strict=True)):
        return _cleaned(result, ("tests",))
    return replace(_cleaned(replace(result, tests=())), tests=tests)


def _cleaned(result: _T, left: tuple[str, ...] = ()) -> _T:
    changed = {}
    for name in _FIELDS[type(result)]:
        if name not in left:
            before = getattr(result, name)
            after = clean_plain(before)
            if after is not before and after != before:
                changed[name] = after
    return replace(result, **changed) if changed else result
