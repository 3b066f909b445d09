"""What a kernel did with a history: the one that runs here, if it may be looked at, or a recorded
one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anonlab.formats.history import History
from anonlab.formats.history_text import format_op, parse
from anonlab.formats.recording import FULL, Recording
from anonlab.linux.oracle import Oracle, has_swap, kernel_facts
from anonlab.linux.pagemap import access
from anonlab.linux.recordings import load_recording, shipped_recordings


@dataclass(frozen=True)
class LiveOrRecorded:
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


def live_or_recorded(name_or_text: str, live: bool | None = None) -> LiveOrRecorded:
    """Return what a kernel did with a history.

    name_or_text  the name of a recording, or the text of a history of one's own
    live    True insists on the running kernel, False on a recording; None asks the running one
            if it shows frame numbers to this process, and can do the history
    raises  ValueError for an unknown name, if the running kernel is insisted on and cannot, or if
            it cannot and nobody has recorded this history; FormatError if it is none
    """
    history = parse(name_or_text) if "\n" in name_or_text else load_recording(name_or_text).history
    reason = "a recording was asked for" if live is False else _why_not(history)
    if not reason:
        return ask_running_kernel(history)
    if live:
        raise ValueError(f"the running kernel cannot be asked: {reason}")
    recording = _recorded_like(history)
    if recording is None:
        raise ValueError(
            f"the running kernel cannot be asked ({reason}), and nobody has recorded this history; "
            "a recorded one can be chosen by its name"
        )
    return LiveOrRecorded(recording, False, reason)


def ask_running_kernel(history: History | str, view: str = "") -> LiveOrRecorded:
    """Return what the running kernel does with any history.

    view    FULL or WEAK; '' for as much as this process may see
    raises  ValueError if this kernel cannot be the witness, FormatError if real processes cannot
            do the history
    """
    if isinstance(history, str):
        history = parse(history)
    with Oracle(view) as oracle:
        return LiveOrRecorded(oracle.record(history), live=True)


def kernel_name(known: Mapping[str, Any] | None = None) -> str:
    """Return the name and version of a recorded kernel, or of the one that runs here."""
    return f"Linux {(known or kernel_facts()).get('release', 'of unknown version')}"


def _why_not(history: History) -> str:
    """Return why the running kernel cannot show all of `history`; '' if it can."""
    may = access()
    if may.view != FULL:
        return may.reason
    return lacks_swap(history)


def _recorded_like(history: History) -> Recording | None:
    """Return a recording of the same operations, if there is one."""
    ops = [format_op(op) for op in history.ops]
    same = (
        each
        for _, each in shipped_recordings()
        if [format_op(op) for op in each.history.ops] == ops
    )
    return next(same, None)


def lacks_swap(history: History) -> str:
    """Return the reason why a kernel without swap cannot do `history`; '' if it can."""
    swaps = any(op.verb == "swap_out" for op in history.ops)
    return "there is no swap here" if swaps and not has_swap() else ""
