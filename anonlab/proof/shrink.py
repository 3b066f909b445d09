"""Make a history that goes wrong shorter and plainer, as long as it still goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from anonlab.formats.history import ANY, VERBS, History, KnownNames, Machine, Op

Wrong = Callable[[History], bool]
PLAINER = {"vfork": "fork", "clone_vm": "fork", "execve": "exit"}
"""Verbs that may do as well, and are met earlier; arguments that they do not have are left out."""
MOST_TRIES = 400
"""So often plainer arguments are tried: a student's code may be slow."""


def shrink(history: History, wrong: Wrong) -> History:
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


def _drop(history: History, size: int, wrong: Wrong) -> History:
    """Return `history` without every stretch of `size` operations that can go, the last first."""
    for at in range(len(history.ops) - size, -1, -size):
        shorter = replace(history, ops=(*history.ops[:at], *history.ops[at + size :]))
        if _names_are_known(shorter.ops) and wrong(shorter):
            history = shorter
    return history


def with_plain_arguments(history: History, wrong: Wrong) -> History:
    """Return `history` with few pages, low addresses and no flags, if it still goes wrong."""
    tries, changed = 0, True
    while changed:
        changed = False
        for plainer in _plainer(history):
            tries += 1
            if tries > MOST_TRIES:
                return history
            if _names_are_known(plainer.ops) and wrong(plainer):
                history, changed = plainer, True
                break
    return history


def _plainer(history: History) -> Iterator[History]:
    """Yield what differs from `history` in one place and is plainer there."""
    if history.machine != Machine():
        yield replace(history, machine=Machine())
    addresses = sorted({addr for op in history.ops for _, addr in _addresses(op)})
    for at, op in enumerate(history.ops):
        for plainer in _ops(op, addresses):
            yield replace(history, ops=(*history.ops[:at], plainer, *history.ops[at + 1 :]))


def _ops(op: Op, addresses: list[int]) -> Iterator[Op]:
    """Yield plainer operations than `op`; `addresses` are those that the history knows."""
    if op.verb in PLAINER:
        verb = PLAINER[op.verb]
        known = {arg.name for arg in VERBS[verb].args}
        args = {name: value for name, value in op.args.items() if name in known}
        yield replace(op, verb=verb, args=args)
    for arg in VERBS[op.verb].args:
        value = op.args.get(arg.name)
        if value is None:
            continue
        if arg.optional:
            yield replace(op, args={name: old for name, old in op.args.items() if name != arg.name})
        if arg.kind in ("pages", "int") and type(value) is int:
            for less in sorted({1, value // 2, value - 1}):
                if 0 < less < value:
                    yield replace(op, args={**op.args, arg.name: less})
    for name, addr in _addresses(op):
        for lower in addresses:
            if lower < addr:
                yield replace(op, args={**op.args, name: lower})


def _addresses(op: Op) -> Iterator[tuple[str, int]]:
    """Yield (argument, address) of `op`."""
    for arg in VERBS[op.verb].args:
        value = op.args.get(arg.name)
        if arg.kind in ("addr", "where") and type(value) is int and value != ANY:
            yield arg.name, value


def _names_are_known(ops: Sequence[Op]) -> bool:
    names = KnownNames()
    return not any(names.problem(op) for op in ops)
