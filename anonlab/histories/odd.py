"""What programs ask for seldom: holes, empty and unaligned ranges, every protection, moves of many
areas and onto something, stacks that grow towards a neighbour, and the end of the heap.

Every one of them can be done on real processes as well. What a kernel answers is left open, and so
is what the memory is like afterwards: later operations rest on a belief that may be wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from anonlab.histories.generator import Generator
from anonlab.histories.model import AddressSpace
from anonlab.machine.words import PAGE_SHIFT, PAGE_SIZE

PROTS = ("rw", "rw", "r", "none", "rx", "w", "wx", "rwx")
"""All but x alone, which is what the CPU's protection keys make of it."""
RANGED = ("mprotect", "madvise", "mlock", "munlock", "munmap")
LONGEST = 12
Args = dict[str, int | str | bool]


def ranged(maker: Generator, who: str, verb: str, addr: int, npages: int) -> bool:
    """Add `verb` on any range of bytes."""
    more: dict[str, Args] = {
        "mprotect": {"prot": maker.rng.choice(PROTS)},
        "madvise": {"advice": "dontneed"},
        "mmap": {"prot": maker.rng.choice(PROTS)},
    }
    vpns = range(addr >> PAGE_SHIFT, (addr >> PAGE_SHIFT) + npages)
    if verb == "munmap" and not addr % PAGE_SIZE:
        maker.spaces[who].unmap(vpns)
    elif verb == "mprotect":
        maker.spaces[who].change(vpns, **more[verb])
    elif verb in ("mlock", "munlock"):
        maker.spaces[who].change(vpns, locked=verb == "mlock")
    return maker.emit(verb, who, addr=addr, pages=npages, **more.get(verb, {}))


def anywhere(maker: Generator, who: str, space: AddressSpace) -> bool:
    """A range with holes, or of several areas, of whatever protection, locked or not."""
    vpns = maker.spot(maker.rng.between(1, LONGEST))
    return ranged(maker, who, maker.rng.choice(RANGED), vpns.start << PAGE_SHIFT, len(vpns))


def empty(maker: Generator, who: str, space: AddressSpace) -> bool:
    """No pages at all, at a page or inside one."""
    verb = maker.rng.choice((*RANGED, "mmap"))
    addr = (maker.spot(1).start << PAGE_SHIFT) + maker.rng.choice((0, 0, 1, 2048))
    return ranged(maker, who, verb, addr, 0)


def unaligned(maker: Generator, who: str, space: AddressSpace) -> bool:
    """An address inside a page."""
    verb = maker.rng.choice((*RANGED, "mmap", "mlock", "munlock"))
    vpns = maker.spot(maker.rng.between(2, 5))
    addr = (vpns.start << PAGE_SHIFT) + maker.rng.between(1, PAGE_SIZE - 1)
    return ranged(maker, who, verb, addr, len(vpns) - 1)


def occupied(maker: Generator, who: str, space: AddressSpace) -> bool:
    """An mmap that does not replace, where something may be."""
    vpns = maker.spot(maker.rng.between(1, 4))
    if space.free(vpns):
        maker.map(space, vpns, vpns.start, {})
    return maker.ranged("mmap", who, vpns)


def moved(maker: Generator, who: str, space: AddressSpace) -> bool:
    """An mremap of any range to any place: several areas, holes, overlaps, other lengths, none."""
    vpns = maker.spot(maker.rng.between(0, LONGEST) or 1)
    npages = maker.rng.choice((len(vpns), len(vpns), len(vpns), 0))
    new_npages = npages if npages and maker.rng.chance(3, 4) else maker.rng.between(0, 6)
    spot = maker.spot(max(npages, new_npages, 1))
    args: Args = {"to": spot.start << PAGE_SHIFT}
    if new_npages != npages:
        args["new_pages"] = new_npages
    if maker.rng.chance(1, 4):
        args["dontunmap"] = True
    elif maker.rng.chance(1, 8):
        del args["to"]
    if maker.rng.chance(1, 16) and "to" in args:
        args["to"] = int(args["to"]) + 8
    return maker.emit("mremap", who, addr=vpns.start << PAGE_SHIFT, pages=npages, **args)


def touched(maker: Generator, who: str, space: AddressSpace) -> bool:
    """A touch of several pages, forbidden ones among them."""
    vpns = maker.spot(maker.rng.between(1, 5))
    return maker.touch(maker.rng.choice(("read", "write")), who, vpns)


ODD: tuple[Callable[[Generator, str, AddressSpace], bool], ...] = (
    *(anywhere, anywhere, anywhere, empty, unaligned, occupied),
    *(moved, moved, moved, touched),
)


def below_a_stack(maker: Generator, who: str, space: AddressSpace) -> bool:
    """Touch a page near below a stack, whoever lives there."""
    bottoms = [
        vpn for vpn, page in space.pages.items() if page.grows and vpn - 1 not in space.pages
    ]
    if not bottoms:
        return False
    bottom = maker.rng.choice(bottoms)
    vpn = bottom - maker.rng.between(1, 4)
    page = space.pages[bottom]
    for new in range(vpn, bottom):
        if new not in space.pages:
            space.pages[new] = page._replace(pgoff=page.pgoff + new - bottom)
    return maker.touch(maker.rng.choice(("read", "write")), who, range(vpn, vpn + 1))


def end_of_heap(maker: Generator, who: str, space: AddressSpace) -> bool:
    """Move the end of the heap a little, to a page or inside one."""
    end = (maker.heap << PAGE_SHIFT) + maker.rng.between(-1, 12 * 4) * (PAGE_SIZE >> 2)
    npages = -(-end // PAGE_SIZE)
    if npages >= space.heap_end and space.free(range(space.heap_end, npages + 1)):
        added = range(space.heap_end, npages)
        maker.map(space, added, added.start, {})
        space.heap_end = npages
    elif maker.heap <= npages < space.heap_end:
        space.unmap(range(npages, space.heap_end))
        space.heap_end = npages
    return maker.emit("brk", who, addr=end)
