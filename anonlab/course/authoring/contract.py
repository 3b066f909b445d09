"""The statement is the contract: what it promises is tied to tests, by an id and not by its words.

In a master's docstring an id stands after each promise, and points are written by the test's name::

    `indices(addr, levels, bits)` returns the indices, top first[^top-first]: …
    [=test_is_short] points are for a history that …

Students read the text without the ids, and numbers for the points. EXERCISE says what holds each
promise, and what breaks it::

    "promises": {
        "top-first": ("begin with the last table", "test_indices"),
    }

First the message of a known wrong answer, then the tests that must fail for it, one at least. Every
test belongs to a promise, so that nobody loses points for what the statement does not say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

ID = re.compile(r"\[\^([a-z0-9-]+)\]")
POINTS = re.compile(r"\[=(test_\w+)\]")
Promises = Mapping[str, tuple[str, ...]]


def ids_of(text: str) -> tuple[str, ...]:
    """Return the ids of the promises in the raw text of a statement."""
    return tuple(ID.findall(text))


def for_students(text: str, points: Mapping[str, int]) -> str:
    """Return a statement as students read it; KeyError for a test that there is not."""
    return POINTS.sub(lambda match: str(points[match[1]]), ID.sub("", text))


def check_promises(promises: Any) -> str:
    """Return what is wrong with the form of `promises`, '' if nothing is."""
    for name, parts in promises.items():
        good = (
            isinstance(parts, tuple) and len(parts) > 1 and all(type(one) is str for one in parts)
        )
        if not good or not all(one.startswith("test_") for one in parts[1:]):
            return (
                f'promises is {{id: ("message of a known wrong answer", "test_…", …)}}, '
                f"got {name}: {parts!r}"
            )
    return ""


def contract_problems(
    ids: Iterable[str], promises: Promises, tests: Iterable[str], messages: Iterable[str]
) -> list[str]:
    """Return one sentence for each promise that nothing holds, and each test that nobody promised.

    ids       the promises in the statement
    tests     all tests of the exercise, public and hidden
    messages  of the known wrong answers
    """
    found, known, messages = list(ids), set(tests), set(messages)
    problems = [f"the statement has the promise [^{name}] twice" for name in found
                if found.count(name) > 1]  # fmt: skip
    problems += [f"no test is named for the promise [^{name}]" for name in found
                 if name not in promises]  # fmt: skip
    for name, (broken, *held) in promises.items():
        if name not in found:
            problems.append(f"the statement has no promise [^{name}]")
        if broken not in messages:
            problems.append(f"[^{name}]: no known wrong answer says {broken!r}")
        problems += [f"[^{name}]: there is no {test}" for test in held if test not in known]
    promised = {test for _, *held in promises.values() for test in held}
    return problems + [f"{test} tests what no promise says" for test in sorted(known - promised)]


def unbroken(message: str, promises: Promises, failed: Iterable[str]) -> list[str]:
    """Return the promises that the wrong answer with `message` should break, and does not: none of
    their tests is among those that `failed`."""
    failed = set(failed)
    return [name for name, (broken, *held) in promises.items()
            if broken == message and not failed & {*held}]  # fmt: skip
