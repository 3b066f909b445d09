"""Complexity is counted from the files: by hand for a small one, and against another counter."""

from __future__ import annotations

import ast
import re

import pytest
from project import ROOT

from anonlab.bench.complexity import complexity, decisions, lines_of_code, without_drawing
from anonlab.rmap import DESIGNS

SMALL = '''"""A module.

With two lines.
"""

# A comment.
import os


class Design:
    """A class."""

    words: dict = {"a": 1,
                   "b": 2}

    def add(self, pages):
        """Do it."""
        for page in pages:  # each
            if page and not (
                page > 2
            ):
                return page

        return os.sep

    def graph(self):
        if self:
            return 1

    def check(self):
        return 2
'''


def test_lines_and_decisions_of_a_small_file_are_those_counted_by_hand() -> None:
    """import, class, def, for, if (3 lines), return, return; if and its and."""
    tree = without_drawing(SMALL)
    assert lines_of_code(SMALL, tree) == 9
    assert decisions(tree) == 2


def test_the_mails_design_is_the_shortest_and_decides_least() -> None:
    found = {row["design"]: row for row in complexity()}
    group = found.pop("anongroup")
    assert set(found) == set(DESIGNS) - {"anongroup"}
    for row in found.values():
        assert group["lines"] * 2 < row["lines"], "the notebook says less than half"
        assert group["decisions"] < row["decisions"]
    text = (ROOT / "anonlab/rmap/anongroup.py").read_text("utf-8")
    assert group["lines"] < len([line for line in text.splitlines() if line.strip()])


def test_hooks_are_methods_of_the_base_that_a_design_writes_itself() -> None:
    """Of the group: in its file and in that of groups, which it shares with its options."""
    written: set[str] = set()
    for name in ("anongroup", "groups"):
        tree = ast.parse((ROOT / f"anonlab/rmap/{name}.py").read_text("utf-8"))
        written |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    base = (ROOT / "anonlab/rmap/base.py").read_text("utf-8")
    hooks = set(re.findall(r"^    def ([a-z]\w*)\(", base, re.MULTILINE)) - {"attach"}
    assert complexity(("anongroup",))[0]["hooks"] == len(written & hooks)


def test_an_unknown_design_is_named() -> None:
    with pytest.raises(ValueError, match="design is one of pte_chain"):
        complexity(("anonchain",))
