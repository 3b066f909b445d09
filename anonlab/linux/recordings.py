"""The recordings that come with anonlab, and how new ones are made.

They are what a kernel did with lessons and with random histories, some with swap; they replay
everywhere, in `make test` as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from anonlab.formats.history import History
from anonlab.formats.recording import Recording

FOLDER = Path(__file__).with_name("recorded")
SUFFIX = ".json"


def shipped_recordings(folder: Path = FOLDER) -> Iterator[tuple[str, Recording]]:
    """Yield (name, recording) of every recording in `folder`, by name.

    raises  FormatError that names the file if one cannot be read
    """
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        yield path.stem, read(path)


def load_recording(name: str) -> Recording:
    """Return the shipped recording `name`; ValueError with the names there are."""
    path = FOLDER / f"{name}{SUFFIX}"
    if not path.is_file():
        names = ", ".join(path.stem for path in sorted(FOLDER.glob(f"*{SUFFIX}")))
        raise ValueError(f"there is no recording {name!r}; there are {names}")
    return read(path)


def read(path: Path) -> Recording:
    """Return the recording in a file; ValueError that names the file if it is none."""
    try:
        return Recording.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def record_to_file(history: History, path: Path, view: str = "") -> Recording:
    """Run `history` on the running kernel and write the recording to `path`.

    raises  ValueError if the running kernel cannot be the witness, FormatError if real processes
            cannot do the history, OSError if the file cannot be written
    """
    from anonlab.linux.oracle import Oracle

    with Oracle(view) as oracle:
        recording = oracle.record(history)
    path.write_text(recording.dumps() + "\n", "utf-8")
    return recording


def record_anew(folder: Path = FOLDER) -> int:
    """Record every recording of `folder` anew on the running kernel; return how many there are."""
    recordings = list(shipped_recordings(folder))
    for name, recording in recordings:
        record_to_file(recording.history, folder / f"{name}{SUFFIX}", recording.view)
    return len(recordings)
