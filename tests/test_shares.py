"""A share of what is slow: every process leaves out the same, and nothing is lost for good."""

from __future__ import annotations

from pathlib import Path

import pytest
from inner_run import run
from lanes import kept

SLOW = """\
import pytest
@pytest.mark.slow
@pytest.mark.parametrize("n", range(20))
def test_long(n): pass
@pytest.mark.slow
def test_alone(): pass
@pytest.mark.slow(share=0)
@pytest.mark.parametrize("n", range(3))
def test_proof(n): pass
@pytest.mark.parametrize("n", range(4))
def test_short(n): pass
"""
QUARTER, ALONE, SHORT = 5, 1, 4


def test_each_seed_keeps_its_share_and_all_seeds_together_keep_everything() -> None:
    names = [f"test_long[{n}]" for n in range(20)]
    shares = [kept(f"seed {seed}", names, 1 / 4) for seed in range(60)]
    assert {len(share) for share in shares} == {QUARTER}
    assert set.union(*shares) == set(names)
    assert kept("a", names, 1 / 4) == kept("a", reversed(names), 1 / 4) != kept("b", names, 1 / 4)
    assert (len(kept("a", names[:1], 1 / 4)), len(kept("a", names, 0))) == (1, 0)


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_a_share_runs_is_named_and_passes_in_ci(tmp_path: Path, options: tuple[str, ...]) -> None:
    status, output = run(tmp_path, SLOW, *options, ANONLAB_SEED="5e1f", ANONLAB_CI="1")
    assert status == 0, output
    ran = QUARTER + ALONE + SHORT
    assert f"{ran} passed, {28 - ran} deselected" in output.splitlines()[-1]
    assert "the same one again: ANONLAB_SEED=5e1f" in output
    assert "slow tests: 6 of 24 ran, chosen by ANONLAB_SEED=5e1f" in output


def test_without_a_seed_everything_runs_and_says_what_it_covered(tmp_path: Path) -> None:
    status, output = run(tmp_path, SLOW, "-m", "slow", "--covered")
    assert status == 0, output
    assert "24 passed, 4 deselected" in output.splitlines()[-1]
    assert [line.split()[0] for line in output.splitlines() if "::test_" in line] == [
        "1", "20", "3"
    ]  # fmt: skip


def test_nobody_marks_by_hand_what_needs_a_browser_a_kernel_or_a_grader(
    request: pytest.FixtureRequest,
) -> None:
    for item in request.session.items:
        for name in ("linux", "grading"):
            marked = item.get_closest_marker(name) is not None
            assert marked == item.nodeid.startswith(f"tests/{name}/"), item.nodeid
        if item.path.stem in ("test_lab", "test_browser"):
            assert item.get_closest_marker("browser"), item.nodeid
