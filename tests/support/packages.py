"""The wheel as it is built, and environments that have nothing but it and what it asks for."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from project import ROOT


def build_wheel(folder: Path) -> Path:
    """Write an sdist to `folder`, and the wheel that is made from it; return the wheel."""
    source = "import sys; from hatchling.build import *; build_sdist(sys.argv[1])"
    wheel = "import sys; from hatchling.build import *; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", source, str(folder)], cwd=ROOT, check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        # Python before 3.11.4, which Debian 12 has, knows no filter; the archive is our own.
        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
        tar.extractall(folder / "source")
    (unpacked,) = (folder / "source").iterdir()
    subprocess.run([sys.executable, "-c", wheel, str(folder)], cwd=unpacked, check=True)
    (path,) = folder.glob("*.whl")
    return path


def clean_environment(folder: Path, wheel: Path, *names: str) -> Path:
    """Make a virtual environment in `folder` that has `wheel`, the packages `names`, and what these
    ask for; return its Python. The packages are links to those of the tests' environment."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    own = distribution_in(packages, "anonlab")
    for each in _closure([*_needs(own), *names]).values():
        for top in {path.parts[0] for path in each.files or () if path.parts[0] != ".."}:
            if top != "__pycache__" and not (packages / top).exists():
                (packages / top).symlink_to(each.locate_file(top))
    return folder / "bin" / "python"


def distribution_in(packages: Path, name: str) -> Distribution:
    """Return the package `name` that is in the folder `packages`."""
    (found,) = Distribution.discover(name=name, path=[str(packages)])
    return found


def _needs(package: Distribution) -> list[str]:
    wanted = [Requirement(text) for text in package.requires or ()]
    return [
        each.name for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})
    ]


def _closure(names: list[str]) -> dict[str, Distribution]:
    found: dict[str, Distribution] = {}
    while names:
        package = distribution(names.pop())
        if package.name not in found:
            found[package.name] = package
            names += _needs(package)
    return found
