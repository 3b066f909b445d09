"""The scenes of notebooks 01 to 03: page tables, VMAs, and pages that are read or written."""

from __future__ import annotations

from anonlab.course.asking.bank.predictions import choice, mark, number
from anonlab.course.asking.bank.scenes.kinds import (
    Asked,
    Question,
    Scene,
    areas_after,
    count_of,
    did_it_work,
    frames_taken,
    is_there_a_fault,
    mapcount_of,
    new_entries,
    top_slot_filled,
)

_TOUCHES = """machine lesson frames 8 swap 0
shell = spawn
shell mmap 0x38000 4
shell write 0x3a000 7
shell write 0x39000 8
shell read 0x38000
"""
_AREAS = """machine lesson frames 8 swap 0
editor = spawn
editor mmap 0x30000 6
editor write 0x30000 1 6
editor mprotect 0x33000 3 r
editor munmap 0x32000 2
editor mprotect 0x34000 2 rw
"""
_RIGHTS = """machine lesson frames 8 swap 0
editor = spawn
editor mmap 0x30000 2
editor read 0x30000
editor write 0x30000 7
editor mprotect 0x30000 1 r
editor write 0x30000 8
"""
_LOOKING = """machine lesson frames 8 swap 0
p = spawn
p mmap 0x30000 8
p read 0x30000 3
p write 0x30000 7
p write 0x34000 8
"""
_PINNED = """machine lesson frames 8 swap 0
p = spawn
p mmap 0x30000 1
p write 0x30000 7
p pin 0x30000
"""


def _areas(why: dict[str, str]) -> Asked:
    return Asked(number("How many VMAs has the editor then?", "VMAs", 8), areas_after, why)


def _works(why: dict[str, str]) -> Asked:
    answers = "The write works.", "The program gets the signal SIGSEGV."
    return Asked(choice("What happens?", *answers), did_it_work(*answers), why)


PAGES: dict[str, Scene] = {
    "01 slots": Scene(
        "Three touches",
        _TOUCHES,
        "shell mmap 0x38000 4",
        (
            Question(
                "shell write 0x3a000 7",
                "The shell writes to address 0x3a000. No slot is filled yet.",
                (
                    Asked(
                        choice("Which slot of the top table is filled?", "0", "3", "a", "none"),
                        top_slot_filled,
                        {
                            "0": "You said 0, the first free one. But a slot is not handed out: "
                                 "the address chooses it.",
                            "2": "You said a. That is the second digit of 0x3a000. The first digit "
                                 "chooses in the top table.",
                            "3": "You said none. But the lower table must be found from the top "
                                 "table.",
                        },
                    ),
                    Asked(
                        mark("Mark the slot of the lower table that is filled."),
                        new_entries,
                        {"else": "Look for the second digit of the address, which is a."},
                    ),
                ),
                "Digit 3 of 0x3a000 chose a slot in the top table, and digit a chose one in the "
                "table below. The last three digits choose a byte in the page, and no table.",
            ),
            Question(
                "shell write 0x39000 8",
                "Now the shell writes to address 0x39000.",
                (
                    Asked(
                        choice("Which slot of the top table is filled by this write?",
                               "3", "9", "none"),
                        top_slot_filled,
                        {
                            "0": "You said 3. Slot 3 is needed, but the first write has filled it "
                                 "already.",
                            "1": "You said 9. That is the second digit. It chooses in the lower "
                                 "table.",
                        },
                    ),
                    Asked(
                        mark("Mark the slot of the lower table that is filled."),
                        new_entries,
                        {"else": "Look for the second digit of the address, which is 9."},
                    ),
                ),
                "Both addresses begin with 3, so both use the same lower table. A table is made "
                "when the first address below it is touched.",
            ),
        ),
    ),
    "02 areas": Scene(
        "An editor and its areas",
        _AREAS,
        "editor write 0x30000 1 6",
        (
            Question(
                "editor mprotect 0x33000 3 r",
                "The editor has one VMA of six pages. It makes the last three pages read-only.",
                (
                    _areas({
                        "1": "You said 1. But a VMA has one rule for all its pages.",
                        "3": "You said 3. Look at the lines above the table: there is one border, "
                             "so there are two VMAs.",
                        "6": "You said 6, one for each page. A VMA is a whole range of pages.",
                        "else": "Look at the lines above the table.",
                    }),
                ),
                "The VMA was split at the border. Each part has one rule.",
            ),
            Question(
                "editor munmap 0x32000 2",
                "The editor gives back two pages, 0x32000 and 0x33000. One lies on each side of "
                "the border.",
                (
                    _areas({
                        "1": "You said 1. The two parts still have different rules.",
                        "3": "You said 3. The hole lies at the border. It took a page from each "
                             "of the two, and split none.",
                        "else": "Look at the lines above the table.",
                    }),
                ),
                "Each VMA lost a page at its end. A hole in the middle of a VMA would split it.",
            ),
            Question(
                "editor mprotect 0x34000 2 rw",
                "The upper pages become writable again. Both VMAs have the same rule then.",
                (
                    _areas({
                        "1": "You said 1. But there is a hole between them, and a VMA has no "
                             "holes.",
                        "else": "Look at the lines above the table.",
                    }),
                ),
                "They have the same rule, but they do not touch. So they stay two.",
            ),
        ),
    ),
    "02 rights": Scene(
        "Two places that speak of rights",
        _RIGHTS,
        "editor read 0x30000",
        (
            Question(
                "editor write 0x30000 7",
                "The editor has read page 0x30000. Its page-table entry is read-only. The VMA "
                "says rw. Now the editor writes.",
                (
                    _works({"1": "You said SIGSEGV. But the VMA allows the write, so the kernel "
                                 "helps."}),
                ),
                "The entry does not allow the write, so there was a fault. The kernel looked at "
                "the VMA, which allows writing. It gave the page a frame and let the program go "
                "on.",
            ),
            Question(
                "editor write 0x30000 8",
                "Now mprotect has changed the rule of this page to r. The editor writes once more.",
                (
                    _works({"0": "You said that it works. Look at the line above the table: the "
                                 "rule of this page is r."}),
                ),
                "There was a fault again. This time the VMA forbids the write. So the kernel sends "
                "the signal SIGSEGV, and most programs end then.",
            ),
        ),
    ),
    "03 frames": Scene(
        "Looking and writing",
        _LOOKING,
        "p mmap 0x30000 8",
        (
            Question(
                "p read 0x30000 3",
                "p may use eight pages. It reads three of them.",
                (
                    Asked(
                        number("How many frames does the read take?", "frames", 16),
                        frames_taken,
                        {
                            "1": "You said 1. All three arrows lead to frame 0, and frame 0 is "
                                 "always there.",
                            "3": "You said 3. Look at the arrows: all three lead to frame 0.",
                            "8": "You said 8. Look at the table: only pages that were touched "
                                 "have an entry.",
                            "else": "Look at the arrows: all three lead to frame 0.",
                        },
                    ),
                ),
                "Whoever only reads new memory sees zeros. One frame of zeros is enough for all "
                "pages of all programs: the zero page, frame 0.",
            ),
            Question(
                "p write 0x30000 7",
                "Now p writes one of the pages that it has read.",
                (
                    Asked(
                        number("How many frames does the write take?", "frames", 16),
                        frames_taken,
                        {
                            "0": "You said 0. But nobody may write into the zero page: all others "
                                 "would read it.",
                            "3": "You said 3. Look at the other two arrows: they still lead to "
                                 "frame 0.",
                            "else": "Look at the memory: one frame more is in use.",
                        },
                    ),
                ),
                "The page has a frame of its own now. The other two still show the zero page.",
            ),
            Question(
                "p write 0x34000 8",
                "At last p writes a page that it has never touched.",
                (
                    Asked(
                        number("How many frames does this write take?", "frames", 16),
                        frames_taken,
                        {"else": "Look at the memory: one frame more is in use."},
                    ),
                    Asked(
                        choice("Is there a fault, so that the kernel is called?", "yes", "no"),
                        is_there_a_fault,
                        {"1": "You said no. But the page had no entry, and the machine cannot "
                              "make one."},
                    ),
                ),
                "Each first touch is a fault. A fault need not mean a disk: the kernel takes a "
                "free frame and fills it with zeros.",
            ),
        ),
    ),
    "03 pin": Scene(
        "A device holds a frame",
        _PINNED,
        "p write 0x30000 7",
        (
            Question(
                "p pin 0x30000",
                "One page-table entry names frame 1. Now a device pins the frame.",
                (
                    Asked(
                        number("What is the mapcount of frame 1 then?", "", 8),
                        mapcount_of(1),
                        {"2": "You said 2. But the device has no page table. Only one entry "
                              "names the frame.",
                         "else": "One entry names the frame."},
                    ),
                    Asked(
                        number("What is its count?", "", 8),
                        count_of(1),
                        {"1": "You said 1. But the device holds the frame, too.",
                         "else": "Add up the entries and the device."},
                    ),
                ),
                "mapcount counts the entries that name the frame. count counts everybody who "
                "holds it, with or without an entry.",
            ),
        ),
    ),
}  # fmt: skip
