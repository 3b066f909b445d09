"""A headless Chromium of this machine, for all tests that need one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from anonlab.cli.doctor import BROWSERS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = next((path for name in BROWSERS if (path := shutil.which(name))), None)
ARGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: anonlab doctor says more")


@contextmanager
def chromium(*args: str) -> Iterator[Browser]:
    """Yield a browser, started with `args` too; skip where there is none.

    It has a folder of its own for temporary files. Tests of graders look at what an attack leaves
    in the folder for everybody, and an ordinary user's browser leaves files there meanwhile.
    """
    if CHROMIUM is None:
        pytest.skip("no browser: chromium is not installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="no browser: playwright")
    with tempfile.TemporaryDirectory(
        prefix="anonlab-browser-", ignore_cleanup_errors=True
    ) as folder:
        with pytest.MonkeyPatch.context() as patch:  # only what starts here inherits it
            patch.setenv("TMPDIR", folder)
            playwright = sync_api.sync_playwright().start()
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, headless=True, args=[*ARGS, *args], env=dict(os.environ)
            )
        try:
            yield browser
        finally:
            browser.close()
            playwright.stop()
