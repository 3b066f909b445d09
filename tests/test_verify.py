"""Verify: zeros for the original, and every mutant dies within 300 histories."""

from __future__ import annotations

import pytest
from mutants import MUTANTS, plant

from anonlab.formats.history_text import parse
from anonlab.rmap import AnonGroup
from anonlab.verify import OPS_PER_HISTORY, history_of, run_checked, verify

HISTORIES = 300


def test_random_histories_break_nothing_and_mix_up_nothing():
    report = verify("all", 4000, seed=1)
    assert report.failures == []
    plain = report.to_json()
    assert list(plain) == ["seed", "operations", "designs", "content_mismatches"]
    assert (plain["seed"], plain["operations"], plain["content_mismatches"]) == (1, 4000, 0)
    for design in plain["designs"].values():
        assert list(design) == ["violations", "missed", "candidates_per_mapping"]
        assert (design["violations"], design["missed"]) == (0, 0)
        assert design["candidates_per_mapping"] >= 1


def test_the_same_seed_gives_the_same_report():
    assert verify("anongroup", 300, seed=5).to_json() == verify("anongroup", 300, seed=5).to_json()


@pytest.mark.parametrize(
    ("designs", "operations", "words"),
    [("anonsoup", 10, "'all' or some of anongroup"), ("all", 0, "operations must be >= 1, got 0")],
)
def test_what_cannot_be_verified_is_refused(designs: str, operations: int, words: str):
    with pytest.raises(ValueError, match=words):
        verify(designs, operations)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_dies_and_the_original_survives_the_same_history(
    monkeypatch: pytest.MonkeyPatch, name: str
):
    with monkeypatch.context() as planted:
        plant(planted, MUTANTS[name])
        for number in range(HISTORIES):
            failures = run_checked(history_of(1, number, OPS_PER_HISTORY), AnonGroup).failures
            if failures:
                break
        else:
            pytest.fail(f"the mutant survived {HISTORIES} histories")
        assert run_checked(parse(failures[0]), AnonGroup).failures  # its text replays the failure
    assert not run_checked(parse(failures[0]), AnonGroup).failures
