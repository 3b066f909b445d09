"""Exercise 09a: the student's design under random histories, held against a scan after each step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.families import histories
from anonlab.course.judging.marks import needs
from anonlab.course.judging.student import explains
from anonlab.course.judging.student_design import PlainDesign
from anonlab.formats.history import History
from anonlab.formats.history_text import parse
from anonlab.proof.fuzz import Tally, run_checked
from anonlab.proof.shrink import shrink

FAMILIES = ("forked", "family", "moved", "moved_swapped", "mixed")
REASONS = (
    (
        "misses",
        "execve",
        "Did you keep the old group after execve, or lose it? The new address space starts a new one.",
    ),
    (
        "misses",
        "swap_out",
        "Did you forget that a page can come back from swap at another address, or in another process? add and clash tell you.",
    ),
    (
        "misses",
        "mremap",
        "Did you forget to follow mremap? The page is at a new place, or must be copied because you cannot follow.",
    ),
    (
        "misses",
        "fork",
        "Did you forget what fork does? The child maps every page of its parent: dup tells you, or the group must.",
    ),
    ("misses", "", "Did you forget a place? Every add makes one."),
    (
        "which is gone",
        "",
        "Did you keep an address space after drop_mm? A walk may not look there any more.",
    ),
    ("candidates", "", "Did you return something else than a list of (mm, vpn)?"),
    ("repeat", "", "Did you name a place twice?"),
)


def run(student: Any, history: History) -> tuple[Tally, str]:
    """Run a history under the student's design; return what was counted, and what went wrong."""
    tally = run_checked(history, lambda: PlainDesign(student.Design()))
    text = tally.failures[0].rstrip().splitlines()[-1].removeprefix("# ") if tally.failures else ""
    if "NotImplementedError" in text:
        student.Design().new_mm(1)  # says itself that it is not written yet
    return tally, text


def survive(student: Any, cases: Iterator[History] | Sequence[History]) -> Tally:
    """Run every history; Wrong with the shortest that fails."""
    total = Tally()
    for history in cases:
        tally, wrong = run(student, history)
        if wrong and not explains(student):
            raise Wrong(wrong)
        if wrong:
            failed = parse(tally.failures[0])
            short = shrink(failed, lambda shorter: bool(run(student, shorter)[1]))
            text = run(student, short)[1]
            raise Wrong(f"your design fails: {text}", guess=why(text, short),
                        history=replace(short, title=""))  # fmt: skip
        total.add(tally)
    return total


def why(text: str, history: History) -> str:
    """What may be the reason."""
    verbs = {op.verb for op in history.ops}
    for part, verb, message in REASONS:
        if part in text and (not verb or verb in verbs):
            return message
    if "LookupError" in text or "KeyError" in text or "IndexError" in text:
        return "Did you look up a page or an address space that you were told is gone, or never told of?"
    return "Did you follow every hook? The history below is the shortest that shows it."


def test_forks_and_writes(student: Any, seed: int) -> None:
    """The design finds every mapping while processes fork, write, exec and exit."""
    survive(student, histories(FAMILIES[:2], seed, 6, 24))


@needs("test_forks_and_writes")
def test_moves(student: Any, seed: int) -> None:
    """The design follows mremap."""
    survive(student, histories(FAMILIES[2:3], seed, 6, 24))
