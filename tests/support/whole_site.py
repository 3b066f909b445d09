"""The site as it is deployed: the course as pages, and the course in a browser in lite/.

A plugin of pytest: tests/site and tests/lite are one group of tests, and look at one folder.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT

ONLY = "00,04"
"""Notebooks with every kind of card: more would take a minute more."""
LITE = "lite"


@pytest.fixture(scope="session")
def pages_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the pages."""
    pytest.importorskip("sphinx", reason="no site: the extra site is not installed")
    out = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, str(ROOT / "site" / "build.py"), "--only", ONLY, "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return out


@pytest.fixture(scope="session")
def deployed(pages_folder: Path) -> Path:
    """The same folder, with lite/ in it."""
    from lite_site import build_site

    build_site(pages_folder / LITE, pages_folder.parent)
    return pages_folder


def own_files(pages: Path, pattern: str) -> list[Path]:
    """Return the files of the pages, and none of lite/."""
    found = (path for path in pages.rglob(pattern) if path.is_file())
    return [path for path in found if path.relative_to(pages).parts[0] != LITE]
