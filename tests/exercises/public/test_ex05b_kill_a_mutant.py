"""Exercise 05b: a history that shows a bug of copy on write."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.history_answers import (
    HistoryAnswer,
    mutant_failure,
    read_history_answer,
)
from anonlab.histories.splitmix import SplitMix64

MOST = 40
MUTANTS = {
    "shared": "a page is reused while it is shared",
    "never": "a page is never reused",
    "parent": "fork leaves the parent writable",
    "contents": "copy on write loses the contents",
}


def mutant(seed: int) -> str:
    """The mutant of a variant; seed 0 is for self-study."""
    names = list(MUTANTS.values())
    return names[SplitMix64(seed).below(len(names))] if seed else names[0]


def statement(seed: int) -> str:
    """What is to be killed."""
    return f"kill this mutant: {mutant(seed)}"


def why(mine: HistoryAnswer, name: str) -> str:
    """What may be missing in a history that kills nothing."""
    verbs = [op.verb for op in mine.history.ops]
    if "fork" not in verbs:
        return "Did you fork? Without a fork nobody shares a page."
    at = verbs.index("fork")
    if "write" not in verbs[:at]:
        return "Did you touch the page before the fork? A page that is not there cannot be shared."
    if "write" not in verbs[at:]:
        return "Did anybody write after the fork? Until then nothing is decided."
    before = {page for op in mine.history.ops[:at] if op.verb == "write" for page in pages(op)}
    after = {page for op in mine.history.ops[at:] if op.verb == "write" for page in pages(op)}
    if not before & after:
        return "Did you write another page than the shared one? Only a shared page can be copied."
    if name == MUTANTS["never"]:
        return (
            "Did somebody write who is alone with the page? The other must have left, or written."
        )
    return "Did the right process write? Think of who must not see the other's write."


def pages(op: Any) -> set[int]:
    """The pages of an operation."""
    first = int(op.args["addr"]) >> 12
    return set(range(first, first + int(op.args.get("pages", 1))))


def killer(student: Any, seed: int) -> HistoryAnswer:
    """The student's history, if it kills the mutant."""
    name = mutant(seed)
    mine = read_history_answer(student, MOST)
    if not mutant_failure(mine.history, name):
        raise Wrong(f"the mutant lives: {name}", guess=why(mine, name))
    return mine


def test_kills_the_mutant(student: Any, seed: int) -> None:
    """The history kills the mutant."""
    killer(student, seed)
