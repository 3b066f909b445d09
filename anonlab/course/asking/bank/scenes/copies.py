"""The scenes of notebooks 04 to 05b: fork, and copy on write."""

from __future__ import annotations

from anonlab.course.asking.bank.predictions import mark, number
from anonlab.course.asking.bank.scenes.kinds import (
    Asked,
    Question,
    Scene,
    entries_in_swap,
    frames_taken,
    read_only_entries,
)

_FORK = """machine lesson frames 8 swap 0
shell = spawn
shell mmap 0x30000 4
shell write 0x30000 7 2
shell read 0x32000
child = fork shell
"""
_SWAPPED = """machine lesson frames 8 swap 4
shell = spawn
shell mmap 0x30000 2
shell write 0x30000 7 2
shell swap_out 0x30000
child = fork shell
"""

COPIES: dict[str, Scene] = {
    "04 fork": Scene(
        "A shell forks",
        _FORK,
        "shell read 0x32000",
        (
            Question(
                "child = fork shell",
                "The child must find every page as it was. Now the kernel fills its table.",
                (
                    Asked(
                        number("How many frames does the fork take?", "frames"),
                        frames_taken,
                        {
                            "1": "You said 1. Look at the memory: no frame came into use.",
                            "2": "You said 2, a full copy. Look at frame 1 and frame 2: A and B "
                                 "use each of them.",
                            "3": "You said 3, a full copy with the zero page. Look at frame 1 and "
                                 "frame 2: A and B use each of them.",
                            "4": "You said 4, a frame for each page. Look at page 0x33000: nobody "
                                 "has touched it, so there is nothing to copy.",
                            "else": "Look at the memory: the same frames are in use as before.",
                        },
                    ),
                    Asked(
                        mark("Mark every entry that is read-only after the fork."),
                        read_only_entries,
                        {"else": "Look at both tables. The shell lost its right to write, too. The "
                                 "page that was only read shows the zero page. It was read-only "
                                 "before, and it is read-only now."},
                    ),
                ),
                "fork took no frame. It copied page-table entries, and it took the right to write "
                "out of both tables. If the shell kept that right, it could change what the child "
                "reads.",
                at="fork.share_ptes",
            ),
        ),
    ),
    "04 swap": Scene(
        "A shell forks, and one page is in swap",
        _SWAPPED,
        "shell swap_out 0x30000",
        (
            Question(
                "child = fork shell",
                "The first page of the shell is on the disk, in swap slot 1. The shell forks.",
                (
                    Asked(
                        number("How many page-table entries name swap slot 1 after the fork?",
                               "entries", 8),
                        entries_in_swap,
                        {
                            "0": "You said 0. Look at both tables: the page stays in swap.",
                            "1": "You said 1. Look at table B: the child must find the page, too.",
                            "else": "Look at page 0x30000 in both tables.",
                        },
                    ),
                    Asked(
                        number("How many frames does the fork take?", "frames", 8),
                        frames_taken,
                        {"else": "Look at the memory: the same frames are in use. The page need "
                                 "not be in memory to be shared."},
                    ),
                ),
                "The entry of a page in swap is not empty. It holds the number of the slot. fork "
                "copies this number, and it counts one more user of the slot.",
            ),
        ),
    ),
}  # fmt: skip
