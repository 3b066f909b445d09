"""The scenes of notebook 00: two programs and one page."""

from __future__ import annotations

from anonlab.course.asking.bank.predictions import choice, number, several
from anonlab.course.asking.bank.scenes.kinds import (
    Asked,
    Question,
    Scene,
    frames_taken,
    users_of_frame,
    who_has_a_new_frame,
)

_TWO = """machine lesson frames 8 swap 0
shell = spawn
shell mmap 0x30000 1
shell write 0x30000 7
child = fork shell
child write 0x30000 9
shell write 0x30000 5
"""

START: dict[str, Scene] = {
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
