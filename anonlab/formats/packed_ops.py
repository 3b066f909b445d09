"""The operations of a long history in little memory: some 40 bytes each, where an `Op` takes 500.

They read like a tuple of operations; each is made when somebody looks at it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

from anonlab.formats.history import Op

_COLUMNS = ("addr", "pages", "value")
"""Arguments that have a column of their own: numbers, in nearly every operation."""
_FEW = range(-(1 << 63), 1 << 63)
Rest = tuple[tuple[str, int | str | bool], ...]


class PackedOps(Sequence[Op]):
    """Operations in order; `append` adds one.

    first  operations that stand before all that are appended
    """

    def __init__(self, first: Sequence[Op] = ()) -> None:
        self.first = tuple(first)
        self._heads = array("I")
        """What an operation is, but for its numbers: a place in `_kind_of`."""
        self._lines = array("q")
        self._numbers = tuple(array("q") for _ in _COLUMNS)
        self._kinds: dict[tuple[str, str, int, Rest], int] = {}
        self._kind_of: list[tuple[str, str, int, Rest]] = []

    def append(self, op: Op) -> None:
        """Add an operation at the end."""
        self.add(op.verb, op.who, op.args, op.line)

    def add(self, verb: str, who: str, args: Mapping[str, int | str | bool], line: int) -> None:
        """Add an operation at the end, by its parts."""
        has, rest = 0, []
        numbers = [0, 0, 0]
        for name, value in args.items():
            at = _PLACE.get(name)
            if at is not None and type(value) is int and value in _FEW:
                numbers[at] = value
                has |= 1 << at
            else:
                rest.append((name, value))
        kind = verb, who, has, tuple(rest)
        number = self._kinds.get(kind)
        if number is None:
            number = self._kinds[kind] = len(self._kind_of)
            self._kind_of.append(kind)
        self._heads.append(number)
        self._lines.append(line)
        for column, value in zip(self._numbers, numbers, strict=True):
            column.append(value)

    def after(self, first: Sequence[Op]) -> PackedOps:
        """Return these operations with `first` before them; they share what they hold."""
        other = PackedOps((*first, *self.first))
        other._heads, other._lines, other._numbers = self._heads, self._lines, self._numbers
        other._kinds, other._kind_of = self._kinds, self._kind_of
        return other

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.first) + len(self._heads)

    @overload
    def __getitem__(self, at: int) -> Op: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Op, ...]: ...
    def __getitem__(self, at: int | slice) -> Op | tuple[Op, ...]:
        """Return one operation, or a tuple of some."""
        if isinstance(at, slice):
            return tuple(self[each] for each in range(*at.indices(len(self))))
        if at < 0:
            at += len(self)
        at -= len(self.first)
        if at < 0:
            if -at > len(self.first):
                raise IndexError(f"there are {len(self)} operations")
            return self.first[at]
        verb, who, has, rest = self._kind_of[self._heads[at]]
        args: dict[str, Any] = {}
        for bit, name in enumerate(_COLUMNS):
            if has >> bit & 1:
                args[name] = self._numbers[bit][at]
        args.update(rest)
        return Op(verb, who, args, self._lines[at])

    def __iter__(self) -> Iterator[Op]:
        """Yield the operations in order."""
        return (self[at] for at in range(len(self)))

    def __eq__(self, other: object) -> bool:
        """Compare with any sequence of operations."""
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # operations are not hashable


_PLACE = {name: at for at, name in enumerate(_COLUMNS)}
