"""Exercise 10a: what the words of /proc/PID/pagemap say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from anonlab.course.judging.array_cost import FEW, MANY, blocks, judge_steps
from anonlab.course.judging.call_answers import Question, judge
from anonlab.course.judging.families import histories
from anonlab.course.judging.marks import needs
from anonlab.course.judging.state import MachineState, state_after
from anonlab.formats.history import History
from anonlab.formats.history_text import parse
from anonlab.histories.splitmix import SplitMix64
from anonlab.machine.words import PTE_PRESENT, PTE_SHIFT, ZERO_PFN, swp_offset

FAMILIES = ("forked", "family", "swapped", "files")
PAGES = 48
"""Pages in an array: as many as the lesson's areas lie in, from the lowest."""
PRESENT, SWAPPED, FILE, EXCLUSIVE, SOFT_DIRTY = (1 << bit for bit in (63, 62, 61, 56, 55))

OTHER = 1 << 57 | 1 << 58


def entry(state: MachineState, who: str, vpn: int) -> tuple[int, dict[str, Any]]:
    """The word of pagemap for a page, and what it says: both from the state, not from each other.

    The zero page is neither exclusive nor of a file, as on Linux 6.18.
    """
    word = state.words[who].get(vpn, 0)
    rng = SplitMix64(vpn * 1009 + word)
    dirty = bool(rng.below(2))
    says: dict[str, Any] = {
        **{"state": "none", "pfn": None, "device": None, "slot": None},
        **{"exclusive": False, "file": False, "soft_dirty": dirty},
    }
    made = SOFT_DIRTY * dirty | rng.below(2) * OTHER  # write-protected by userfaultfd, a guard
    if word & PTE_PRESENT:
        pfn = word >> PTE_SHIFT
        big = pfn + (rng.below(1 << 47) << 8)  # a real machine has more frames than a lesson
        big *= rng.below(4) > 0  # without rights every number reads as 0
        alone = pfn != ZERO_PFN and state.mapcount[pfn] == 1
        file = pfn != ZERO_PFN and not state.flags[pfn] & 1
        says |= {"state": "page", "pfn": big, "exclusive": alone, "file": file}
        made |= PRESENT | big | EXCLUSIVE * alone | FILE * file
    elif word:
        device, slot = rng.below(32), int(swp_offset(word)) + (rng.below(1 << 38) << 12)
        file = bool(rng.below(2))  # shared memory goes to swap as well
        says |= {"state": "swap", "device": device, "slot": slot, "file": file}
        made |= SWAPPED | slot << 5 | device | FILE * file
    return made, says


def decodes(history: History) -> Iterator[Question]:
    """Every page of every process, and an empty one."""
    state = state_after(history)
    for who, words in state.words.items():
        for vpn in (*sorted(words), max(words, default=0) + 1):
            word, says = entry(state, who, vpn)
            about = f"page {vpn:#x} of {who}"
            yield Question("decode", (word,), says, about)


ON_SWAP = parse(
    "f = file 4\np = spawn\np mmap 0x30000 8\np write 0x30000 7 8\nc = fork p\n"
    "p swap_out 0x30000 6\np mmap 0x40000 4 file f offset 0\np read 0x40000 4\np write 0x37000 9\n"
)
"""Pages on swap, of files, shared and alone."""
CASES = {
    "a device above 15": lambda each: (each.right["device"] or 0) > 15,
    "shared memory on swap": lambda each: each.right["file"] and each.right["state"] == "swap",
    "a frame above 2**32": lambda each: (each.right["pfn"] or 0) >> 32 > 0,
    "a slot above 2**32": lambda each: (each.right["slot"] or 0) >> 32 > 0,
    "a frame whose number reads as 0": lambda each: each.right["pfn"] == 0,
    "a page alone": lambda each: each.right["exclusive"],
    "soft-dirty and not there": lambda each: (
        each.right["soft_dirty"] and each.right["state"] == "none"
    ),
    "other bits": lambda each: each.args[0] & OTHER != 0,
}


def arrays(history: History, npages: int = PAGES) -> Iterator[Question]:
    """The words of a range of every process."""
    state = state_after(history)
    for who, words in state.words.items():
        first = min(words, default=0)
        entries = [entry(state, who, first + at) for at in range(npages)]
        right = [
            at
            for at, (_, says) in enumerate(entries)
            if says["state"] == "page" and not says["file"] and not says["exclusive"]
        ]
        array = np.array([word for word, _ in entries], np.uint64)
        yield Question("shared", (array,), right, f"{npages} pages of {who} from {first:#x}")


MAPPED = "p mmap {at} {n}", "p write {at} 7 {n}"
KINDS = (
    MAPPED,
    (*MAPPED, "p swap_out {at} {n}"),
    ("p mmap {at} {n} file f", "p read {at} {n}"),
    MAPPED,
)
LATER = (), (), (), ("p write {at} 8 {n}",)
"""What is written again after the fork, and so alone."""


def long(npages: int, seed: int) -> Question:
    """The words of `npages` pages: shared, on swap, of a file, alone; a quarter of them each."""
    lines = [f"machine x86_32 frames {3 * npages} swap {npages}", "f = file 10", "p = spawn"]
    lines += [*blocks(npages, KINDS, seed), "c = fork p", *blocks(npages, LATER, seed)]
    return next(arrays(parse("\n".join(lines)), npages))


def _change(**changes: Any) -> Any:
    """A guess that has some fields otherwise: each is made from the word and the right answer."""
    return lambda args, right: {
        **right, **{name: make(args[0], right) for name, make in changes.items()}
    }  # fmt: skip


def _low(word: int, right: Any) -> int:
    return word & (1 << 55) - 1


GUESSES = {
    "Did you keep bits above 54 in the frame's number? Bit 56 is a mark, not a part of it.": (
        _change(
            pfn=lambda word, right: None if right["pfn"] is None else word & (1 << 61) - 1,
            slot=lambda word, right: None if right["slot"] is None else (word & (1 << 61) - 1) >> 5,
        )
    ),
    "Did you give no frame to a page whose number is 0? Without rights every number reads as 0.": (
        _change(pfn=lambda word, right: right["pfn"] or None)
    ),
    "Did you give a frame to a page that is not present? Its low bits mean something else.": (
        _change(pfn=_low)
    ),
    "Did you take the whole entry for the slot? Its lowest five bits name the device.": (
        _change(slot=lambda word, right: _low(word, right) if right["slot"] is not None else None)
    ),
    "Did you take four bits for the device? Bits 0 to 4 are five.": (
        _change(device=lambda word, right: right["device"] and right["device"] & 15)
    ),
    "Did you look at bit 61 of present pages only? Shared memory can be on swap.": (
        _change(file=lambda word, right: right["file"] and right["state"] == "page")
    ),
    "Did you take bit 61 for exclusive? It says file; exclusive is bit 56.": (
        _change(exclusive=lambda word, right: bool(word >> 61 & 1))
    ),
    "Did you count any word that is not 0 as present? It may be a swap entry, or only soft-dirty.": (
        _change(
            state=lambda word, right: "page" if word else "none",
            pfn=lambda word, right: _low(word, right) if word else None,
            device=lambda word, right: None,
            slot=lambda word, right: None,
        )
    ),
}


def _pick(keep: Any) -> Any:
    """A guess for `shared` that keeps the pages whose word `keep` likes."""
    return lambda args, right: [at for at, word in enumerate(args[0].tolist()) if keep(word)]


ARRAY_GUESSES = {
    "Did you return the pages that are exclusive? Shared are the others.": _pick(
        lambda word: word & PRESENT and not word & FILE and word & EXCLUSIVE
    ),
    "Did you forget to ask whether the page is present? A hole is not shared.": _pick(
        lambda word: not word & FILE and not word & EXCLUSIVE
    ),
    "Did you leave out pages whose frame number is 0? Without rights every number reads as 0.": _pick(
        lambda word: (
            word & PRESENT and not word & FILE and not word & EXCLUSIVE and _low(word, None)
        )
    ),
    "Did you count pages of files? Bit 61 tells them.": _pick(
        lambda word: word & PRESENT and not word & EXCLUSIVE
    ),
}


def test_decode(student: Any, seed: int) -> None:
    """decode says what a word says."""
    judge(student, [ON_SWAP, *histories(FAMILIES, seed, 12)], decodes, GUESSES, 40, CASES)


@needs("test_decode")
def test_shared(student: Any, seed: int) -> None:
    """shared finds the shared pages of a range."""
    judge(student, [ON_SWAP, *histories(FAMILIES, seed, 12)], arrays, ARRAY_GUESSES, least=12)


@needs("test_shared")
def test_array_operations(student: Any, seed: int) -> None:
    """shared makes as many steps for 800 pages as for 100."""
    pair = [long(npages, seed) for npages in (FEW, MANY)]
    judge_steps(student, *pair, "`words >> np.uint64(3)` shifts all words at once")
