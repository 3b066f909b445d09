"""The objects of anonlab show themselves in a notebook: as a picture, as HTML and as text.

Kernels, traces and histories know nothing of pictures. This module, which `import anonlab` loads,
gives their classes what notebook front ends ask for (`_repr_mimebundle_`), and traces their
`save_html`. What draws (`notebook.representations`, `view`) is loaded when something is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from anonlab.formats import trace
from anonlab.formats.history import History
from anonlab.formats.snapshot import Snapshot
from anonlab.histories.bill import Bill
from anonlab.histories.costs import Comparison
from anonlab.kernel import Kernel, Page, Task
from anonlab.rmap.cost import Cost

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = (Kernel, Task, Page, Cost, Comparison, Bill, Snapshot, History, trace.Trace)
"""Classes whose objects have a representation."""


def attach() -> None:
    """Give every class of SHOWN its representation, and traces their page."""
    trace.draw_with(_save_page)
    for kind in SHOWN:
        setattr(kind, "_repr_mimebundle_", _repr_mimebundle_)  # noqa: B010  the class has no such


def _repr_mimebundle_(self: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
    """Return {MIME type: content}; `include` and `exclude` are the front end's to apply."""
    from anonlab.notebook.representations import bundle

    made = bundle(self)
    return made if "text/plain" in made else {"text/plain": repr(self), **made}


def _save_page(
    played: trace.Trace, path: str | Path, title: str | None, predict: Iterable[int]
) -> Path:
    from anonlab.view import save_html

    return save_html(played, path, title, predict)
