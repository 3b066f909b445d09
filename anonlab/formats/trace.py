"""A trace: the labelled steps of a recorded history, each with the snapshot after it.

Operations contain labelled sub-steps; the last step of an operation has level "op" and its
snapshot is the state after the operation. A failed operation ends with its error and the state
it left, which is the state before it.

Sentences and snapshots of a recorded step are made when somebody looks: it keeps what changed.

In JSON, version 3, the first step has a whole "snapshot"; any other has "changes" against the step
before it, or a whole snapshot again if it is of another machine. Files of version 2, in which every
step has a whole snapshot, are still read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from anonlab.errors import FormatError
from anonlab.formats.deltas import Delta, DeltaLog, MachineShape, delta_between, is_regular
from anonlab.formats.deltas_json import StateReader, delta_json
from anonlab.formats.json_text import check_header, read_json, write_json
from anonlab.formats.labels import Label, sentence
from anonlab.formats.snapshot import Snapshot

if TYPE_CHECKING:
    from pathlib import Path

TRACE_FORMAT = "anonlab-trace"
TRACE_VERSION = 3
"""Version 2: snapshots hold walks. Version 3: steps hold what changed."""
READABLE = (2, TRACE_VERSION)


class Unmade(NamedTuple):
    """What the sentence and the snapshot of a step are made from, when somebody looks.

    log, number  the snapshot is the one after delta `number` of `log`
    words        whose sentence is filled in with `n` and `what`; None: the step has its sentence
    """

    log: DeltaLog
    number: int
    words: Label | None = None
    n: int = 0
    what: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step.

    label      key of `formats.labels.LABELS`, e.g. "fork.share_ptes", the same in code and tests
    title      the label in words, e.g. "fork: write-protect and share the PTEs"
    sentence   one sentence for the learner, with the names and addresses of this step
    source     the line of the mail or the kernel function that this step stands for
    operation  number of the operation it belongs to, from 0; -1 for the start
    text       that operation as a line of history text
    level      "op" for the last step of an operation (and for the start), else "sub"
    process    name of the process that acted, "" for the machine
    vpns       the page numbers it acted on, ascending; empty if none
    error      the error that ended the operation, "" if none
    snapshot   the whole state after the step; of a recorded step it is made anew for whoever asks
               once nobody holds it any more
    """

    label: str
    title: str
    sentence: str
    source: str
    operation: int
    text: str
    level: str
    process: str
    vpns: tuple[int, ...]
    error: str
    snapshot: Snapshot
    _unmade: Unmade | None = field(default=None, init=False, repr=False)

    def __getattr__(self, name: str) -> Any:
        """Make what was not given: `sentence` or `snapshot`."""
        if self._unmade is None or name not in ("sentence", "snapshot"):
            raise AttributeError(f"a step has no {name!r}")
        log, number, words, _, _ = self._unmade
        if name == "snapshot":
            return log.snapshot(number)
        if words is not None:
            return self.error or self.filled(words.sentence)
        raise AttributeError(f"a step has no {name!r}")

    def filled(self, template: str) -> str:
        """Return another template filled in with what the sentence of this step is made from.

        raises  ValueError for a step that has its sentence as text only (`template` says so)
        """
        if self._unmade is None or self._unmade.words is None:
            raise ValueError(f"step {self.label!r} has its sentence as text only")
        log, _, _, n, what = self._unmade
        ends = (self.vpns[0], self.vpns[0] + max(n, 1) - 1) if self.vpns else ()
        where, last = map(log.shape.geometry.address, ends) if ends else ("", "")
        return sentence(template, self.process, where, last, n, what)

    @property
    def template(self) -> tuple[str | None, int, str]:
        """The sentence before it is filled in, and its `n` and `what`; None for a step that has
        its sentence as text only."""
        if self._unmade is None or self._unmade.words is None or self.error:
            return None, 0, ""
        return self._unmade.words.sentence, self._unmade.n, self._unmade.what

    def delta_since(self, before: Step) -> Delta | None:
        """Return what changed since the step `before`, if the two are neighbours in one log."""
        mine, theirs = self._unmade, before._unmade
        if mine is None or theirs is None or mine.log is not theirs.log:
            return None
        return mine.log.deltas[mine.number] if mine.number == theirs.number + 1 else None

    def __eq__(self, other: object) -> bool:
        """Steps that say the same of equal states are equal, however they are kept."""
        if not isinstance(other, Step):
            return False
        return all(getattr(self, name) == getattr(other, name) for name in _FIELDS)

    __hash__ = None  # type: ignore[assignment]  # a snapshot has none

    def __reduce__(self) -> tuple[Any, ...]:
        return step_of, ([_given(self, name) for name in _FIELDS], self._unmade)


_WORDS = ("label", "title", "sentence", "source", "text", "level", "process", "error")
_FIELDS = (*_WORDS, "operation", "vpns", "snapshot")


def step_of(values: Iterable[Any], unmade: Unmade | None) -> Step:
    """Return the step with `values`, in the order of _FIELDS; None is left to be made."""
    step = object.__new__(Step)
    for name, value in zip(_FIELDS, values, strict=True):
        if value is not None:
            _put(step, name, value)
    _put(step, "_unmade", unmade)
    return step


def recorded_step(
    label: str,
    words: Label,
    process: str,
    vpns: tuple[int, ...],
    error: str,
    operation: int,
    text: str,
    unmade: Unmade,
) -> Step:
    """Return a step whose sentence and snapshot are made when somebody looks.

    text  of its operation, '' for one that has only the words of its last step
    """
    step = object.__new__(Step)
    _put(step, "label", label)
    _put(step, "title", words.title)
    _put(step, "source", words.source)
    _put(step, "operation", operation)
    _put(step, "text", text or words.title)
    _put(step, "level", "sub" if "." in label else "op")  # a bare label ends its operation
    _put(step, "process", process)
    _put(step, "vpns", vpns)
    _put(step, "error", error)
    _put(step, "_unmade", unmade)
    return step


_put = object.__setattr__


def _given(step: Step, name: str) -> Any:
    """Return the field `name` if `step` has it, None if it is made when somebody looks."""
    try:
        return object.__getattribute__(step, name)
    except AttributeError:
        return None


@dataclass(frozen=True)
class Trace:
    """The steps of one recorded history; `title` names it for people."""

    title: str
    steps: tuple[Step, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the trace as plain data, with format name and version; equal traces give equal
        data, however they are kept."""
        steps, before = [], None
        for step in self.steps:
            plain = {name: getattr(step, name) for name in _WORDS}
            plain |= {"operation": step.operation, "vpns": list(step.vpns)}
            now = step.snapshot
            regular = is_regular(now)
            if regular and before is not None and MachineShape.of(before) == MachineShape.of(now):
                plain["changes"] = delta_json(delta_between(before, now))
            else:
                plain["snapshot"] = now.to_json()
            before = now if regular else None
            steps.append(plain)
        return {
            "format": TRACE_FORMAT,
            "version": TRACE_VERSION,
            "title": self.title,
            "steps": steps,
        }

    @classmethod
    def from_json(cls, plain: Any) -> Trace:
        """Return the trace that `to_json` wrote, now or in version 2.

        raises  FormatError if this is no trace, or of a version that this anonlab cannot read
        """
        check_header(plain, TRACE_FORMAT, *READABLE)
        steps, states = [], StateReader()
        for number, step in enumerate(_field(plain, "steps", list)):
            where = f"step {number}"
            if not isinstance(step, dict):
                raise FormatError(f"{where}: a step is an object, not {type(step).__name__}")
            values = [_field(step, name, str, where) for name in _WORDS]
            values.append(_field(step, "operation", int, where))
            values.append(_vpns(_field(step, "vpns", list, where), where))
            if plain["version"] == TRACE_VERSION and "changes" in step:
                whole = None
                _read_changes(states, _field(step, "changes", dict, where), where)
            else:
                whole = states.whole(_field(step, "snapshot", dict, where))
            log = states.log
            unmade = None if log is None else Unmade(log, len(log.deltas) - 1)
            steps.append(step_of([*values, whole], unmade))
        return cls(_field(plain, "title", str), tuple(steps))

    def save_html(
        self, path: str | Path, title: str | None = None, predict: Iterable[int] = ()
    ) -> Path:
        """Write a page that plays the trace, without network or Python, and return its path.

        predict  numbers of steps before which the learner is asked what will change
        raises   ValueError for a trace without steps; RuntimeError if nobody can draw, which does
                 not happen after `import anonlab`
        """
        if not _drawers:
            raise RuntimeError("a trace is drawn by anonlab.view: import anonlab first")
        return _drawers[-1](self, path, title, predict)

    def dumps(self) -> str:
        """Return the trace as JSON text; equal traces give equal text."""
        return write_json(self.to_json())

    @classmethod
    def loads(cls, text: str) -> Trace:
        """Return the trace in JSON `text`; raises FormatError."""
        return read_json(text, cls.from_json)


Drawer = Callable[[Trace, "str | Path", "str | None", Iterable[int]], "Path"]
"""Writes the page of a trace: trace, path, title, steps to predict."""
_drawers: list[Drawer] = []


def draw_with(drawer: Drawer) -> None:
    """Let `Trace.save_html` use `drawer`: formats are drawn by others and know none of them."""
    _drawers.append(drawer)


def _read_changes(states: StateReader, plain: dict[str, Any], where: str) -> None:
    try:
        states.changes(plain)
    except FormatError as error:
        raise FormatError(f"{where}: {error}") from None


def _vpns(plain: list[Any], where: str) -> tuple[int, ...]:
    if not all(type(vpn) is int for vpn in plain):
        raise FormatError(f"{where}: field 'vpns' must hold page numbers, got {plain!r:.60}")
    return tuple(plain)


def _field(plain: dict[str, Any], name: str, kind: type, where: str = "trace") -> Any:
    value = plain.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise FormatError(f"{where}: field {name!r} must be {kind.__name__}, got {value!r:.60}")
    return value
