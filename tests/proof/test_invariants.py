"""Every sentence that check can say: one thing is broken by hand, and exactly that is said."""

from __future__ import annotations

import ast
import re
import sys
import traceback
from pathlib import Path

import pytest
from broken import CASES, Break, machine
from watched import PAGE

from anonlab import GEOMETRIES, Geometry, Kernel, check, scan
from anonlab.rmap import groups


@pytest.mark.parametrize(("harm", "sentence"), CASES, ids=[sentence for _, sentence in CASES])
def test_check_finds_what_is_broken_and_says_so(harm, sentence):
    kernel = machine()
    harm(kernel)
    with pytest.raises(AssertionError) as caught:
        check(kernel)
    first_line, *state = str(caught.value).splitlines()
    assert re.fullmatch(sentence + ".*", first_line), first_line
    assert state[0] == "design anongroup; mappings (mm, address, word):", "the whole state follows"
    assert any(line.startswith("frames (pfn, count") for line in state)


def fired(harm: Break) -> tuple[str, int]:
    """File and line of the assertion that `harm` makes fail."""
    kernel = machine()
    harm(kernel)
    with pytest.raises(AssertionError) as caught:
        check(kernel)
    original = caught.value.__context__
    assert original is not None, "check adds the state to an error"
    frame = traceback.extract_tb(original.__traceback__)[-1]
    return Path(frame.filename).name, frame.lineno


def assertions(path: Path, function: str = "") -> list[ast.Assert]:
    """The assert statements of a file, or of the functions of one name in it."""
    nodes = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and function in ("", node.name)
    ]
    return [one for node in nodes for one in ast.walk(node) if isinstance(one, ast.Assert)]


def test_every_assertion_of_check_and_of_the_design_fails_once():
    """Whoever adds an invariant adds to broken.py what breaks it."""
    lines = {fired(harm) for harm, _ in CASES}
    check_py = Path(sys.modules["anonlab.proof.invariants"].__file__)
    groups_py = Path(groups.__file__)
    methods = ((groups_py, "check"), (groups_py, "check_structure"))
    for path, function in ((check_py, ""), *methods):
        found = assertions(path, function)
        assert found
        for one in found:
            where = {(path.name, line) for line in range(one.lineno, one.end_lineno + 1)}
            assert where & lines, f"nothing breaks: {ast.unparse(one)}"


@pytest.mark.parametrize(
    "geometry", [*GEOMETRIES.values(), Geometry(3, 3), Geometry(1, 8)], ids=repr
)
def test_the_scan_reads_every_word_of_every_table(geometry):
    kernel = Kernel(geometry=geometry)
    parent = kernel.spawn("parent")
    at = parent.mmap(40 * PAGE)
    parent.write_range(at + PAGE, range(20))
    parent.fork("child").write(at, 3)
    parent.swap_out(at + 2 * PAGE)
    tables = kernel.tables.words.tolist()

    def below(row: int, level: int, prefix: int) -> list[tuple[int, int]]:
        found = []
        for slot, word in enumerate(tables[row]):
            if word and level == geometry.levels - 1:
                found.append((prefix * geometry.slots + slot, word))
            elif word:
                found += below(word >> 12, level + 1, prefix * geometry.slots + slot)
        return found

    expected = [
        (mm.number, vpn, word) for mm in kernel.mms.values() for vpn, word in below(mm.pgd, 0, 0)
    ]
    found = scan(kernel)
    assert len(expected) == 41
    columns = (found.mms.tolist(), found.vpns.tolist(), found.words.tolist())
    assert list(zip(*columns, strict=True)) == expected


def test_check_looks_and_changes_nothing():
    kernel = machine()
    before = kernel.snapshot()
    walks = check(kernel)
    assert kernel.snapshot() == before, "not even what looking costs"
    # A: 3 pages shared and one that only the child has; B: the written page, shared.
    assert walks.mappings == 3 * 2 + 1 + 2
    assert walks.candidates == 2 * 5


def test_a_limit_of_walks_is_kept():
    kernel = machine()
    assert check(kernel, most_walks=2).mappings < check(kernel).mappings
    assert check(kernel, most_walks=1000).mappings == check(kernel).mappings
