"""A recording of a kernel's reverse map: a history, and the graph behind its pages after every
operation, to be shown where kernel memory cannot be read.

Like other recordings it says which kernel that was, and nothing of the machine: no addresses, no
frame numbers, no names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anonlab.errors import FormatError
from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
from anonlab.formats.json_text import check_header, read_json, write_json
from anonlab.formats.recording import read_history, typed
from anonlab.formats.rmap_graph import RmapGraph

RMAP_FORMAT = "anonlab-rmap-recording"
RMAP_VERSION = 1


@dataclass(frozen=True)
class RmapRecording:
    """A history with the reverse map that a kernel had after each of its operations.

    kernel    what is to be known of it, as in a Recording
    """

    kernel: Mapping[str, Any]
    history: History
    graphs: tuple[RmapGraph, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the recording as plain data, with format name and version."""
        return {
            "format": RMAP_FORMAT,
            "version": RMAP_VERSION,
            "kernel": dict(self.kernel),
            "history": history_text(self.history).splitlines(),
            "graphs": [graph.to_json() for graph in self.graphs],
        }

    @classmethod
    def from_json(cls, plain: Any) -> RmapRecording:
        """Return the recording that `to_json` wrote.

        raises  FormatError if this is none, of a version that this anonlab cannot read, or if it
                does not hold one graph per operation
        """
        check_header(plain, RMAP_FORMAT, RMAP_VERSION)
        kernel = typed(plain.get("kernel"), dict, "recorded reverse map: field 'kernel'")
        graphs = typed(plain.get("graphs"), list, "recorded reverse map: field 'graphs'")
        history = read_history(plain.get("history"), "recorded reverse map")
        if len(graphs) != len(history.ops):
            raise FormatError(
                f"a recorded reverse map has a graph for each of {len(history.ops)} operations, "
                f"this one has {len(graphs)}"
            )
        return cls(kernel, history, tuple(RmapGraph.from_json(graph) for graph in graphs))

    def dumps(self) -> str:
        """Return the recording as JSON text; equal recordings give equal text."""
        return write_json(self.to_json())

    @classmethod
    def loads(cls, text: str) -> RmapRecording:
        """Return the recording in JSON `text`; raises FormatError."""
        return read_json(text, cls.from_json)
