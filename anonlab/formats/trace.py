"""A trace: the labelled steps of a recorded history, each with the snapshot after it.

Operations contain labelled sub-steps; the last step of an operation has level "op" and its
snapshot is the state after the operation. A failed operation ends with its error and the state
it left, which is the state before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anonlab.errors import FormatError
from anonlab.formats.snapshot import Snapshot

if TYPE_CHECKING:
    from pathlib import Path

TRACE_FORMAT = "anonlab-trace"
TRACE_VERSION = 2
"""Version 2: snapshots hold walks."""


@dataclass(frozen=True)
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
    snapshot   the whole state after the step
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


_WORDS = ("label", "title", "sentence", "source", "text", "level", "process", "error")


@dataclass(frozen=True)
class Trace:
    """The steps of one recorded history; `title` names it for people."""

    title: str
    steps: tuple[Step, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the trace as plain data, with format name and version."""
        return {
            "format": TRACE_FORMAT,
            "version": TRACE_VERSION,
            "title": self.title,
            "steps": [
                {
                    **{name: getattr(step, name) for name in _WORDS},
                    "operation": step.operation,
                    "vpns": list(step.vpns),
                    "snapshot": step.snapshot.to_json(),
                }
                for step in self.steps
            ],
        }

    @classmethod
    def from_json(cls, plain: Any) -> Trace:
        """Return the trace that `to_json` wrote.

        raises  FormatError if this is no trace, or of a version that this anonlab cannot read
        """
        check_header(plain, TRACE_FORMAT, TRACE_VERSION)
        steps = []
        for number, step in enumerate(_field(plain, "steps", list)):
            where = f"step {number}"
            if not isinstance(step, dict):
                raise FormatError(f"{where}: a step is an object, not {type(step).__name__}")
            steps.append(
                Step(
                    **{name: _field(step, name, str, where) for name in _WORDS},
                    operation=_field(step, "operation", int, where),
                    vpns=_vpns(_field(step, "vpns", list, where), where),
                    snapshot=Snapshot.from_json(_field(step, "snapshot", dict, where)),
                )
            )
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
        return cls.from_json(parse_json(text))


Drawer = Callable[[Trace, "str | Path", "str | None", Iterable[int]], "Path"]
"""Writes the page of a trace: trace, path, title, steps to predict."""
_drawers: list[Drawer] = []


def draw_with(drawer: Drawer) -> None:
    """Let `Trace.save_html` use `drawer`: formats are drawn by others and know none of them."""
    _drawers.append(drawer)


# json is imported where it is needed: most programs that import anonlab write no file.


def write_json(plain: Any) -> str:
    """Return `plain` as JSON text; equal values give equal text."""
    import json

    return json.dumps(plain, separators=(",", ":"), sort_keys=True)


def parse_json(text: str) -> Any:
    """Return the value of JSON `text`; raises FormatError with the line of the first mistake."""
    import json

    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise FormatError(f"not JSON: {error.msg} at column {error.colno}", error.lineno) from error
    except RecursionError:
        raise FormatError("not a file of anonlab: lists in lists in lists, too deep") from None
    except ValueError as error:
        raise FormatError(f"not a file of anonlab: {error}") from None


def check_header(plain: Any, name: str, version: int) -> None:
    """Raise FormatError unless `plain` is an object of format `name` and a known version."""
    if not isinstance(plain, dict) or plain.get("format") != name:
        found = plain.get("format") if isinstance(plain, dict) else type(plain).__name__
        raise FormatError(f"expected an object with format {name!r}, got {found!r}")
    if plain.get("version") != version:
        raise FormatError(
            f"{name} version {plain.get('version')!r} is not known here; this anonlab reads "
            f"version {version}: install the version of anonlab that wrote the file"
        )


def _vpns(plain: list[Any], where: str) -> tuple[int, ...]:
    if not all(type(vpn) is int for vpn in plain):
        raise FormatError(f"{where}: field 'vpns' must hold page numbers, got {plain!r:.60}")
    return tuple(plain)


def _field(plain: dict[str, Any], name: str, kind: type, where: str = "trace") -> Any:
    value = plain.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise FormatError(f"{where}: field {name!r} must be {kind.__name__}, got {value!r:.60}")
    return value
