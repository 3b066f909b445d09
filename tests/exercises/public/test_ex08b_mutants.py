"""Exercise 08b: one history against six mutants."""

from __future__ import annotations

from typing import Any

from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.history_answers import mutant_failures, read_history_answer
from anonlab.histories.splitmix import SplitMix64

MOST = 30
CLASH = "a page swapped in elsewhere is not copied"
SWAP = (
    "swap-out writes no data",
    "fork copies a swap entry without counting it",
    "the walk stops one mapping too early",
    "a swapped-in copy has no contents",
    "swap-in keeps the use of its entry",
    CLASH,
)
SETS = {
    "swap": SWAP,
    "walk": (*SWAP[:5], "exit stays in the group"),
    "family": (*SWAP[1:5], "exit leaks references", "fork leaves the parent writable"),
    "move": (*SWAP[2:], "exit leaks references", "mremap does not update index"),
}
LACKS = {
    "swap_out": "Did you send pages to swap? Most of these mutants are about what happens there.",
    "fork": "Did you fork? Without a fork nobody shares a page or an entry.",
    "read": "Did you read the pages again? What is lost shows when somebody looks.",
}


def mutants(seed: int) -> tuple[str, ...]:
    """The six mutants of a variant; seed 0 is for self-study."""
    names = list(SETS)
    return SETS[names[SplitMix64(seed).below(len(names))] if seed else "swap"]


def statement(seed: int) -> str:
    """What is to be killed."""
    return "kill these mutants with one history:\n" + "\n".join(
        f"  {name}" for name in mutants(seed)
    )


def kills_at_least(student: Any, seed: int, least: int) -> None:
    """The history kills so many mutants."""
    mine = read_history_answer(student, MOST)
    found = mutant_failures(mine.history, mutants(seed))
    dead = [name for name, what in found.items() if what]
    if len(dead) >= least:
        return
    lines = [f"    {'killed' if name in dead else 'lives '}  {name}" for name in found]
    verbs = {op.verb for op in mine.history.ops}
    guess = next((text for verb, text in LACKS.items() if verb not in verbs), "")
    if not guess and CLASH in found and not found[CLASH]:
        guess = (
            "Did you move a page that is on swap in one process only, and touch it in both? That is "
            "how one page comes to be wanted at two addresses."
        )
    raise Wrong(
        f"your history kills {len(dead)} of {len(found)} mutants, {least} are asked for here:\n"
        + "\n".join(lines),
        guess=guess or "Did you keep one page for each mutant? Then they cannot hide each other.",
    )


def test_kills_two(student: Any, seed: int) -> None:
    """The history kills two mutants."""
    kills_at_least(student, seed, 2)
