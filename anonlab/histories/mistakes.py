"""The mistakes that a generated history makes on purpose.

Every one can be written as text and is refused, or at least odd: unaligned and far addresses, empty
and huge lengths, holes, forbidden accesses, the dead, overlaps. What the kernel answers is left
open.
"""

from __future__ import annotations

from collections.abc import Callable

from anonlab.histories.generator import Generator
from anonlab.machine.words import PAGE_SHIFT, PAGE_SIZE

_RANGED = ("mmap", "munmap", "mprotect", "mremap", "madvise", "mlock", "munlock", "swap_out", "pin")
_FAR = (1 << 63) - PAGE_SIZE
_HUGE = 1 << 50


def make_mistake(maker: Generator) -> None:
    """Add one operation that is wrong."""
    maker.rng.choice(MISTAKES)(maker)


def _ranged(maker: Generator, addr: int, npages: int, verb: str = "", who: str = "") -> None:
    """Add `verb`, or any that takes a range, on any range of bytes."""
    verb = verb or maker.rng.choice(_RANGED)
    extra: dict[str, int | str | bool] = {
        "mprotect": {"prot": "r"},
        "madvise": {"advice": "dontneed"},
    }.get(verb, {})  # type: ignore[assignment]
    maker.emit(verb, who or maker.anyone(), addr=addr, pages=npages, **extra)


def unaligned(maker: Generator) -> None:
    """An address inside a page where a page is meant."""
    addr = (maker.spot(1).start << PAGE_SHIFT) + maker.rng.between(1, PAGE_SIZE - 1)
    _ranged(maker, addr, maker.rng.between(1, 3))


def empty(maker: Generator) -> None:
    """No pages at all."""
    _ranged(maker, maker.spot(1).start << PAGE_SHIFT, 0)


def far(maker: Generator) -> None:
    """Addresses at, across and beyond the end of the address space, and lengths beyond it."""
    end = maker.npages << PAGE_SHIFT
    addr = maker.rng.choice((end, end - PAGE_SIZE, _FAR, maker.spot(1).start << PAGE_SHIFT))
    _ranged(maker, addr, maker.rng.choice((2, _HUGE)))


def hole(maker: Generator) -> None:
    """A range that runs out of what is mapped."""
    who = maker.anyone()
    space = maker.spaces[who]
    vpns = maker.spot(maker.rng.between(1, 4))
    while not space.free(vpns[-1:]):
        vpns = range(vpns.start + 1, vpns.stop + 1)
    verb = maker.rng.choice(("mprotect", "mremap", "madvise", "mlock", "swap_out", "pin", "unpin"))
    _ranged(maker, vpns.start << PAGE_SHIFT, len(vpns), verb, who)


def stray(maker: Generator) -> None:
    """A read or write where nothing is mapped, or where the protection forbids it."""
    who = maker.anyone()
    forbidden = maker.spaces[who].where(lambda page: "w" not in page.prot)
    vpn = maker.rng.choice([*forbidden, maker.spot(1).start])
    addr = (vpn << PAGE_SHIFT) + maker.rng.below(2) * maker.rng.below(PAGE_SIZE)
    if maker.rng.chance(1, 3):
        maker.emit("read", who, addr=addr, pages=maker.rng.below(9))
    else:
        maker.emit("write", who, addr=addr, value=1, pages=maker.rng.between(1, 8))


def dead(maker: Generator) -> None:
    """Something that a process does after its exit, or a child that it gets."""
    if not maker.dead:
        return stray(maker)
    who = maker.rng.choice(maker.dead)
    addr = maker.spot(1).start << PAGE_SHIFT
    choice = maker.rng.below(5)
    if choice == 0:
        maker.emit("exit", who)
    elif choice == 1:
        name = maker.name()
        maker.emit(maker.rng.choice(("fork", "vfork", "clone_vm")), name, parent=who)
        maker.dead.append(name)
    elif choice == 2:
        maker.emit("write", who, addr=addr, value=1)
    elif choice == 3:
        maker.emit("execve", who, program="sh")
    else:
        _ranged(maker, addr, 1, who=who)
    return None


def occupied(maker: Generator) -> None:
    """An mmap without fixed on something mapped, or of a file far beyond its end."""
    who = maker.anyone()
    vpn = maker.rng.choice([*maker.spaces[who].pages, maker.spot(1).start])
    if maker.files and maker.rng.chance(1, 2):
        name = maker.rng.choice(maker.files)
        maker.emit("mmap", who, addr=vpn << PAGE_SHIFT, pages=2, file=name, offset=100)
    else:
        maker.emit("mmap", who, addr=vpn << PAGE_SHIFT, pages=2)


def overlap(maker: Generator) -> None:
    """An mremap onto itself, or flags that contradict each other."""
    vpn, who = maker.spot(4).start, maker.anyone()
    addr = vpn << PAGE_SHIFT
    choice = maker.rng.below(4)
    if choice == 0:
        maker.emit("mremap", who, addr=addr, pages=4, to=addr + 2 * PAGE_SIZE)
    elif choice == 1:
        maker.emit("mremap", who, addr=addr, pages=2, dontunmap=True)
    elif choice == 2:
        args = {"addr": addr, "pages": 1, "new_pages": 3, "to": addr + 0x10000}
        maker.emit("mremap", who, **args, dontunmap=True)
    else:
        maker.emit("mremap", who, addr=addr, pages=1, new_pages=_HUGE)


def beyond_file(maker: Generator) -> None:
    """A read of a file mapping beyond the end of the file."""
    who = maker.anyone()
    beyond = maker.spaces[who].where(lambda page: not maker.in_file(page))
    if not beyond:
        return stray(maker)
    maker.emit("read", who, addr=maker.rng.choice(beyond) << PAGE_SHIFT)
    return None


def bad_brk(maker: Generator) -> None:
    """A heap that would end before it begins, inside a page, or beyond the address space."""
    end = maker.npages << PAGE_SHIFT
    heap = maker.heap << PAGE_SHIFT
    maker.emit("brk", maker.anyone(), addr=maker.rng.choice((heap - PAGE_SIZE, heap + 100, end)))


MISTAKES: tuple[Callable[[Generator], None], ...] = (
    unaligned,
    empty,
    far,
    hole,
    stray,
    dead,
    occupied,
    overlap,
    beyond_file,
    bad_brk,
)
