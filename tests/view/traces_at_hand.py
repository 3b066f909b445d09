"""Every trace at hand: those made by hand, the library's histories, a real program."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import sample

from anonlab.formats.trace import Trace


@cache
def every_trace() -> dict[str, Trace]:
    """Every trace at hand, by name."""
    from anonlab import record

    out = {name: build() for name, build in sample.TRACES.items()}
    library = Path(sys.modules["anonlab"].__file__ or "").parent / "histories" / "library"
    for path in sorted(library.glob("*.history")):
        out[path.stem] = record(path.read_text(encoding="utf-8"))
    out["bash_pipeline"] = _program("bash_pipeline")
    return out


def _program(name: str) -> Trace:
    """The processes' births, changes of program and ends of a recorded real program."""
    from anonlab import record
    from anonlab.histories.strace.log import read_strace

    data = Path(sys.modules["anonlab"].__file__ or "").parent / "histories" / "data"
    whole = record(read_strace(data / f"{name}.strace").history)
    chosen = ("start", "fork", "vfork", "clone_vm", "execve", "exit")
    steps = [step for step in whole.steps if step.level == "op" and step.label in chosen]
    return Trace(name, tuple(steps))
