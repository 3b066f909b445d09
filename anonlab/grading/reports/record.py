"""Which reports are there, and of what they were made: what has not changed is not made again.

A file's mark is a digest of all that it is made of, this code included. Marks of the last run are
in files.json; a file that is there under its mark is left as it is, and one that nothing asks for
any more is removed. Each is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from anonlab.version import __version__

NAME = "files.json"
"""In the instructor's folder."""
Content = bytes | Iterable[bytes]
"""Of a file: whole, or piece by piece."""
Made = Iterable[tuple[str, Content]]
Tick = Callable[[int, int], None]


@cache
def _code() -> str:
    """Return a digest of what makes reports: another version makes others."""
    found = hashlib.sha256(__version__.encode())
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.is_file() and path.suffix in (".py", ".html", ".css"):
            found.update(path.read_bytes())
    return found.hexdigest()


def mark(*facts: Any) -> str:
    """Return the mark of a file that is made of `facts`: dataclasses, plain data or bytes."""
    text = f"{_code()} {facts!r}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:32]


@dataclass
class Record:
    """The files below `out`, and what is to be written.

    before  marks of the files of the last run, by name; "" for one that may be half done
    now     marks of all files of this run
    """

    out: Path
    folders: tuple[str, ...]
    before: dict[str, str]
    now: dict[str, str] = field(default_factory=dict)
    todo: list[Callable[[], Made]] = field(default_factory=list)

    @classmethod
    def read(cls, out: Path, *folders: str) -> Record:
        """Return the record in the first of `folders`; only what is in these is ever touched."""
        path = out / folders[0] / NAME
        found = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        before = dict.fromkeys(found, "") if isinstance(found, list) else found
        return cls(out, folders, before)

    def has(self, marks: Mapping[str, str]) -> bool:
        """Return whether files are there as they would be made."""
        return all(
            self.before.get(name) == own and (self.out / name).is_file()
            for name, own in marks.items()
        )

    def plan(self, marks: Mapping[str, str], make: Callable[[], Made]) -> None:
        """Note files of this run; `make` yields them, and is asked only if one is not there."""
        there = self.has(marks)
        self.now |= marks
        self.todo.append(tuple if there else make)

    def write(self, most: int, tick: Tick | None) -> list[Path]:
        """Write what was planned, remove what an earlier run has left; return all files.

        most  how many of the plans `tick` counts: the last ones
        """
        for name in self.folders:
            folder = self.out / name
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        for name in {*self.before} - {*self.now}:
            if name.split("/")[0] in self.folders and ".." not in name.split("/"):
                (self.out / name).unlink(missing_ok=True)
        there = {
            name: own if self.before.get(name) == own else "" for name, own in self.now.items()
        }
        if there != self.before:  # whoever interrupts us leaves files under no mark
            self._keep(there)
        others = len(self.todo) - most
        for at, make in enumerate(self.todo, 1 - others):
            for name, content in make():
                put(self.out / name, content)
            if at > 0 and tick is not None:
                tick(at, most)
        if there != self.now:
            self._keep(self.now)
        return [self.out / name for name in self.now]

    def _keep(self, marks: dict[str, str]) -> None:
        put(self.out / self.folders[0] / NAME, json.dumps(marks).encode())


def put(path: Path, content: Content) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            for part in (content,) if isinstance(content, bytes) else content:
                file.write(part)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
