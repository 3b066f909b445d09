"""Questions of notebooks 01 to 05."""

from __future__ import annotations

from anonlab.course.asking.measures import decision
from anonlab.course.asking.questions import BankQuestion, Number, Order, OrderStep, Table, TableRow
from anonlab.course.judging.state import state_after
from anonlab.formats.history_text import parse
from anonlab.histories.splitmix import SplitMix64
from anonlab.machine.words import LESSON, X86_64

_PAIR = """parent = spawn
parent mmap 0x30000 4
parent write 0x30000 7 4
child = fork parent
"""


def slot(rng: SplitMix64) -> tuple[str, int]:
    """Ask for one index of an x86-64 address."""
    address, level = rng.below(1 << 47), rng.between(1, 3)
    text = (
        f"x86-64 has four levels of nine bits, and twelve bits for the byte in a page. Which slot "
        f"of the table at level {level} does {address:#x} use? The top table is level 0."
    )
    return text, int(X86_64.index(address >> 12, level))


def address(rng: SplitMix64) -> tuple[str, int]:
    """Ask for the address that two slots and an offset make."""
    vpn, offset = rng.below(LESSON.npages), rng.below(4096)
    top, leaf = (int(LESSON.index(vpn, level)) for level in (0, 1))
    text = (
        f"In the lesson machine an address uses slot {top:x} of the top table and slot {leaf:x} of "
        f"the table below. Its offset is {offset:#x}. Which address is it?"
    )
    return text, (vpn << 12) + offset


def digits(rng: SplitMix64) -> tuple[str, int]:
    """Ask for the slot of the lower table that an address of five digits uses."""
    top, leaf, offset = rng.between(1, 9), rng.between(1, 9), rng.below(4096)
    text = (
        f"The lesson machine again. The program uses address 0x{top:x}{leaf:x}{offset:03x}. Which "
        "slot of the lower table does it use?"
    )
    return text, leaf


def index(rng: SplitMix64) -> tuple[str, int]:
    """Ask for the index of a page in the middle of an area."""
    start, pages = 0x20 + rng.below(0x60), rng.between(3, 8)
    at = start + rng.between(1, pages - 1)
    history = f"p = spawn\np mmap {start << 12:#x} {pages}\np write {at << 12:#x} 7\n"
    text = (
        f"A program maps {pages} pages at {start << 12:#x}. It writes to {(at << 12) + 0x10:#x}. "
        "Which index does its page have then?"
    )
    return text, max(state_after(parse(history)).index)


PAGES: dict[str, BankQuestion] = {
    "00 digits": Number(
        digits,
        "The first digit chooses a slot of the top table, and the second one of the table below.",
    ),
    "01 slot": Number(
        slot,
        "Shift the address right by twelve, and by nine more for each level below. Keep nine bits.",
    ),
    "01 address": Number(
        address, "Each slot is one hex digit. The offset is the last three digits."
    ),
    "02 order": Order(
        "munmap takes two pages out of the middle of a VMA. In which order do the steps come?",
        {
            "b": OrderStep("split the VMA at the end of the range"),
            "e": OrderStep("split the VMA at the start of the range"),
            "a": OrderStep(
                "clear the entries of the range",
                "be",
                "A split needs memory and may fail. Until then nothing may be changed.",
            ),
            "d": OrderStep(
                "remove the VMA inside the range",
                "be",
                "Before both splits the VMA has pages that must stay.",
            ),
        },
        {"c": ("copy the pages to other frames", "nothing moves. What stays keeps its frame.")},
    ),
    "03 index": Number(
        index, "It is the number of the page: the address without its last three hex digits."
    ),
    "04 order": Order(
        "fork has made an empty address space for the child. In which order do the steps come?",
        {
            "d": OrderStep("copy the VMAs"),
            "a": OrderStep(
                "link the child to the reverse map, so that it joins the group",
                why="This step and the copying of the VMAs may change places.",
            ),
            "e": OrderStep(
                "write-protect the entries, and share the pages",
                "da",
                "An entry needs a VMA around it. And a walk must be able to find everybody who "
                "shares a page. Linux does these three for one VMA after the other.",
            ),
            "c": OrderStep(
                "flush what the processor remembers of the parent's old entries",
                "e",
                "Before that step the old entries are still right: the processor would only "
                "remember them again. Linux flushes once, at the end.",
            ),
        },
        {
            "b": (
                "copy the pages",
                "fork copies entries. A page is copied later, when somebody writes it.",
            )
        },
    ),
    "05 table": Table(
        "A process writes. Does the kernel copy the page or reuse it? Or is there no fault at all "
        "(nothing)? The rule is that of 2004.",
        decision,
        ("copy", "reuse", "nothing"),
        (
            TableRow(
                "The child writes a page that it shares with its parent.",
                _PAIR + "child write 0x30000 9\n",
                "Two entries name the frame, so its count is 2.",
            ),
            TableRow(
                "After that, the parent writes the same page.",
                _PAIR + "child write 0x30000 9\nparent write 0x30000 5\n",
                "The child has a copy. The parent is alone with the frame. Only W is missing.",
            ),
            TableRow(
                "After that, the parent writes it once more.",
                _PAIR + "child write 0x30000 9\nparent write 0x30000 5 1\nparent write 0x30000 6\n",
                "W is there. The machine writes, and the kernel hears nothing of it.",
            ),
            TableRow(
                "A process writes a new page that it has only read so far.",
                "p = spawn\np mmap 0x30000 1\np read 0x30000\np write 0x30000 7\n",
                "The page shows the zero page, which belongs to all. The writer gets a new frame.",
            ),
            TableRow(
                "The child has exited. The parent writes a page that they shared.",
                _PAIR + "child exit\nparent write 0x30000 5\n",
                "exit takes the entry of the child away. Nobody else is left.",
            ),
            TableRow(
                "The same, but a device has pinned the frame before the fork.",
                _PAIR.replace("child = fork", "parent pin 0x30000\nchild = fork")
                + "child exit\nparent write 0x30000 5\n",
                "The pin counts, too. The count is 2, though one entry names the frame.",
            ),
        ),
    ),
}
