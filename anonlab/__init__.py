"""anonlab: how Linux finds the page tables that map a page, to see, to step through, to check.

::

    from anonlab import Kernel, LESSON, check

    kernel = Kernel(design="anongroup", frames=64, geometry=LESSON)
    shell = kernel.spawn("shell")
    heap = shell.mmap(4 * 4096, at=0x30000)
    shell.write(heap, 7)
    child = shell.fork("child")
    child.write(heap, 9)    # copy on write
    check(kernel)           # AssertionError if any invariant is broken
"""

from typing import Any

from anonlab.errors import (
    AddressInUse,
    BadAddress,
    BusError,
    Busy,
    FormatError,
    InvalidArgument,
    NoSuchProcess,
    OutOfMemory,
    PermissionDenied,
    SegmentationFault,
    SimulatedError,
)
from anonlab.formats.catalogue import language
from anonlab.formats.history import History, Op
from anonlab.formats.history_text import parse
from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import Step, Trace
from anonlab.histories.costs import Comparison, compare
from anonlab.histories.run import run
from anonlab.kernel import Kernel, Page, Task
from anonlab.machine.words import GEOMETRIES, LESSON, PAGE_SIZE, X86_32, X86_64, Geometry
from anonlab.notebook.display import attach as _attach
from anonlab.proof.invariants import check
from anonlab.proof.page_table_scan import scan
from anonlab.recording.recorder import Recorder, operations, record
from anonlab.recording.snapshot import snapshot as _snapshot
from anonlab.rmap import (
    DESIGNS,
    AnonGroup,
    AnonGroupOptions,
    AnonMm,
    AnonVma,
    AnonVmaChain,
    Candidates,
    CowContext,
    PerMmSpace,
    PteChain,
    Rmap,
)
from anonlab.version import __version__

Kernel.snapshot = _snapshot
Places = Candidates
"""The name that `Candidates` had in version 0.1."""
_attach()


def explore(*arguments: Any, **options: Any) -> Any:
    """Return the bench of `notebook.workbench`: operations by click, and the machine moves."""
    from anonlab.notebook.workbench import explore as start

    return start(*arguments, **options)


__all__ = [
    "DESIGNS",
    "GEOMETRIES",
    "LESSON",
    "PAGE_SIZE",
    "X86_32",
    "X86_64",
    "AddressInUse",
    "AnonGroup",
    "AnonGroupOptions",
    "AnonMm",
    "AnonVma",
    "AnonVmaChain",
    "BadAddress",
    "BusError",
    "Busy",
    "Candidates",
    "Comparison",
    "CowContext",
    "FormatError",
    "Geometry",
    "History",
    "InvalidArgument",
    "Kernel",
    "NoSuchProcess",
    "Op",
    "OutOfMemory",
    "Page",
    "PerMmSpace",
    "PermissionDenied",
    "Places",
    "PteChain",
    "Recorder",
    "Rmap",
    "SegmentationFault",
    "SimulatedError",
    "Snapshot",
    "Step",
    "Task",
    "Trace",
    "__version__",
    "check",
    "compare",
    "explore",
    "language",
    "operations",
    "parse",
    "record",
    "run",
    "scan",
]
