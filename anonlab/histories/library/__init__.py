"""The histories and recorded logs that come with anonlab, by name."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from anonlab.formats.history import History
from anonlab.formats.history_text import parse

_HISTORIES = Path(str(files("anonlab.histories"))) / "library"
_LOGS = Path(str(files("anonlab.histories"))) / "data"


def names() -> list[str]:
    """Return the names of the histories, the simplest first."""
    return [*_ORDER, *sorted(_found(_HISTORIES, ".history") - set(_ORDER))]


def load(name: str) -> History:
    """Return the history `name`; ValueError if there is none."""
    return parse(text(name))


def text(name: str) -> str:
    """Return the text of the history `name`, with its comments; ValueError if there is none."""
    return _path(_HISTORIES, name, ".history", "history").read_text(encoding="utf-8")


def logs() -> list[str]:
    """Return the names of the recorded strace logs, but for the long ones."""
    return sorted(_found(_LOGS, ".strace"))


def long_logs() -> list[str]:
    """Return the names of the recorded logs that are too long to be looked at step by step."""
    return sorted(_found(_LOGS, PACKED))


def log(name: str) -> Path:
    """Return the file of the recorded strace log `name`, for `read_strace`; ValueError if none."""
    suffix = PACKED if name in long_logs() else ".strace"
    return _path(_LOGS, name, suffix, "log")


def file_of(name: str) -> Path | None:
    """Return the file of the history or of the recorded log `name`, None if there is neither."""
    if name in names():
        return _path(_HISTORIES, name, ".history", "history")
    return log(name) if name in (*logs(), *long_logs()) else None


PACKED = ".strace.gz"
_ORDER = (
    "first_touch",
    "fork_and_write",
    "mremap_after_fork",
    "execve_leaves_the_group",
    "shared_file",
    "swap_and_back",
    "prefork",
)


def _found(folder: Path, suffix: str) -> set[str]:
    names = (path.name for path in folder.iterdir())
    return {name.removesuffix(suffix) for name in names if name.endswith(suffix)}


def _path(folder: Path, name: str, suffix: str, kind: str) -> Path:
    found = _found(folder, suffix)
    if name not in found:
        raise ValueError(f"there is no {kind} {name!r}; there are {', '.join(sorted(found))}")
    return folder / (name + suffix)
