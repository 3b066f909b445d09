"""What a kernel did with a history: the one that runs here, if it may be looked at, or a recorded
one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anonlab.formats.history import History
from anonlab.formats.history_text import format_op, parse
from anonlab.formats.recording import FULL, Recording
from anonlab.linux.oracle import Oracle, facts, has_swap
from anonlab.linux.pagemap import access
from anonlab.linux.recordings import recorded, shipped


@dataclass(frozen=True)
class Witness:
    """A recording, and where it comes from: `live` if the kernel that runs here was asked just
    now; else `reason` says why not."""

    recording: Recording
    live: bool
    reason: str = ""

    @property
    def kernel(self) -> str:
        """Return "Linux 6.18.44"."""
        return kernel_name(self.recording.kernel)

    @property
    def source(self) -> str:
        """Where this comes from, in a sentence."""
        if self.live:
            view = "" if self.recording.view == FULL else "; without rights to see frame numbers"
            return f"asked just now: the kernel that runs here, {self.kernel}{view}"
        return f"recorded on {self.kernel}; the running kernel was not asked: {self.reason}"


def witness(told: str, live: bool | None = None) -> Witness:
    """Return what a kernel did with a history.

    told    the name of a recording, or the text of a history of one's own
    live    True insists on the running kernel, False on a recording; None asks the running one
            if it shows frame numbers to this process, and can do the history
    raises  ValueError for an unknown name, if the running kernel is insisted on and cannot, or if
            it cannot and nobody has recorded this history; FormatError if it is none
    """
    history = parse(told) if "\n" in told else recorded(told).history
    reason = "a recording was asked for" if live is False else _why_not(history)
    if not reason:
        return ask(history)
    if live:
        raise ValueError(f"the running kernel cannot be asked: {reason}")
    recording = _recorded_like(history)
    if recording is None:
        raise ValueError(
            f"the running kernel cannot be asked ({reason}), and nobody has recorded this history; "
            "a recorded one can be chosen by its name"
        )
    return Witness(recording, False, reason)


def ask(history: History | str, view: str = "") -> Witness:
    """Return what the running kernel does with any history.

    view    FULL or WEAK; '' for as much as this process may see
    raises  ValueError if this kernel cannot be the witness, FormatError if real processes cannot
            do the history
    """
    told = parse(history) if isinstance(history, str) else history
    with Oracle(view) as oracle:
        return Witness(oracle.record(told), live=True)


def kernel_name(known: Mapping[str, Any] | None = None) -> str:
    """Return the name and version of a recorded kernel, or of the one that runs here."""
    return f"Linux {(known or facts()).get('release', 'of unknown version')}"


def _why_not(history: History) -> str:
    """Return why the running kernel cannot show all of `history`; '' if it can."""
    may = access()
    if may.view != FULL:
        return may.reason
    return lacks_swap(history)


def _recorded_like(history: History) -> Recording | None:
    """Return a recording of the same operations, if there is one."""
    ops = [format_op(op) for op in history.ops]
    same = (each for _, each in shipped() if [format_op(op) for op in each.history.ops] == ops)
    return next(same, None)


def lacks_swap(history: History) -> str:
    """Return the reason why a kernel without swap cannot do `history`; '' if it can."""
    swaps = any(op.verb == "swap_out" for op in history.ops)
    return "there is no swap here" if swaps and not has_swap() else ""
