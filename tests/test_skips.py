"""With ANONLAB_CI a skipped test fails the run, unless its reason is one that CI cannot help."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT

CONFTEST = ROOT / "tests" / "conftest.py"
ALLOWED = runpy.run_path(str(CONFTEST))["ALLOWED"]
PASSING = "import pytest\ndef test_it(): pass\n"
SKIPPED = PASSING + "def test_other(): pytest.skip({reason!r})\n"
MODULE = "import pytest\npytest.skip({reason!r}, allow_module_level=True)\n"
EXPECTED_FAILURE = PASSING + "@pytest.mark.xfail\ndef test_other(): assert 0\n"


def run(folder: Path, source: str, *options: str, ci: bool = True) -> tuple[int, str]:
    """Run `source` as a test file under a copy of our conftest; return exit status and output."""
    shutil.copy(CONFTEST, folder)
    (folder / "test_some.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]\n")
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environ["ANONLAB_CI"] = "1" if ci else ""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, "test_some.py"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["one process", "xdist"])
@pytest.mark.parametrize("source", [SKIPPED, MODULE], ids=["test", "module"])
def test_a_refused_skip_fails_and_is_named(
    tmp_path: Path, source: str, options: tuple[str, ...]
) -> None:
    status, output = run(tmp_path, source.format(reason="no dot here"), *options)
    assert status == 1
    assert "skipped here, though CI must run it" in output
    assert "no dot here" in output
    assert "1 skipped" in output.splitlines()[-1]


@pytest.mark.parametrize("reason", ALLOWED)
def test_an_allowed_skip_passes(tmp_path: Path, reason: str) -> None:
    status, output = run(tmp_path, SKIPPED.format(reason=f"{reason}: not here"))
    assert status == 0, output


def test_outside_ci_any_skip_passes(tmp_path: Path) -> None:
    assert run(tmp_path, SKIPPED.format(reason="no dot here"), ci=False)[0] == 0


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert run(tmp_path, EXPECTED_FAILURE)[0] == 0
