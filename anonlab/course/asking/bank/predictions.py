"""What the notebooks ask before something is shown, by name; what happens is measured there."""

from __future__ import annotations

from typing import NamedTuple

from anonlab.histories.bill import SIDES
from anonlab.rmap import DESIGNS

Part = dict[str, object]
"""One thing to answer, as a card shows it: its `kind`, its `text`, and what there is to choose."""


class Prediction(NamedTuple):
    """A question without points: its sentence, and what is to be answered."""

    ask: str
    parts: tuple[Part, ...]


def number(text: str, unit: str = "", most: int = 64) -> Part:
    """A whole number from 0 to `most`."""
    return {"kind": "number", "text": text, "least": 0, "most": most, "unit": unit}


def choice(text: str, *options: str) -> Part:
    """One of `options`."""
    return {"kind": "choice", "text": text, "options": list(options)}


def several(text: str, *options: str) -> Part:
    """Any of `options`, or none."""
    return {"kind": "several", "text": text, "options": list(options)}


def _numbers(*texts: str, unit: str = "") -> tuple[Part, ...]:
    return tuple(number(text, unit) for text in texts)


_HEX = tuple("0123456789abcdef")
_WRITERS = ("parent", "child", "nobody")
_STEPS = ("first_touch", "read_zero", "fork", "cow_copy", "cow_reuse", "mremap", "munmap")

_OBJECTIONS = (
    (
        "malloc",
        "A process forks 20 children. c5 maps new memory and writes a page there.",
        "Which designs look at more than one place to find it?",
    ),
    (
        "inherited",
        "The same 20 children. Now c5 writes a page that it has from its parent.",
        "Which designs look at more than one place to find it?",
    ),
    (
        "offsets",
        "Eight children, and each maps and writes a page of its own at the same address.",
        "Which designs look at more than one place to find the page of c8?",
    ),
    (
        "reading",
        "A child moves eight pages that it shares with its parent. Nobody writes.",
        "Which designs copy pages?",
    ),
    (
        "swapped",
        "Eight shared pages are on swap. The child moves its range, and then both only read.",
        "Which designs copy pages?",
    ),
    (
        "merging",
        "A process writes two pages in two places, and moves the second next to the first.",
        "Under which designs does it keep two VMAs?",
    ),
    (
        "vma",
        "A page that nine processes share goes to swap.",
        "Which designs must look up VMAs for that?",
    ),
    (
        "strangers",
        "Eight children. All but c8 unmap what they inherited, and so does the parent. c8 has four "
        "pages.",
        "Which designs look at more than four places to find them?",
    ),
)

PREDICTIONS: dict[str, Prediction] = {
    "00 frames": Prediction(
        "The child must have all of the parent's memory: two written pages.",
        (
            number("How many frames does fork take?", "frames"),
            number("How many frames does the child's write of one page take?", "frames"),
        ),
    ),
    "01 slots": Prediction(
        "The first write goes to 0x3a000. Which slots are filled after it?",
        (
            choice("The slot of the top table", *_HEX),
            choice("The slot of the table below it", *_HEX),
        ),
    ),
    "02 how many": Prediction(
        "How many VMAs does the editor have after each of the five operations behind spawn?",
        _numbers(*(f"After operation {at}" for at in range(1, 6)), unit="VMAs"),
    ),
    "03 frames": Prediction(
        "How many frames are used? Frame 0, the zero page, is always there and does not count.",
        _numbers(
            "After the read", "After the first write", "After the second write", unit="frames"
        ),
    ),
    "04 frames": Prediction(
        "The shell forks.", (number("How many frames does the fork take?", "frames"),)
    ),
    "04 words": Prediction(
        "The shell has written 0x30000 and 0x31000 and read 0x32000. Then it forks.",
        (
            several(
                "Which words are read-only after the fork?",
                *(
                    f"{who} {page:#x}"
                    for who in ("shell", "child")
                    for page in range(0x30000, 0x34000, 0x1000)
                ),
            ),
        ),
    ),
    "05 first write": Prediction(
        "The first of three writes after the fork.",
        (choice("Who has a new frame after it?", *_WRITERS),),
    ),
    "05 second write": Prediction(
        "The second of three writes after the fork.",
        (choice("Who has a new frame after it?", *_WRITERS),),
    ),
    "05 third write": Prediction(
        "The third of three writes after the fork.",
        (choice("Who has a new frame after it?", *_WRITERS),),
    ),
    "06 frames": Prediction(
        "How many frames are in use? The zero page does not count. The arguments and the stack of "
        "ls take two frames.",
        _numbers(
            "After the fork",
            "After the child's write",
            "After execve",
            "After the shell's write",
            "At the end",
            unit="frames",
        ),
    ),
    "07 frames": Prediction(
        "The child moves its three pages.",
        (several("Which of them keep their frames?", "0x30000", "0x31000", "0x32000"),),
    ),
    "08 words": Prediction(
        "The parent sends both pages to swap. How many words become swap entries?",
        _numbers("For the first page", "For the second page", unit="words"),
    ),
    "08 looked at": Prediction(
        "At how many address spaces does the kernel look?",
        _numbers("For the first page", "For the second page", unit="address spaces"),
    ),
    "09 one look": Prediction(
        "A server forks 50 workers. Each writes a page of its own, and none calls execve.",
        (several("Which designs find each own page with one look?", *DESIGNS),),
    ),
    "09 fork": Prediction(
        "The same server, the same 50 forks.",
        (choice("Which design makes the most objects?", *DESIGNS),),
    ),
    "10 today": Prediction(
        "Eleven operations run on the model, with the design of today, anon_vma_chain, and on "
        "Linux.",
        (number("After how many of them do the two differ?", "operations", 11),),
    ),
    "10 the group": Prediction(
        "The same eleven operations run with the group of the mail.",
        (number("After which operation do the two differ for the first time?", "", 11),),
    ),
    "10 graph": Prediction(
        "Three processes map page 0x30. The last one has it at 0x40000.",
        (
            {"kind": "text", "text": "Which index does the page have?", "how": "hex, such as 0x12"},
            number("How many VMAs hang on its anon_vma?", "VMAs"),
        ),
    ),
    "10 price": Prediction(
        "Seven steps were timed on both, in one run.",
        (
            several(
                "Which step costs Linux most for a page, and in which is the simulator slower?",
                *_STEPS,
            ),
        ),
    ),
    "11 scan": Prediction(
        "Ten processes share one page, and each has 100 entries. All were just used. Nobody uses "
        "the page again.",
        (
            number(
                "At how many entries does the scan of 2.4 look until the page is free?",
                "entries",
                5000,
            ),
            number("And a kernel with a reverse map?", "entries", 5000),
        ),
    ),
    "11 chains": Prediction(
        "1,000 processes share 1 GiB. A block of 32 bytes has room for 7 entries.",
        (choice("How large are the chains?", "1 MiB", "32 MiB", "256 MiB", "more than 1 GiB"),),
    ),
    **{
        f"11 {name}": Prediction(ask, (several(text, *DESIGNS),)) for name, ask, text in _OBJECTIONS
    },
    "11 complexity": Prediction(
        "Each design is one file here, and uses some of the same hooks.",
        (choice("Which one has the fewest lines of code?", *DESIGNS),),
    ),
    "11 moves": Prediction(
        "Four programs were recorded: a shell pipeline, make with two jobs, Python with threads, "
        "and Python that makes a long list longer, before and after a fork.",
        (number("How many of their mremap calls meet a page that is shared?", "calls"),),
    ),
    "12 rules": Prediction(
        "Three bugs: the leak, a page lost after a fork, a page lost although it was alone.",
        (several("Under which rules does none of them show?", "2004", "2005", "2020", "2022"),),
    ),
    "10 report": Prediction(
        "Read the five claims above this cell again.",
        (several("Which of them are true?", "1", "2", "3", "4", "5"),),
    ),
    "13 copies": Prediction(
        "The child saves about 28,000 shared pages. Meanwhile 2,000 of 100,000 keys change.",
        (
            choice("How many of the shared pages are copied?", "fewer than half", "more than half"),
            choice("Who makes most of the copies?", *SIDES),
            choice(
                "Which memory is copied most?",
                "stack",
                "heap",
                "anonymous mappings",
                "data of libc.so.6",
            ),
        ),
    ),
}
