"""The points for array operations: how a student's work grows with the number of pages.

A step is a line of the student's that runs, a call of a function, a turn of a loop (box/steps.py).
Operations on whole arrays need as many for 800 pages as for 100; whatever goes from page to page
needs hundreds more. Seconds are never asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from anonlab.box.plain_data import same
from anonlab.course.judging.call_answers import Guesses, Question, Wrong, judge_all
from anonlab.machine.words import PAGE_SIZE

FEW, MANY = 100, 800
"""Pages of the two calls that are compared."""
MORE = 50
"""So many steps more for MANY than for FEW give the points. A loop over one in ten pages makes
more; one over levels, bits or kinds of words makes none."""
BLOCK, BASE = 10, 0x20000
"""Pages of one kind side by side, and the address of the first."""
STEP = "a step is a line that runs, a call of a function of yours, or a turn of a loop"


def blocks(npages: int, kinds: tuple[tuple[str, ...], ...], seed: int) -> Iterator[str]:
    """Yield lines of a history for `npages` pages from BASE: BLOCK pages of each kind in turn.

    kinds  the lines of each kind; `{at}` stands for the address of a block, `{n}` for its pages
    """
    for number in range(npages // BLOCK):
        at = f"{BASE + number * BLOCK * PAGE_SIZE:#x}"
        for line in kinds[(number + seed) % len(kinds)]:
            yield line.format(at=at, n=BLOCK)


def judge_steps(
    student: Any, few: Question, many: Question, how: str, guesses: Guesses | None = None
) -> None:
    """Ask for FEW pages and for MANY, and compare the steps.

    how     the array operation that does it, for the message
    raises  Wrong for a wrong answer, or for more steps than the statement allows
    """
    __tracebackhide__ = True
    steps = []
    for question in (few, many):
        answer, made = student.counted(question.function, question.args)
        if not same(question.right, answer):
            judge_all(student, [few, many], guesses)
            raise Wrong("the answer is another one while steps are counted", question.about)
        steps.append(made)
    more = steps[1] - steps[0]
    if more > MORE:
        raise Wrong(
            f"right, but page by page: {steps[0]:,} steps for {FEW} pages, {steps[1]:,} for {MANY}",
            STEP,
            expected=f"at most {MORE} steps more for {MANY} pages than for {FEW}",
            got=f"{more:,} more",
            guess=f"An operation on the whole array needs no loop: {how}.",
        )
