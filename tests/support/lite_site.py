"""The course in a browser, built with a stand-in for NumPy and served on this machine."""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from labserver import Notebook, Watch
from project import ROOT

PYTHON = ROOT / "build" / "lite-python" / "bin" / "python"
"""What JupyterLite brings disturbs a JupyterLab beside it: make test gives it its own place."""
STAND_IN = Path(__file__).parent / "stand_in"
NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


def build_site(site: Path, scratch: Path) -> None:
    """Build the course in a browser in the folder `site`; what it is made of is in `scratch`.

    NumPy and MarkupSafe are wheels of this folder: NumPy's stand-in, and MarkupSafe without the
    part that is compiled, which it can do without. WASM_WHEELS names a folder with the real ones.
    """
    wheels = Path(os.environ.get("WASM_WHEELS") or scratch / "wheels")
    if not wheels.is_dir():
        wheels.mkdir()
        stand_in = {path.name: path.read_bytes() for path in (STAND_IN / "numpy").glob("*.py")}
        make_wheel(wheels, "numpy", "2.0.0", stand_in)
        markup = distribution("markupsafe")
        files = [path for path in markup.files or () if path.suffix == ".py"]
        pure = {path.name: path.read_binary() for path in files}
        make_wheel(wheels, "markupsafe", markup.version, pure)
    command = [PYTHON, ROOT / "lite" / "build.py", "--output", site, "--wasm", wheels]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def make_wheel(folder: Path, name: str, version: str, files: Mapping[str, bytes]) -> None:
    """Write a wheel to `folder` whose one package `name` has these files."""
    about = f"{name}-{version}.dist-info"
    texts = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "".join(f"{name}/{each},,\n" for each in files),
    }
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for each, content in files.items():
            wheel.writestr(f"{name}/{each}", content)
        for each, text in texts.items():
            wheel.writestr(f"{about}/{each}", text)


class Files(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    extensions_map: dict[str, str] = {  # noqa: RUF012  its own attribute
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def do_GET(self) -> None:
        if self.path == "/favicon.ico":  # every browser asks for it; the site may lie in any folder
            self.send_response(204)
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve `folder`; yield its address."""
    handler = functools.partial(Files, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class LiteNotebook(Notebook):
    """A notebook of the course in JupyterLite: no server, the kernel is in the browser."""

    @staticmethod
    def place(address: str, name: str, app: str) -> str:
        return f"{address}/lab/index.html?path=notebooks/{name}"

    def run_first(self) -> None:
        """Run the first code cell, and wait for its end."""
        cell = "[...model.cells].find(cell => cell.type === 'code')"
        self.ask(f"panel.content.activeCellIndex = [...model.cells].indexOf({cell});")
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell'); }")
        self.until(f"return {self.KERNEL} === 'idle' && {cell}.executionCount !== null")

    def run(self, source: str) -> str:
        """Run `source` in a new cell at the end; return its outputs as text."""
        self.start_cell(source)
        self.until(
            f"return {self.KERNEL} === 'idle' && "
            "model.cells.get(model.cells.length - 1).executionCount !== null"
        )
        outputs = self.ask(
            "return model.cells.get(model.cells.length - 1).outputs.toJSON()"
            ".map(o => o.text ?? o.data?.['text/plain'] ?? o.evalue ?? '')"
        )
        return "\n".join("".join(each) for each in outputs)

    def restart(self) -> None:
        """Restart the kernel, as the menu does."""
        self.page.evaluate(
            f"async () => {{ {self.CURRENT} await panel.sessionContext.restartKernel(); }}"
        )
        self.until(f"return {self.KERNEL} === 'idle'")


class LiteWatch(Watch):
    """JupyterLite asks its server for a list of each folder; of one that the learner's work has
    made, the server knows nothing, and the browser says so."""

    def _console(self, message: Any) -> None:
        if "status of 404" not in message.text:  # _response has the address
            super()._console(message)

    def _response(self, response: Any) -> None:
        if not (response.status == 404 and "/api/contents/" in response.url):
            super()._response(response)
