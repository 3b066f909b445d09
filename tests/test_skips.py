"""With ANONLAB_CI a test that did not run fails the run, unless CI cannot help it."""

from __future__ import annotations

from pathlib import Path

import pytest
from inner_run import run
from skips import ALLOWED

PASSING = "import pytest\ndef test_it(): pass\n"
SKIPPED = PASSING + "def test_other(): pytest.skip({reason!r})\n"
MODULE = "import pytest\npytest.skip({reason!r}, allow_module_level=True)\n"
EXPECTED_FAILURE = PASSING + "@pytest.mark.xfail\ndef test_other(): assert 0\n"
IN_CI = {"ANONLAB_CI": "1"}


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["one process", "xdist"])
@pytest.mark.parametrize("source", [SKIPPED, MODULE], ids=["test", "module"])
def test_a_refused_skip_fails_and_is_named(
    tmp_path: Path, source: str, options: tuple[str, ...]
) -> None:
    status, output = run(tmp_path, source.format(reason="no dot here"), *options, **IN_CI)
    assert status == 1
    assert "skipped here, though CI must run it" in output
    assert "no dot here" in output
    assert "1 skipped" in output.splitlines()[-1]


def test_a_test_that_is_left_out_by_hand_is_no_better_than_a_skipped_one(tmp_path: Path) -> None:
    for options in (("-k", "it"), ("-k", "it", "-n", "1")):
        status, output = run(tmp_path, PASSING + "def test_other(): pass\n", *options, **IN_CI)
        assert status == 1
        assert "1 tests: left out, and not by the seed" in output


def test_what_ci_cannot_have_passes(tmp_path: Path) -> None:
    tests = [f"def test_{n}(): pytest.skip('{why}: not here')\n" for n, why in enumerate(ALLOWED)]
    status, output = run(tmp_path, PASSING + "".join(tests), **IN_CI)
    assert status == 0, output
    assert f"{len(ALLOWED)} skipped" in output.splitlines()[-1]


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert run(tmp_path, EXPECTED_FAILURE, **IN_CI)[0] == 0


def test_outside_ci_any_skip_passes(tmp_path: Path) -> None:
    assert run(tmp_path, SKIPPED.format(reason="no dot here"))[0] == 0
