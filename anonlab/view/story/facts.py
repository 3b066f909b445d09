"""What a picture or a text says, as a set of tuples: the measure that makes them comparable.

A fact is a tuple of strings. Its first word is its kind::

    machine  design  geometry  frames-in-use  frames  swap-slots
    process  name  pid  parent  mm  program          mm is 0 once it has exited
    mm       number  row-of-top-table  home  process …
    vma      mm  first-address  pages  prot  private|shared  file  pgoff  locked|-  growsdown|-
    table    mm  first-address  row                  a leaf table
    upper    mm  level  first-address  row           a table between the top one, level 0, and those
    pte      mm  address  frame  pfn  letters        a page that is present
    pte      mm  address  swap  slot                 a page that is swapped out
    frame    pfn  count  mapcount  index  mapping  content  flags  private
    slot     number  count  content  pfn             a swap slot in use
    file     name  mapping  pages  shmem|-           and its page cache: cached  name  pgoff  pfn
    node     id  kind  label  name=value …           of the design's own graph
    edge     tail  head  kind
    cost     name  value
    walk     pfn  via  nodes  locks  probe …         a probe: "mm address hit|miss nodes-so-far"
"""

from __future__ import annotations

from collections.abc import Iterator

from anonlab.formats.snapshot import (
    Edge,
    FileFact,
    MmFact,
    Node,
    ProcessFact,
    Snapshot,
    VmaFact,
    WalkFact,
)
from anonlab.machine.words import (
    PTE_SHIFT,
    Geometry,
    is_present,
    pte_letters,
    swp_offset,
)
from anonlab.view.story.reading import Frame, Moment, read

Fact = tuple[str, ...]


def facts(snapshot: Snapshot) -> frozenset[Fact]:
    """Return every fact that a picture or text of `snapshot` has to show."""
    return frozenset(_all(read(snapshot)))


def _all(moment: Moment) -> Iterator[Fact]:
    snapshot, geometry = moment.snapshot, moment.snapshot.geometry
    yield machine_fact(snapshot)
    yield from (process_fact(process) for process in snapshot.processes)
    for mm, space in moment.spaces.items():
        yield mm_fact(space.fact)
        yield from (vma_fact(mm, vma, geometry) for vma in space.fact.vmas)
        yield from (table_fact(mm, at, row, geometry) for at, row in space.leaves.items())
        yield from (upper_fact(mm, *at, row, geometry) for at, row in space.uppers.items())
        yield from (pte_fact(mm, vpn, word, geometry) for vpn, word in space.words.items())
    yield from (frame_fact(frame) for frame in moment.frames.values())
    yield from slot_facts(snapshot)
    for file in snapshot.files:
        yield from file_facts(file)
    yield from (node_fact(node) for node in snapshot.nodes)
    yield from (edge_fact(edge) for edge in snapshot.edges)
    yield from cost_facts(snapshot)
    yield from (walk_fact(walk, geometry) for walk in snapshot.walks)


def machine_fact(snapshot: Snapshot) -> Fact:
    """The design, the shape and the size of the machine."""
    shape = snapshot.geometry
    name = shape.name or f"{shape.levels}x{shape.bits}"
    sizes = (len(snapshot.pfn), snapshot.nframes, snapshot.nswap)
    return ("machine", snapshot.design, name, *map(str, sizes))


def process_fact(process: ProcessFact) -> Fact:
    """One process, alive or gone."""
    name, pid, parent, mm, program = process
    return ("process", name, str(pid), parent, str(mm), program)


def mm_fact(fact: MmFact) -> Fact:
    """One address space without its VMAs."""
    return ("mm", str(fact.mm), str(fact.pgd), fact.home, *fact.processes)


def vma_fact(mm: int, vma: VmaFact, geometry: Geometry) -> Fact:
    """One VMA of address space `mm`."""
    return (
        "vma",
        str(mm),
        geometry.address(vma.start_vpn),
        str(vma.end_vpn - vma.start_vpn),
        vma.prot,
        "shared" if vma.shared else "private",
        vma.file,
        str(vma.pgoff),
        "locked" if vma.locked else "-",
        "growsdown" if vma.growsdown else "-",
    )


def table_fact(mm: int, prefix: int, row: int, geometry: Geometry) -> Fact:
    """The leaf table of `mm` for the pages from prefix << bits."""
    return ("table", str(mm), geometry.address(prefix << geometry.bits), str(row))


def upper_fact(mm: int, level: int, prefix: int, row: int, geometry: Geometry) -> Fact:
    """The table of `mm` at `level`, below the top one and above the leaves."""
    first = prefix << geometry.bits * (geometry.levels - level)
    return ("upper", str(mm), str(level), geometry.address(first), str(row))


def pte_fact(mm: int, vpn: int, word: int, geometry: Geometry) -> Fact:
    """One page-table entry that is not 0."""
    where = ("pte", str(mm), geometry.address(vpn))
    if is_present(word):
        return (*where, "frame", str(word >> PTE_SHIFT), pte_letters(word))
    return (*where, "swap", str(swp_offset(word)))


def frame_fact(frame: Frame) -> Fact:
    """One frame in use."""
    return (
        "frame",
        str(frame.pfn),
        str(frame.count),
        str(frame.mapcount),
        f"{frame.index:#x}",
        frame.mapping,
        str(frame.data),
        " ".join(frame.flags),
        str(frame.private),
    )


def slot_facts(snapshot: Snapshot) -> Iterator[Fact]:
    """The swap slots in use."""
    columns = (snapshot.swap_slot, snapshot.swap_count, snapshot.swap_data, snapshot.swap_pfn)
    for row in zip(*(column.tolist() for column in columns), strict=True):
        yield ("slot", *map(str, row))


def file_facts(file: FileFact) -> Iterator[Fact]:
    """One file and the pages of it in the page cache."""
    shmem = "shmem" if file.shmem else "-"
    yield ("file", file.name, str(file.mapping), str(file.npages), shmem)
    for pgoff, pfn in file.cached:
        yield ("cached", file.name, str(pgoff), str(pfn))


def node_fact(node: Node) -> Fact:
    """One node of the design's graph."""
    return ("node", node.id, node.kind, node.label, *(f"{name}={v}" for name, v in node.facts))


def edge_fact(edge: Edge) -> Fact:
    """One edge of the design's graph."""
    return ("edge", edge.tail, edge.head, edge.kind)


def cost_facts(snapshot: Snapshot) -> Iterator[Fact]:
    """The design's counters."""
    return (("cost", name, str(value)) for name, value in snapshot.cost)


def walk_fact(walk: WalkFact, geometry: Geometry) -> Fact:
    """What the reverse map does to find one page."""
    probes = (
        f"{mm} {geometry.address(vpn)} {'hit' if hit else 'miss'} {nodes}"
        for mm, vpn, hit, nodes in walk.probes
    )
    return ("walk", str(walk.pfn), walk.via, str(walk.nodes), str(walk.locks), *probes)
