"""A question of the bank as plain data, with its answer and what other answers tell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BankPart:
    """One thing that is asked: `right`, why, and (answer, what it tells) for other answers."""

    text: str
    options: tuple[str, ...]
    right: str
    why: str
    tells: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class BankEntry:
    """One question. `name` is how it is asked in a notebook, or where it stands."""

    notebook: str
    name: str
    kind: str
    text: str
    lines: tuple[str, ...]
    parts: tuple[BankPart, ...]
    after: str = ""
    """What is said to everybody once it is over."""
