"""Masters of exercises: one file in `solutions/` says all there is to say of one exercise.

A master is Python. Its docstring is the title and the statement; `EXERCISE` holds what is to be
known about it; the rest is the solution, in which

    # <answer>
    …
    # </answer>

encloses what a student is to find. The stub is the same text with `raise NotImplementedError` in
its place. Nothing is run to read a master.

    EXERCISE = {
        "objectives": [...], "minutes": 15,
        "public": {"test_one_page": 4},         the tests by name, and the points of each
        "hidden": {"test_other_pages": 6},
        "families": ["lone", "forked", ...],    at least four, for variants (families.py)
        "hints": [...],                         at least three, from far to near
        "commentary": "...",                    shown after success, with another way and its cost
        "promises": {...},                      what the statement promises (contract.py)
    }
"""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from anonlab.course.authoring.contract import check_promises, for_students, ids_of
from anonlab.errors import FormatError

NAME = re.compile(r"(?:ex(?=\d)|(?=lab))(\d\d[a-z]|lab\d)_([a-z0-9_]+)\Z")
"""The name of a master: its number, "04a" or, for a lab, "lab1", and its topic."""
_ANSWER = re.compile(r"^( *)# <answer>\n(?:.*\n)*?\1# </answer>\n", re.MULTILINE)
_MARKS = re.compile(r"^ *# </?answer>\n", re.MULTILINE)
_OPTIONAL = {"equivalent": dict, "promises": dict}
_FIELDS = {
    "objectives": list,
    "minutes": int,
    "public": dict,
    "hidden": dict,
    "families": list,
    "hints": list,
    "commentary": str,
}


@dataclass(frozen=True)
class Master:
    """One exercise. `number` is "04a", `name` the file's name without .py; `code` is the solution
    with its marks; `stub` and `solution` are what a student gets and what full points get.
    `equivalent` lists mutants of the solution (mutation.py) that are right as well, and why;
    `promised` are the ids in the statement, `promises` what holds each (contract.py)."""

    number: str
    name: str
    title: str
    statement: str
    objectives: tuple[str, ...]
    minutes: int
    public: dict[str, int]
    hidden: dict[str, int]
    families: tuple[str, ...]
    hints: tuple[str, ...]
    commentary: str
    code: str
    equivalent: dict[str, str] = field(default_factory=dict)
    promised: tuple[str, ...] = ()
    promises: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def points(self) -> int:
        """Points of all tests."""
        return sum(self.public.values()) + sum(self.hidden.values())

    @property
    def notebook(self) -> str:
        """The notebook's number: "04"; "" for a lab, which belongs to none."""
        return "" if self.is_lab else self.number[:2]

    @property
    def is_lab(self) -> bool:
        """True for a lab, "lab1": the work of days."""
        return self.number.startswith("lab")

    @property
    def header(self) -> str:
        """The docstring of the student's file."""
        text = f"{self.number} · {self.title}\n\n{self.statement}"
        return f'"""{text}\n"""\n'

    @property
    def stub(self) -> str:
        """The code of the student's file."""
        return _ANSWER.sub(self._hole, self.code)

    @property
    def solution(self) -> str:
        """The code of the solution, without marks."""
        return _MARKS.sub("", self.code)

    @property
    def answers(self) -> tuple[str, ...]:
        """The pieces of the solution that no student's file may hold."""
        return tuple(_MARKS.sub("", match[0]) for match in _ANSWER.finditer(self.code))

    def _hole(self, match: re.Match[str]) -> str:
        return f'{match[1]}raise NotImplementedError("{self.number}: your code goes here")\n'


def read_master(path: Path) -> Master:
    """Return the master in `path`; FormatError, with the line where one is known, if it is none."""
    found = NAME.match(path.stem)
    if not found:
        raise FormatError(
            f"{path}: a master is called exNNx_topic.py, such as ex04a_fork.py, or labN_topic.py"
        )
    text = path.read_text("utf-8")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise FormatError(f"{path}: {error.msg}", error.lineno or 0) from None
    docstring = ast.get_docstring(tree) or ""
    title, _, statement = docstring.partition("\n")
    number, _, title = title.partition(" · ")
    if number != found[1] or not title or not statement.strip():
        raise FormatError(
            f'{path}: the docstring begins "{found[1]} · TITLE", then the statement; '
            f"it begins {docstring[:40]!r}"
        )
    facts, end = _facts(path, tree)
    code = "".join(text.splitlines(keepends=True)[end:]).lstrip("\n")
    try:
        told = for_students(statement.strip(), {**facts["public"], **facts["hidden"]})
    except KeyError as error:
        raise FormatError(f"{path}: the statement has points of {error}: no such test") from None
    promised = ids_of(statement)
    master = Master(number, path.stem, title, told, code=code, promised=promised, **facts)
    if not master.answers:
        raise FormatError(f"{path}: nothing stands between # <answer> and # </answer>")
    return master


def _facts(path: Path, tree: ast.Module) -> tuple[dict[str, Any], int]:
    """Return the fields of EXERCISE, and the line where it ends."""
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(target, ast.Name) and target.id == "EXERCISE":
            try:
                facts = ast.literal_eval(node.value)  # type: ignore[attr-defined]
            except ValueError:
                raise FormatError(f"{path}: EXERCISE is one dictionary of plain data") from None
            _check_facts(path, facts)
            facts["commentary"] = textwrap.dedent(facts["commentary"]).strip()
            for name in ("objectives", "families", "hints"):
                facts[name] = tuple(facts[name])
            return facts, node.end_lineno or 0
    raise FormatError(f"{path}: there is no EXERCISE = {{…}}")


def _check_facts(path: Path, facts: Any) -> None:
    if not isinstance(facts, dict) or set(facts) - set(_OPTIONAL) != set(_FIELDS):
        found = sorted(map(str, facts)) if isinstance(facts, dict) else type(facts).__name__
        raise FormatError(f"{path}: EXERCISE has {', '.join(_FIELDS)}; found {found}")
    for name, kind in (
        _FIELDS | {name: _OPTIONAL[name] for name in facts if name in _OPTIONAL}
    ).items():
        if not isinstance(facts[name], kind) or not facts[name]:
            raise FormatError(f"{path}: {name} is a {kind.__name__} that is not empty")
    if wrong := check_promises(facts.get("promises", {})):
        raise FormatError(f"{path}: {wrong}")
    for group in ("public", "hidden"):
        for name, points in facts[group].items():
            if not str(name).startswith("test_") or type(points) is not int or points < 1:
                raise FormatError(f"{path}: {group} is {{test_name: points}}, got {name}: {points}")


def read_masters(folder: Path) -> tuple[Master, ...]:
    """Return every master in `folder`, in order; FormatError for the first that is none, or if two
    have one number."""
    found = tuple(read_master(path) for path in sorted(folder.glob("*.py")))
    if not found:
        raise FileNotFoundError(f"no exNNx_topic.py in {folder}: name the folder of the masters")
    for one, other in pairwise(found):
        if one.number == other.number:
            raise FormatError(f"{one.name} and {other.name} are both exercise {one.number}")
    return found


def tests_of(root: Path, master: Master, kind: str) -> Path:
    """Return the test file of `master`, 'public' or 'hidden'."""
    suffix = "" if kind == "public" else "_hidden"
    return root / "tests" / "exercises" / kind / f"test_{master.name}{suffix}.py"
