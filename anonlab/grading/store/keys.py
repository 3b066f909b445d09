"""What decides a grade, as one name: equal keys give equal results, so nothing runs twice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anonlab.course.authoring.masters import Master
from anonlab.grading.intake.submission import Settings, Submission
from anonlab.version import __version__


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digests(submission: Submission) -> dict[str, str]:
    """Return the digests of the accepted files, by exercise."""
    return {number: digest(path) for number, path in submission.files.items()}


def _digest(plain: Any) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Common:
    """What all submissions of a batch have in common, as a digest of its own; with `variants`
    what is asked depends on the student."""

    digest: str
    variants: bool = False

    @classmethod
    def of(cls, settings: Settings, masters: dict[str, Master]) -> Common:
        """Return the digest of tests, reference, limits, points, secret and version.

        raises  OSError if a file of the course cannot be read
        """
        return cls(
            _digest(
                {
                    "anonlab": __version__,
                    "assignment": settings.assignment,
                    "files": course_files(settings.course, masters),
                    "points": settings.points,
                    "limits": [float(settings.call_seconds), float(settings.box_seconds)],
                    "secret": hashlib.sha256(settings.secret.encode()).hexdigest(),
                    "in_process": settings.in_process,
                    "variants": settings.variants,
                }
            ),
            settings.variants,
        )

    def key(self, submission: Submission) -> str:
        """Return the key of a submission: not of its time, the roster or the late policy."""
        plain = {
            "common": self.digest,
            "files": submission.digests or digests(submission),
            "rejected": submission.rejected,
            "variant": (submission.variant or submission.student) if self.variants else "",
        }
        return _digest(plain)


def course_files(course: Path, masters: dict[str, Master]) -> dict[str, str]:
    """Return the digests of the files that decide what is right, by their path in the course."""
    names = [
        name
        for master in masters.values()
        for name in (
            f"solutions/{master.name}.py",
            f"tests/exercises/public/test_{master.name}.py",
            f"tests/exercises/hidden/test_{master.name}_hidden.py",
        )
    ]
    return {name: digest(course / name) for name in names}


def shard_of(submission: str, shards: int) -> int:
    """Return which of `shards` a submission is in: 0 to shards - 1, the same everywhere."""
    return int(hashlib.sha256(submission.encode()).hexdigest(), 16) % shards
