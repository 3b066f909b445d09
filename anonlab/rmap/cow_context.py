"""COW context: Lorenzo Stoakes, 2026, a first draft shown at a conference, not a kernel feature.

Every address space has one context, a child of its parent's; a page points to the context of the
process that first mapped it, and `page->index` is where it was then. A context also keeps a table
of what mremap has moved, so a walk asks each descendant: have you moved that offset, and where to?

Why anon_vma_chain was not enough: a link for every ancestor of every VMA is a lot of memory, fork
has to make them all, and VMAs with different anon_vmas never merge. Here fork makes one object,
whatever is mapped. It is Hugh Dickins's anonmm of 2003 again, with ranges where that had a chain of
addresses for each page.

The price: a context lives as long as it has descendants, so a process that forks and exits for ever
leaves a chain that grows, as anon_vma_chain did before 2015; and every private file mapping with
pages of its own counts as moved, because its offsets are those of the file.

Two holes of the draft's early stop are not modelled: it may stop after one look when a page is
mapped once. Here a walk stops only when all mappings were found, after the displacements of the
context at hand. Homes after reuse (the writer) and after swap-in (the oldest context, unless the
page is exclusive) are our choice, for the reason that LWN 383162 tells of anon_vma_chain.

source  LWN 1072378, "Keeping COWs in context (a.k.a. anonymous reverse mapping)", 14 May 2026;
        mm/cow_context.c in the author's public branch project/cow-context
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from anonlab.formats.labels import Labels
from anonlab.formats.snapshot import Edge, Node
from anonlab.machine.words import Ints, Mask, Pfns, Vpns
from anonlab.mm import Mm, Vma
from anonlab.rmap.base import Candidates, one_of
from anonlab.rmap.linear import LinearRmap, vma_id


class Context:
    """What an address space leaves to be found by: its number in mem_map.mapping, 0 as `mm` once
    the address space is gone.

    children  in the order of fork
    refcnt    1 for the mm, 1 for each child
    vmas      VMAs with anonymous pages; the table of remaps holds those of them that are displaced
    """

    def __init__(self, number: int, mm: Mm, parent: Context | None) -> None:
        self.number = number
        self.mm = mm.number
        self.parent = parent
        self.root: Context = parent.root if parent else self
        self.children: dict[Context, None] = {}
        self.refcnt = 1
        self.vmas: dict[Vma, None] = {}
        self.walks: dict[Context, Ints] = {}
        """At a root: columns for the walks from each context, until anything changes."""

    def walk_order(self, newest_first: bool) -> Iterator[Context]:
        """Yield this context, then its descendants depth first, each child's before the child."""
        yield self
        stack = [iter(self._heirs(newest_first))]
        path: list[Context] = []
        while stack:
            child = next(stack[-1], None)
            if child is not None:
                path.append(child)
                stack.append(iter(child._heirs(newest_first)))
                continue
            stack.pop()
            if path:
                yield path.pop()

    def _heirs(self, newest_first: bool) -> list[Context]:
        return list(reversed(self.children)) if newest_first else list(self.children)


def displacement(vma: Vma) -> int:
    """Return how far a VMA is from where its offsets say."""
    return vma.start_vpn - vma.pgoff


class CowContext(LinearRmap):
    """One context per address space, and a table of what moved.

    walk_order  order of children: 'head' (newest first, as in the draft) or 'append'
    early_stop, cow_rule, rehome_on_reuse   see Rmap
    """

    name = "cow_context"
    year = 2026
    lock = "RCU"
    stays_in_family = True
    cow_rule = "exclusive"
    rehome_on_reuse = True
    knows_vmas = True
    sizes: ClassVar = {"context": (36, 72), "remap": (16, 32)}
    owners = "context"
    words: ClassVar = Labels("cow_context")
    cannot: ClassVar = {
        "KSM": "one page at offsets of unrelated contexts: a page has one index and one mapping"
    }

    def __init__(
        self,
        walk_order: str = "head",
        *,
        cow_rule: str | None = None,
        early_stop: bool | None = None,
        rehome_on_reuse: bool | None = None,
    ) -> None:
        super().__init__(cow_rule=cow_rule, early_stop=early_stop, rehome_on_reuse=rehome_on_reuse)
        self.walk_order = one_of("walk_order", walk_order, ("head", "append"))
        self.contexts: dict[int, Context] = {}
        self._last_number = 0

    def new_mm(self, mm: Mm) -> None:
        """One context, without parent."""
        self._new(mm, None)

    def fork_mm(self, child: Mm, parent: Mm) -> None:
        """One context, a child of the parent's."""
        above: Context = parent.rmap
        above.children[self._new(child, above)] = None
        above.refcnt += 1
        self.cost.links += 1

    def _new(self, mm: Mm, parent: Context | None) -> Context:
        self._last_number += 1
        context = Context(self._last_number, mm, parent)
        self.contexts[context.number] = mm.rmap = context
        context.root.walks.clear()
        self.made("context")
        return context

    def drop_mm(self, mm: Mm) -> None:
        """The context is dead; it goes when its last child does, and may take its parent along."""
        context: Context = mm.rmap
        mm.rmap = None
        context.mm = 0
        self.version += 1
        context.root.walks.clear()
        self._put(context)

    def _put(self, context: Context) -> None:
        while True:
            context.refcnt -= 1
            if context.refcnt:
                return
            del self.contexts[context.number]
            self.freed("context")
            if context.parent is None:
                return
            del context.parent.children[context]
            self.cost.unlinks += 1
            context = context.parent

    def prepare(self, vma: Vma) -> None:
        """A VMA has pages from now on; if it is displaced, the table must say so."""
        if vma.rmap is None:
            self._enter(vma)

    def _enter(self, vma: Vma) -> None:
        vma.rmap = context = vma.mm.rmap
        context.vmas[vma] = None
        self.version += 1
        context.root.walks.clear()
        if displacement(vma):
            self.made("remap")

    def fork_vma(self, child: Vma, parent: Vma) -> None:
        """The child's table gets what the parent's has."""
        if parent.rmap is not None:
            self._enter(child)

    def copy_vma(self, new: Vma, old: Vma) -> None:
        """A part, or the place that mremap moves to: the table holds the ranges that it makes."""
        if old.rmap is not None:
            self._enter(new)

    def merge_vma(self, keep: Vma, gone: Vma) -> None:
        """Two ranges become one; both are displaced alike."""
        if gone.rmap is not None:
            self.prepare(keep)

    def adjust_vma(self, vma: Vma) -> None:
        """The range begins or ends elsewhere."""
        if vma.rmap is not None:
            vma.rmap.root.walks.clear()
            self.version += 1

    def unlink_vma(self, vma: Vma) -> None:
        """The range goes from the table."""
        context: Context | None = vma.rmap
        if context is None:
            return
        vma.rmap = None
        del context.vmas[vma]
        self.version += 1
        context.root.walks.clear()
        if displacement(vma):
            self.freed("remap")

    def add(self, pfns: Pfns, vma: Vma, vpns: Vpns, exclusive: Mask) -> None:
        """New pages name the context of the process; one back from swap that others may have there
        names the oldest."""
        context: Context = vma.mm.rmap
        self.set_home(pfns, vma, vpns, np.where(exclusive, context.number, context.root.number))

    def remove(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """Pages that nobody maps any more name no context."""
        self.forget_unmapped(pfns)

    def reused(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """The writer's context is enough from now on."""
        self.mem_map.mapping[pfns] = vma.mm.rmap.number

    def candidates(self, pfn: int) -> Candidates:
        """In the page's context and in each descendant: the VMA that lies where the index says,
        then those that were moved there from elsewhere. A dead context is only visited."""
        home = self.contexts[int(self.mem_map.mapping[pfn])]
        index = int(self.mem_map.index[pfn])
        if home not in home.root.walks:
            home.root.walks[home] = self._columns(home)
        node, mms, first, end, moved = home.root.walks[home]
        where = np.flatnonzero((first <= index) & (index < end))
        total = int(node[-1])  # the last column stands for no VMA and ends the list of nodes
        return Candidates(mms[where], index + moved[where], np.append(node[where], total))

    def _columns(self, home: Context) -> Ints:
        """Return int64[5, n + 1] for walks from `home`, in walking order: which node a VMA belongs
        to, from 1, number of the mm, first index, index after the last, displacement."""
        rows = []
        visited = 0
        for visited, context in enumerate(home.walk_order(self.walk_order == "head"), 1):
            for vma in sorted(context.vmas, key=lambda vma: displacement(vma) != 0):
                end = vma.pgoff + vma.npages
                rows.append((visited, context.mm, vma.pgoff, end, displacement(vma)))
        rows.append((visited, 0, 0, 0, 0))
        return np.array(rows, dtype=np.int64).T

    def home(self, mm: Mm) -> str:
        """Every mm has one context."""
        return f"context{mm.rmap.number}"

    def mapping_names(self) -> list[tuple[int, str]]:
        """Contexts by number."""
        return [(number, f"context {number}") for number in self.contexts]

    def graph(self) -> tuple[list[Node], list[Edge]]:
        """The tree of contexts, and the VMAs that are displaced."""
        nodes, edges = [], []
        moved: dict[Vma, None] = {}
        for context in self.contexts.values():
            name = f"context{context.number}"
            remaps = {vma: None for vma in context.vmas if displacement(vma)}
            facts = (("refs", str(context.refcnt)), ("remaps", str(len(remaps))))
            kind = "context" if context.mm else "dead"
            nodes.append(Node(name, kind, f"context {context.number}", facts))
            edges += [Edge(name, f"context{child.number}", "child") for child in context.children]
            edges += [Edge(name, vma_id(vma), "tree") for vma in remaps]
            if context.mm:
                nodes.append(Node(f"mm{context.mm}", "mm", f"mm {context.mm}"))
                edges.append(Edge(name, f"mm{context.mm}", "mm"))
            moved |= remaps
        known = {node.id for node in nodes}
        vmas, owners = self.vma_nodes(moved)
        return nodes + [node for node in vmas if node.id not in known], edges + owners

    def check(self, mms: Mapping[int, Mm], numbers: Ints, vpns: Vpns, pfns: Pfns) -> None:
        """I3: the mm that maps a page has the page's context or a descendant of it, and lists the
        VMA."""
        for pfn, mapping, vma in self.check_index(mms, numbers, vpns, pfns):
            home = self.contexts.get(mapping)
            assert home is not None, f"pfn {pfn} names a context that is gone"
            context: Context | None = vma.mm.rmap
            assert context is not None, f"{vma!r} has pages, but its mm has no context"
            assert vma in context.vmas, f"pfn {pfn} is mapped in {vma!r}, not in its context"
            while context is not None and context is not home:
                context = context.parent
            assert context is home, f"pfn {pfn} is mapped in {vma!r}, no heir of its context"

    def check_structure(self, mms: Mapping[int, Mm]) -> None:
        """Contexts without mm have children; all counts equal a recount."""
        born: dict[int, list[Context]] = {}
        for context in self.contexts.values():
            if context.parent is not None:
                born.setdefault(id(context.parent), []).append(context)
        for context in self.contexts.values():
            named = f"context {context.number}"
            children = born.get(id(context), [])
            assert list(context.children) == children, f"{named} has other children"
            refs = len(children) + (context.mm != 0)
            assert refs == context.refcnt > 0, f"{named}: {refs} references, not {context.refcnt}"
            alive = context.mm == 0 or mms[context.mm].rmap is context
            assert alive, f"{named} names mm {context.mm}, which has another"
