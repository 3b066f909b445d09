"""The flavours of mremap that a generated history uses."""

from __future__ import annotations

from anonlab.formats.history import ANY
from anonlab.histories.generator import Generator
from anonlab.histories.model import AddressSpace
from anonlab.machine.words import PAGE_SHIFT


def mremap(maker: Generator, who: str, space: AddressSpace) -> bool:
    """Move, grow, shrink or move out of some pages, or move the last ones back."""
    if who in maker.moved and maker.rng.chance(1, 3):
        vpns, back = maker.moved.pop(who)
        if space.pages.keys() >= set(vpns):
            return move(maker, who, space, vpns, range(back, back + len(vpns)))
    if not space.pages:
        return False
    vpns = space.one_vma(maker.rng.choice(list(space.pages)), maker.rng.between(1, 6))
    flavour = maker.rng.weighted((60, 12, 10, 10, 8))
    if flavour == 1:
        return shrink(maker, who, space, vpns)
    if flavour == 2:
        return grow(maker, who, space, vpns)
    npages = len(vpns) + (maker.rng.between(1, 3) if flavour == 3 else 0)
    spot = target(maker, vpns, npages)
    return move(maker, who, space, vpns, spot, dontunmap=flavour == 4)


def target(maker: Generator, vpns: range, npages: int) -> range:
    """Return `npages` pages in a window that do not overlap `vpns`."""
    while True:
        spot = maker.spot(npages)
        if spot.stop <= vpns.start or spot.start >= vpns.stop:
            return spot


def move(
    maker: Generator,
    who: str,
    space: AddressSpace,
    vpns: range,
    target: range,
    dontunmap: bool = False,
) -> bool:
    """Move `vpns` to `target`, which may cover other mappings and may be longer."""
    args: dict[str, int | str | bool] = {"to": target.start << PAGE_SHIFT}
    if len(target) != len(vpns):
        args = {"new_pages": len(target), **args}
    first = space.pages[vpns.start]
    dontunmap = dontunmap and not first.file
    if dontunmap:
        args["dontunmap"] = True
    else:
        maker.moved[who] = (target[: len(vpns)], vpns.start)
        space.unmap(vpns)
    # An area moved to another place is another VMA than what it came from.
    maker.areas += 1
    for number, vpn in enumerate(target):
        space.pages[vpn] = first._replace(pgoff=first.pgoff + number, area=maker.areas)
    return maker.ranged("mremap", who, vpns, **args)


def shrink(maker: Generator, who: str, space: AddressSpace, vpns: range) -> bool:
    """Shorten a mapping in place."""
    keep = maker.rng.between(1, len(vpns))
    space.unmap(vpns[keep:])
    return maker.ranged("mremap", who, vpns, new_pages=keep)


def grow(maker: Generator, who: str, space: AddressSpace, vpns: range) -> bool:
    """Lengthen a mapping in place if there is room, else wherever the kernel likes."""
    npages = len(vpns) + maker.rng.between(1, 3)
    added = range(vpns.stop, vpns.start + npages)
    if added.stop > maker.top or not space.free(added):
        space.unmap(vpns)
        return maker.ranged("mremap", who, vpns, new_pages=npages, to=ANY)
    last = space.pages[vpns.stop - 1]
    for number, vpn in enumerate(added, 1):
        space.pages[vpn] = last._replace(pgoff=last.pgoff + number)
    return maker.ranged("mremap", who, vpns, new_pages=npages)
