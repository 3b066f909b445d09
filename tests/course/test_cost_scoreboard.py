"""What notebook 09 says of the scenarios is what their boards show."""

from __future__ import annotations

from functools import cache

import pytest

from anonlab.course.asking.cost_scoreboard import COLUMNS, board, marks, scoreboard
from anonlab.histories.costs import Comparison, compare
from anonlab.histories.scenarios import SCENARIOS
from anonlab.rmap import DESIGNS

FAMILY = {"anongroup", "per_mm_space", "anon_vma"}
"""Designs that ask all relatives for a page that one of them has."""


@cache
def run(scenario: str) -> Comparison:
    return compare(SCENARIOS[scenario](50))


def column(scenario: str, name: str) -> dict[str, int]:
    return {design: counts[name] for design, counts in board(run(scenario)).items()}


@pytest.mark.parametrize("scenario", ["prefork", "swap_storm"])
def test_the_family_is_asked_or_it_is_not(scenario: str) -> None:
    looks = column(scenario, "looks")
    most = max(looks[name] for name in looks if name not in FAMILY)
    assert all(looks[name] > 3 * most for name in FAMILY)


def test_in_a_pipeline_nobody_looks_in_vain_and_the_cheapest_fork_wins() -> None:
    assert set(column("pipeline", "looks").values()) == {51}
    for name in ("objects made", "bytes left"):
        counts = column("pipeline", name)
        assert max(counts, key=lambda design: counts[design]) == "anon_vma_chain"
        assert min(counts, key=lambda design: counts[design]) == "pte_chain"
    assert column("pipeline", "bytes left")["anongroup"] == min(
        count for name, count in column("pipeline", "bytes left").items() if name != "pte_chain"
    )


def test_one_address_per_page_copies_what_moves() -> None:
    copies = column("movers", "pages copied")
    assert {name for name, count in copies.items() if count} == {"anongroup", "anonmm"}
    assert set(copies.values()) == {0, 200}
    looks = column("movers", "looks")
    assert min(looks, key=lambda design: looks[design]) == "anonmm"


def test_the_dead_of_a_fork_chain() -> None:
    hundred = board(compare(SCENARIOS["fork_chain"](100)))
    left = {name: counts["bytes left"] for name, counts in hundred.items()}
    assert max(left, key=lambda design: left[design]) == "cow_context"
    assert min(left, key=lambda design: left[design]) == "anongroup"
    contexts = board(compare(SCENARIOS["fork_chain"](200), "cow_context"))["cow_context"]
    assert contexts["bytes left"] > 1.9 * left["cow_context"]
    chain = board(compare(SCENARIOS["fork_chain"](200), "anon_vma_chain"))["anon_vma_chain"]
    assert chain["bytes left"] == left["anon_vma_chain"]


def test_pte_chain_alone_pays_by_page_at_fork() -> None:
    large = "machine x86_32 frames 1200 swap 0\np = spawn\np mmap 0x30000 1000\n"
    made = compare(large + "p write 0x30000 1 1000\nc = fork p\n").table("allocs")
    assert {row["design"] for row in made if row["fork"] >= 1000} == {"pte_chain"}
    assert all(row["fork"] <= 3 for row in made if row["design"] != "pte_chain")


def test_looks_of_pte_chain_are_beaten_only_where_others_share_nothing() -> None:
    for scenario in ("prefork", "pipeline", "fork_chain", "swap_storm"):
        looks = column(scenario, "looks")
        assert looks["pte_chain"] == min(looks.values()), scenario


def test_least_and_most_are_marked_unless_all_are_equal() -> None:
    assert marks([3, 1, 3, 2]) == ["most", "least", "most", ""]
    assert marks([2, 2]) == ["", ""]


def test_the_board_says_the_same_as_text_and_as_a_table() -> None:
    shown = scoreboard(run("movers"))
    text, table = repr(shown).splitlines(), shown._repr_html_()
    assert len(text) == 1 + len(DESIGNS)
    assert table.count("<tr>") == 1 + len(DESIGNS)
    for line, (design, counts) in zip(text[1:], board(run("movers")).items(), strict=True):
        words = [word for word in line.split() if word not in ("least", "most")]
        assert words == [design, *(f"{counts[name]:,}" for name in COLUMNS)]
        assert all(f"{counts[name]:,}</td>" in table for name in COLUMNS)
    assert table.count("most") == repr(shown).count("most")
