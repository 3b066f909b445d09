"""A real JupyterLab on this machine and a watched page in headless Chromium, for browser tests."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

TOKEN = "probe"
START_SECONDS = 60
RUN_SECONDS = 180
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


@contextmanager
def jupyter_lab(
    notebooks: Path, scratch: Path, theme: str = "light", packages: Path | None = None
) -> Iterator[str]:
    """Start JupyterLab over the folder `notebooks`; yield its address, without a final slash.

    scratch   an empty folder: settings and runtime files of this server alone
    theme     key of THEMES
    packages  a folder with the package notebook: start that one in place of JupyterLab
    """
    module, name = ("notebook", "JupyterNotebookApp") if packages else ("jupyterlab", "LabApp")
    environ = {**os.environ, "IPYTHONDIR": str(scratch / "ipython")}
    for each in ("CONFIG", "DATA", "RUNTIME"):
        environ[f"JUPYTER_{each}_DIR"] = str(scratch / each.lower())
    _write_settings(scratch / "config" / "lab" / "user-settings", theme)
    port = _free_port()
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,  # or this could talk to a stranger's server
        "ServerApp.root_dir": notebooks,
        "IdentityProvider.token": TOKEN,
        f"{name}.expose_app_in_browser": True,
    }
    if packages:
        environ["PYTHONPATH"] = str(packages)
        environ["JUPYTERLAB_DIR"] = str(packages / "share" / "jupyter" / "lab")
        environ["JUPYTER_PATH"] = str(packages / "share" / "jupyter")
    command = [sys.executable, "-m", module, "--no-browser"]
    command += [f"--{name}={value}" for name, value in options.items()]
    command += ["--allow-root"] if os.geteuid() == 0 else []
    log = scratch / "lab.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            command, cwd=notebooks, env=environ, stdout=out, stderr=out, start_new_session=True
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(server, address, log)
            yield address
        finally:
            _stop(server)


def _write_settings(folder: Path, theme: str) -> None:
    """Choose the theme, and no news: the question about them would cover the notebook."""
    folder = folder / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True)
    settings: dict[str, dict[str, Any]] = {
        "themes": {"theme": THEMES[theme]},
        "notification": {"fetchNews": "false", "checkForUpdates": False},
    }
    for name, value in settings.items():
        (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(value))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Return when the server answers; raise RuntimeError with its log if it does not."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/api/status?token={TOKEN}", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the server and the kernels it started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, sign)
            server.wait(10)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    server.wait(10)


class Watch:
    """What went wrong on a page: script errors, failed answers, requests that left the machine."""

    def __init__(self, page: Page) -> None:
        self.wrong: list[str] = []
        page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        page.on("console", self._console)
        page.on("response", self._response)
        page.on("request", lambda request: self._left(request.url))
        page.on("websocket", lambda socket: self._left(socket.url))

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.wrong.append(f"console: {message.text}")

    def _response(self, response: Any) -> None:
        if response.status >= 400:
            self.wrong.append(f"status {response.status}: {response.url}")

    def _left(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.hostname != "127.0.0.1":
            self.wrong.append(f"left this machine: {url}")


class Notebook:
    """A notebook that is open in JupyterLab; asks JupyterLab's own model, not its drawing of it."""

    CURRENT = (
        "const panel = window.jupyterapp.shell.currentWidget; const model = panel.content.model;"
    )
    KERNEL = "panel.sessionContext.session?.kernel?.status"
    # Not the kernel's status: that is idle again when a comm message was handled in a subshell.
    LAST_RUNS = "return model.cells.get(model.cells.length - 1).executionCount === null;"

    def __init__(self, page: Page, address: str, name: str, app: str = "lab/tree") -> None:
        page.goto(self.place(address, name, app))
        self._wait_on(page)

    @classmethod
    def on(cls, page: Page) -> Self:
        """Return the notebook that `page` is about to show."""
        notebook = cls.__new__(cls)
        notebook._wait_on(page)
        return notebook

    def _wait_on(self, page: Page) -> None:
        self.page = page
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
        page.wait_for_function("() => window.jupyterapp?.shell.currentWidget")
        self.until(f"return panel.context.isReady && {self.KERNEL} === 'idle'")

    @staticmethod
    def place(address: str, name: str, app: str) -> str:
        """Return where the server at `address` shows the notebook `name` in the front end `app`."""
        return f"{address}/{app}/{name}?token={TOKEN}&reset"

    def ask(self, script: str) -> Any:
        """Evaluate `script` with `panel` and `model` of the current notebook."""
        return self.page.evaluate(f"() => {{ {self.CURRENT} {script} }}")

    def until(self, script: str, seconds: float = RUN_SECONDS) -> None:
        """Wait until `script`, as in `ask`, is true; if it never is, say what was seen."""
        try:
            self.page.wait_for_function(
                f"() => {{ {self.CURRENT} {script} }}", timeout=seconds * 1000
            )
        except PlaywrightTimeout:
            seen = self.ask(
                f"return [{self.KERNEL}, [...model.cells].map(c => [c.type, c.executionCount])]"
            )
            raise AssertionError(f"not so after {seconds} s: {script}; it is {seen}") from None

    def run_all(self) -> None:
        """Run all cells through the menu and wait until the kernel has done all of them."""
        self.page.click('text="Run" >> nth=0')
        self.page.click('.lm-Menu-item:has-text("Run All Cells") >> nth=0')
        self.until(
            f"return {self.KERNEL} === 'idle' && [...model.cells]"
            ".every(c => c.type !== 'code' || !c.sharedModel.source || c.executionCount !== null)"
        )

    def cells(self) -> list[tuple[str, str]]:
        """(type, source) of every cell."""
        found = self.ask("return [...model.cells].map(c => [c.type, c.sharedModel.source])")
        return [(kind, source) for kind, source in found]

    def complaints(self) -> list[Any]:
        """Outputs that are errors or on standard error."""
        return list(
            self.ask(
                "return [...model.cells].filter(c => c.type === 'code')"
                ".flatMap(c => c.outputs.toJSON())"
                ".filter(o => o.output_type === 'error' || o.name === 'stderr')"
            )
        )

    def start_cell(self, source: str) -> None:
        """Append a code cell with `source` and run it without waiting for its end."""
        self.ask(
            f"model.sharedModel.addCell({{cell_type: 'code', source: {json.dumps(source)}}});"
            "panel.content.activeCellIndex = model.cells.length - 1;"
        )
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell'); }")
        self.until(  # it is at it, or was so quick that it is done
            f"return {self.KERNEL} === 'busy' || "
            "model.cells.get(model.cells.length - 1).executionCount !== null",
            60,
        )
