"""What intake made of submissions before, so that a rerun looks only at what has changed.

A submission is the same if each of its files has the same name, place on the disk, size and times:
the time of the last change of a file's record (ctime) is the system's own, nobody can set it. What
was made of it holds for these exercises, this anonlab and this way of reading notebooks.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from anonlab.course.authoring.masters import Master
from anonlab.grading.intake.archives import is_junk
from anonlab.grading.intake.entrants import Entrant
from anonlab.grading.intake.submission import Fate, Submission
from anonlab.version import __version__

_KEPT = ("rejected", "ignored", "notes", "doubts", "digests")
"""Fields of a submission that its files decide."""


def context_of(masters: Mapping[str, Master], boxed: bool) -> str:
    """Return a digest of all that decides what is made of a submission, beside its files."""
    found = hashlib.sha256(f"{__version__} {boxed}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.read_bytes())
    for number, master in masters.items():
        found.update(repr((number, master.name, master.header, master.stub)).encode())
    return found.hexdigest()


def fingerprint(entrant: Entrant) -> str:
    """Return a digest of names, sizes and times of all that belongs to a submission; "" if that
    cannot be read. What is in hidden and machine-made folders does not count."""
    found = hashlib.sha256()
    try:
        for path, name in entrant.paths:
            found.update(f"{name!r} {path.name!r}".encode("utf-8", "surrogatepass"))
            for record in _records(path):
                found.update(repr(record).encode("utf-8", "surrogatepass"))
    except OSError:
        return ""
    return found.hexdigest()


def _records(path: Path) -> Iterator[tuple[Any, ...]]:
    todo = [("", path.lstat(), str(path))]
    while todo:
        name, info, where = todo.pop()
        yield (name, info.st_mode, info.st_ino, info.st_dev, info.st_nlink,
               info.st_size, info.st_mtime_ns, info.st_ctime_ns)  # fmt: skip
        if stat.S_ISDIR(info.st_mode) and not (name and is_junk(name.rpartition("/")[2])):
            with os.scandir(where) as inside:
                below = sorted(inside, key=lambda each: each.name)
            todo += [(f"{name}/{each.name}", each.stat(follow_symlinks=False), each.path)
                     for each in below]  # fmt: skip


@dataclass
class IntakeCache:
    """What is known of submissions, by id, in the file `path`; `context` is context_of(…)."""

    path: Path
    context: str
    before: dict[str, dict[str, Any]] = field(default_factory=dict)
    now: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, context: str) -> IntakeCache:
        """Return what the last run has kept; nothing, if that was made in another context."""
        try:
            plain = json.loads(path.read_bytes())
            before = plain["submissions"] if plain["context"] == context else {}
        except (OSError, ValueError, KeyError, TypeError):
            before = {}
        return cls(path, context, before)

    def get(self, entrant: Entrant, own: str) -> Submission | None:
        """Return what was made of a submission whose fingerprint is `own`; None if nobody knows.

        Its files are named and not there: they are copied when somebody is to judge them.
        """
        plain = self.before.get(entrant.id)
        if plain is None or not own or plain["fingerprint"] != own:
            return None
        self.now[entrant.id] = plain
        return Submission(
            entrant.id,
            entrant.student,
            {number: Path() for number in plain["digests"]},
            entrant.received,
            plain["rejected"],
            tuple(plain["ignored"]),
            tuple(plain["notes"]),
            tuple(plain["doubts"]),
            tuple(Fate(*each) for each in plain["fates"]),
            partners=entrant.partners,
            late=entrant.late,
            digests=plain["digests"],
            variant_file=base64.b64decode(plain["variant_file"]),
        )

    def put(self, submission: Submission, own: str) -> None:
        """Keep what was made of a submission whose fingerprint is `own`."""
        if own:
            self.now[submission.id] = {
                "fingerprint": own,
                **{name: getattr(submission, name) for name in _KEPT},
                "fates": [list(asdict(each).values()) for each in submission.fates],
                "variant_file": base64.b64encode(submission.variant_file).decode(),
            }

    def write(self) -> None:
        """Keep all for the next run, if something is new."""
        if self.now != self.before:
            half = self.path.with_name(f".{self.path.name}.{os.getpid()}")
            plain = {"context": self.context, "submissions": self.now}
            half.write_text(json.dumps(plain), "utf-8", "surrogatepass")
            half.replace(self.path)
