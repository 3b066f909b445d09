"""Make a history that goes wrong shorter, as long as it still goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from anonlab.formats.history import History, KnownNames, Op


def shrink(history: History, wrong: Callable[[History], bool]) -> History:
    """Return `history` without the operations that are not needed for it to go wrong.

    wrong  says whether a shorter history still goes wrong; it is never asked about one that uses a
           name it does not define
    """
    size = max(len(history.ops) // 2, 1)
    while size:
        shorter = _drop(history, size, wrong)
        again = size == 1 and len(shorter.ops) < len(history.ops)
        history, size = shorter, 1 if again else size // 2
    return history


def _drop(history: History, size: int, wrong: Callable[[History], bool]) -> History:
    """Return `history` without every stretch of `size` operations that can go, the last first."""
    for at in range(len(history.ops) - size, -1, -size):
        shorter = replace(history, ops=history.ops[:at] + history.ops[at + size :])
        if _names_are_known(shorter.ops) and wrong(shorter):
            history = shorter
    return history


def _names_are_known(ops: tuple[Op, ...]) -> bool:
    names = KnownNames()
    return not any(names.problem(op) for op in ops)
