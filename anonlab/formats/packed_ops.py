"""The operations of a long history in little memory: some 30 bytes each, where an `Op` takes 500.

They read like a tuple of operations; each is made when somebody looks at it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

from anonlab.formats.history import Op

_COLUMNS = {"addr": 1, "pages": 2, "value": 4}
"""Arguments that have a column of their own: numbers, in nearly every operation. A kind of
operation says by these bits which of them it has."""
_HELD = tuple(has.bit_count() for has in range(8))
_FEW, _SMALL = range(-(1 << 63), 1 << 63), range(1 << 32)
"""What fits into the columns of addresses, and of pages and values; others are kept as they are."""
Rest = tuple[tuple[str, int | str | bool], ...]
Kind = tuple[str, str, int, Rest]
"""Verb, who, which columns it has, and its other arguments."""


class PackedOps(Sequence[Op]):
    """Operations in order; `append` adds one.

    first  operations that stand before all that are appended
    """

    def __init__(self, first: Sequence[Op] = ()) -> None:
        self.first = tuple(first)
        self._heads = array("I")
        """What an operation is, but for its numbers: a place in `_kind_of`."""
        self._lines = array("q")
        self._addrs, self._pages, self._values = array("q"), array("I"), array("I")
        self._kinds: dict[Kind, int] = {}
        self._kind_of: list[Kind] = []

    def append(self, op: Op) -> None:
        """Add an operation at the end."""
        self.add(op.verb, op.who, op.args, op.line)

    def add(self, verb: str, who: str, args: Mapping[str, int | str | bool], line: int) -> None:
        """Add an operation at the end, by its parts."""
        addr, pages, value = args.get("addr"), args.get("pages"), args.get("value")
        has = 0
        if type(addr) is int and addr in _FEW:
            has = 1
        else:
            addr = 0
        if type(pages) is int and pages in _SMALL:
            has |= 2
        else:
            pages = 0
        if type(value) is int and value in _SMALL:
            has |= 4
        else:
            value = 0
        rest: Rest = ()
        if len(args) > _HELD[has]:
            rest = tuple(item for item in args.items() if not _COLUMNS.get(item[0], 0) & has)
        self._put((verb, who, has, rest), line, addr, pages, value)

    def add_range(
        self, verb: str, who: str, line: int, addr: int, pages: int, rest: Rest = ()
    ) -> None:
        """Add an operation on `pages` pages from `addr` (>= 0) on, and its other arguments."""
        if pages in _SMALL:
            self._put((verb, who, 3, rest), line, addr, pages, 0)
        else:
            self._put((verb, who, 1, (("pages", pages), *rest)), line, addr, 0, 0)

    def add_touch(
        self, verb: str, who: str, line: int, addr: int, pages: int, value: int | None
    ) -> None:
        """Add a read or a write of `pages` pages from `addr` (>= 0) on, as `Op` says it: one page
        goes without saying, a read has no value."""
        if pages in _SMALL and (value is None or value in _SMALL):
            has = 1 | (pages != 1) << 1 | (value is not None) << 2
            self._put((verb, who, has, ()), line, addr, pages if pages != 1 else 0, value or 0)
            return
        args = {"addr": addr, "value": value, "pages": pages if pages != 1 else None}
        given = {name: number for name, number in args.items() if number is not None}
        self.add(verb, who, given, line)

    def _put(self, kind: Kind, line: int, addr: int, pages: int, value: int) -> None:
        """Add an operation of a kind, 0 for a column that it does not have."""
        number = self._kinds.get(kind)
        if number is None:
            number = self._kinds[kind] = len(self._kind_of)
            self._kind_of.append(kind)
        self._heads.append(number)
        self._lines.append(line)
        self._addrs.append(addr)
        self._pages.append(pages)
        self._values.append(value)

    def after(self, first: Sequence[Op]) -> PackedOps:
        """Return these operations with `first` before them; they share what they hold."""
        other = PackedOps((*first, *self.first))
        other._heads, other._lines = self._heads, self._lines
        other._addrs, other._pages, other._values = self._addrs, self._pages, self._values
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
        numbers = self._addrs[at], self._pages[at], self._values[at]
        return _op(self._kind_of[self._heads[at]], *numbers, self._lines[at])

    def __iter__(self) -> Iterator[Op]:
        """Yield the operations in order."""
        yield from self.first
        kind_of = self._kind_of
        columns = self._heads, self._addrs, self._pages, self._values, self._lines
        for head, addr, pages, value, line in zip(*columns, strict=True):
            yield _op(kind_of[head], addr, pages, value, line)

    def __eq__(self, other: object) -> bool:
        """Compare with any sequence of operations."""
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # operations are not hashable


def _op(kind: Kind, addr: int, pages: int, value: int, line: int) -> Op:
    """Return an operation of a kind."""
    verb, who, has, rest = kind
    args: dict[str, Any] = {}
    if has & 1:
        args["addr"] = addr
    if has & 2:
        args["pages"] = pages
    if has & 4:
        args["value"] = value
    if rest:
        args.update(rest)
    op = _NEW(Op)
    set_verb, set_who, set_args, set_line = _SLOTS
    set_verb(op, verb)
    set_who(op, who)
    set_args(op, args)
    set_line(op, line)
    return op


_NEW = object.__new__
_SLOTS = tuple(Op.__dict__[name].__set__ for name in ("verb", "who", "args", "line"))
"""How an operation is filled: its class is frozen, and its __init__ takes twice as long."""
