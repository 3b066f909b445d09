"""Mutants of a solution: one small change each, inside what a learner has to write.

A mutant that gets full points shows a hole in the tests. The operators are those of mutation
testing (a condition, a mask, a branch, a statement dropped; constants and comparisons shifted;
arguments ignored), with two of this course's own: an argument changed in place, and for histories a
line dropped or an argument changed. They replace pieces of source, so that a mutant reads as what
somebody might write. Made with `ast`: the libraries that do this test whole projects on disk.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeGuard

from anonlab.course.authoring.masters import Master, tests_of
from anonlab.course.judging.runner import run_tests
from anonlab.course.judging.student import Student

SPOIL = """

_changed = []


def _spoiled(value, result):
    if isinstance(value, list):
        value.append(value[-1] if value else 0)
        _changed.append(value)
    elif hasattr(value, "size") and value.size and value.ndim:
        value[...] = value + 1
        _changed.append(value)
    return result
"""
"""What a mutant calls that changes an argument in place before it returns."""
_BINARY: dict[type[ast.operator], tuple[str, ...]] = {
    ast.BitAnd: ("|",),
    ast.BitOr: ("&",),
    ast.Add: ("-",),
    ast.Sub: ("+",),
    ast.LShift: (">>",),
    ast.RShift: ("<<",),
    ast.Mult: ("+",),
    ast.FloorDiv: ("*",),
    ast.Mod: ("//",),
}
_COMPARED: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=", "<=", ">="),
    ast.NotEq: ("==", ">", "<"),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
}
_TEXTS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
SECONDS = 10
"""Longest time for one test of a mutant: one that does not end is not right."""
_USUAL = {"levels": "2", "bits": "4"}
"""What somebody writes who does not look at an argument: the lesson's machine, else nothing."""


class Mutant(NamedTuple):
    """A changed solution. `name` says what was changed: "walk: word >> 12 -> word"."""

    name: str
    code: str


class _Piece(NamedTuple):
    """A place in the source, in bytes, and what stands there instead."""

    start: int
    end: int
    new: str
    what: str


def mutants_of(master: Master) -> list[Mutant]:
    """Return every mutant of the solution of `master`, in the order of its text."""
    source = _Source(master)
    found, seen, codes = [], Counter[str](), {master.solution}
    for name, piece in source.pieces():
        code = source.with_piece(piece)
        if code in codes or not _compiles(code):
            continue
        codes.add(code)
        seen[name] += 1
        found.append(Mutant(name if seen[name] == 1 else f"{name} ({seen[name]})", code))
    return found


def _compiles(code: str) -> bool:
    try:
        compile(code, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


class _Source:
    """The text of a solution, its tree, and which part of it is the answer."""

    def __init__(self, master: Master) -> None:
        self.text = master.solution.encode()
        self.tree = ast.parse(master.solution)
        self.lines = [0]
        for line in self.text.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        self.answers = []
        for answer in master.answers:
            start = self.text.index(answer.encode())
            self.answers.append((start, start + len(answer.encode())))

    def with_piece(self, piece: _Piece) -> str:
        """Return the whole text with one piece replaced."""
        text = self.text[: piece.start] + piece.new.encode() + self.text[piece.end :]
        spoil = SPOIL if "_spoiled(" in piece.new else ""
        return text.decode() + spoil

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return where a node stands, in bytes."""
        assert isinstance(node, ast.expr | ast.stmt)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self.lines[node.lineno - 1] + node.col_offset
        return start, self.lines[node.end_lineno - 1] + node.end_col_offset

    def of(self, node: ast.AST) -> str:
        """Return the text of a node, in brackets where it must stay together."""
        start, end = self.span(node)
        text = self.text[start:end].decode()
        alone = isinstance(node, ast.Name | ast.Constant | ast.Call | ast.Subscript | ast.Attribute)
        return text if alone or text.startswith("(") else f"({text})"

    def answered(self, node: ast.AST) -> bool:
        """Return whether a node is part of what a learner writes."""
        if not isinstance(node, ast.expr | ast.stmt):
            return False
        start, end = self.span(node)
        return any(low <= start and end <= high for low, high in self.answers)

    def _reads(self, node: ast.AST) -> TypeGuard[ast.Name]:
        return isinstance(node, ast.Name) and self.answered(node)

    def pieces(self) -> Iterator[tuple[str, _Piece]]:
        """Yield every change with its name."""
        for function in ast.walk(self.tree):
            if isinstance(function, ast.FunctionDef):
                for piece in sorted(self._in_function(function)):
                    old = " ".join(self.text[piece.start : piece.end].decode().split())
                    new = " ".join(piece.new.split())
                    yield f"{function.name}: {piece.what or f'{old} -> {new}'}", piece

    def _in_function(self, function: ast.FunctionDef) -> Iterator[_Piece]:
        nested = [node for node in ast.walk(function) if isinstance(node, ast.FunctionDef)][1:]
        inside = {id(node) for other in nested for part in other.body for node in ast.walk(part)}
        for node in ast.walk(function):
            if id(node) in inside or not self.answered(node):
                continue
            start, end = self.span(node)
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from _history_changes(self.text[start:end].decode(), start, end)
            else:
                for new in (*_expressions(self, node), *_statements(self, node)):
                    yield _Piece(start, end, new, "")
        first = next((part for part in function.body if self.answered(part)), None)
        if first is not None:
            yield from self._arguments(function, first)

    def _arguments(self, function: ast.FunctionDef, first: ast.stmt) -> Iterator[_Piece]:
        """Each argument ignored, and each changed in place before the function returns."""
        start, _ = self.span(first)
        indent = " " * first.col_offset
        used = {node.id for node in ast.walk(function) if self._reads(node)}
        for name in [each.arg for each in function.args.args if each.arg in used]:
            usual = _USUAL.get(name, f"0 * {name}")
            yield _Piece(start, start, f"{name} = {usual}\n{indent}", f"ignores {name}")
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None and self.answered(node):
                    low, high = self.span(node.value)
                    old = self.text[low:high].decode()
                    what = f"changes {name} in place"
                    yield _Piece(low, high, f"_spoiled({name}, ({old}))", what)
                    break


def _expressions(source: _Source, node: ast.AST) -> Iterator[str]:
    """Yield what may stand in the place of an expression."""
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.UnaryOp):
        yield from _operations(source, node)
    elif isinstance(node, ast.Compare):
        yield from _comparisons(source, node)
    elif isinstance(node, ast.IfExp):
        yield source.of(node.body)
        yield source.of(node.orelse)
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.Call) and node.args:
        yield source.of(node.args[0])
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield source.of(node.func.value)
    elif isinstance(node, ast.ListComp | ast.GeneratorExp):
        yield from _filters(source, node)
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        yield source.of(node.value)


def _operations(source: _Source, node: ast.BinOp | ast.BoolOp | ast.UnaryOp) -> Iterator[str]:
    """Every operand dropped, and the operator changed."""
    if isinstance(node, ast.UnaryOp):
        yield source.of(node.operand)
    elif isinstance(node, ast.BinOp):
        left, right = source.of(node.left), source.of(node.right)
        yield left
        yield right
        for op in _BINARY.get(type(node.op), ()):
            yield f"({left} {op} {right})"
    else:
        parts = [source.of(part) for part in node.values]
        word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for at in range(len(parts)):
            yield f"({f' {word} '.join(parts[:at] + parts[at + 1 :])})"
        yield f"({f' {other} '.join(parts)})"


def _comparisons(source: _Source, node: ast.Compare) -> Iterator[str]:
    """Every comparison changed. Nothing here is negative: != 0 and > 0 say the same."""
    parts = [source.of(node.left), *map(source.of, node.comparators)]
    ops = [_TEXTS.get(type(op), "in") for op in node.ops]
    for at, op in enumerate(node.ops):
        to_zero = parts[at + 1] == "0"
        for new in _COMPARED.get(type(op), ()):
            if to_zero and (ops[at], new) in (("!=", ">"), ("==", "<=")):
                continue
            changed = [*ops[:at], new, *ops[at + 1 :]]
            rest = [f" {sign} {part}" for sign, part in zip(changed, parts[1:], strict=True)]
            yield f"({parts[0]}{''.join(rest)})"
    if len(ops) > 1:
        yield f"({parts[0]} {ops[0]} {parts[1]})"
        yield f"({parts[-2]} {ops[-1]} {parts[-1]})"


def _constants(node: ast.Constant) -> Iterator[str]:
    value = node.value
    if isinstance(value, bool):
        yield str(not value)
    elif isinstance(value, int):
        yield str(value + 1)
        if value > 0:
            yield str(value - 1)
        if value > 1:
            yield str(2 * value)


def _filters(source: _Source, node: ast.ListComp | ast.GeneratorExp) -> Iterator[str]:
    """Every condition of a comprehension dropped."""
    start, end = source.span(node)
    for generator in node.generators:
        for test in generator.ifs:
            low, high = source.span(test)
            text = source.text[start:low] + b"True" + source.text[high:end]
            yield text.decode()


def _statements(source: _Source, node: ast.AST) -> Iterator[str]:
    """Yield what may stand in the place of a statement."""
    if isinstance(node, ast.Return):
        yield "return None"
    elif isinstance(node, ast.If):
        start, end = source.span(node)
        low, high = source.span(node.test)
        for new in (b"True", b"False"):
            yield (source.text[start:low] + new + source.text[high:end]).decode()
    elif isinstance(node, ast.For):
        start, end = source.span(node)
        indent = " " * node.body[0].col_offset
        yield source.text[start:end].decode() + f"\n{indent}break"
    elif isinstance(node, ast.AugAssign):
        start, end = source.span(node)
        text = source.text[start:end].decode()
        yield "pass"
        yield text.replace("+=", "\0").replace("-=", "+=").replace("\0", "-=")
    elif isinstance(node, ast.Assign | ast.Expr | ast.Break | ast.Continue | ast.Delete):
        yield "pass"


def _history_changes(text: str, start: int, end: int) -> Iterator[_Piece]:
    """Each line of a history dropped, each argument changed; what is written is only a label."""
    at = start
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        if " " in bare:
            for what, new in _line_changes(bare):
                low = at + line.encode().index(bare.encode())
                yield _Piece(low, low + len(bare.encode()), new, f"{bare}: {what}")
        at += len(line.encode())


def _line_changes(line: str) -> Iterator[tuple[str, str]]:
    yield "dropped", ""
    words = line.split()
    label = 3 if "write" in words[:2] else -1
    for at, word in enumerate(words):
        for new in _other_arguments(word) if at != label else ():
            yield f"{word} -> {new}", " ".join([*words[:at], new, *words[at + 1 :]])
    for one, other in (("write", "read"), ("fork", "vfork")):
        if one in words:
            yield f"{one} -> {other}", re.sub(rf"\b{one}\b", other, line)


def _other_arguments(word: str) -> Iterator[str]:
    if re.fullmatch(r"0x[0-9a-f]+", word):
        yield f"{int(word, 16) + 0x1000:#x}"
        yield f"{int(word, 16) - 0x1000:#x}"
    elif word.isdigit():
        yield str(int(word) + 1)
        if int(word) > 1:
            yield str(int(word) - 1)


class Survey(NamedTuple):
    """What became of the mutants of one exercise; `survivors` are not listed as equivalent, and
    `stale` are listed and are none, or get less than full points."""

    total: int
    killed: int
    equivalent: int
    survivors: list[str]
    stale: list[str]


def survey(root: Path, master: Master) -> Survey:
    """Try every mutant of `master` on its tests."""
    total = killed = 0
    alive = []
    for mutant in mutants_of(master):
        fate = fate_of(root, master, mutant)
        total += fate != "none"
        killed += fate == "killed"
        if fate == "alive":
            alive.append(mutant.name)
    known = master.equivalent
    survivors = [name for name in alive if name not in known]
    stale = [name for name in known if name not in alive]
    return Survey(total, killed, len(alive) - len(survivors), survivors, stale)


def fate_of(root: Path, master: Master, mutant: Mutant) -> str:
    """Return 'killed', 'alive', or 'none' where the change changes nothing: an argument that is to
    be changed in place and has no parts."""
    students = []

    def make() -> Student:
        students.append(Student(mutant.code, explains=False))
        return students[-1]

    for kind, points in (("public", master.public), ("hidden", master.hidden)):
        verdicts = run_tests(tests_of(root, master, kind), points, make, 0, SECONDS)
        if any(each.status != "pass" for each in verdicts):
            return "killed"
    if SPOIL in mutant.code and not any(student._names["_changed"] for student in students):
        return "none"
    return "alive"
