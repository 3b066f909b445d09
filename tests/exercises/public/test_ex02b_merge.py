"""Exercise 02b: two mmaps beside each other, of every kind; the kernel says what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from anonlab.course.judging.call_answers import Question, judge
from anonlab.course.judging.state import Area, state_after
from anonlab.formats.history import History
from anonlab.formats.history_text import parse
from anonlab.histories.splitmix import SplitMix64

FAMILIES = ("private", "files", "rights", "shared")
KINDS = {
    "private": ("", ""),
    "files": ("file f offset {}", "file g offset {}"),
    "rights": ("{prot}", "{prot} file f offset {}"),
    "shared": ("shared", "file f offset {} shared"),
}


def pairs(seed: int, number: int) -> Iterator[History]:
    """Histories of two mmaps, mostly beside each other, mostly of one kind."""
    rng = SplitMix64(seed)
    first = rng.below(len(FAMILIES))
    for turn in range(number):
        kinds = KINDS[FAMILIES[(first + turn) % len(FAMILIES)]]
        start, low, high = rng.between(0x20, 0x30), rng.between(1, 3), rng.between(1, 3)
        offset, gap = rng.between(1, 3), int(rng.chance(1, 5))
        go_on = offset + low if rng.chance(3, 4) else rng.between(0, 6)
        prots = ["rw", "rw" if rng.chance(2, 3) else "r"]
        one = rng.choice(kinds)
        two = one if rng.chance(3, 5) else rng.choice(kinds)
        text = "f = file 12\ng = file 12\np = spawn\n"
        for at, npages, how, pgoff, prot in (
            (start, low, one, offset, prots[0]),
            (start + low + gap, high, two, go_on, prots[1]),
        ):
            prot = "" if "{prot}" not in how and prots[0] == prots[1] else prot
            how = how.replace("{prot}", "").format(pgoff)
            text += f"p mmap {at << 12:#x} {npages} {prot} {how}\n"
        yield parse(text)


SETUP = "f = file 12\ng = file 12\np = spawn\n"
ONE_FIELD = {
    "everything goes on": ("2 file f offset 1", "1 file f offset 3"),
    "one is shared, one private": ("2 file f offset 1", "1 file f offset 3 shared"),
    "both are shared": ("2 file f offset 1 shared", "1 file f offset 3 shared"),
    "another file": ("2 file f offset 1", "1 file g offset 3"),
    "other rights": ("2 rw file f offset 1", "1 r file f offset 3"),
    "a page further on in the file": ("2 file f offset 1", "1 file f offset 4"),
    "a page too early in the file": ("2 file f offset 1", "1 file f offset 2"),
    "the same page of the file": ("2 file f offset 1", "1 file f offset 1"),
    "from the file's first page": ("2 file f offset 0", "1 file f offset 2"),
    "single pages": ("1 file f offset 0", "1 file f offset 1"),
    "private memory": ("2", "3"),
    "memory of nobody and of a file": ("2", "1 file f offset 3"),
}
"""Pairs that differ in one field, or in none."""


def one_field() -> Iterator[History]:
    """Each of these pairs, side by side and with a hole; and memory that was moved, touched or not."""
    for one, two in ONE_FIELD.values():
        for hole in (0, 1):
            above = 0x24 + int(one.split()[0]) + hole
            yield parse(f"{SETUP}p mmap 0x24000 {one}\np mmap {above << 12:#x} {two}\n")
    for touch in ("", "p write 0x24000 7\n"):
        for above in (0x32, 0x26):
            move = "p mremap 0x24000 2 to 0x30000\n" if above == 0x32 else ""
            yield parse(f"{SETUP}p mmap 0x24000 2\n{touch}{move}p mmap {above << 12:#x} 2\n")


CASES = {
    "one shared and one private mapping": lambda each: each.args[0][3] != each.args[1][3],
    "other rights": lambda each: each.args[0][2] != each.args[1][2],
    "another file": lambda each: each.args[0][4] != each.args[1][4],
    "a hole": lambda each: each.args[0][1] != each.args[1][0],
    "two that become one": lambda each: each.right is not None,
    "memory that was moved": lambda each: (
        not each.args[0][4] and each.args[0][0] != each.args[0][5]
    ),
}


def question(history: History) -> Iterator[Question]:
    """What becomes of the two."""
    ops = history.ops
    if len(ops) < 5 or [op.verb for op in ops[:3]] != ["file", "file", "spawn"]:
        return  # shrinking needs both
    design = (
        "anongroup" if len(ops) == 5 else "anon_vma_chain"
    )  # which keeps pgoff when memory moves
    lower = state_after(History(ops[:-1], history.machine), design).areas["p"]
    upper = state_after(History((*ops[:3], ops[-1]), history.machine), design).areas["p"]
    after = state_after(history, design).areas["p"]
    if len(lower) != 1 or len(upper) != 1:
        return
    args = tuple(plain(area, name) for area, name in ((lower[0], "shm1"), (upper[0], "shm2")))
    right = plain(after[0], "shm1") if len(after) == 1 else None
    yield Question("merge", args, right, "two mmaps, one after the other", show)


def plain(area: Area, shmem: str) -> tuple[Any, ...]:
    """A VMA as the exercise has it; each shared mapping without a file is an object of its own."""
    return tuple(area._replace(file=shmem) if area.file.startswith("shmem") else area)


def show(value: Any) -> str:
    """Page numbers as hex."""
    if not isinstance(value, list | tuple) or len(value) != 6:
        return repr(value)
    start, end, *rest, pgoff = value
    return f"({start:#x}, {end:#x}, {', '.join(map(repr, rest))}, pgoff {pgoff:#x})"


def guess(*ignored: int) -> Any:
    """What somebody answers who does not look at some fields: 0 stands for touching."""

    def answer(args: tuple[Any, ...], right: Any) -> Any:
        lower, upper = args
        tests = {
            0: lower[1] == upper[0],
            5: upper[5] == lower[5] + lower[1] - lower[0],
            **{at: lower[at] == upper[at] for at in (2, 3, 4)},
        }
        ok = all(passed for at, passed in tests.items() if at not in ignored)
        return (lower[0], upper[1], *lower[2:]) if ok else None

    return answer


GUESSES = {
    "Did you merge across a hole? The lower VMA must end where the upper one starts.": guess(0),
    "Did you forget pgoff? Then pages of the upper VMA show another part of the file.": guess(5),
    "Did you forget prot? Then a page may suddenly be written, or not any more.": guess(2),
    "Did you forget shared? Then what one process writes to its own page is everybody's.": guess(3),
    "Did you forget the file? Then pages show another file.": guess(4),
    "Did you want equal pgoffs? The upper one goes on where the lower one ends.": (
        lambda args, right: guess(5)(args, right) if args[0][5] == args[1][5] else None
    ),
    "Did you give the merged VMA the upper one's pgoff? It begins where the lower one begins.": (
        lambda args, right: right and (*right[:5], args[1][5])
    ),
}


def test_merge(student: Any, seed: int) -> None:
    """merge decides as mmap does."""
    judge(student, [*one_field(), *pairs(seed, 120)], question, GUESSES, 40, CASES)
