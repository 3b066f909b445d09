"""A learner's own folder of the course, made and renewed from what is installed.

notebooks/             the course; 00_start_here.ipynb first
exercises/             what the learner writes into
tests/exercises/public the checks
pytest.ini             lets plain `pytest` run the checks
.anonlab/handout.json  what was handed out: the digest of each file

A file that is still what was handed out is replaced by a newer one. A file that was changed stays:
the newer one is set beside it (04_fork.new.ipynb). The checks and the catalogue have to fit the
installed anonlab, so that a changed one makes way (catalogue.json.old).
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from anonlab.course.authoring.exercises import CATALOGUE_NAME, CONFTEST, read_catalogue
from anonlab.course.authoring.released_files import CONFIGURATION
from anonlab.errors import FormatError
from anonlab.version import __version__

FIRST = "notebooks/00_start_here.ipynb"
CATALOGUE = f"exercises/{CATALOGUE_NAME}"
HANDED_OUT = ".anonlab/handout.json"
INSTALLED = Path(__file__).parents[1] / "handout"
"""Where a wheel keeps the course."""
CHECKOUT = Path(__file__).parents[3]
"""Where the course is if anonlab runs from its own repository."""
GIVEN = ("notebooks/*.ipynb", "notebooks/COURSE_MAP.md", "notebooks/glossary.md", CATALOGUE)
PUBLIC_TESTS = "tests/exercises/public/test_*.py"


@dataclass(frozen=True)
class Renewal:
    """What became of the files of a learner's folder, by their names in it.

    written   new, or newer where nothing had been changed
    beside    changed by the learner, and the newer file is there under this name
    put_away  changed files of the kit's own that made way, under their new names
    """

    root: Path
    written: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    put_away: tuple[str, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """What the learner should know of it."""
        lines = [f"newer, beside yours: {name}" for name in self.beside]
        return lines + [f"your changed copy is now {name}" for name in self.put_away]


def handout() -> dict[str, bytes]:
    """Return the files of a learner's folder as this anonlab has them, the catalogue first.

    raises  FileNotFoundError if this anonlab was installed without the course
    """
    source = next((root for root in (INSTALLED, CHECKOUT) if (root / CATALOGUE).is_file()), None)
    if source is None:
        raise FileNotFoundError(f"this anonlab was installed without its course ({INSTALLED})")
    names = [CATALOGUE]
    for pattern in (*GIVEN, PUBLIC_TESTS):
        names += sorted(path.relative_to(source).as_posix() for path in source.glob(pattern))
    files = {name: (source / name).read_bytes() for name in names}
    # Not the files of a checkout: they may hold somebody's answers.
    for each in read_catalogue(source / CATALOGUE).values():
        files[f"exercises/{each.name}.py"] = f"{each.header}\n{each.stub}".encode()
    files["exercises/conftest.py"] = CONFTEST.encode()
    for name, text in CONFIGURATION.items():
        files[name] = text.encode()
    return files


def start_folder(folder: Path) -> Renewal:
    """Make `folder` a learner's folder, or renew the one that is there; what somebody else looks
    after stays as it is.

    raises  ValueError if `folder` holds something else or a newer course, and what handout raises
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / CATALOGUE).is_file():
        raise ValueError(f"{folder} is not empty and holds no course: name a new folder")
    return Renewal(folder) if _whose(folder) else _renew(folder, handout())


def update_folder(folder: Path) -> Renewal:
    """Renew the learner's folder `folder`; answers stay.

    raises  FileNotFoundError if there is no course in it, ValueError if somebody else looks after
            it or it is newer than this anonlab, and what handout raises
    """
    if not (folder / CATALOGUE).is_file():
        raise FileNotFoundError(f"{folder} holds no course: anonlab start {folder} makes one")
    if whose := _whose(folder):
        raise ValueError(f"{folder} {whose}")
    return _renew(folder, handout())


def _whose(folder: Path) -> str:
    """Return who looks after the course in `folder` if it is not the installed anonlab."""
    if (folder / "solutions").is_dir():
        return "is the repository of a course: git pull brings a newer one"
    if (folder / "assignment.json").is_file():
        return "was handed out by an instructor, who also has the newer one"
    return ""


def _renew(root: Path, files: dict[str, bytes]) -> Renewal:
    before = _handed_out(root)
    written, beside, put_away = [], [], []
    for name, new in files.items():
        path = root / name
        old = path.read_bytes() if path.is_file() else None
        if old is not None and _digest(old) == _digest(new):
            continue
        if old is None or before.get(name) == _digest(old):
            _put(path, new)
            written.append(name)
        elif _is_learners(name):
            if before.get(name) != _digest(new):
                beside.append(_put_beside(root, name, new))
        else:
            put_away.append(_move_away(root, name))
            _put(path, new)
    digests = {name: _digest(data) for name, data in files.items()}
    plain = {"anonlab": __version__, "files": digests}
    _put(root / HANDED_OUT, json.dumps(plain, indent=1).encode() + b"\n")
    return Renewal(root, tuple(written), tuple(filter(None, beside)), tuple(put_away))


def _is_learners(name: str) -> bool:
    """Return whether learners write into the file: notebooks and exercises."""
    kits = (CATALOGUE, "exercises/conftest.py")
    return name.startswith(("notebooks/", "exercises/")) and name not in kits


def _handed_out(root: Path) -> dict[str, str]:
    """Return the digest of each file as it was handed out; nothing if that is not known.

    raises  FormatError if that cannot be read, ValueError if it was a newer anonlab
    """
    path = root / HANDED_OUT
    if not path.is_file():
        return {}
    try:
        plain = json.loads(path.read_text("utf-8"))
        version, digests = str(plain["anonlab"]), dict(plain["files"])
        newer = Version(version) > Version(__version__)
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{path} cannot be read ({error}): remove it, and try again") from None
    if newer:
        raise ValueError(
            f"{root} is from anonlab {version} and this is {__version__}:"
            " pip install --upgrade anonlab"
        )
    return digests


def _digest(data: bytes) -> str:
    """Return a name for the contents; the ends of lines are the system's and do not count."""
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()[:16]


def _put(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.write_bytes(data)
    half.replace(path)


def _put_beside(root: Path, name: str, new: bytes) -> str:
    """Write `new` beside the file `name` under a free name; return it, '' if it is there."""
    path, number = root / name, 1
    while True:
        other = path.with_suffix(f".new{number if number > 1 else ''}{path.suffix}")
        if not other.exists():
            _put(other, new)
            return other.relative_to(root).as_posix()
        if _digest(other.read_bytes()) == _digest(new):
            return ""
        number += 1


def _move_away(root: Path, name: str) -> str:
    """Give the file `name` a free name that no test runner takes for a test; return it."""
    path, number = root / name, 1
    while (other := path.with_name(f"{path.name}.old{number if number > 1 else ''}")).exists():
        number += 1
    path.rename(other)
    return other.relative_to(root).as_posix()
