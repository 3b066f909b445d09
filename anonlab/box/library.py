"""What can be imported in a box: Python's standard library, NumPy and anonlab, held in memory.

A box opens no file, so the zygote reads all compiled modules once, before there is a box. They lie
in a file of memory that is mapped privately: fork has nothing to copy for it. Modules that are C
code are loaded before, or not at all.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import marshal
import mmap
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

LEFT_OUT = {
    *("test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "distutils"),
    *("site-packages", "dist-packages", "f2py", "handout", "__pycache__"),
}
"""Folders that no answer needs."""
C_LEFT_OUT = ("_test", "_xx", "xx", "_tkinter", "_curses", "_dbm", "_gdbm", "_ctypes_test", "nis")
OFTEN = """
    abc array ast base64 bisect calendar cmath collections.abc contextlib copy csv ctypes
    dataclasses datetime difflib enum fractions functools gc hashlib heapq inspect io itertools
    json locale logging math numbers operator os pathlib pprint queue random re secrets shutil
    signal socket statistics string struct subprocess tempfile textwrap threading time tokenize
    traceback types typing unicodedata uuid warnings weakref zlib encodings.ascii encodings.cp1252
    encodings.idna encodings.latin_1 encodings.utf_16 encodings.utf_8_sig numpy numpy.fft
    numpy.linalg numpy.ma numpy.polynomial numpy.random anonlab decimal
"""
"""Modules that are loaded when a box begins: importing them costs nothing there."""
SELDOM = ("anonlab.learn", "IPython", "matplotlib.pyplot", "scipy", "pandas")
"""What a cell may have left over, if it is installed; only a file that names one gets them."""


class Place(NamedTuple):
    """Where a module's code lies, from byte `begin` to `end`: compiled, or as it was written."""

    begin: int
    end: int
    compiled: bool
    package: bool
    path: str


class Library(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The finder and loader of all that a box can import and has not yet."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._places: dict[str, Place] = {}
        parts: list[bytes] = []
        size = 0
        for package, folder in folders.items():
            for name, path, is_package in modules(folder, package):
                data, compiled = code_of(path)
                self._places[name] = Place(size, size + len(data), compiled, is_package, str(path))
                parts.append(data)
                size += len(data)
        self._memory = private(b"".join(parts))

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where module `name` is, None if it is not in the library."""
        place = self._places.get(name)
        if place is None:
            return None
        return importlib.machinery.ModuleSpec(
            name, self, origin=place.path, is_package=place.package
        )

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """Let Python make the module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code."""
        place = self._places[module.__name__]
        module.__file__ = place.path
        data = self._memory[place.begin : place.end]
        code = marshal.loads(data) if place.compiled else compile(data, place.path, "exec")
        exec(code, module.__dict__)


def modules(folder: Path, package: str) -> Iterator[tuple[str, Path, bool]]:
    """Yield (name, path, is it a package) of each Python module below `folder`, whose own name is
    `package`, '' for the standard library."""
    prefix = f"{package}." if package else ""
    if package:
        yield package, folder / "__init__.py", True
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        name, dot, end = entry.name.partition(".")
        if dot and end == "py" and name != "__init__":
            yield prefix + name, folder / entry.name, False
        elif not dot and name not in LEFT_OUT and (folder / name / "__init__.py").is_file():
            yield from modules(folder / name, prefix + name)


def code_of(path: Path) -> tuple[bytes, bool]:
    """Return a module's compiled code if it is there and not older than the module (PEP 552), else
    its text; and which of both."""
    with suppress(OSError, struct.error):
        data = Path(importlib.util.cache_from_source(str(path))).read_bytes()
        magic, flags, changed, size = struct.unpack("<4sIII", data[:16])
        said = path.stat()
        same = (changed, size) == (int(said.st_mtime) & 0xFFFFFFFF, said.st_size & 0xFFFFFFFF)
        if magic == importlib.util.MAGIC_NUMBER and (flags or same):
            return data[16:], True
    return path.read_bytes(), False


def private(data: bytes) -> mmap.mmap | bytes:
    """Return bytes as memory that no process shares when it writes, and no fork copies; as they
    are, where there is no such memory."""
    try:
        descriptor = os.memfd_create("library", os.MFD_CLOEXEC)
    except OSError:
        return data
    with open(descriptor, "wb") as file:  # noqa: PTH123
        file.write(data)
        file.flush()
        return mmap.mmap(descriptor, len(data), mmap.MAP_PRIVATE, mmap.PROT_READ)


def load(seldom: bool) -> None:
    """Load what a box has from its beginning, and let it find the rest in memory."""
    for name in (*c_modules(), *OFTEN.split(), *(SELDOM if seldom else ())):
        with suppress(Exception):  # not built in, not installed, or with trouble of its own
            importlib.import_module(name)
    numpy, anonlab = sys.modules["numpy"], sys.modules["anonlab"]
    folders = {"": Path(os.__file__).parent}
    for module in (numpy, anonlab):
        folders[module.__name__] = Path(str(module.__file__)).parent
    sys.meta_path[:] = [*sys.meta_path[:2], Library(folders)]
    sys.path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
    seed()


def c_modules() -> list[str]:
    """Return the names of the standard library's modules of C code that are files."""
    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    found = []
    for folder in sys.path:
        if folder.endswith("lib-dynload") and Path(folder).is_dir():
            names = sorted(path.name for path in Path(folder).iterdir())
            found += [name.partition(".")[0] for name in names if name.endswith(suffixes)]
    return [name for name in found if not name.startswith(C_LEFT_OUT)]


def seed() -> None:
    """Let every box begin with the same random numbers: a regrade gives the same."""
    sys.modules["random"].seed(0)
    sys.modules["numpy"].random.seed(0)
