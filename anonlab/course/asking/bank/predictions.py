"""What the notebooks ask before something is shown, by name; what happens is measured there."""

from __future__ import annotations

from typing import NamedTuple

from anonlab.histories.bill import SIDES
from anonlab.rmap import DESIGNS

Part = dict[str, object]
"""One thing to answer, as a card shows it: its `kind`, its `text`, and what there is to choose."""


class Prediction(NamedTuple):
    """A question without points: its sentence, what is to be answered, and the explanation that
    opens with what happened."""

    ask: str
    parts: tuple[Part, ...]
    explain: str = ""


def number(text: str, unit: str = "", most: int = 64) -> Part:
    """A whole number from 0 to `most` of `unit`, a plural such as "frames" or "entries"."""
    one = f"{unit[:-3]}y" if unit.endswith("ies") else unit.removesuffix("s")
    part = {"kind": "number", "text": text, "least": 0, "most": most}
    return part | {"unit": unit, "one": one}


def choice(text: str, *options: str) -> Part:
    """One of `options`."""
    return {"kind": "choice", "text": text, "options": list(options)}


def several(text: str, *options: str) -> Part:
    """Any of `options`, or none."""
    return {"kind": "several", "text": text, "options": list(options)}


def mark(text: str) -> Part:
    """Places in the picture, which are marked there."""
    return {"kind": "mark", "text": text}


def _numbers(*texts: str, unit: str = "") -> tuple[Part, ...]:
    return tuple(number(text, unit) for text in texts)


_STEPS = ("first_touch", "read_zero", "fork", "cow_copy", "cow_reuse", "mremap", "munmap")

PREDICTIONS: dict[str, Prediction] = {
    "00 frames": Prediction(
        "The child must have all of the parent's memory: two written pages.",
        (
            number("How many frames does fork take?", "frames"),
            number("How many frames does the child's write of one page take?", "frames"),
        ),
        "fork copied no page at all. It copied page-table entries, and it took the right to write "
        "out of both tables. So the write of the child was not allowed, and the kernel was "
        "called. It saw that the page is shared. It copied the page for the writer, and let it "
        "go on. When the shell wrote next, nobody else used its page. So nothing was copied.",
    ),
    "09 one look": Prediction(
        "A server forks 50 workers. Each writes a page of its own, and none calls execve.",
        (several("Which designs find each own page with one look?", *DESIGNS),),
        "One look for each of 50 pages makes 50 looks. For this a page must name the process that "
        "wrote it, or each of its entries. The other designs look at the whole family, one member "
        "after the other.",
    ),
    "10 today": Prediction(
        "Eleven operations run on Linux, and on the model with anon_vma_chain.",
        (number("After how many of them do the two show something different?", "operations", 11),),
        "Linux has anon_vma_chain. So the model should show the same, and where it does not, a "
        "rule must say why.",
    ),
    "10 the group": Prediction(
        "The same eleven operations run on the model with the group of the mail.",
        (number("After which operation do the two differ for the first time?", "", 11),),
        "It is the first move of shared pages. The group copies them, and Linux lets the child "
        "keep them.",
    ),
    "10 graph": Prediction(
        "Three processes have the page. Two have it at 0x30000, and the last one at 0x40000.",
        (
            {"kind": "text", "text": "Which index does the page have?", "how": "hex, such as 0x12"},
            number("How many VMAs are on its anon_vma?", "VMAs"),
        ),
        "The page has the index that it got when p0 wrote it. A move does not change it. On its "
        "anon_vma are the VMAs of p0 and of all its descendants.",
    ),
    "10 price": Prediction(
        "Seven steps were timed on Linux and on the simulator, in one run.",
        (
            several(
                "Choose the step that costs Linux most for a page, and those where the simulator "
                "is slower.",
                *_STEPS,
            ),
        ),
        "Linux clears or copies 4096 bytes where the simulator writes one number. So the steps "
        "that make or copy pages cost Linux most. A move only moves entries, on both sides.",
    ),
    "10 report": Prediction(
        "Read the five sentences above this card again.",
        (several("Which of them are true?", "1", "2", "3", "4", "5"),),
        "Each sentence was checked on Linux, in a history of this notebook or a shorter one. "
        "Remember that the writer gets the copy, and that a page keeps its index when it moves.",
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
