"""Stories: short runs of operations that chance alone hardly ever puts in a row.

A generated history tells one now and then, with pages and processes that it chose at random.
"""

from __future__ import annotations

from anonlab.histories.generator import Generator
from anonlab.histories.model import MappedPage
from anonlab.histories.moves import move, target


def tell_story(maker: Generator) -> None:
    """Add the operations of one story, as far as there are pages and processes for it."""
    maker.rng.choice((swapped_apart, locked_by_one, crowded))(maker)


def swapped_apart(maker: Generator) -> None:
    """Pages of two processes go to swap, one process moves its own, and both touch them: a swap
    entry moves without a copy, so one page is wanted at two addresses."""
    shared = shared_pages(maker, 3)
    if shared is None:
        return
    mover, other, vpns = shared
    maker.touch("swap_out", mover, vpns)
    spot = target(maker, vpns, len(vpns))
    move(maker, mover, maker.spaces[mover], vpns, spot)
    touches = [(mover, spot), (other, vpns)]
    for who, pages in touches if maker.rng.chance(1, 2) else reversed(touches):
        maker.touch(maker.rng.choice(("read", "read", "write")), who, pages)


def locked_by_one(maker: Generator) -> None:
    """Pages of two processes are locked by one of them, and the other wants them swapped out."""
    shared = shared_pages(maker, 2)
    if shared is None:
        return
    who, other, vpns = shared
    maker.spaces[who].change(vpns, locked=True)
    maker.ranged("mlock", who, vpns)
    maker.touch("swap_out", other, vpns)


def crowded(maker: Generator) -> None:
    """A wide range, partly in memory, partly on swap but in memory for another process, partly not
    there yet, is written at once while few frames are free: to make room, the kernel must not take
    what it is about to use."""
    who = maker.anyone()
    wide = new_area(maker, who, maker.spot(8))
    maker.touch("write", who, wide[:4])
    maker.touch("write", who, new_area(maker, who, target(maker, wide, 8)))
    if maker.max_processes > 1:
        if len(maker.spaces) == maker.max_processes:
            maker.exit(maker.rng.choice([name for name in maker.spaces if name != who]))
        other = maker.forked("fork", who)
        maker.touch("swap_out", who, wide[:2])
        maker.touch("read", other, wide[:2])
    maker.touch("write", who, wide)


def new_area(maker: Generator, who: str, vpns: range) -> range:
    """Map new private memory at `vpns`, whatever is there now; return `vpns`."""
    maker.map(maker.spaces[who], vpns, vpns.start, {})
    maker.ranged("mmap", who, vpns, fixed=True)
    return vpns


def shared_pages(maker: Generator, limit: int) -> tuple[str, str, range] | None:
    """Write up to `limit` private pages and see that a second process has them too, by a fork if
    need be; return both processes, either first, and the pages."""
    who = maker.anyone()
    space = maker.spaces[who]
    found = maker.some(space, 1, private)
    if not found:
        return None
    vpns = space.one_vma(found.start, limit)
    maker.touch("write", who, vpns)
    kin = [
        name
        for name, other in maker.spaces.items()
        if other is not space and all(other.pages.get(vpn) == space.pages[vpn] for vpn in vpns)
    ]
    if not kin and len(maker.spaces) == maker.max_processes:
        return None
    other = maker.rng.choice(kin) if kin else maker.forked("fork", who)
    return (who, other, vpns) if maker.rng.chance(1, 2) else (other, who, vpns)


def private(page: MappedPage) -> bool:
    """True for writable private anonymous memory that is not locked."""
    return "rw" in page.prot and not page.file and not page.locked
