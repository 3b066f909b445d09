"""The scenes of notebook 08: a shared page goes to swap and comes back."""

from __future__ import annotations

from anonlab.course.asking.bank.predictions import number
from anonlab.course.asking.bank.scenes.kinds import (
    Asked,
    Question,
    Scene,
    entries_in_swap,
    frames_taken,
)
from anonlab.course.asking.bank.scenes.truths import entries_made, looks_before

_SHARED = """parent = spawn
parent mmap 0x30000 2
parent write 0x30000 7 2
child = fork parent
grandchild = fork child
child write 0x31000 9
parent swap_out 0x30000
"""

WALKS: dict[str, Scene] = {
    "08 swap out": Scene(
        "A shared page goes to swap",
        _SHARED + "parent swap_out 0x31000\n",
        "child write 0x31000 9",
        (
            Question(
                "parent swap_out 0x30000",
                "The kernel sends frame 1 to swap. All three processes use it.",
                (
                    Asked(
                        number("How many page-table entries become swap entries?", "entries", 6),
                        entries_made,
                        {
                            "1": "You said 1, the parent's. But B and C would still lead to frame "
                                 "1, and somebody else gets this frame next.",
                            "else": "Look at the first line of A, B and C: each had an arrow to "
                                    "frame 1. Each names the slot now.",
                        },
                    ),
                    Asked(
                        number("At how many address spaces does it look?", "spaces", 6),
                        looks_before("parent", 0x30000),
                        {"else": "The group has three members, and each of them has the page."},
                    ),
                ),
                "Three entries became swap entries. Each had to be found first: frame 1 does not "
                "say who uses it. The kernel took the group of the page and its one address, and "
                "looked there in each address space.",
            ),
            Question(
                "parent swap_out 0x31000",
                "Now frame 2 goes. The child has a page of its own at this address.",
                (
                    Asked(
                        number("How many page-table entries become swap entries?", "entries", 6),
                        entries_made,
                        {
                            "3": "You said 3. Look at the second line of B: the child's own page "
                                 "is still in memory, in frame 3.",
                            "else": "Look at the second line of A and C: these two had an arrow "
                                    "to frame 2.",
                        },
                    ),
                    Asked(
                        number("At how many address spaces does it look?", "spaces", 6),
                        looks_before("parent", 0x31000),
                        {
                            "2": "You said 2, those that use the page. The kernel does not know "
                                 "before it has looked: the child is in the group, too.",
                            "else": "The group still has three members.",
                        },
                    ),
                ),
                "Two entries became swap entries, and the kernel looked at three places. A place "
                "where it looks is a candidate. The child was one, but its table names another "
                "frame. So the kernel looked there in vain.",
            ),
        ),
    ),
    "08 swap in": Scene(
        "The page comes back",
        _SHARED + "grandchild read 0x30000\nparent read 0x30000\n",
        "parent swap_out 0x30000",
        (
            Question(
                "grandchild read 0x30000",
                "Three entries name the slot. The grandchild reads the page.",
                (
                    Asked(
                        number("How many swap entries are left after it?", "entries", 6),
                        entries_in_swap,
                        {
                            "0": "You said 0, as if the page came back for all. Look at A and B: "
                                 "they still name the slot.",
                            "else": "Look at the first line of A, B and C: only the grandchild "
                                    "has an arrow again.",
                        },
                    ),
                ),
                "Two swap entries are left. The page came back for the one who touched it. The "
                "others still name the slot, so the page is in memory and on swap. It stands in "
                "the swap cache: there the kernel finds it by its slot.",
            ),
            Question(
                "parent read 0x30000",
                "Now the parent reads the page, too.",
                (
                    Asked(
                        number("How many frames does this read take?", "frames", 6),
                        frames_taken,
                        {
                            "1": "You said 1, a copy from the disk. Look at table A: its arrow "
                                 "leads to the grandchild's frame.",
                            "else": "Look at the memory: no frame more is in use.",
                        },
                    ),
                ),
                "The read took no frame. The kernel found the page in the swap cache, by the "
                "number of its slot. So parent and grandchild share one frame again, as before.",
            ),
        ),
    ),
}  # fmt: skip
