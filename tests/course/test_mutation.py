"""Mutants of a solution: each is one change inside the answer, and compiles."""

from __future__ import annotations

import pytest
from project import ROOT

from anonlab.course.authoring.masters import Master, read_masters
from anonlab.course.authoring.mutation import fate_of, mutants_of

MASTERS = {master.number: master for master in read_masters(ROOT / "solutions")}


def small(code: str) -> Master:
    """A master whose answer is the body of a function `f(a, levels)`."""
    text = f"""def f(a, levels):
    kept = 1
    # <answer>
{code}    # </answer>


def g(x):
    return x + 1
"""
    return Master("01a", "ex01a_x", "t", "s", (), 5, {}, {}, (), (), "c", text)


def names(code: str) -> set[str]:
    return {mutant.name.removeprefix("f: ") for mutant in mutants_of(small(code))}


@pytest.mark.parametrize(
    ("code", "some"),
    [
        ("    return a & 15\n", {"a & 15 -> a", "a & 15 -> (a | 15)", "15 -> 14", "15 -> 30"}),
        ("    return a < 3\n", {"a < 3 -> (a <= 3)", "ignores a", "changes a in place"}),
        ("    return a == 0\n", {"a == 0 -> (a != 0)", "a == 0 -> (a >= 0)"}),
        ("    return a > 1 and levels\n", {"a > 1 and levels -> (levels)", "ignores levels"}),
        ("    return 1 if a else 2\n", {"1 if a else 2 -> 1", "1 if a else 2 -> 2"}),
        ("    return [x for x in a if x]\n", {"[x for x in a if x] -> [x for x in a if True]"}),
        ("    if a:\n        return 1\n    return 2\n", {"if a: return 1 -> if False: return 1"}),
        (
            "    for x in a:\n        b = x\n    return b\n",
            {"for x in a: b = x -> for x in a: b = x break"},
        ),
        ("    return sorted(a.copy())\n", {"sorted(a.copy()) -> a.copy()", "a.copy() -> a"}),
        (
            '    return """\n        p = spawn\n        p write 0x30000 7 2\n    """\n',
            {
                "p = spawn: dropped",
                "p write 0x30000 7 2: 0x30000 -> 0x31000",
                "p write 0x30000 7 2: 2 -> 1",
                "p write 0x30000 7 2: write -> read",
            },
        ),
    ],
)
def test_each_operator_changes_what_it_is_for(code: str, some: set[str]) -> None:
    assert some <= names(code), names(code)


def test_only_the_answer_is_changed_and_no_change_is_made_twice() -> None:
    for number in ("04a", "09a"):
        found = mutants_of(MASTERS[number])
        assert len({mutant.code for mutant in found}) == len(found) > 30
        assert len({mutant.name for mutant in found}) == len(found)
        assert MASTERS[number].solution not in {mutant.code for mutant in found}
    assert all("return x + 1" in mutant.code for mutant in mutants_of(small("    return a\n")))


def test_an_argument_without_parts_cannot_be_changed_in_place() -> None:
    fates = {
        mutant.name: fate_of(ROOT, MASTERS["04a"], mutant)
        for mutant in mutants_of(MASTERS["04a"])
        if "in place" in mutant.name
    }
    assert fates == {"share_page: changes word in place": "none",
                     "share_range: changes words in place": "killed"}  # fmt: skip
