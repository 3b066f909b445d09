"""Exercises whose answer is a history: read it, run it, and see what it shows.

A student's function returns the text of a history. It is evidence, not a claim: everything is taken
from running it here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.families import MACHINE
from anonlab.course.judging.state import MachineState
from anonlab.errors import FormatError
from anonlab.formats.history import History
from anonlab.formats.history_text import parse
from anonlab.histories.run import op_text, run
from anonlab.kernel import Kernel
from anonlab.machine.words import LESSON, PTE_PRESENT, PTE_SHIFT
from anonlab.proof.fuzz import run_checked
from anonlab.proof.mutants import MUTANTS, planted
from anonlab.rmap import DESIGNS

MOST_FRAMES = 4096
"""Frames, swap slots and pages of a file that a student's history may ask for: it is run in the
process that judges, which must not run out of memory or time."""
MOST_CHARACTERS = 20_000
"""Of its text, which is read there, too."""


class HistoryAnswer(NamedTuple):
    """A student's history, and the kernel after it."""

    history: History
    kernel: Kernel

    @property
    def nops(self) -> int:
        """How many operations it has."""
        return len(self.history.ops)


def read_history_answer(
    student: Any, most: int, function: str = "history", design: str = "anongroup"
) -> HistoryAnswer:
    """Return the history that the student's `function` returns, run under `design`.

    raises  Wrong if it is no text or no history, longer than `most` operations, or if an operation
            fails: the message names the line
    """
    text = getattr(student, function)()
    if not isinstance(text, str):
        raise Wrong(f"{function}() returns the text of a history, yours {type(text).__name__}")
    if len(text) > MOST_CHARACTERS:
        raise Wrong(
            f"your history has {len(text):,} characters, allowed are {MOST_CHARACTERS:,}; {most} "
            "operations need fewer"
        )
    try:
        history = parse(text)
        if not history.ops:
            raise Wrong(f"{function}() returns a history without operations")
        if len(history.ops) > most:
            raise Wrong(f"your history has {len(history.ops)} operations, allowed are {most}")
        if _too_large(history):
            raise Wrong(
                "your history needs another machine than the lesson's, or more than "
                f"{MOST_FRAMES:,} frames, swap slots or pages of a file: fewer show the same"
            )
        done = run(history, design)
    except FormatError as error:
        raise Wrong(f"your history cannot be read: {error}") from None
    for op, outcome in zip(history.ops, done.outcomes, strict=True):
        if outcome.error:
            raise Wrong(f"line {op.line}, {op_text(op)!r}, fails: {outcome.error}")
    return HistoryAnswer(history, done.kernel)


def _too_large(history: History) -> bool:
    """Return whether a history needs more than MOST_FRAMES of something. On the lesson's machine
    an address space has few pages; files have as many as one likes."""
    machine = history.machine
    sizes = [int(op.args.get(name, 0)) for op in history.ops for name in ("pages", "npages")]
    largest = max(machine.frames, machine.swap, machine.tables, *sizes)
    return largest > MOST_FRAMES or machine.geometry != MACHINE.geometry


def sharing(state: MachineState) -> dict[str, list[list[str]]]:
    """Return who shares what: for each address with private anonymous pages, the processes that
    have one there, those that map the same frame together."""
    groups: dict[int, dict[int, list[str]]] = {}
    for who in state.words:
        for vpn, word in state.private(who).items():
            if word & PTE_PRESENT and word >> PTE_SHIFT:
                groups.setdefault(vpn, {}).setdefault(word >> PTE_SHIFT, []).append(who)
    return {
        LESSON.address(vpn): sorted(sorted(names) for names in frames.values())
        for vpn, frames in sorted(groups.items())
    }


def sharing_text(state: dict[str, list[list[str]]]) -> str:
    """Say who shares what, one address per line."""
    lines = []
    for address, groups in state.items():
        parts = [
            f"{names[0]} alone" if len(names) == 1 else f"{' and '.join(names)} share one frame"
            for names in groups
        ]
        lines.append(f"    {address}: {', '.join(parts)}")
    return "\n".join(lines) or "    no pages at all"


def mutant_failure(history: History, name: str) -> str:
    """Return what the checks say of `history` when the mutant `name` is planted; '' if nothing:
    the mutant lives."""
    mutant = MUTANTS[name]
    with planted(mutant):
        failures = run_checked(history, DESIGNS[mutant.design]).failures
    return failures[0].rstrip().splitlines()[-1].removeprefix("# ") if failures else ""


def mutant_failures(history: History, names: Sequence[str]) -> dict[str, str]:
    """Return what each of the mutants `names` is killed by, '' for those that live."""
    return {name: mutant_failure(history, name) for name in names}
