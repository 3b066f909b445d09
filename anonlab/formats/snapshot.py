"""A snapshot: everything a person can see of the machine at one moment, as immutable plain data.

Pictures, text twins and players are made of snapshots and of nothing else. Only what is in use is
kept: frames that are not free, page-table words that are not 0, swap slots that are taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, NamedTuple, get_args, get_type_hints

import numpy as np

from anonlab.errors import FormatError
from anonlab.machine.words import GEOMETRIES, LESSON, Geometry, Ints


class VmaFact(NamedTuple):
    """One VMA: pages [start_vpn, end_vpn), protection as 'rw-', '' as file when anonymous."""

    start_vpn: int
    end_vpn: int
    prot: str
    shared: bool
    file: str
    pgoff: int
    locked: bool
    growsdown: bool


class MmFact(NamedTuple):
    """One address space: `pgd` is the row of its top table, `home` its object in the design
    ('' where the design keeps none per mm), `processes` the names that run in it."""

    mm: int
    pgd: int
    processes: tuple[str, ...]
    home: str
    vmas: tuple[VmaFact, ...]


class ProcessFact(NamedTuple):
    """One process; `mm` is 0 once it has exited. `program` is what its last execve named."""

    name: str
    pid: int
    parent: str
    mm: int
    program: str


class FileFact(NamedTuple):
    """One file (or shared anonymous object): `mapping` is the number its pages carry in
    mem_map.mapping; `cached` lists (page offset, pfn) of the page cache, ascending."""

    name: str
    mapping: int
    npages: int
    shmem: bool
    cached: tuple[tuple[int, int], ...]


class Node(NamedTuple):
    """A node of the design's own graph. `id` is stable for the whole life of the thing;
    `kind` is 'group', 'mm', …; `facts` are (name, value) pairs for people."""

    id: str
    kind: str
    label: str
    facts: tuple[tuple[str, str], ...] = ()


class Edge(NamedTuple):
    """A directed edge between two nodes of the design's graph, by node ids."""

    tail: str
    head: str
    kind: str


class Probe(NamedTuple):
    """One place that a walk looks at: page `vpn` of address space `mm`; `hit` if the page was
    there, `nodes` elements of the design's own structure visited so far."""

    mm: int
    vpn: int
    hit: bool
    nodes: int


class WalkFact(NamedTuple):
    """What the reverse map does to find who maps frame `pfn`: it starts at `via` ("group 1"),
    makes `probes` in this order, and ends after `nodes` elements and `locks` locks."""

    pfn: int
    via: str
    probes: tuple[Probe, ...]
    nodes: int
    locks: int


FRAME_COLUMNS = ("count", "mapcount", "index", "mapping", "flags", "data", "private")

COLUMNS = (
    *("pfn", *FRAME_COLUMNS),
    *("row", "slot", "word"),
    *("swap_slot", "swap_count", "swap_data", "swap_pfn"),
)
"""Every field of a Snapshot that is an array."""


def _none() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The state of a machine, its processes and its reverse-map design at one moment.

    Columns are int64[n] and read-only:

    pfn, count … private   one row per frame in use, ascending by pfn; `private` is the swap slot
                           of a page in the swap cache, else 0; `mapping` is a key of `mappings`
    row, slot, word        one row per page-table word that is not 0, ascending by (row, slot);
                           an upper-level word holds the row of the next table above PTE_SHIFT
    swap_slot, swap_count, swap_data, swap_pfn
                           one row per swap slot in use: its swap_map, content tag, cached pfn or 0
    `mappings` gives the mapping numbers their names: {1: "group 1", 2: "file libc"}.
    `cost` holds the design's counters so far. `walks` holds one walk per mapped page, ascending by
    pfn, where they were asked for; looking costs nothing, so they are not in `cost`.
    """

    design: str
    nframes: int
    geometry: Geometry = LESSON
    nswap: int = 0
    pfn: Ints = field(default_factory=_none)
    count: Ints = field(default_factory=_none)
    mapcount: Ints = field(default_factory=_none)
    index: Ints = field(default_factory=_none)
    mapping: Ints = field(default_factory=_none)
    flags: Ints = field(default_factory=_none)
    data: Ints = field(default_factory=_none)
    private: Ints = field(default_factory=_none)
    row: Ints = field(default_factory=_none)
    slot: Ints = field(default_factory=_none)
    word: Ints = field(default_factory=_none)
    swap_slot: Ints = field(default_factory=_none)
    swap_count: Ints = field(default_factory=_none)
    swap_data: Ints = field(default_factory=_none)
    swap_pfn: Ints = field(default_factory=_none)
    processes: tuple[ProcessFact, ...] = ()
    mms: tuple[MmFact, ...] = ()
    files: tuple[FileFact, ...] = ()
    mappings: tuple[tuple[int, str], ...] = ()
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    cost: tuple[tuple[str, int], ...] = ()
    walks: tuple[WalkFact, ...] = ()

    def __post_init__(self) -> None:
        for name in COLUMNS:
            getattr(self, name).flags.writeable = False

    def __eq__(self, other: object) -> bool:
        """Walks follow from the rest: a snapshot without them equals the same one with them."""
        if not isinstance(other, Snapshot):
            return False
        mine, theirs = vars(self), vars(other)
        return all(
            np.array_equal(mine[name], theirs[name]) if name in COLUMNS else mine[name] == value
            for name, value in theirs.items()
            if name != "walks"
        )

    __hash__ = None  # type: ignore[assignment]  # compared by value, never a dictionary key

    def to_json(self) -> dict[str, Any]:
        """Return the snapshot as lists, strings and integers."""
        out: dict[str, Any] = {}
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, np.ndarray):
                out[entry.name] = value.tolist()
            elif isinstance(value, Geometry):
                out[entry.name] = {"levels": value.levels, "bits": value.bits, "name": value.name}
            elif isinstance(value, tuple):
                out[entry.name] = _plain(value)
            else:
                out[entry.name] = value
        return out

    @classmethod
    def from_json(cls, plain: Any) -> Snapshot:
        """Return the snapshot that `to_json` wrote.

        raises  FormatError if a field is missing, unknown or of the wrong shape
        """
        names = {entry.name for entry in fields(cls)}
        if not isinstance(plain, dict) or set(plain) != names:
            found = sorted(plain) if isinstance(plain, dict) else type(plain).__name__
            raise FormatError(f"a snapshot has the fields {sorted(names)}, this one {found}")
        values = {name: read_field(name, plain[name]) for name in names}
        for group in (COLUMNS[:8], COLUMNS[8:11], COLUMNS[11:]):
            if len({values[name].size for name in group}) > 1:
                raise FormatError(f"a snapshot's columns {', '.join(group)} have unequal lengths")
        return cls(**values)


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


# Reading. What a field may hold is said once, by the types of Snapshot and of the facts.


def read_field(name: str, plain: Any) -> Any:
    """Return the plain value of field `name` in the type that Snapshot declares, or FormatError."""
    if name in COLUMNS:
        return _column(name, plain)
    if name == "geometry":
        return _geometry(plain)
    return _read(_types(Snapshot)[name], plain, name)


def _column(name: str, plain: Any) -> Ints:
    if not isinstance(plain, list) or not all(type(number) is int for number in plain):
        raise FormatError(f"snapshot field {name} must be a list of numbers, got {plain!r:.60}")
    try:
        return np.array(plain, dtype=np.int64)
    except OverflowError:
        raise FormatError(f"snapshot field {name} has a number that is not int64") from None


def _geometry(plain: Any) -> Geometry:
    kinds = _types(Geometry)
    if not isinstance(plain, dict) or set(plain) != set(kinds):
        raise FormatError(f"snapshot field geometry has {', '.join(kinds)}, got {plain!r:.60}")
    values = {name: _read(kind, plain[name], "geometry") for name, kind in kinds.items()}
    try:
        geometry = Geometry(**values)
    except ValueError as error:
        raise FormatError(f"snapshot field geometry: {error}") from None
    known = GEOMETRIES.get(geometry.name)
    return known if known == geometry else geometry


@cache
def _types(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, plain: Any, where: str) -> Any:
    """Return JSON `plain` as `kind`: int, str, bool, a fact, or a tuple of these."""
    if kind in (int, str, bool):
        if type(plain) is kind:
            return plain
        raise FormatError(f"snapshot field {where} must hold {kind.__name__}, got {plain!r:.60}")
    if not isinstance(plain, list):
        raise FormatError(f"snapshot field {where} must hold a list, got {plain!r:.60}")
    if hasattr(kind, "_fields"):
        parts = list(_types(kind).values())
    else:
        parts = list(get_args(kind))
        if parts[-1] is Ellipsis:
            return tuple(_read(parts[0], item, where) for item in plain)
    if len(plain) != len(parts):
        raise FormatError(f"snapshot field {where} wants {len(parts)} values in {plain!r:.60}")
    items = (_read(part, item, where) for part, item in zip(parts, plain, strict=True))
    return kind(*items) if hasattr(kind, "_fields") else tuple(items)
