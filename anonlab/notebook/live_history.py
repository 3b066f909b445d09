"""A history that is being made: the machine after its operations, how it came there, and ways back.

One more operation costs one operation. Copies of the machine are kept on the way, as bytes, so that
going back costs a copy and the few operations after it.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np

from anonlab.formats.history import History, Machine, Op
from anonlab.formats.trace import Step
from anonlab.histories.run import apply, make_kernel, op_text
from anonlab.kernel import Kernel
from anonlab.recording.recorder import Recorder

COPY_EVERY = 16
"""Operations between two copies of a small machine."""
COPY_BYTES = 1 << 16
"""A machine whose copy is larger is copied more seldom: as many times as it is larger."""
MOST_COPIES = 64
"""If there are more, every second one is dropped, the newest stays."""
MOST_LIVE = 8
"""Histories that are kept ready, the last used ones: for undo, redo and designs to compare."""


class LiveHistory:
    """The operations `ops` on `machine` under `design`; `kernel` is the machine after them.

    steps   what happened, from the start
    ends    ends[n] is how many of the steps there were after n operations
    errors  how each operation failed, '' for one that did not
    """

    def __init__(self, machine: Machine, design: str) -> None:
        self.machine, self.design = machine, design
        self.kernel = make_kernel(History((), machine), design)
        self.ops: list[Op] = []
        self.errors: list[str] = []
        self._recorder: Recorder | None = Recorder(self.kernel)
        self.steps: list[Step] = list(self._recorder.steps)
        self.ends = [1]
        self._copies = {0: copied(self.kernel)}
        self._every = self._copy_every()

    def do(self, op: Op) -> str:
        """Do one operation; return its error, '' if it did not fail.

        raises  FormatError if it makes no sense; nothing has changed then
        """
        if self._recorder is None:
            self._recorder = Recorder(self.kernel, first=len(self.ops))
        recorder, known = self._recorder, len(self._recorder.steps)
        try:
            with recorder:
                recorder.begin(op_text(op))
                outcome = apply(self.kernel, op)
                recorder.end(op, outcome)
        except BaseException:
            # The recorder may have seen half of it, and whoever interrupts may come in anywhere.
            self.kernel, self._recorder = self._machine_after(len(self.ops)), None
            raise
        self.ops.append(op)
        self.errors.append(outcome.error)
        self.steps += recorder.steps[known:]
        self.ends.append(len(self.steps))
        if len(self.ops) % self._every == 0:
            self._keep_copy()
        return outcome.error

    def back_at(self, count: int) -> LiveHistory:
        """Return the history as it was after `count` operations; this one stays as it is."""
        other = LiveHistory.__new__(LiveHistory)
        other.machine, other.design = self.machine, self.design
        other.kernel, other._recorder = self._machine_after(count), None
        other.ops, other.errors = self.ops[:count], self.errors[:count]
        other.steps, other.ends = self.steps[: self.ends[count]], self.ends[: count + 1]
        other._copies = {at: copy for at, copy in self._copies.items() if at <= count}
        other._every = self._every
        return other

    def _machine_after(self, count: int) -> Kernel:
        """Return a machine that has done the first `count` operations."""
        at = max(number for number in self._copies if number <= count)
        kernel = restored(self._copies[at])
        for op in self.ops[at:count]:
            apply(kernel, op)
        return kernel

    def _keep_copy(self) -> None:
        self._copies[len(self.ops)] = copied(self.kernel)
        if len(self._copies) > MOST_COPIES:
            numbers = sorted(self._copies)
            dropped = numbers[-2:0:-2]
            self._copies = {at: copy for at, copy in self._copies.items() if at not in dropped}
        self._every = self._copy_every()

    def _copy_every(self) -> int:
        newest = self._copies[max(self._copies)]
        return COPY_EVERY * max(1, len(newest) // COPY_BYTES)


class LiveHistories:
    """The histories that are kept ready; whatever is asked for starts from the nearest of them."""

    def __init__(self) -> None:
        self._live: list[LiveHistory] = []

    def after(self, history: History, design: str) -> LiveHistory:
        """Return `history`, run under `design`: only what no kept one has done yet is done.

        raises  FormatError for an operation that makes no sense to the kernel
        """
        best, count = None, 0
        for one in self._live:
            if (one.machine, one.design) == (history.machine, design):
                same = common(one.ops, history.ops)
                if best is None or same > count:
                    best, count = one, same
        if best is None:
            best = LiveHistory(history.machine, design)
        elif count < len(best.ops):
            best = best.back_at(count)
        else:
            self._live.remove(best)
        self._live = [*self._live[1 - MOST_LIVE :], best]
        for op in history.ops[count:]:
            best.do(op)
        return best


def common(one: Sequence[Op], other: Sequence[Op]) -> int:
    """Return how many operations are equal at the start of both."""
    count = 0
    for mine, yours in zip(one, other, strict=False):
        if mine is not yours and mine != yours:
            break
        count += 1
    return count


# A machine as bytes. Its arrays look into each other (columns of frames), and so do the copies.


def copied(kernel: Kernel) -> bytes:
    """Return a copy of a machine that nobody records."""
    out = io.BytesIO()
    _Copier(out, pickle.HIGHEST_PROTOCOL).dump(kernel)
    return out.getvalue()


def restored(copy: bytes) -> Kernel:
    """Return a new machine like the one that was copied. `copy` comes from `copied`, in here."""
    kernel: Kernel = pickle.loads(copy)
    return kernel


class _Copier(pickle.Pickler):
    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, np.ndarray) and isinstance(thing.base, np.ndarray):
            return _window, (thing.base, thing.shape, thing.dtype, _place(thing), thing.strides)
        return NotImplemented


def _place(array: Any) -> int:
    """Return how many bytes behind the start of its base an array begins."""
    start: int = array.__array_interface__["data"][0]
    return start - int(array.base.__array_interface__["data"][0])


def _window(base: Any, shape: Any, kind: Any, offset: int, strides: Any) -> Any:
    return np.ndarray(shape, kind, base, offset, strides)
