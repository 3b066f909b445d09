"""The course in a browser: JupyterLite with anonlab in it, as one folder of files.

    python lite/build.py [--output build/site/lite] [--wasm FOLDER]

Whoever opens the folder's address has the course, and needs nothing more: Python (Pyodide), NumPy,
anonlab with what it asks for, the notebooks, the exercises and their public checks come from that
folder, and no request leaves it. Work is kept in the browser.

    Pyodide       the npm package `pyodide`, in the version that the kernel of JupyterLite names
    pure Python   from PyPI, in the versions of Pyodide's lock file; what that does not have, in the
                  versions of this environment, whose scripts are in the page
    compiled      NumPy and MarkupSafe: from Pyodide's distribution, over the network, or from
                  --wasm; held to the digests of the lock file if they have its names

What was fetched stays in build/lite/, and is not fetched again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.parser import Parser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jupyterlite_pyodide_kernel.constants import PYODIDE_LOCK_DEFAULT_URL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from anonlab.course.authoring.starting import handout

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / "build" / "lite"
OUTPUT = ROOT / "build" / "site" / "lite"
EXTENSIONS = Path(sys.prefix) / "share" / "jupyter" / "labextensions"
KERNEL_EXTENSION = EXTENSIONS / "@jupyterlite" / "pyodide-kernel-extension"
SCRIPTS = (
    KERNEL_EXTENSION,
    EXTENSIONS / "@jupyter-widgets" / "jupyterlab-manager",
    EXTENSIONS / "anywidget",
)
"""What the page has beside JupyterLab: the kernel, and what shows widgets."""
KERNEL = ("micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython")
"""What the kernel asks for when it starts; it would look on PyPI for what is not loaded then."""
IN_THE_PAGE = {"jupyterlab-widgets", "widgetsnbextension"}
"""Packages that are scripts only: the page has them already."""
BROWSER = {"sys_platform": "emscripten", "platform_system": "Emscripten", "os_name": "posix"}
BROWSER |= {"platform_machine": "wasm32", "implementation_name": "cpython", "extra": ""}
BROWSER |= {"platform_python_implementation": "CPython"}
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
"""The files of the npm package that a page loads."""
LOCK = "pyodide-lock.json"
Lock = dict[str, Any]


class CannotBuild(Exception):
    """Something is missing; the sentence says what, and what to do."""


def main() -> None:
    """Build the folder; say what it has and how large it is."""
    parser = argparse.ArgumentParser(description="Build the course as a JupyterLite folder.")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where; it is made anew")
    parser.add_argument(
        "--wasm",
        type=Path,
        default=os.environ.get("WASM_WHEELS") or None,
        help="a folder with wheels of NumPy and MarkupSafe for Pyodide (or $WASM_WHEELS)",
    )
    options = parser.parse_args()
    try:
        build(options.output, options.wasm)
    except CannotBuild as error:
        sys.exit(f"lite: {error}")
    size = sum(path.stat().st_size for path in options.output.rglob("*") if path.is_file())
    print(f"{options.output}: {size / 1e6:.1f} MB; `python -m http.server -d` shows it")


def build(output: Path, wasm: Path | None) -> None:
    """Make the folder `output`.

    raises  CannotBuild if something cannot be had
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:  # another build may run meanwhile
        _build(output.resolve(), wasm, Path(folder))


def _build(output: Path, wasm: Path | None, source: Path) -> None:
    static = source / "static" / "pyodide"
    static.mkdir(parents=True)
    core = pyodide_core()
    for name in CORE:
        shutil.copy2(core / name, static / name)
    wheels = Wheels(json.loads((core / LOCK).read_text("utf-8")), wasm)
    wheels.add(kit_wheel(source / "kit"), *(KERNEL_EXTENSION / "static" / "pypi").glob("*.whl"))
    wheels.close(("anonlab", *KERNEL))
    for path in wheels.paths.values():
        shutil.copy2(path, static / path.name)
    (static / LOCK).write_text(json.dumps(wheels.lock()), "utf-8")
    for name, content in handout().items():
        path = source / "contents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for path in (Path(__file__).parent / "settings").iterdir():
        shutil.copy2(path, source / path.name)
    shutil.rmtree(output, ignore_errors=True)
    run(
        *(sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", source),
        *("--contents", source / "contents", "--output-dir", output),
        *("--apps", "lab", "--no-sourcemaps", "--no-unused-shared-packages"),
        "--ignore-sys-prefix",
        *(f"--LiteBuildConfig.federated_extensions={path}" for path in SCRIPTS),
        folder=source,  # it keeps a list there of what it has done
    )
    configure(output / "jupyter-lite.json")
    remove_old_fonts(output / "build")


def remove_old_fonts(folder: Path) -> None:
    """Remove fonts in forms for browsers of before 2016: where there is a font as woff2, it stands
    before the others in the style sheet, and no browser that runs WebAssembly asks for those."""
    for modern in folder.glob("*.woff2"):
        for form in (".eot", ".svg", ".ttf", ".woff"):
            modern.with_suffix(form).unlink(missing_ok=True)


def configure(path: Path) -> None:
    """Let the kernel load anonlab when it starts, and look nowhere else for packages."""
    plain = json.loads(path.read_text("utf-8"))
    settings = plain["jupyter-config-data"].setdefault("litePluginSettings", {})
    kernel = settings.setdefault("@jupyterlite/pyodide-kernel-extension:kernel", {})
    kernel["disablePyPIFallback"] = True
    kernel.setdefault("loadPyodideOptions", {})["packages"] = [*KERNEL, "anonlab"]
    path.write_text(json.dumps(plain, indent=2), "utf-8")


def pyodide_core() -> Path:
    """Return a folder with the npm package of Pyodide, in the version that the kernel names."""
    number = re.search(r"/v([^/]+)/", PYODIDE_LOCK_DEFAULT_URL)
    assert number, PYODIDE_LOCK_DEFAULT_URL
    folder = CACHE / f"pyodide-{number[1]}"
    if not (folder / "package" / LOCK).is_file():
        npm = shutil.which("npm") or shutil.which("npm", path=Path(sys.executable).parent)
        if npm is None:
            raise CannotBuild(
                "Pyodide is an npm package, and there is no npm: pip install 'anonlab[lite]' has "
                f"one; or unpack pyodide {number[1]} in {folder}"
            )
        folder.mkdir(parents=True, exist_ok=True)
        run(npm, "pack", f"pyodide@{number[1]}", "--silent", "--pack-destination", folder)
        with tarfile.open(next(folder.glob("*.tgz"))) as archive:
            # Python before 3.11.4 knows no filter; npm has checked what the archive is.
            archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
            archive.extractall(folder)
    return folder / "package"


def kit_wheel(folder: Path) -> Path:
    """Build anonlab's own wheel in `folder`; return it."""
    folder.mkdir()
    code = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    run(sys.executable, "-c", code, folder)
    return next(folder.glob("*.whl"))


def run(*command: object, folder: Path = ROOT) -> None:
    """Run `command` in `folder`; what it says is shown only if it fails.

    raises  CannotBuild with the end of what it said
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise CannotBuild(f"{' '.join(words)} failed:\n{said}")


@dataclass
class Wheels:
    """The packages of the page, by name.

    pyodide  Pyodide's own lock file
    wasm     a folder with compiled wheels; None: they come over the network
    """

    pyodide: Lock
    wasm: Path | None
    paths: dict[str, Path] = field(default_factory=dict)

    def add(self, *paths: Path) -> None:
        """Take these files, whatever the lock says of packages with their names."""
        for path in paths:
            name = str(parse_wheel_filename(path.name)[0])
            if name not in IN_THE_PAGE:
                self.paths[name] = path

    def close(self, names: Iterable[str]) -> None:
        """Fetch `names`, what they ask for, and so on."""
        missing = [name for name in names if name not in self.paths]
        seen: set[str] = set()
        while True:
            self._fetch([name for name in missing if name not in self.paths])
            fresh = [name for name in self.paths if name not in seen]
            if not fresh:
                return
            seen.update(fresh)
            missing = [each for name in fresh for each in self.needs(self.paths[name])]

    def needs(self, path: Path) -> list[str]:
        """Return what the wheel `path` asks for in a browser."""
        environment = BROWSER | {"python_version": self.python, "python_full_version": self.full}
        wanted = [Requirement(line) for line in metadata(path).get_all("Requires-Dist") or ()]
        names = {
            canonicalize_name(each.name)
            for each in wanted
            if each.marker is None or each.marker.evaluate(environment)
        }
        return sorted(names - IN_THE_PAGE)

    @property
    def full(self) -> str:
        """Pyodide's Python, as 3.14.2."""
        return str(self.pyodide["info"]["python"])

    @property
    def python(self) -> str:
        """The same, as 3.14."""
        return ".".join(self.full.split(".")[:2])

    def _fetch(self, names: list[str]) -> None:
        wanted = []
        for name in dict.fromkeys(names):
            entry = self.pyodide["packages"].get(name)
            if entry and not entry["file_name"].endswith("-none-any.whl"):
                self.add(self._compiled(entry))
            elif found := self._at_hand(name, wanted_version := _version(name, entry)):
                self.add(found)
            else:
                wanted.append(f"{name}=={wanted_version}")
        if wanted:
            run(
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                *("--only-binary=:all:", "--python-version", self.python, "--platform", "any"),
                *("--implementation", "py", "--abi", "none", "--dest", CACHE / "wheels", *wanted),
            )
            self._fetch([each.partition("==")[0] for each in wanted])

    def _at_hand(self, name: str, wanted: str) -> Path | None:
        for path in (CACHE / "wheels").glob("*.whl"):
            found, number, *_ = parse_wheel_filename(path.name)
            if (found, str(number)) == (name, wanted):
                return path
        return None

    def _compiled(self, entry: Lock) -> Path:
        """Return the wheel of a package that is compiled for Pyodide."""
        name = entry["file_name"]
        if self.wasm is not None:
            found = [
                path
                for path in sorted(self.wasm.glob("*.whl"))
                if parse_wheel_filename(path.name)[0] == entry["name"].lower()
            ]
            if len(found) != 1:
                raise CannotBuild(
                    f"{self.wasm} has {len(found) or 'no'} wheels of {entry['name']}, and one is "
                    f"needed: {name}"
                )
            path = found[0]
        else:
            path = CACHE / "wasm" / name
            if not path.is_file():
                download(f"{PYODIDE_LOCK_DEFAULT_URL.rpartition('/')[0]}/{name}", path)
        if path.name == name and digest(path) != entry["sha256"]:
            raise CannotBuild(f"{path} is not what Pyodide's lock file names: remove it")
        return path

    def lock(self) -> Lock:
        """Return the lock file of the page: these packages and no others."""
        packages = {}
        for name, path in sorted(self.paths.items()):
            packages[name] = {
                "name": name,
                "version": str(parse_wheel_filename(path.name)[1]),
                "file_name": path.name,
                "install_dir": "site",
                "sha256": digest(path),
                "package_type": "package",
                "imports": imports(path),
                "depends": [each for each in self.needs(path) if each in self.paths],
                "unvendored_tests": False,
            }
        return {"info": self.pyodide["info"], "packages": packages}


def _version(name: str, entry: Lock | None) -> str:
    """Return the version to fetch: the lock's, or that of this environment."""
    if entry:
        return str(entry["version"])
    try:
        return version(name)
    except PackageNotFoundError:
        raise CannotBuild(
            f"the page needs {name}; it is not installed here: pip install 'anonlab[site]'"
        ) from None


def download(address: str, path: Path) -> None:
    """Fetch `address` to `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    try:
        with urllib.request.urlopen(address, timeout=60) as answer, half.open("wb") as out:
            shutil.copyfileobj(answer, out)
    except OSError as error:
        raise CannotBuild(
            f"{address} cannot be had ({error}). It is needed once: build where there is a "
            f"network, or name a folder that has {path.name} with --wasm or WASM_WHEELS"
        ) from error
    half.replace(path)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def metadata(path: Path) -> Any:
    """Return the metadata of the wheel `path`, by field."""
    with zipfile.ZipFile(path) as wheel:
        (name,) = [each for each in wheel.namelist() if each.endswith(".dist-info/METADATA")]
        return Parser().parsestr(wheel.read(name).decode())


def imports(path: Path) -> list[str]:
    """Return the names that one can import from the wheel `path`."""
    with zipfile.ZipFile(path) as wheel:
        tops = {name.partition("/")[0] for name in wheel.namelist() if name.endswith(".py")}
    return sorted(
        name.removesuffix(".py") for name in tops if name.removesuffix(".py").isidentifier()
    )


if __name__ == "__main__":
    main()
