"""No corner case is forgotten: the tests of every column name all 48 rows of the table."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from structure import COLUMNS

HERE = Path(__file__).parent
ALIKE = ("columns", "columns_moves", "columns_homes", "source_stays")
"""Files whose tests hold for all columns in which VMAs take their offsets along."""


def rows(name: str) -> set[int]:
    """The rows that the tests of one file have in their names: test_45_46_… has two."""
    tree = ast.parse((HERE / f"test_{name}.py").read_text("utf-8"))
    tests = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    numbers = [re.match(r"test((?:_\d\d)+)_", test) for test in tests]
    return {int(row) for found in numbers if found for row in found[1].split("_")[1:]}


@pytest.mark.parametrize("column", COLUMNS)
def test_every_row_has_a_test_in_this_column(column):
    alike = set().union(*(rows(name) for name in ALIKE))
    missing = set(range(1, 49)) - alike - rows(f"{column}_column")
    assert not missing, f"nothing is said of rows {sorted(missing)}"
