"""From a running kernel to a trace: every labelled step with what it changed."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

import numpy as np

from anonlab.formats.deltas import DeltaLog
from anonlab.formats.history import History, Op
from anonlab.formats.labels import LABELS
from anonlab.formats.trace import Step, Trace, Unmade, recorded_step
from anonlab.histories.run import Outcome, as_history, make_kernel, op_text, run_on
from anonlab.kernel import Kernel
from anonlab.machine.words import Vpns
from anonlab.recording.changes import Changes
from anonlab.rmap import Rmap

MOST_VPNS = 1024
"""A step names at most so many page numbers, the lowest; snapshots show the rest."""
MOST_WALKED = 256
"""Machines with at most so many frames are small: their walks are recorded unless told not to."""


class Recorder:
    """Records what a kernel does, from now on, as the steps of a trace.

    Use it as a context manager around operations of your own::

        with Recorder(kernel) as recorder:
            child = shell.fork("child")
        trace = recorder.trace("a fork")

    walks  keep what the reverse map does for every mapped page, at every step; None means on
           small machines only, since it takes longer than all the rest
    first  number of the first operation, for a machine that has done some already
    """

    def __init__(self, kernel: Kernel, walks: bool | None = None, first: int = 0) -> None:
        self.kernel = kernel
        small = kernel.mem_map.nframes <= MOST_WALKED and kernel.geometry.npages <= MOST_WALKED
        self.walks = small if walks is None else walks
        self.steps: list[Step] = []
        self._changes = Changes(kernel, self.walks)
        self._log = DeltaLog(self._changes.shape)
        self._words = {**LABELS, **kernel.design.words}
        self._operation = -1
        self._text = ""
        self._add("start", "", (), 0, "")
        self._operation = first

    def __enter__(self) -> Recorder:
        self.kernel.recorder = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kernel.recorder = None

    def step(self, label: str, process: str, vpns: Sequence[int] | Vpns, n: int, what: str) -> None:
        """Take note of one step (called by the kernel)."""
        self._add(label, process, vpns, n, what)
        if "." not in label and not self._text:
            self._operation += 1

    def begin(self, text: str) -> None:
        """The steps from here to `end` belong to one operation of a history, `text`."""
        self._text = text

    def end(self, op: Op, outcome: Outcome) -> None:
        """The operation is over; a failed one ends with its error."""
        last = self.steps[-1]
        if outcome.error or last.operation != self._operation or last.label != op.verb:
            # A child that was not made cannot be who acted.
            who = op.who if op.who in self.kernel.processes else str(op.args.get("parent", ""))
            self._add(op.verb, who, (), 0, "", outcome.error)
        self._operation += 1
        self._text = ""

    def trace(self, title: str = "") -> Trace:
        """Return the steps so far."""
        return Trace(title, tuple(self.steps))

    def _add(
        self,
        label: str,
        process: str,
        vpns: Sequence[int] | Vpns,
        n: int,
        what: str,
        error: str = "",
    ) -> None:
        log, pages = self._log, vpns[:MOST_VPNS]
        words = self._words[label]
        unmade = Unmade(log, len(log.deltas), words, n, what)
        log.deltas.append(self._changes.delta())
        self.steps.append(
            recorded_step(
                label,
                words,
                process,
                tuple(pages.tolist() if isinstance(pages, np.ndarray) else pages),
                error,
                self._operation,
                self._text,
                unmade,
            )
        )


def record(
    history: History | str,
    design: str | Rmap = "anongroup",
    title: str = "",
    walks: bool | None = None,
) -> Trace:
    """Run a history (or its text) and return the trace of all its steps.

    walks   as for Recorder
    raises  FormatError for a text that is no history, ValueError for an unknown design
    """
    history = as_history(history)
    kernel = make_kernel(history, design)
    recorder = Recorder(kernel, walks)
    with recorder:
        run_on(kernel, history, before=lambda op: recorder.begin(op_text(op)), after=recorder.end)
    return recorder.trace(title or history.title)


def operations(trace: Trace) -> tuple[Step, ...]:
    """Return the last step of every operation, and the start."""
    return tuple(step for step in trace.steps if step.level == "op")


__all__ = ["Recorder", "operations", "record"]
