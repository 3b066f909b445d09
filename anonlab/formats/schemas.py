"""JSON schemas of what anonlab writes: histories, traces, recordings. They are made from the code
that reads the files: verbs from their table, facts from their types.

A file that fits its schema has the right shape. Reading asks for more: a name is given before it is
used, positions ascend, there is one step for each operation.
"""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

from anonlab.formats.deltas import FACTS
from anonlab.formats.history import (
    ADVICES,
    ANY,
    HISTORY_FORMAT,
    HISTORY_VERSION,
    INT_MAX,
    PROTS,
    VERBS,
    Arg,
    Verb,
)
from anonlab.formats.observation import STATES, AreaSeen, PageSeen
from anonlab.formats.recording import FULL, RECORDING_FORMAT, RECORDING_VERSION, WEAK
from anonlab.formats.rmap_graph import RmapGraph
from anonlab.formats.rmap_recording import RMAP_FORMAT, RMAP_VERSION
from anonlab.formats.snapshot import COLUMNS, Snapshot
from anonlab.formats.trace import READABLE, TRACE_FORMAT
from anonlab.machine.words import GEOMETRIES, Geometry

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "integer", "minimum": 0}
NAME: Schema = {"type": "string", "pattern": r"^[^\s0-9][^\s]*$"}
_SIMPLE: dict[Any, Schema] = {
    int: WHOLE,
    str: TEXT,
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
}
_ARGS: dict[str, Schema] = {
    "addr": {"type": "integer", "minimum": 0, "maximum": INT_MAX},
    "where": {"type": "integer", "minimum": ANY, "maximum": INT_MAX},
    "pages": {"type": "integer", "minimum": 0, "maximum": INT_MAX},
    "int": {"type": "integer", "minimum": 0, "maximum": INT_MAX},
    "name": NAME,
    "prot": {"enum": list(PROTS)},
    "advice": {"enum": list(ADVICES)},
    "flag": {"const": True},
}


def schemas() -> dict[str, Schema]:
    """Return the schema of each format, by the name of its file."""
    return {
        "history": history_schema(),
        "trace": trace_schema(),
        "recording": recording_schema(),
        "rmap-recording": rmap_recording_schema(),
    }


def history_schema() -> Schema:
    """Return the schema of a history: each operation has the arguments of its verb."""
    machine = _object(
        {
            "geometry": {"enum": sorted(GEOMETRIES)},
            "frames": {"type": "integer", "minimum": 2, "maximum": 1 << 31},
            "swap": {"type": "integer", "minimum": 0, "maximum": 1 << 31},
            "tables": {"type": "integer", "minimum": 0, "maximum": 1 << 31},
        },
        optional=("tables",),
    )
    ops = {"oneOf": [_operation(name, verb) for name, verb in VERBS.items()]}
    return _file(
        "A history: operations in order, on a machine",
        {
            **_header(HISTORY_FORMAT, HISTORY_VERSION),
            "title": TEXT,
            "machine": machine,
            "ops": _list(ops),
        },
    )


def trace_schema() -> Schema:
    """Return the schema of a trace: its first step holds a snapshot, others what changed."""
    words = ("label", "title", "sentence", "source", "text", "process", "error")
    step = _object(
        {
            **dict.fromkeys(words, TEXT),
            "level": {"enum": ["op", "sub"]},
            "operation": WHOLE,
            "vpns": _list(WHOLE),
            "snapshot": snapshot_schema(),
            "changes": _changes(),
        },
        optional=("snapshot", "changes"),
    )
    step["oneOf"] = [{"required": ["snapshot"]}, {"required": ["changes"]}]
    return _file(
        "A trace: the steps of a history that was run, each with the machine after it",
        {**_header(TRACE_FORMAT, *READABLE), "title": TEXT, "steps": _list(step)},
    )


def snapshot_schema() -> Schema:
    """Return the schema of a snapshot, field by field from its types."""
    hints = get_type_hints(Snapshot)
    fields: dict[str, Schema] = {}
    for name, kind in hints.items():
        if name in COLUMNS:
            fields[name] = _list(WHOLE)
        elif kind is Geometry:
            kinds = get_type_hints(Geometry)
            fields[name] = _object({each: _of(kinds[each]) for each in ("levels", "bits", "name")})
        else:
            fields[name] = _of(kind)
    return _object(fields)


def recording_schema() -> Schema:
    """Return the schema of a recording: after each operation, what changed at each place."""
    page = {"oneOf": [_row({"page": NUMBER}), _row({"page": NUMBER, **_hints(PageSeen)})]}
    page["oneOf"][1]["prefixItems"][1] = {"title": "state", "enum": list(STATES)}
    step = _object(
        {
            "error": TEXT,
            "values": _list(WHOLE),
            "pages": {"type": "object", "additionalProperties": _list(page)},
            "areas": {"type": "object", "additionalProperties": _list(_of(AreaSeen))},
        },
        optional=("error", "values", "pages", "areas"),
    )
    return _file(
        "A recording: what a Linux kernel did with a history",
        {
            **_header(RECORDING_FORMAT, *range(1, RECORDING_VERSION + 1)),
            "kernel": {"type": "object"},
            "view": {"enum": [FULL, WEAK]},
            "history": _list(TEXT),
            "steps": _list(step),
        },
    )


def rmap_recording_schema() -> Schema:
    """Return the schema of a recorded reverse map: a graph after each operation."""
    graph = _object({name: _of(kind) for name, kind in get_type_hints(RmapGraph).items()})
    return _file(
        "A recording of a kernel's reverse map: a history, and the graph after each operation",
        {
            **_header(RMAP_FORMAT, RMAP_VERSION),
            "kernel": {"type": "object"},
            "history": _list(TEXT),
            "graphs": _list(graph),
        },
    )


def _operation(name: str, verb: Verb) -> Schema:
    who: Schema = {"const": ""} if verb.form == "machine" else NAME
    args = {arg.name: _argument(arg) for arg in verb.args}
    optional = [arg.name for arg in verb.args if arg.optional or arg.kind == "flag"]
    return _object(
        {"verb": {"const": name}, "who": who, "args": _object(args, optional), "line": WHOLE}
    )


def _argument(arg: Arg) -> Schema:
    return {**_ARGS[arg.kind]}


def _changes() -> Schema:
    """Return the schema of what a step changed: cells by position, facts by place in their list."""
    cell = _row({"position": NUMBER, "value": WHOLE})
    hints = get_type_hints(Snapshot)
    lists = {
        name: _list(_row({"start": NUMBER, "removed": NUMBER, "facts": _of(hints[name])}))
        for name in FACTS
    }
    cells = {name: _list(cell) for name in ("frames", "words", "swap")}
    fields = {"cost": _list(WHOLE), **cells, **lists}
    return _object(fields, optional=[*cells, *lists])


def _of(kind: Any) -> Schema:
    """Return the schema of values of a type: a simple one, a fact, a tuple of these, a union."""
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if isinstance(kind, UnionType):
        return {"type": [_SIMPLE[each]["type"] for each in get_args(kind)]}
    if hasattr(kind, "_fields"):
        return _row(_hints(kind))
    parts = get_args(kind)
    if parts[-1] is Ellipsis:
        return _list(_of(parts[0]))
    return _row({str(at): _of(part) for at, part in enumerate(parts)})


def _hints(kind: type) -> dict[str, Schema]:
    return {name: _of(part) for name, part in get_type_hints(kind).items()}


def _row(parts: dict[str, Schema]) -> Schema:
    """Return the schema of a list with one value for each part, in order."""
    items = [
        {"title": name, **part} if not name.isdigit() else part for name, part in parts.items()
    ]
    return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _object(properties: dict[str, Schema], optional: Any = ()) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in properties if name not in optional],
        "properties": properties,
    }


def _header(name: str, *versions: int) -> dict[str, Schema]:
    return {"format": {"const": name}, "version": {"enum": list(versions)}}


def _file(title: str, properties: dict[str, Schema]) -> Schema:
    return {"$schema": DIALECT, "title": title, **_object(properties)}
