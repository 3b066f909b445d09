"""How complex is a design? Counted from its file, not felt.

Linus Torvalds was "a bit nervous about the complexity issues" on 13 March 2004. Here each answer
is one file with the same base, so the files can be compared. Lines are lines of code: no empty
ones, no comments, no docstrings, and nothing that only checks or draws. Options that only this kit
has are counted with the rest.
"""

from __future__ import annotations

import ast
import inspect
import io
import sys
import tokenize
from collections.abc import Iterator
from typing import Any

from anonlab.rmap import DESIGNS, Rmap
from anonlab.rmap.description import Description

_NO_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
            tokenize.ENDMARKER)  # fmt: skip
_HOOKS = tuple(
    name for name, value in vars(Rmap).items()
    if inspect.isfunction(value) and not name.startswith("_") and name != "attach"
)  # fmt: skip
_DRAWN = {name for name in vars(Description) if not name.startswith("__")} | {"vma_nodes"}
"""What only says what a design looks like; so do methods whose names begin with check."""
_ASKS = (ast.If, ast.IfExp, ast.While, ast.BoolOp)


def complexity(designs: tuple[str, ...] = tuple(DESIGNS)) -> list[dict[str, Any]]:
    """Return for each design: `lines` of code, `hooks` of the base that it answers, `kinds` of
    objects that it keeps, and `decisions` in its code (if, while, and, or).

    What a design takes from a class that it shares with others counts for each of them.
    raises  ValueError for an unknown design
    """
    unknown = [name for name in designs if name not in DESIGNS]
    if unknown:
        raise ValueError(f"design is one of {', '.join(DESIGNS)}; got {', '.join(unknown)}")
    return [_counted(name) for name in designs]


def _counted(name: str) -> dict[str, Any]:
    design = DESIGNS[name]
    classes = [each for each in design.__mro__ if issubclass(each, Rmap) and each is not Rmap]
    sources = [inspect.getsource(sys.modules[module])
               for module in dict.fromkeys(each.__module__ for each in classes)]  # fmt: skip
    trees = [without_drawing(source) for source in sources]
    hooks = [hook for hook in _HOOKS if getattr(design, hook) is not getattr(Rmap, hook)]
    return {
        "design": name,
        "lines": sum(lines_of_code(*pair) for pair in zip(sources, trees, strict=True)),
        "hooks": len(hooks),
        "kinds": len(design.sizes),
        "decisions": sum(map(decisions, trees)),
    }


def without_drawing(source: str) -> ast.Module:
    """Return the tree of `source` without what only checks or draws."""
    tree = ast.parse(source)
    for each in ast.walk(tree):
        if isinstance(each, ast.ClassDef):
            each.body = [node for node in each.body if not _only_shows(node)]
    return tree


def _only_shows(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef):
        return node.name in _DRAWN or node.name.lstrip("_").startswith(("check", "recount"))
    target = node.target if isinstance(node, ast.AnnAssign) else None
    return isinstance(target, ast.Name) and target.id == "words"


def lines_of_code(source: str, tree: ast.Module) -> int:
    """Return how many lines of `source` hold code that is in `tree`; a docstring is none."""
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            code |= set(range(token.start[0], token.end[0] + 1))
    kept: set[int] = set()
    for first, last in _stretches(tree):
        kept |= set(range(first, last + 1))
    return len(code & kept)


def _stretches(tree: ast.Module) -> Iterator[tuple[int, int]]:
    """Yield first and last line of each statement, and of the head of each block."""
    for node in ast.walk(tree):
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not isinstance(node, ast.stmt) or docstring:
            continue
        body = getattr(node, "body", None)
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        last = node.end_lineno or node.lineno
        yield first, max(node.lineno, body[0].lineno - 1) if body else last


def decisions(tree: ast.Module) -> int:
    """Return how often the code of `tree` decides something."""
    return sum(isinstance(node, _ASKS) for node in ast.walk(tree))
