"""Random histories for the lab, and the calls that they are for a machine.

A history is a text of the course, so that it can be shrunk, shown and drawn. Each kind has the
verbs of one milestone. It is made while the simulated kernel runs it: what fails there is known.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from anonlab.course.lab.truth import EXEC_VPN, KernelMachine, LabState
from anonlab.formats.history import History, Machine, Op
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.histories.splitmix import SplitMix64
from anonlab.machine.words import PAGE_SHIFT
from anonlab.proof.invariants import check

WINDOW = range(0x1A, 0x26)
"""Where programs have memory: few pages, so that ranges meet; on both sides of a table's edge."""
MOST_PROCESSES = 5
_ALONE = {"write": 45, "read": 25, "mmap": 14, "munmap": 8}
_FORKS = {**_ALONE, "fork": 25}
_EXITS = {**_FORKS, "exit": 14, "execve": 10}
_MOVES = {**_FORKS, "mremap": 40}
_ALL = {**_EXITS, "mremap": 30}
_PINS = {**_ALL, "pin": 30, "unpin": 12}
KINDS = {
    "alone": (_ALONE, 64),
    "forks": (_FORKS, 64),
    "exits": (_EXITS, 64),
    "moves": (_MOVES, 64),
    "all": (_ALL, 64),
    "pins": (_PINS, 64),
    "few frames": ({**_PINS, "pin": 60, "fork": 40}, 7),
    "very few": (_ALL, 5),
}
"""By name: how often each verb comes, in parts of their sum, and how many frames there are."""


class LabCall(NamedTuple):
    """A call of a machine: `function(*args)`."""

    function: str
    args: tuple[Any, ...]

    def __str__(self) -> str:
        words = [f"{arg:#x}" if type(arg) is int and arg > 9 else repr(arg) for arg in self.args]
        return f"{self.function}({', '.join(words)})"


class Moment(NamedTuple):
    """One operation: as a call, what it returned on the right machine, and that machine after
    it."""

    op: Op
    call: LabCall
    result: Any
    after: LabState


def call_of(op: Op) -> LabCall:
    """Return the call that an operation of a history is."""
    args: dict[str, Any] = op.args
    vpn, npages = args.get("addr", 0) >> PAGE_SHIFT, args.get("pages", 1)
    if op.verb == "spawn" or op.verb == "exit":
        return LabCall(op.verb, (op.who,))
    if op.verb == "fork":
        return LabCall("fork", (args["parent"], op.who))
    if op.verb == "execve":
        return LabCall("execve", (op.who, EXEC_VPN, sum(args["program"].encode())))
    if op.verb in ("pin", "unpin"):
        return LabCall(op.verb, (op.who, vpn))
    more = {"write": "value", "mremap": "to"}.get(op.verb)
    extra = (args[more] >> PAGE_SHIFT if more == "to" else args[more],) if more else ()
    return LabCall(op.verb, (op.who, vpn, npages, *extra))


def is_of_the_lab(history: History) -> bool:
    """Return whether every operation is a call of the lab's machine: a shrunk history may have lost
    the destination of an mremap."""
    return all(
        op.verb in _PINS | {"spawn": 1} and (op.verb != "mremap" or int(op.args.get("to", -1)) > 0)
        for op in history.ops
    )


def answer(machine: Any, call: LabCall) -> Any:
    """Return what `machine` answers to a call."""
    return getattr(machine, call.function)(*call.args)


def moments(history: History) -> tuple[Moment, ...]:
    """Run `history` on the right machine, which is checked at the end. Operations of processes that
    are not there are left out."""
    return _moments(history_text(history))


@lru_cache(maxsize=1024)
def _moments(text: str) -> tuple[Moment, ...]:
    history = parse(text)
    machine, found = KernelMachine(history.machine.frames), []
    for op in history.ops:
        if _actor(op) is None or _actor(op) in machine.alive():
            call = call_of(op)
            found.append(Moment(op, call, answer(machine, call), machine.state()))
    check(machine.kernel)
    return tuple(found)


def _actor(op: Op) -> str | None:
    """Return the process that must be there; None if it needs none."""
    return None if op.verb == "spawn" else str(op.args.get("parent", op.who))


def lab_history(kind: str, seed: int, nops: int = 40) -> History:
    """Return the history of a kind of KINDS that belongs to `seed`. It ends with every process
    reading all its memory."""
    weights, frames = KINDS[kind]
    maker = _Maker(SplitMix64(seed), frames)
    maker.do("p1 = spawn")
    while len(maker.lines) < nops:
        verb = list(weights)[maker.rng.weighted(list(weights.values()))]
        getattr(maker, f"_{verb}")()
    for who in maker.processes():
        for vpns in maker.areas(who):
            maker.do(f"{who} read {_address(vpns.start)} {len(vpns)}")
    parsed = parse("\n".join(maker.lines) + "\n")
    return History(parsed.ops, Machine("lesson", frames, 0), f"{kind}, seed {seed}")


def lab_histories(kinds: tuple[str, ...], seed: int, number: int, nops: int = 40) -> list[History]:
    """Return `number` histories, the kinds in turn."""
    rng = SplitMix64(seed)
    return [lab_history(kinds[turn % len(kinds)], rng.next64(), nops) for turn in range(number)]


CORNERS = (
    # What mremap unmaps at its destination comes too late for its copies.
    "machine lesson frames 5 swap 0\np1 = spawn\np1 mmap 0x20000 3\np1 write 0x20000 1 3\n"
    "p2 = fork p1\np1 mmap 0x24000 1\np1 write 0x24000 9\np1 mremap 0x20000 1 to 0x24000\n",
    # What execve gives back comes too late for its page.
    "machine lesson frames 3 swap 0\np1 = spawn\np1 mmap 0x20000 2\np1 write 0x20000 1 2\n"
    "p1 execve ls args 1\np1 read 0x20000 2\n",
    # fork copies what devices hold, all of it or nothing.
    "machine lesson frames 4 swap 0\np1 = spawn\np1 mmap 0x20000 2\np1 pin 0x20000\n"
    "p1 pin 0x21000\np2 = fork p1\np1 unpin 0x21000\np3 = fork p1\np3 read 0x20000 2\n",
)
"""Memory that is too short, at the moment at which it counts."""


def large_family(children: int = 256) -> History:
    """Return a history in which one frame has more than 255 mappers, one of which writes."""
    forks = [f"p{number} = fork p1" for number in range(2, children + 2)]
    lines = ["p1 = spawn", "p1 mmap 0x20000 1 fixed", "p1 write 0x20000 7", *forks]
    parsed = parse("\n".join([*lines, "p1 write 0x20000 9", "p2 read 0x20000"]) + "\n")
    return History(parsed.ops, Machine("lesson", 64, 0), f"{children} children")


class _Maker:
    """A history in the making: its lines, and the right machine after them."""

    def __init__(self, rng: SplitMix64, frames: int) -> None:
        self.rng = rng
        self.machine = KernelMachine(frames)
        self.lines: list[str] = []
        self.names, self.value = 1, 0
        self.pins: list[str] = []

    def do(self, line: str) -> None:
        """Add a line and run it."""
        self.lines.append(line)
        answer(self.machine, call_of(parse(_named(line)).ops[-1]))

    def processes(self) -> list[str]:
        """Who is there."""
        return list(self.machine.alive())

    def areas(self, who: str) -> list[range]:
        """What `who` has mapped."""
        mm = self.machine.kernel.processes[who].mm
        assert mm is not None
        return [range(vma.start_vpn, vma.end_vpn) for vma in mm.vmas]

    def pages(self, who: str) -> list[int]:
        """Return the pages of `who` that have a word."""
        return sorted(self.machine.state().words[who])

    def _who(self) -> str:
        """Somebody; mostly one who has pages."""
        some = [who for who in self.processes() if self.pages(who)]
        return self.rng.choice(some if some and self.rng.chance(3, 4) else self.processes())

    def _spot(self, most: int) -> str:
        npages = self.rng.between(1, most)
        start = WINDOW.start + self.rng.below(len(WINDOW) - npages + 1)
        return f"{_address(start)} {npages}"

    def _unmapped(self) -> str:
        """A page that is hardly ever mapped: somewhere, or beside that of an execve."""
        beside = self.rng.choice((EXEC_VPN - 1, EXEC_VPN + 1))
        return f"{_address(beside)} 1" if self.rng.chance(1, 3) else self._spot(4)

    def _mapped(self, who: str, most: int) -> str:
        """Some pages that `who` has; once in a while some that it may not have."""
        areas = self.areas(who)
        if self.rng.chance(1, 15):
            return self._unmapped()
        if not areas:
            self.do(f"{who} mmap {self._spot(6)} fixed")
            areas = self.areas(who)
        pages = self.pages(who)
        if pages and self.rng.chance(2, 3):
            start = self.rng.choice(pages)
            area = next(area for area in areas if start in area)
        else:
            area = self.rng.choice(areas)
            start = self.rng.choice(area)
        return f"{_address(start)} {min(self.rng.between(1, most), area.stop - start)}"

    def _write(self) -> None:
        who = self._who()
        self.value += 10
        address, npages = self._mapped(who, 4).split()
        self.do(f"{who} write {address} {self.value} {npages}")

    def _read(self) -> None:
        who = self._who()
        self.do(f"{who} read {self._mapped(who, 4)}")

    def _mmap(self) -> None:
        self.do(f"{self._who()} mmap {self._spot(6)} fixed")

    def _munmap(self) -> None:
        self.do(f"{self._who()} munmap {self._spot(4)}")

    def _fork(self) -> None:
        if len(self.processes()) < MOST_PROCESSES:
            self.names += 1
            self.do(f"p{self.names} = fork {self._who()}")

    def _exit(self) -> None:
        if len(self.processes()) > 1:
            self.do(f"{self._who()} exit")

    def _execve(self) -> None:
        self.do(f"{self._who()} execve {self.rng.choice(('sh', 'ls', 'cc'))} args 1")

    def _mremap(self) -> None:
        who = self._who()
        source = self._mapped(who, 3)
        npages = int(source.split()[1])
        to = WINDOW.start + self.rng.below(len(WINDOW) - npages + 1)
        self.do(f"{who} mremap {source} to {_address(to)}")

    def _pin(self) -> None:
        who = self._who()
        self.pins.append(f"{who} unpin {self._mapped(who, 1).split()[0]}")
        self.do(self.pins[-1].replace("unpin", "pin"))

    def _unpin(self) -> None:
        pins = [line for line in self.pins if line.split()[0] in self.processes()]
        if pins:
            self.do(self.rng.choice(pins))


def _address(vpn: int) -> str:
    return f"{vpn << PAGE_SHIFT:#x}"


def _named(line: str) -> str:
    """Return a line with what it needs to be read alone: its process is spawned before."""
    words = line.split()
    who = words[3] if words[1:3] == ["=", "fork"] else words[0]
    return line if words[1:3] == ["=", "spawn"] else f"{who} = spawn\n{line}"
