"""anonmm: Hugh Dickins, March 2003 ("anobjrmap") and again March to May 2004 ("rmap 10 and 11").

Each mm has a node, and each anonymous page names as home the node of the mm that first mapped it,
and its one address. The nodes of all mms since one execve form a ring: a walk tries that address at
home first, then round the ring, and stops when it has found `mapcount` mappings.

pte_chains spent memory and fork time on every page. One list of mms for the whole family, as in
Linus Torvalds's sketch of 13 March 2004, is cheaper still, but asks many mms for a page that only
one of them has; with a home such a page costs one node and one probe, however large the family.

The price: mremap of a shared page must copy it; a walk for an inherited page may go all round the
ring, under one lock per execve; and the nodes of the dead must stay while pages name them, so they
are counted. The design was in -mm from 18 April 2004 (2.6.6-rc1-mm1, "No pte chains"); in the tree
of Linus Torvalds one push of 22 May 2004 adds and removes it, in favour of anon_vma.

Sources: "[PATCH] anobjrmap 5/6 rechained", 20 March 2003,
<Pine.LNX.4.44.0303202316020.2743-100000@localhost.localdomain>; "[PATCH] anobjrmap 5/6 anonmm",
18 March 2004, <Pine.LNX.4.44.0403182325280.16928-100000@localhost.localdomain>; "[patch 11/57] rmap
10 add anonmm rmap", 22 May 2004, <200405222204.i4MM4Nr12454@mail.osdl.org>; "[PATCH] rmap 11 mremap
moves", 16 April 2004, <Pine.LNX.4.44.0404160033380.10431-100000@localhost.localdomain>.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from anonlab.formats.labels import Labels
from anonlab.formats.snapshot import Edge, Node
from anonlab.machine.words import PAGE_SHIFT, Ints, Mask, Pfns, Vpns
from anonlab.mm import Mm, Vma
from anonlab.rmap.base import Candidates, Rmap, one_of

BLOCK_WORDS = 7
"""Words of a chain block beside the pointer to the next one."""


class AnonMmNode:
    """The node of one mm (struct anonmm).

    number  its id, from 1, never used twice
    mm      number of its mm, 0 once that is gone: a zombie
    count   +1 for the mm, +1 for each page whose home it is; the head of a ring has +1 for itself
            and +1 for each other node
    ring    the nodes since one execve
    """

    def __init__(self, number: int, mm: int, ring: Ring) -> None:
        self.number = number
        self.mm = mm
        self.count = 1
        self.ring = ring

    @property
    def name(self) -> str:
        """What people call it."""
        kind = "anonmm head" if self.ring.head is self else "anonmm"
        return f"{kind} {self.number}" + ("" if self.mm else " (zombie)")


class Ring:
    """The nodes of all mms since one execve, by number, the oldest first: the head, as long as it
    is there, is an element like the others. Numbers ascend, because new nodes go to the tail."""

    def __init__(self) -> None:
        self.nodes: dict[int, AnonMmNode] = {}
        self._columns: Ints | None = None

    @property
    def head(self) -> AnonMmNode:
        """The node that execve made; it goes last."""
        return next(iter(self.nodes.values()))

    def changed(self) -> None:
        """Nodes or mms came or went."""
        self._columns = None

    def mms_from(self, node: AnonMmNode) -> Ints:
        """Return the mms of all nodes, int64[n], 0 for zombies: once round from `node`."""
        if self._columns is None:
            rows = [(each.number, each.mm) for each in self.nodes.values()]
            self._columns = np.array(rows, dtype=np.int64).T
        numbers, mms = self._columns
        at = np.searchsorted(numbers, node.number)
        return np.concatenate([mms[at:], mms[:at]])


class AnonMm(Rmap):
    """One node per mm, one ring per execve, one home and one address per page.

    mremap_policy     when mremap takes a page for shared: 'mapcount' = mapcount > 1, as posted;
                      'count' = page->count > 1, as in Linus Torvalds's sketch, which also copies
                      pages that are only pinned or in the swap cache
    early_stop        stop a walk once every mapping was found
    chained           the version of 20 March 2003: mremap copies nothing; a page that is mapped at
                      a second address keeps a chain of addresses, in blocks of seven words whose
                      first one is the mapcount, and a walk tries each of them in every live mm.
                      fork adds nothing to a chain; it goes when nobody maps the page
    rehome_on_mremap  the version of 18 March 2004: the mover becomes the home of its own pages
    cow_rule, rehome_on_reuse   see Rmap

    `index` is the address in bytes, as posted, not the page number. Of chained pages it is the
    first address. Left open in the mails, and chosen here: an address stands in a chain once, in
    the order in which they came; and its blocks are nodes, visited again for each mm.
    """

    name = "anonmm"
    year = 2004
    lock = "head"
    copies_on_mremap = stays_in_family = True
    cannot: ClassVar = {
        "KSM": "one page at many addresses of unrelated rings: a page has one index and one home"
    }
    sizes: ClassVar = {"node": (24, 40), "pointer": (4, 8), "block": (32, 64)}
    owners = "node"
    words: ClassVar = Labels("anonmm")

    def __init__(
        self,
        mremap_policy: str = "mapcount",
        early_stop: bool | None = None,
        *,
        chained: bool = False,
        rehome_on_mremap: bool = False,
        cow_rule: str | None = None,
        rehome_on_reuse: bool | None = None,
    ) -> None:
        super().__init__(cow_rule=cow_rule, early_stop=early_stop, rehome_on_reuse=rehome_on_reuse)
        self.mremap_policy = one_of("mremap_policy", mremap_policy, ("mapcount", "count"))
        self.chained = chained
        self.rehome_on_mremap = rehome_on_mremap
        self.nodes: dict[int, AnonMmNode] = {}
        self.chains: dict[int, list[int]] = {}  # addresses of chained pages, by pfn
        self._last_number = 0

    # Address spaces

    def new_mm(self, mm: Mm) -> None:
        """execve starts a new ring; its first node is the head (exec_rmap)."""
        self._new_node(mm, Ring()).count += 1

    def fork_mm(self, child: Mm, parent: Mm) -> None:
        """fork adds one node at the tail, whatever the parent maps (dup_rmap)."""
        self._new_node(child, parent.rmap.ring).ring.head.count += 1
        self.cost.links += 1
        self.cost.locks += 1

    def _new_node(self, mm: Mm, ring: Ring) -> AnonMmNode:
        self._last_number += 1
        node = AnonMmNode(self._last_number, mm.number, ring)
        self.nodes[node.number] = ring.nodes[node.number] = node
        mm.rmap = node
        ring.changed()
        self.made("node")
        self.grew("pointer", 1)
        return node

    def drop_mm(self, mm: Mm) -> None:
        """exit leaves a zombie if pages name the node, or it is the head of others (exit_rmap)."""
        node: AnonMmNode = mm.rmap
        mm.rmap = None
        node.mm = 0
        node.ring.changed()
        self.grew("pointer", -1)
        self.cost.locks += 1
        self._put(node, 1)
        head = node.ring.head
        if head.count == 1:
            del self.nodes[head.number]
            self.freed("node")

    def _put(self, node: AnonMmNode, n: int) -> None:
        """Count `n` users of `node` less. Without any it leaves the ring: a head never comes here
        with none, because it counts itself."""
        node.count -= n
        self.version += 1
        if node.count == 0:
            del self.nodes[node.number], node.ring.nodes[node.number]
            node.ring.changed()
            node.ring.head.count -= 1
            self.cost.unlinks += 1
            self.freed("node")

    # Pages

    def add(self, pfns: Pfns, vma: Vma, vpns: Vpns, exclusive: Mask) -> None:
        """Give pages that nobody mapped before their one address and their home."""
        mem, node, addrs = self.mem_map, vma.mm.rmap, vpns << PAGE_SHIFT
        fresh = mem.mapcount[pfns] == 1
        if not fresh.all():
            if self.chained:
                self._chain(pfns[~fresh], addrs[~fresh])
            pfns, addrs = pfns[fresh], addrs[fresh]
        mem.mapping[pfns] = node.number
        mem.index[pfns] = addrs
        node.count += pfns.size
        self.version += 1

    def remove(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """Pages that nobody maps any more have no home: it may go before they do."""
        mem = self.mem_map
        gone = pfns[(mem.mapcount[pfns] == 0) & (mem.mapping[pfns] != 0)]
        for pfn in gone[self._has_chain(gone)].tolist():
            self.freed("block", nblocks(len(self.chains.pop(pfn))))
        homes = mem.mapping[gone]
        mem.mapping[gone] = mem.index[gone] = 0
        self._leave(homes)

    def _leave(self, homes: Ints) -> None:
        """The nodes `homes`, with repeats, have lost one page each time."""
        numbers, counts = np.unique(homes, return_counts=True)
        for number, n in zip(numbers.tolist(), counts.tolist(), strict=True):
            self._put(self.nodes[number], n)

    def _rehome(self, pfns: Pfns, node: AnonMmNode) -> None:
        """Make `node` the home of the distinct `pfns`."""
        homes = self.mem_map.mapping[pfns]
        self.mem_map.mapping[pfns] = node.number
        node.count += pfns.size
        self._leave(homes)

    def reused(self, pfns: Pfns, vma: Vma, vpns: Vpns) -> None:
        """The writer is the home from now on; no version did this."""
        self._rehome(pfns, vma.mm.rmap)

    def move(self, pfns: Pfns, old: Vma, vpns: Vpns) -> Mask:
        """Shared pages are copied, because a page has one address (can_move_one_pte)."""
        mem = self.mem_map
        users = mem.count if self.mremap_policy == "count" else mem.mapcount
        return (users[pfns] > 1) & (not self.chained)

    def moved(self, pfns: Pfns, old: Vma, old_vpns: Vpns, new: Vma, vpns: Vpns) -> None:
        """The page follows its PTE; its home stays, though it may not map the page at all."""
        mem, addrs = self.mem_map, vpns << PAGE_SHIFT
        alone = mem.mapcount[pfns] == 1
        if self.rehome_on_mremap:
            self._rehome(pfns[alone], new.mm.rmap)
        if self.chained:
            alone &= ~self._has_chain(pfns)
            self._chain(pfns[~alone], addrs[~alone])
            pfns, addrs = pfns[alone], addrs[alone]
        mem.index[pfns] = addrs

    def _chain(self, pfns: Pfns, addrs: Ints) -> None:
        """Pages are mapped at `addrs` too now: add what their chains do not have yet."""
        for pfn, addr in zip(pfns.tolist(), addrs.tolist(), strict=True):
            chain = self.chains.get(pfn, [int(self.mem_map.index[pfn])])
            if addr not in chain:
                had = nblocks(len(chain)) if pfn in self.chains else 0
                self.chains[pfn] = [*chain, addr]
                self.made("block", nblocks(len(chain) + 1) - had)

    def _has_chain(self, pfns: Pfns) -> Mask:
        """Return which pages have a chain, bool[n] (PG_chained)."""
        return np.isin(pfns, np.fromiter(self.chains, dtype=np.int64, count=len(self.chains)))

    def index_of(self, vma: Vma, vpns: Vpns) -> Ints:
        """The address in bytes."""
        return vpns << PAGE_SHIFT

    def clash(self, index: Ints, vma: Vma, vpns: Vpns) -> Mask:
        """A page that is still mapped has its address; another one needs another page, or a chain
        (do_swap_page: "index != va")."""
        return np.asarray((index != vpns << PAGE_SHIFT) & (not self.chained))

    def candidates(self, pfn: int) -> Candidates:
        """The address at home, then once round the ring. Zombies, and mms without any page in
        memory, are passed without a probe."""
        home = self.nodes[int(self.mem_map.mapping[pfn])]
        mms = home.ring.mms_from(home)
        probed = np.flatnonzero(self.mm_table.rss[mms])
        nodes = np.append(probed + 1, mms.size)
        if pfn not in self.chains:
            vpn = self.mem_map.index[pfn] >> PAGE_SHIFT
            return Candidates(mms[probed], np.full(probed.shape, vpn), nodes)
        vpns = np.array(self.chains[pfn]) >> PAGE_SHIFT
        blocks = (np.arange(vpns.size) + 1) // BLOCK_WORDS + 1  # read when the address is, 1, 2, …
        before = nodes + np.arange(nodes.size) * blocks[-1]  # and all of them, in each mm before
        nodes = np.append((before[:-1, None] + blocks).ravel(), before[-1])
        return Candidates(np.repeat(mms[probed], vpns.size), np.tile(vpns, probed.size), nodes)

    def referenced(self, pfn: int, mms: Ints) -> None:
        """A page of a zombie gets the first mm that maps it as home, if all mappings were found."""
        home = self.nodes.get(int(self.mem_map.mapping[pfn]))
        if home is not None and not home.mm and mms.size == self.mem_map.mapcount[pfn]:
            finder = next(node for node in home.ring.nodes.values() if node.mm == mms[0])
            self._rehome(np.array([pfn]), finder)

    # For people

    def home(self, mm: Mm) -> str:
        """Every mm has a node."""
        return f"anonmm{mm.rmap.number}"

    def mapping_names(self) -> list[tuple[int, str]]:
        """Nodes by number, the dead ones too."""
        return [(number, node.name) for number, node in self.nodes.items()]

    def _rings(self) -> list[Ring]:
        return list({id(node.ring): node.ring for node in self.nodes.values()}.values())

    def _homed(self) -> Ints:
        """Return how many pages name each node as home, int64[], by node number."""
        homes = self.mem_map.mapping
        return np.bincount(homes[homes > 0], minlength=self._last_number + 1)

    def graph(self) -> tuple[list[Node], list[Edge]]:
        """Every ring with its nodes, and the mms that are alive. A node alone points to nobody."""
        nodes, edges, pages = [], [], self._homed()
        for ring in self._rings():
            members = list(ring.nodes.values())
            for node, after in zip(members, [*members[1:], members[0]], strict=True):
                kind = "anonmm" if node is not ring.head else "head"
                facts = (("count", str(node.count)), ("pages", str(pages[node.number])))
                name = f"anonmm{node.number}"
                nodes.append(Node(name, kind if node.mm else "zombie", node.name, facts))
                if after is not node:
                    edges.append(Edge(name, f"anonmm{after.number}", "ring"))
                if node.mm:
                    nodes.append(Node(f"mm{node.mm}", "mm", f"mm {node.mm}"))
                    edges.append(Edge(name, f"mm{node.mm}", "mm"))
        return nodes, edges

    def check(self, mms: Mapping[int, Mm], numbers: Ints, vpns: Vpns, pfns: Pfns) -> None:
        """I2: a page is mapped at its address and nowhere else, by mms of its home's ring."""
        mem = self.mem_map
        addrs = vpns << PAGE_SHIFT
        other = addrs != mem.index[pfns]
        for pfn, addr in zip(pfns[other].tolist(), addrs[other].tolist(), strict=True):
            where = f"pfn {pfn} is mapped at {addr:#x}, its index is {mem.index[pfn]:#x}"
            assert addr in self.chains.get(pfn, ()), where
        pairs = zip(numbers.tolist(), mem.mapping[pfns].tolist(), strict=True)
        for (number, mapping), pfn in dict(zip(pairs, pfns.tolist(), strict=True)).items():
            home = self.nodes.get(mapping)
            assert home is not None, f"pfn {pfn}: its home, node {mapping}, is gone"
            where = f"mm {number} maps pfn {pfn}, whose home {home.name} is in another ring"
            assert home.ring is mms[number].rmap.ring, where

    def check_structure(self, mms: Mapping[int, Mm]) -> None:
        """Each live mm has a node, each node is in its ring; counts equal a recount."""
        unmapped = [pfn for pfn in self.chains if not self.mem_map.mapcount[pfn]]
        assert not unmapped, f"pfn {unmapped[0]} is mapped nowhere, but has a chain"
        alive = {node.mm: node for node in self.nodes.values() if node.mm}
        assert sorted(alive) == sorted(mms), f"nodes of mms {sorted(alive)}, alive are {list(mms)}"
        lost = [node.name for n, node in self.nodes.items() if n not in node.ring.nodes]
        assert not lost, f"{lost[0]} is not in its ring"
        freed = [n for ring in self._rings() for n in ring.nodes if n not in self.nodes]
        assert not freed, f"node {freed[0]} is in a ring, but was freed"
        pages = self._homed()
        for node in self.nodes.values():
            ring, is_head = node.ring, node is node.ring.head
            assert not node.mm or mms[node.mm].rmap is node, f"mm {node.mm} has not {node.name}"
            count = bool(node.mm) + pages[node.number] + (len(ring.nodes) if is_head else 0)
            assert node.count == count, (
                f"{node.name}: count {node.count}, recounted {count}: {pages[node.number]} pages"
            )
            assert count > is_head, f"{node.name} serves nobody and was not freed"


def nblocks(naddrs: int) -> int:
    """Return how many blocks a chain of `naddrs` addresses and the mapcount takes."""
    return -(-(naddrs + 1) // BLOCK_WORDS)
