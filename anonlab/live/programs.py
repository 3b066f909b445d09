"""A program of one's own: recorded with its system calls, and what the simulated kernel makes of
them; where nothing can be traced, a log that comes with anonlab, with the reason."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from anonlab.histories.library import log
from anonlab.linux.program import record_program
from anonlab.proof.replaying import Replay, replay
from anonlab.view.stage.picture import Picture, chart

SHIPPED = "bash_pipeline"


@dataclass(frozen=True)
class TracedProgram:
    """What the simulated kernel made of a program's system calls, and where these come from."""

    source: str
    report: Replay

    def chart(self) -> Picture:
        """Return how many pages were shared, how many address spaces and groups there were."""
        points = self.report.points
        series = {
            "shared pages": [point.shared for point in points],
            "mms": [point.mms for point in points],
            "groups": [point.groups for point in points],
        }
        return chart(series, self.source, "operation")

    def __repr__(self) -> str:
        plain = self.report.to_json()
        lines = [self.source, *(f"  {name}: {value}" for name, value in plain.items())]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>{self.chart()._repr_html_()}"


def trace_and_replay(command: Sequence[str]) -> TracedProgram:
    """Run `command` under strace, and its calls on the simulated kernel; what it prints goes
    nowhere, because a notebook's kernel has no place for it.

    Where it cannot be traced, the shipped log of a shell pipeline stands in, and `source` says so.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.log"
        try:
            status, faults = record_program(command, path, quiet=True)
        except (ValueError, OSError, subprocess.SubprocessError) as error:
            report = replay(log(SHIPPED), timeline=True)
            return TracedProgram(
                f"{SHIPPED}, a log that was kept; nothing was traced: {error}", report
            )
        return TracedProgram(
            f"{' '.join(command)}, traced just now, exit status {status}, {faults}",
            replay(path, timeline=True),
        )
