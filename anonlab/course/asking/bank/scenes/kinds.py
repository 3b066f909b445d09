"""What a scene is: a story on the stage, what is asked on the way, and how the truth is measured.

What is right is measured on the recorded story. `why` reacts to what was answered: by the number
of an option, by a number, or "else" for any other answer that is not right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from anonlab.course.asking.bank.predictions import Part
from anonlab.course.asking.diff import frames_used, page_table_words, processes_with_new_frames
from anonlab.formats.trace import Step
from anonlab.machine.words import PTE_PRESENT, PTE_SHIFT

Truth = Callable[[Step, Step], object]
"""What is right, from the step before the operation and its last step: an option or options by
their text, or a number."""


class Asked(NamedTuple):
    """One thing that is asked: what stands on the card, what is right, and what is said to an
    answer."""

    part: Part
    truth: Truth
    why: dict[str, str] = {}  # noqa: RUF012  a NamedTuple's default is never changed


class Question(NamedTuple):
    """A card before the operation with the text `before`; `explain` opens with the truth."""

    before: str
    ask: str
    asked: tuple[Asked, ...]
    explain: str


class Scene(NamedTuple):
    """A story that opens after the operation with the text `opens`, and its questions.

    rule  the year whose rule holds, of proof.famous_bugs.RULES; '' for that of the design
    """

    title: str
    story: str
    opens: str
    questions: tuple[Question, ...] = ()
    rule: str = ""


def users_of_frame(pfn: int) -> Truth:
    """The processes with an entry that names frame `pfn` before the operation."""

    def found(before: Step, after: Step) -> object:
        words = page_table_words(before.snapshot).items()
        return sorted({who for (who, _), word in words
                       if word & PTE_PRESENT and word >> PTE_SHIFT == pfn})  # fmt: skip

    return found


def who_has_a_new_frame(before: Step, after: Step) -> object:
    """The process whose page has another frame after the operation, or nobody."""
    return processes_with_new_frames(before.snapshot, after.snapshot)


def frames_taken(before: Step, after: Step) -> object:
    """How many frames more are in use after the operation."""
    return frames_used(after.snapshot) - frames_used(before.snapshot)
