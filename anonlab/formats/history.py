"""A history: a list of operations as data, with the outcome left open, and its text form.

One operation per line; `#` starts a comment. Addresses are bytes, written in hex or decimal;
lengths and file offsets are pages. The first line may describe the machine; without it the lesson
machine is meant.

    machine lesson frames 64 swap 16
    shell = spawn
    libc = file 12
    shell mmap 0x30000 4
    shell write 0x30000 7
    child = fork shell
    child write 0x30000 9
    child mremap 0x30000 4 to 0x80000
    child exit
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from anonlab.errors import FormatError
from anonlab.formats.json_text import check_header, read_json, write_json
from anonlab.machine.words import GEOMETRIES

HISTORY_FORMAT = "anonlab-history"
HISTORY_VERSION = 1


class Arg(NamedTuple):
    """One argument of a verb.

    kind      'addr' (bytes), 'where' (bytes or the word any), 'pages', 'int', 'name', 'prot',
              'advice'
    keyword   the word before it in the text; '' for a positional argument
    optional  may be left out; an optional argument that is left out is absent from Op.args
    A flag is an Arg of kind 'flag': its keyword alone, value True.
    """

    name: str
    kind: str
    keyword: str = ""
    optional: bool = False


class Verb(NamedTuple):
    """How a verb is written; `form` is 'who' for `WHO verb …`, 'new' for `NAME = verb …` or
    'machine' for `verb …`."""

    form: str
    args: tuple[Arg, ...] = ()


_ADDR = Arg("addr", "addr")
_PAGES = Arg("pages", "pages")
_SOME = Arg("pages", "pages", optional=True)

VERBS: dict[str, Verb] = {
    "spawn": Verb("new"),
    "file": Verb("new", (_PAGES,)),
    "fork": Verb("new", (Arg("parent", "name"),)),
    "vfork": Verb("new", (Arg("parent", "name"),)),
    "clone_vm": Verb("new", (Arg("parent", "name"),)),
    "execve": Verb("who", (Arg("program", "name"), Arg("args", "pages", "args", True))),
    "exit": Verb("who"),
    "mmap": Verb(
        "who",
        (
            Arg("addr", "where"),
            _PAGES,
            Arg("prot", "prot", "", True),
            Arg("file", "name", "file", True),
            Arg("offset", "int", "offset", True),
            Arg("shared", "flag", "shared", True),
            Arg("fixed", "flag", "fixed", True),
            Arg("growsdown", "flag", "growsdown", True),
        ),
    ),
    "munmap": Verb("who", (_ADDR, _PAGES)),
    "mprotect": Verb("who", (_ADDR, _PAGES, Arg("prot", "prot"))),
    "mremap": Verb(
        "who",
        (
            _ADDR,
            _PAGES,
            Arg("new_pages", "pages", "pages", True),
            Arg("to", "where", "to", True),
            Arg("dontunmap", "flag", "dontunmap", True),
        ),
    ),
    "madvise": Verb("who", (_ADDR, _PAGES, Arg("advice", "advice"))),
    "brk": Verb("who", (_ADDR,)),
    "read": Verb("who", (_ADDR, _SOME)),
    "write": Verb("who", (_ADDR, Arg("value", "int"), _SOME)),
    "mlock": Verb("who", (_ADDR, _PAGES)),
    "munlock": Verb("who", (_ADDR, _PAGES)),
    "pin": Verb("who", (_ADDR, _SOME, Arg("to_read", "flag", "read", True))),
    "unpin": Verb("who", (_ADDR, _SOME)),
    "swap_out": Verb("who", (_ADDR, _SOME)),
    "truncate": Verb("machine", (Arg("file", "name"), Arg("npages", "int"))),
    "reclaim": Verb("machine", (_PAGES,)),
    "swapoff": Verb("machine"),
}
PROTS = ("none", "r", "w", "x", "rw", "rx", "wx", "rwx")
ADVICES = ("dontneed",)
HEAP_VPN = {"lesson": 0x10, "x86_32": 0x8050, "x86_64": 0x555555554}
"""Page where the heap of a new program starts, by geometry, as if a small program lay below it."""
ANY = -1
"""Value of a 'where' argument that says any: the kernel chooses the address."""


@dataclass(frozen=True, slots=True)
class Op:
    """One operation: `who` is the acting process (form 'who') or the new name (form 'new'),
    '' for the machine; `args` holds only what was given; `line` is its line in the text, 0 if none.
    Two operations that say the same are equal wherever they stand."""

    verb: str
    who: str
    args: dict[str, int | str | bool]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Machine:
    """The machine that a history wants: geometry name, frames, swap slots, and how many page-table
    pages there can be at a time, 0 for no limit."""

    geometry: str = "lesson"
    frames: int = 64
    swap: int = 16
    tables: int = 0


@dataclass(frozen=True)
class History:
    """Operations in order, on a machine; `title` is for people."""

    ops: Sequence[Op]
    machine: Machine = Machine()
    title: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the history as plain data, with format name and version."""
        return {
            "format": HISTORY_FORMAT,
            "version": HISTORY_VERSION,
            "title": self.title,
            "machine": _plain(self.machine, _MACHINE_FIELDS),
            "ops": [_plain(op, _OP_FIELDS) for op in self.ops],
        }

    @classmethod
    def from_json(cls, plain: Any) -> History:
        """Return the history that `to_json` wrote.

        raises  FormatError if this is no history, of a version that this anonlab cannot read,
                or if a field or an operation is wrong; the message names the operation
        """
        check_header(plain, HISTORY_FORMAT, HISTORY_VERSION)
        known = {"format": str, "version": int, "title": str, "machine": dict, "ops": list}
        values = _fields(plain, known, "history")
        plain = {"tables": 0, **values["machine"]}
        machine = Machine(**_fields(plain, _MACHINE_FIELDS, "machine"))
        check_machine(machine)
        names = KnownNames()
        ops = []
        for number, entry in enumerate(values["ops"]):
            op = Op(**_fields(entry, _OP_FIELDS, f"operation {number}"))
            if problem := op_problem(op) or names.problem(op):
                raise FormatError(f"operation {number}: {problem}")
            ops.append(op)
        return cls(tuple(ops), machine, values["title"])

    def dumps(self) -> str:
        """Return the history as JSON text; equal histories give equal text up to `Op.line`."""
        return write_json(self.to_json())

    @classmethod
    def loads(cls, text: str) -> History:
        """Return the history in JSON `text`; raises FormatError."""
        return read_json(text, cls.from_json)


_MACHINE_FIELDS = {"geometry": str, "frames": int, "swap": int, "tables": int}
_OP_FIELDS = {"verb": str, "who": str, "args": dict, "line": int}


def _plain(value: Op | Machine, names: Iterable[str]) -> dict[str, Any]:
    plain = {name: getattr(value, name) for name in names}
    return {**plain, "args": dict(plain["args"])} if "args" in plain else plain


def _fields(plain: Any, kinds: dict[str, type], where: str) -> dict[str, Any]:
    """Return the fields of `plain`, which must be exactly those of `kinds`, each of its type."""
    if not isinstance(plain, dict) or set(plain) != set(kinds):
        found = sorted(map(str, plain)) if isinstance(plain, dict) else type(plain).__name__
        raise FormatError(f"{where}: the fields are {', '.join(kinds)}; found {found!s:.80}")
    for name, kind in kinds.items():
        if not isinstance(plain[name], kind) or isinstance(plain[name], bool):
            raise FormatError(f"{where}: {name} must be {kind.__name__}, got {plain[name]!r:.60}")
    return plain


# -- what a word, an operation and a machine may say --------------------------------------------

INT_MAX = (1 << 63) - 1
"""Highest number in a history: page numbers and content tags are int64."""
_NAME = re.compile(r"(?:[^\W\d]|/)[\w./+@:-]*\Z")
RESERVED = frozenset((*VERBS, "machine", "any"))
"""Words that cannot be names: a line would have two meanings."""


def name_problem(name: str) -> str:
    """Return why `name` cannot name a process or a file, "" if it can."""
    if name in RESERVED:
        return f"{name!r} means something else here, so it cannot be a name"
    return program_problem(name)


def program_problem(name: str) -> str:
    """Return why `name` cannot name a program, "" if it can."""
    if _NAME.match(name):
        return ""
    return (
        f"{name!r:.60} is no name: a name begins with a letter, _ or /; "
        f"letters, digits and _ . / + @ : - may follow"
    )


def value_problem(arg: Arg, value: int | str | bool) -> str:
    """Return why `value` cannot stand for `arg`, "" if it can."""
    if arg.kind == "flag":
        return "" if value is True else f"{arg.name} is a flag: True or left out, got {value!r}"
    if arg.kind in _WORDS:
        words = _WORDS[arg.kind]
        return "" if value in words else f"{arg.name} must be one of {', '.join(words)}: {value!r}"
    if arg.kind == "name":
        check = program_problem if arg.name == "program" else name_problem
        return check(value) if isinstance(value, str) else f"{value!r:.60} is no name"
    low = ANY if arg.kind == "where" else 0
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= INT_MAX:
        return f"{arg.name} must be a whole number from 0 to 2**63 - 1, got {value!r:.60}"
    return ""


_WORDS = {"prot": PROTS, "advice": ADVICES}


def op_problem(op: Op) -> str:
    """Return what is wrong with `op` by the table of verbs, "" if nothing is."""
    verb = VERBS.get(op.verb)
    if verb is None:
        return f"unknown verb {op.verb!r:.60}"
    if verb.form == "machine":
        if op.who:
            return f"{op.verb} is done by the machine, not by {op.who!r:.60}"
    elif problem := name_problem(op.who):
        return problem
    known = {arg.name: arg for arg in verb.args}
    if unknown := [name for name in op.args if name not in known]:
        return f"{op.verb} has no argument {unknown[0]!r:.60}"
    if missing := [a.name for a in verb.args if not a.optional and a.name not in op.args]:
        return f"{op.verb} needs {' and '.join(missing)}"
    return next(filter(None, (value_problem(known[n], v) for n, v in op.args.items())), "")


def check_machine(machine: Machine) -> None:
    """Raise FormatError unless `machine` can be built."""
    if machine.geometry not in GEOMETRIES:
        known = ", ".join(GEOMETRIES)
        raise FormatError(f"unknown machine {machine.geometry!r:.60}: there are {known}")
    for name, low in (("frames", 2), ("swap", 0), ("tables", 0)):
        if not low <= getattr(machine, name) <= 1 << 31:
            found = getattr(machine, name)
            raise FormatError(f"a machine has {low} to 2**31 {name}, not {found!s:.40}")


class KnownNames:
    """The names that a history has defined so far, and whether each is a process or a file."""

    def __init__(self) -> None:
        self.kinds: dict[str, str] = {}

    def problem(self, op: Op) -> str:
        """Return what is wrong with the names in `op`, "" if nothing is; learn the new name."""
        verb = VERBS[op.verb]
        wanted = [(op.who, "process")] if verb.form == "who" else []
        for arg in verb.args:
            if arg.name in ("parent", "file") and arg.name in op.args:
                wanted.append((str(op.args[arg.name]), "file" if arg.name == "file" else "process"))
        for name, kind in wanted:
            if self.kinds.get(name) != kind:
                return self._unknown(name, kind)
        if verb.form == "new":
            if op.who in self.kinds:
                return f"{op.who!r} is already a {self.kinds[op.who]}: every name is given once"
            self.kinds[op.who] = "file" if op.verb == "file" else "process"
        return ""

    def _unknown(self, name: str, kind: str) -> str:
        if name in self.kinds:
            return f"{name!r} is a {self.kinds[name]}, not a {kind}"
        known = ", ".join(n for n, k in self.kinds.items() if k == kind)
        verb = "file PAGES" if kind == "file" else "spawn"
        so_far = f"known so far: {known:.120}" if known else f"write first: {name} = {verb}"
        return f"there is no {kind} {name!r} yet; {so_far}"
