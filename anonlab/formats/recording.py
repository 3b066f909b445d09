"""A recording: what a Linux kernel did with a history, operation by operation, to be replayed where
there is no such kernel or no right to look at it.

It says which kernel and with which settings, and holds no frame numbers, no addresses of that
machine and no name of it. A step keeps only what changed at each place since the step before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from anonlab.errors import FormatError
from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.formats.json_text import check_header, read_json, write_json
from anonlab.formats.observation import STATES, Areas, AreaSeen, Observation, PageSeen, Place

RECORDING_FORMAT = "anonlab-recording"
RECORDING_VERSION = 3
"""2 added pages of the page cache, 3 VMAs; what says nothing of them reads as before."""
_READABLE = (1, 2, RECORDING_VERSION)
FULL, WEAK = "full", "weak"
"""With names and counts of pages, as root sees them, or without."""


class OpEffect(NamedTuple):
    """What a machine showed after one operation: `error` is the name of the errno or signal, ''
    where it succeeded; `values` what a read returned; `areas` the VMAs, None if nobody looked."""

    error: str
    values: tuple[int, ...]
    observation: Observation
    areas: Areas | None = None


@dataclass(frozen=True)
class Recording:
    """A history with what a kernel showed after each of its operations.

    kernel    what is to be known of it: release, machine, page_size, settings
    view      FULL or WEAK
    """

    kernel: Mapping[str, Any]
    view: str
    history: History
    effects: tuple[OpEffect, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the recording as plain data, with format name and version."""
        return {
            "format": RECORDING_FORMAT,
            "version": RECORDING_VERSION,
            "kernel": dict(self.kernel),
            "view": self.view,
            "history": history_text(self.history).splitlines(),
            "steps": list(_steps(self.effects)),
        }

    @classmethod
    def from_json(cls, plain: Any) -> Recording:
        """Return the recording that `to_json` wrote.

        raises  FormatError if this is none, of a version that this anonlab cannot read, or if it
                does not hold one step per operation; the message names the step
        """
        version = plain.get("version") if isinstance(plain, dict) else None
        known = version if version in _READABLE else RECORDING_VERSION
        check_header(plain, RECORDING_FORMAT, known)
        kernel = typed(plain.get("kernel"), dict, "recording: field 'kernel'")
        steps = typed(plain.get("steps"), list, "recording: field 'steps'")
        view = plain.get("view")
        if view not in (FULL, WEAK):
            raise FormatError(f"recording: field 'view' is {FULL!r} or {WEAK!r}, got {view!r:.60}")
        history = read_history(plain.get("history"), "recording")
        if len(steps) != len(history.ops):
            raise FormatError(
                f"recording: {len(history.ops)} operations and {len(steps)} steps; "
                "there must be one step per operation"
            )
        return cls(kernel, view, history, tuple(_read_steps(steps)))

    def dumps(self) -> str:
        """Return the recording as JSON text; equal recordings give equal text."""
        return write_json(self.to_json())

    @classmethod
    def loads(cls, text: str) -> Recording:
        """Return the recording in JSON `text`; raises FormatError."""
        return read_json(text, cls.from_json)


def _steps(effects: Iterable[OpEffect]) -> Iterable[dict[str, Any]]:
    """Yield each step as plain data: error and values where there are any, and per process what
    changed: [page, state, name, mapcount, exclusive, value], or [page] where nothing is any more;
    and, where somebody looked, the VMAs of each process that has others than before."""
    before: Observation = {}
    areas: Areas = {}
    for step in effects:
        changes: dict[str, list[Any]] = {}
        for place in sorted(before.keys() | step.observation.keys()):
            seen = step.observation.get(place)
            if seen != before.get(place):
                changes.setdefault(place[0], []).append([place[1], *(seen or ())])
        plain: dict[str, Any] = {"error": step.error} if step.error else {}
        if step.values:
            plain["values"] = list(step.values)
        if changes:
            plain["pages"] = changes
        if step.areas is not None:
            names = sorted(areas.keys() | step.areas.keys())
            plain["areas"] = {
                name: [list(area) for area in step.areas.get(name, ())]
                for name in names
                if step.areas.get(name) != areas.get(name)
            }
            areas = step.areas
        before = step.observation
        yield plain


def _read_steps(steps: list[Any]) -> Iterable[OpEffect]:
    """Yield what `_steps` wrote; FormatError names the step."""
    observation: dict[Place, PageSeen] = {}
    areas: dict[str, tuple[AreaSeen, ...]] = {}
    for number, plain in enumerate(steps):
        where = f"recording: step {number}"
        typed(plain, dict, where)
        if unknown := sorted(plain.keys() - {"error", "values", "pages", "areas"}):
            raise FormatError(f"{where}: has no field {unknown[0]!r:.60}")
        error = typed(plain.get("error", ""), str, f"{where}: error")
        values = typed(plain.get("values", []), list, f"{where}: values")
        observation = dict(observation)
        for process, rows in typed(plain.get("pages", {}), dict, f"{where}: pages").items():
            for row in typed(rows, list, f"{where}: {process!r:.60}"):
                _change(observation, process, row, where)
        numbers = tuple(typed(value, int, f"{where}: a value") for value in values)
        seen = dict(sorted(observation.items()))
        if "areas" not in plain:
            yield OpEffect(error, numbers, seen)
            continue
        for process, rows in typed(plain["areas"], dict, f"{where}: areas").items():
            areas[process] = tuple(_area(row, where) for row in typed(rows, list, where))
        areas = {process: found for process, found in areas.items() if found}
        yield OpEffect(error, numbers, seen, dict(sorted(areas.items())))


def _area(row: Any, where: str) -> AreaSeen:
    """Return the VMA that a row says."""
    kinds = (int, int, str, bool, str, int, bool, bool)
    if not isinstance(row, list) or len(row) != len(kinds) or not all(map(isinstance, row, kinds)):
        raise FormatError(
            f"{where}: a VMA is [start, end, prot, shared, file, pgoff, locked, growsdown]; "
            f"got {row!r:.80}"
        )
    return AreaSeen(*row)


def _change(observation: dict[Place, PageSeen], process: str, row: Any, where: str) -> None:
    """Do to `observation` what one row says."""
    kinds = (int, str, int, int, bool | None, int | None)
    right = isinstance(row, list) and len(row) in (1, len(kinds))
    if not right or not all(map(isinstance, row, kinds)) or not {*row[1:2]} <= {*STATES}:
        raise FormatError(
            f"{where}: a page is [number, state, name, mapcount, exclusive, value] with a state of "
            f"{', '.join(STATES)}, or [number] where nothing is any more; got {row!r:.80}"
        )
    if len(row) == 1:
        observation.pop((process, row[0]), None)
    else:
        observation[process, row[0]] = PageSeen(*row[1:])


def read_history(plain: Any, where: str) -> History:
    """Return the history whose lines are `plain`, of the file `where`; raises FormatError."""
    lines = typed(plain, list, f"{where}: field 'history'")
    return parse("\n".join(typed(line, str, f"{where}: a history line") for line in lines))


def typed(value: Any, kind: type, where: str) -> Any:
    """Return `value`; FormatError that says `where` unless it is of `kind`, and no bool."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise FormatError(f"{where} must be {kind.__name__}, got {value!r:.60}")
    return value
