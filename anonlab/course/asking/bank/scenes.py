"""The scenes of the notebooks, by name: a story on the stage, and what is asked on the way.

What is right is measured on the recorded story. `why` reacts to what was answered: by the number
of an option, by a number, or "else" for any other answer that is not right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from anonlab.course.asking.bank.predictions import Part, choice, number, several
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
    """A story that opens after the operation with the text `opens`, and its questions."""

    title: str
    story: str
    opens: str
    questions: tuple[Question, ...] = ()


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


_TWO = """machine lesson frames 8 swap 0
shell = spawn
shell mmap 0x30000 1
shell write 0x30000 7
child = fork shell
child write 0x30000 9
shell write 0x30000 5
"""

SCENES: dict[str, Scene] = {
    "00 first look": Scene("Two programs, one page", _TWO, "child = fork shell"),
    "00 who uses it": Scene(
        "Who uses frame 1?",
        _TWO,
        "child = fork shell",
        (
            Question(
                "child write 0x30000 9",
                "Look at the arrows before you go on.",
                (
                    Asked(
                        several("Which programs use frame 1?", "shell", "child"),
                        users_of_frame(1),
                        {"else": "Follow the arrows back from frame 1: one begins in table A, one "
                                 "in table B."},
                    ),
                    Asked(
                        choice("The child writes. Who has a new frame after it?",
                               "shell", "child", "nobody"),
                        who_has_a_new_frame,
                        {
                            "0": "You said the shell. Look at table A: its arrow stays at frame 1.",
                            "2": "You said nobody. Then the shell would read the 9, too. Look at "
                                 "frame 1: it still holds 7.",
                        },
                    ),
                ),
                "Two programs used one frame, so nobody was allowed to write there. The kernel "
                "copied the page for the program that wrote. This is copy on write.",
            ),
            Question(
                "shell write 0x30000 5",
                "Now the shell writes, too.",
                (
                    Asked(
                        number("How many frames does this write take?", "frames", 4),
                        frames_taken,
                        {
                            "1": "You said 1, another copy. Look at frame 1: only A uses it now.",
                            "else": "Look at the memory: the same frames are in use.",
                        },
                    ),
                ),
                "Only the shell uses frame 1 now. It may write in place, so nothing is copied.",
            ),
        ),
    ),
}  # fmt: skip
