"""Hand-built traces for the tests of pictures, made of snapshots alone: no kernel is involved."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from anonlab.formats.snapshot import (
    Edge,
    FileFact,
    MmFact,
    Node,
    ProcessFact,
    Snapshot,
    VmaFact,
)
from anonlab.formats.trace import Step, Trace
from anonlab.machine.words import (
    LESSON,
    PG_ANON,
    PG_DIRTY,
    PG_RESERVED,
    PG_SWAPCACHE,
    PTE_ACCESSED,
    PTE_DIRTY,
    PTE_PRESENT,
    PTE_SHIFT,
    PTE_USER,
    PTE_WRITE,
    X86_64,
    Geometry,
    swp_entry,
)

PRESENT = PTE_PRESENT | PTE_USER | PTE_ACCESSED
EVIL = '<img src=x onerror="alert(1)">&\'"</script>'


@dataclass
class Toy:
    """A machine kept by hand: enough structure to write down consistent snapshots."""

    geometry: Geometry = LESSON
    nframes: int = 64
    pages: dict[int, dict[int, int]] = field(default_factory=dict)  # mm: {vpn: word}
    frames: dict[int, dict[str, int]] = field(default_factory=dict)  # pfn: columns
    vmas: dict[int, list[VmaFact]] = field(default_factory=dict)
    people: list[ProcessFact] = field(default_factory=list)
    groups: dict[int, int] = field(default_factory=dict)  # mm: group
    files: dict[str, FileFact] = field(default_factory=dict)
    swap: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    cost: dict[str, int] = field(default_factory=lambda: {"ptes_probed": 0, "pages_copied": 0})
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.frame(0, count=1, flags=PG_RESERVED)

    def frame(self, pfn: int, **columns: int) -> None:
        base = dict.fromkeys(
            ("count", "mapcount", "index", "mapping", "flags", "data", "private"), 0
        )
        self.frames[pfn] = base | columns

    def map(self, mm: int, vpn: int, pfn: int, bits: int = 0) -> None:
        self.pages[mm][vpn] = pfn << PTE_SHIFT | PRESENT | bits
        if pfn:
            self.frames[pfn]["count"] += 1
            self.frames[pfn]["mapcount"] += 1

    def unmap(self, mm: int, vpn: int) -> int:
        pfn = self.pages[mm].pop(vpn) >> PTE_SHIFT
        if pfn:
            self.frames[pfn]["count"] -= 1
            self.frames[pfn]["mapcount"] -= 1
            if not self.frames[pfn]["count"]:
                del self.frames[pfn]
        return pfn

    def anon(self, mm: int, vpn: int, pfn: int, data: int, bits: int = PTE_WRITE) -> None:
        group = self.groups[mm]
        self.frame(pfn, index=vpn, mapping=group, flags=PG_ANON | PG_DIRTY, data=data)
        self.map(mm, vpn, pfn, bits | PTE_DIRTY)

    def tables(self) -> tuple[list[tuple[int, int, int]], dict[int, int]]:
        """Return (row, slot, word) of every entry, and the row of each mm's top table."""
        words: dict[tuple[int, int], int] = {}
        rows: dict[tuple[int, int, int], int] = {}
        bits, levels = self.geometry.bits, self.geometry.levels

        def row(mm: int, level: int, prefix: int) -> int:
            return rows.setdefault((mm, level, prefix), len(rows) + 1)

        for mm in self.pages:
            row(mm, 0, 0)
            for vpn, word in sorted(self.pages[mm].items()):
                for level in range(levels - 1):
                    prefix = vpn >> bits * (levels - level)
                    below = row(mm, level + 1, vpn >> bits * (levels - 1 - level))
                    slot = self.geometry.index(vpn, level)
                    words[row(mm, level, prefix), slot] = below << PTE_SHIFT | PTE_PRESENT
                words[row(mm, levels - 1, vpn >> bits), vpn & self.geometry.slots - 1] = word
        tops = {mm: rows[mm, 0, 0] for mm in self.pages}
        return sorted((r, s, w) for (r, s), w in words.items()), tops

    def snapshot(self) -> Snapshot:
        entries, tops = self.tables()
        columns = {
            name: np.array([f[name] for _, f in sorted(self.frames.items())], dtype=np.int64)
            for name in ("count", "mapcount", "index", "mapping", "flags", "data", "private")
        }
        table = np.array(entries, dtype=np.int64).reshape(-1, 3)
        slots = sorted(self.swap)
        used = np.array([self.swap[slot] for slot in slots], dtype=np.int64).reshape(-1, 3)
        return Snapshot(
            design="anongroup",
            nframes=self.nframes,
            geometry=self.geometry,
            nswap=16,
            pfn=np.array(sorted(self.frames), dtype=np.int64),
            **columns,
            row=table[:, 0].copy(),
            slot=table[:, 1].copy(),
            word=table[:, 2].copy(),
            swap_slot=np.array(slots, dtype=np.int64),
            swap_count=used[:, 0].copy(),
            swap_data=used[:, 1].copy(),
            swap_pfn=used[:, 2].copy(),
            processes=tuple(self.people),
            mms=self._mms(tops),
            files=tuple(self.files.values()),
            mappings=self._mappings(),
            nodes=self._nodes(),
            edges=self._edges(),
            cost=tuple(sorted(self.cost.items())),
        )

    def _mms(self, tops: dict[int, int]) -> tuple[MmFact, ...]:
        return tuple(
            MmFact(
                mm, tops[mm], tuple(p.name for p in self.people if p.mm == mm),
                f"group {self.groups[mm]}", tuple(self.vmas[mm]),
            )
            for mm in sorted(self.pages)
        )  # fmt: skip

    def _mappings(self) -> tuple[tuple[int, str], ...]:
        groups = {(group, f"group {group}") for group in self.groups.values()}
        return tuple(sorted(groups | {(f.mapping, f"file {f.name}") for f in self.files.values()}))

    def _file_vmas(self) -> list[tuple[int, VmaFact]]:
        return [(mm, vma) for mm in sorted(self.pages) for vma in self.vmas[mm] if vma.file]

    def _nodes(self) -> tuple[Node, ...]:
        out = []
        for group in sorted({self.groups[mm] for mm in self.pages}):
            members = sum(self.groups[mm] == group for mm in self.pages)
            out.append(Node(f"group{group}", "group", f"group {group}", (("mms", str(members)),)))
        for fact in self._mms(dict.fromkeys(self.pages, 0)):
            out.append(Node(f"mm{fact.mm}", "mm", f"mm {fact.mm} ({', '.join(fact.processes)})"))
        out += [Node(f"file{f.mapping}", "file", f"file {f.name}") for f in self.files.values()]
        for mm, vma in self._file_vmas():
            where = self.geometry.address(vma.start_vpn)
            out.append(Node(f"vma{mm}-{vma.start_vpn:x}", "vma", f"vma {where}"))
        return tuple(out)

    def _edges(self) -> tuple[Edge, ...]:
        out = [Edge(f"group{self.groups[mm]}", f"mm{mm}", "member") for mm in sorted(self.pages)]
        for mm, vma in self._file_vmas():
            name = f"vma{mm}-{vma.start_vpn:x}"
            out.append(Edge(f"file{self.files[vma.file].mapping}", name, "i_mmap"))
            out.append(Edge(name, f"mm{mm}", "vm_mm"))
        return tuple(out)

    def step(self, label: str, title: str, sentence: str, source: str, text: str, who: str) -> None:
        number = -1 if not self.steps else self.steps[-1].operation
        fresh = not self.steps or self.steps[-1].level == "op"
        operation = number + 1 if fresh and label != "start" else number
        level = "op" if "." not in label else "sub"
        self.steps.append(
            Step(
                label, title, sentence, source, operation, text, level, who, (), "", self.snapshot()
            )
        )

    def vma(self, start: int, npages: int, prot: str = "rw-", **more: object) -> VmaFact:
        base = {"shared": False, "file": "", "pgoff": start, "locked": False, "growsdown": False}
        return VmaFact(start, start + npages, prot, **(base | more))  # type: ignore[arg-type]

    def fork(self, parent: int, child: int, name: str, pid: int) -> None:
        by = next(p.name for p in self.people if p.mm == parent)
        self.people.append(ProcessFact(name, pid, by, child, by))
        self.pages[child], self.vmas[child] = {}, list(self.vmas[parent])
        self.groups[child] = self.groups[parent]

    def share(self, parent: int, child: int) -> None:
        for vpn, word in self.pages[parent].items():
            if word & PTE_PRESENT:
                self.pages[parent][vpn] = word & ~PTE_WRITE
                self.map(child, vpn, word >> PTE_SHIFT, word & PTE_DIRTY)
            else:
                self.pages[child][vpn] = word

    def leave(self, mm: int) -> None:
        for vpn in list(self.pages[mm]):
            if self.pages[mm][vpn] & PTE_PRESENT:
                self.unmap(mm, vpn)
        del self.pages[mm]
        self.people = [p._replace(mm=0) if p.mm == mm else p for p in self.people]


def lesson(child: str = "child", shell: str = "shell", library: str = "libc") -> Trace:
    """The first lesson: spawn, mmap, write, read, fork, copy on write, swap-out, exit."""
    toy = Toy()
    toy.step("start", "start", "The machine before the first operation.", "", "", "")
    toy.people.append(ProcessFact(shell, 1, "", 1, shell))
    toy.pages[1], toy.vmas[1], toy.groups[1] = {}, [], 1
    mail = "mail of 13 March 2004"
    toy.step(
        "spawn",
        "spawn",
        f"{shell} starts with an empty address space in a new group.",
        f'{mail}: an "execve()" creates a new "anon memory group"',
        f"{shell} = spawn",
        shell,
    )
    toy.files[library] = FileFact(library, 9, 3, False, ())
    toy.vmas[1] = [toy.vma(0x30, 4)]
    toy.step(
        "mmap",
        "mmap",
        f"{shell} may use 4 pages from 0x30000; no frame is used yet.",
        "do_mmap",
        f"{shell} mmap 0x30000 4",
        shell,
    )
    toy.vmas[1].append(toy.vma(0x80, 3, "r-x", file=library, pgoff=0))
    toy.step(
        "mmap",
        "mmap",
        f"{shell} may use 3 pages from 0x80000; no frame is used yet.",
        "do_mmap",
        f"{shell} mmap 0x80000 3 rx file {library}",
        shell,
    )
    for at, tag in enumerate((7, 7, 8)):
        toy.anon(1, 0x30 + at, 3 + at, tag)
    toy.step(
        "fault.anon",
        "fault: first touch",
        "3 new zero-filled pages; each gets its one address (index) and its group (mapping).",
        f'{mail}: "each anonymous page is associated with exactly _one_ virtual address"',
        f"{shell} write 0x30000 7 3",
        shell,
    )
    toy.step(
        "write",
        "write",
        f"{shell} wrote 3 pages from 0x30000.",
        "handle_mm_fault",
        f"{shell} write 0x30000 7 3",
        shell,
    )
    toy.map(1, 0x33, 0)
    toy.frame(6, count=1, index=1, mapping=9, data=40)
    toy.files[library] = FileFact(library, 9, 3, False, ((1, 6),))
    toy.map(1, 0x81, 6)
    toy.step(
        "read",
        "read",
        f"{shell} read 2 pages: one shows the zero page, one the file.",
        "handle_mm_fault",
        f"{shell} read 0x33000",
        shell,
    )
    toy.fork(1, 2, child, 2)
    toy.step(
        "fork.dup_mm",
        "fork: duplicate the mm",
        f"{child} gets an address space of its own, still empty.",
        "dup_mm, mm_init",
        f"{child} = fork {shell}",
        child,
    )
    toy.share(1, 2)
    toy.step(
        "fork.share_ptes",
        "fork: write-protect and share the PTEs",
        "5 pages are now mapped by parent and child, read-only on both sides.",
        "copy_page_range, copy_one_pte",
        f"{child} = fork {shell}",
        child,
    )
    toy.step("fork", "fork", f"{child} runs.", "do_fork", f"{child} = fork {shell}", child)
    toy.unmap(2, 0x30)
    toy.anon(2, 0x30, 7, 9)
    toy.cost["pages_copied"] += 1
    toy.step(
        "fault.wp_copy",
        "fault: copy on write",
        f"1 pages are shared: the writer {child} gets a copy of each.",
        "do_wp_page",
        f"{child} write 0x30000 9",
        child,
    )
    toy.step(
        "write",
        "write",
        f"{child} wrote 1 pages from 0x30000.",
        "handle_mm_fault",
        f"{child} write 0x30000 9",
        child,
    )
    for mm in (1, 2):
        toy.unmap(mm, 0x31)
        toy.pages[mm][0x31] = int(swp_entry(5))
    toy.frame(4, count=1, index=0x31, mapping=1, flags=PG_ANON | PG_SWAPCACHE, data=7, private=5)
    toy.swap[5] = (2, 7, 4)
    toy.cost["ptes_probed"] += 2
    toy.step(
        "swap_out.unmap",
        "swap-out: walk and unmap",
        "Every PTE that maps the page becomes a swap entry.",
        "try_to_unmap",
        f"{shell} swap_out 0x31000",
        shell,
    )
    del toy.frames[4]
    toy.swap[5] = (2, 7, 0)
    toy.step(
        "swap_out",
        "swap_out",
        "1 pages from 0x31000 were swapped out.",
        "shrink_list",
        f"{shell} swap_out 0x31000",
        shell,
    )
    toy.leave(2)
    toy.swap[5] = (1, 7, 0)
    toy.step("exit", "exit", f"{child} is gone.", "do_exit", f"{child} exit", child)
    return Trace(f"A first copy on write in {shell}", tuple(toy.steps))


def program(children: int = 3, npages: int = 200) -> Trace:
    """A program on a 4-level machine: 4 areas, forks, scattered copies on write, exits."""
    toy = Toy(X86_64, 4096)
    toy.step("start", "start", "The machine before the first operation.", "", "", "")
    toy.people.append(ProcessFact("bash", 100, "", 1, "bash"))
    toy.pages[1], toy.groups[1] = {}, 1
    text, heap, library, stack = 0x555555554, 0x5555556A0, 0x7FFFF7D80, 0x7FFFFFFDE
    toy.files["bash"] = FileFact("bash", 1001, 90, False, ())
    toy.files["libc.so.6"] = FileFact("libc.so.6", 1002, 120, False, ())
    toy.vmas[1] = [
        toy.vma(text, 60, "r-x", file="bash", pgoff=0),
        toy.vma(text + 60, 10, "rw-", file="bash", pgoff=60),
        toy.vma(heap, 80),
        toy.vma(library, 100, "r-x", file="libc.so.6", pgoff=3),
        toy.vma(stack, 33, "rw-", growsdown=True),
    ]
    toy.step("mmap", "mmap", "bash has its areas.", "do_mmap", "bash mmap any 283", "bash")
    pfn = 1
    for area, mapping, skip in ((text, 1001, 3), (library, 1002, 0)):
        for at in range(npages // 4):
            if skip and at % (7 + skip) == 0:
                continue
            toy.frame(pfn, count=1, index=at, mapping=mapping, data=1000 + at)
            toy.map(1, area + at, pfn)
            pfn += 1
    for area, count in ((text + 60, 8), (heap, npages // 3), (stack + 20, 13)):
        for at in range(count):
            toy.anon(1, area + at, pfn, at * 31 % 97)
            pfn += 1
    toy.step("write", "write", f"bash wrote {pfn} pages.", "handle_mm_fault", "bash write", "bash")
    for child in range(2, 2 + children):
        name = f"bash.{child}"
        toy.fork(1, child, name, 100 + child)
        toy.share(1, child)
        toy.step("fork", "fork", f"{name} runs.", "do_fork", f"{name} = fork bash", name)
        for at in range(0, 24, 5):
            toy.unmap(child, heap + at * 2)
            toy.anon(child, heap + at * 2, pfn, child)
            pfn += 1
            toy.step("write", "write", f"{name} wrote 1 page.", "do_wp_page", f"{name} write", name)
    for child in range(2, 2 + children):
        toy.leave(child)
        toy.step("exit", "exit", f"bash.{child} is gone.", "do_exit", f"bash.{child} exit", "bash")
    return Trace("A program that forks", tuple(toy.steps))


TRACES = {
    "lesson": lesson,
    "hostile names": lambda: lesson(EVIL, "a b  c, d", 'so "quoted": yes.'),
    "program": program,
}
