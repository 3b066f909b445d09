"""pytest on a file of its own, under the rules of this project's tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from project import ROOT

INI = "[pytest]\nmarkers =\n    slow\n    linux\n    grading\n    browser\n"


def run(folder: Path, source: str, *options: str, **environ: str) -> tuple[int, str]:
    """Run `source` as a test file in `folder`; return exit status and output.

    environ  what the environment says, besides what it says anyhow: ANONLAB_CI, ANONLAB_SEED
    """
    (folder / "test_some.py").write_text(source, "utf-8")
    (folder / "pytest.ini").write_text(INI, "utf-8")
    ours = ("PYTEST_", "ANONLAB_")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    rules = ("-p", "lanes", "-p", "skips", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *rules, *options, "test_some.py"],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT / "tests" / "support"), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout
