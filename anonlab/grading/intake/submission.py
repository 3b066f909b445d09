"""What intake hands on: one student's accepted files, already copied to a folder of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Fate:
    """What became of one file or folder that came along: `exercise` is the number of what it
    answers, "" if it is not taken; `why` says so in words."""

    name: str
    exercise: str
    why: str


@dataclass(frozen=True)
class Submission:
    """One submission of one student.

    id        of the submission; names its files in the store
    student   id in the roster, always text; "" if nobody in the roster has it
    files     by exercise number ("04a"): the accepted copy, a plain file with a fixed mode
    received  when the LMS got it, with its zone; None if nobody says
    rejected  why intake refused it, "" if it did not
    ignored   names that came along and were not copied
    notes     sentences for the student, such as "04a: no file named ex04a_fork.py"
    doubts    those of `notes` that somebody should look at: two answers that differ, …
    fates     of every file that came along; () if the submission was not looked into
    partners  who share it, and its grade
    variant   the id that the student's variant was made for, "" for `student`
    variant_file  what came along to say so, until it was compared
    late      its name says that it came late, and not when
    digests   of the accepted files, by exercise; {} where nobody has made them yet
    """

    id: str
    student: str
    files: dict[str, Path]
    received: datetime | None = None
    rejected: str = ""
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    fates: tuple[Fate, ...] = ()
    partners: tuple[str, ...] = ()
    variant: str = ""
    variant_file: bytes = b""
    late: bool = False
    digests: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """All that decides a grade besides the submission. Part of every key in the store.

    course       the folder with solutions/, exercises/ and tests/, public and hidden
    assignment   its name; `points` by exercise number is what each counts for, in hand-out order
    secret       from which hidden inputs are made; only its digest leaves the trusted process
    call_seconds, box_seconds   wall time of one call, and of all calls of one exercise
    variants     students were handed variants made with `secret`: public tests, and all tests of
                 exercises that have a `task`, ask what the student's own variant asks
    judge_mebibytes   memory that judging one submission may take in the judge's own process
    in_process   --unsafe-in-process: no box; every output says "unofficial"
    kept         a folder for right answers that are worked out once; in no key: it decides nothing
    """

    course: Path
    assignment: str
    points: dict[str, int]
    secret: str = ""
    call_seconds: float = 3.0
    box_seconds: float = 30.0
    in_process: bool = False
    variants: bool = False
    kept: Path | None = None
    judge_mebibytes: int = 2048
