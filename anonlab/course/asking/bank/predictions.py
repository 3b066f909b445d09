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
        "Which designs call find_vma for that?",
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
