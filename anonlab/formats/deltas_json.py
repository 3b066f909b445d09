"""Deltas as plain data, and the states of a trace's steps read back from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from anonlab.errors import FormatError
from anonlab.formats.deltas import (
    FACTS,
    FRAME_CELLS,
    MOST_ROWS,
    SWAP_CELLS,
    Delta,
    DeltaLog,
    MachineShape,
    Splice,
    delta_between,
    is_regular,
    packed,
    unpacked,
)
from anonlab.formats.snapshot import Snapshot, read_field

_AREAS = ("frames", "words", "swap")


def delta_json(delta: Delta) -> dict[str, Any]:
    """Return `delta` as lists and integers: for each area that changed [[position, value], …], for
    each list of facts that changed [[start, removed, [fact, …]], …], and the counters."""
    out: dict[str, Any] = {"cost": list(delta.cost)}
    for name, at, values in zip(_AREAS, delta[0:6:2], delta[1:6:2], strict=True):
        if at:
            cells = (part.tolist() for part in unpacked(at, values))
            out[name] = [list(cell) for cell in zip(*cells, strict=True)]
    for field, start, removed, items in delta.splices:
        out.setdefault(field, []).append([start, removed, [_plain(item) for item in items]])
    return out


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


class StateReader:
    """Reads the states of steps in order, whole ones and changes, into logs of deltas."""

    def __init__(self) -> None:
        self.log: DeltaLog | None = None
        self._lengths: dict[str, int] = {}

    def whole(self, plain: Any) -> Snapshot | None:
        """Read a snapshot; return it if it cannot stand in a log, None if it is the log's last
        state now. Raises FormatError."""
        whole = Snapshot.from_json(plain)
        if not is_regular(whole):
            self.log = None
            return whole
        shape = MachineShape.of(whole)
        if self.log is None or self.log.shape != shape:
            self.log, before = DeltaLog(shape), None
        else:
            before = self.log.snapshot(len(self.log.deltas) - 1)
        self.log.deltas.append(delta_between(before, whole))
        self._lengths = {name: len(getattr(whole, name)) for name in FACTS}
        return None

    def changes(self, plain: dict[str, Any]) -> None:
        """Read what changed since the last state; it is the log's last now. Raises FormatError."""
        if self.log is None:
            raise FormatError("changes need a step before them to start from")
        unknown = sorted(set(plain) - {"cost", *_AREAS, *FACTS})
        if unknown:
            raise FormatError(f"changes have no field {unknown[0]!r}")
        shape = self.log.shape
        cells: list[bytes] = []
        sizes = (
            len(FRAME_CELLS) * shape.nframes,
            MOST_ROWS * shape.geometry.slots,
            len(SWAP_CELLS) * (shape.nswap + 1),
        )
        for name, size in zip(_AREAS, sizes, strict=True):
            cells += _cells(name, plain.get(name, []), size)
        splices = [one for name in FACTS if name in plain for one in self._splices(name, plain)]
        cost = read_field("cost", [list(each) for each in _costs(shape, plain.get("cost"))])
        delta = Delta._make((*cells, tuple(splices), tuple(count for _, count in cost)))
        self.log.deltas.append(delta)

    def _splices(self, name: str, plain: dict[str, Any]) -> list[Splice]:
        out = []
        for splice in _list(name, plain[name]):
            if not (
                isinstance(splice, list)
                and len(splice) == 3
                and all(type(number) is int and number >= 0 for number in splice[:2])
                and sum(splice[:2]) <= self._lengths[name]
            ):
                raise FormatError(
                    f"changes of {name} are [start, removed, facts] inside "
                    f"{self._lengths[name]} facts, got {splice!r:.60}"
                )
            items = read_field(name, splice[2])
            self._lengths[name] += len(items) - splice[1]
            out.append(Splice(name, splice[0], splice[1], items))
        return out


def _costs(shape: MachineShape, counts: Any) -> list[tuple[str, Any]]:
    if not isinstance(counts, list) or len(counts) != len(shape.counters):
        raise FormatError(
            f"changes have {len(shape.counters)} numbers as cost, one for each counter, "
            f"got {counts!r:.60}"
        )
    return list(zip(shape.counters, counts, strict=True))


def _cells(name: str, plain: Any, size: int) -> tuple[bytes, bytes]:
    """Return cells packed; FormatError unless they are [position, value], positions ascending."""
    for cell in _list(name, plain):
        if not (isinstance(cell, list) and [type(number) for number in cell] == [int, int]):
            raise FormatError(f"changes of {name} are [position, value], got {cell!r:.60}")
    at = [cell[0] for cell in plain]
    if at and not (at[0] >= 0 and at[-1] < size and at == sorted(set(at))):
        raise FormatError(f"changes of {name} have positions below {size:,}, ascending")
    try:
        return packed(np.array(at, np.int64), np.array([cell[1] for cell in plain], np.int64))
    except OverflowError:
        raise FormatError(f"changes of {name} have a number that is not int64") from None


def _list(name: str, plain: Any) -> list[Any]:
    if not isinstance(plain, list):
        raise FormatError(f"changes of {name} must be a list, got {plain!r:.60}")
    return plain
