"""Work that was saved on another machine, or in another browser, comes into this course.

An archive is what `work_archive.py` makes. Nothing here is lost by it: a file that has other work,
or a variant of somebody else, is set aside, and the logs of both become one. What does not belong
into an archive is left out, and that is said.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.authoring.exercises import Course
from anonlab.course.authoring.variants import read_variant
from anonlab.course.judging.attempt import set_aside, write_whole
from anonlab.course.judging.work_archive import MOST_BYTES, ZIP_ERRORS

LOG = "progress.jsonl"
VARIANT = "exercises/variant.json"
_LISTED = 10
"""So many files that are left out are named."""


def bring_work(course: Course, archive: bytes) -> tuple[str, ...]:
    """Take the work in `archive` into `course`; return sentences that say what became of it.

    raises  ValueError if it is no archive, too large, or holds nothing of this course; nothing has
            changed then
    """
    known = {f"exercises/{course.file(number).name}": number for number in course.exercises}
    files, others = _unpacked(archive, {*known, LOG, VARIANT})
    if not files:
        raise ValueError(
            "the archive has no work of this course: it needs exercises/exNNx_topic.py or "
            f"{LOG}, and has {', '.join(sorted(others)[:5]) or 'nothing'}"
        )
    told = [f"{name} is not work of this course: left out" for name in others[:_LISTED]]
    told += [f"and {len(others) - _LISTED} more"] if len(others) > _LISTED else []
    brought = 0
    for name in (name for name in known if name in files):
        done, sentence = _exercise(course, known[name], files[name])
        brought += done
        told += [sentence] if sentence else []
    if VARIANT in files and (sentence := _variant(course, files[VARIANT])):
        told.append(sentence)
    added = _log(course, files[LOG]) if LOG in files else 0
    return (f"{_files(brought)} and {_lines(added)} of the log came in.", *told)


def _unpacked(archive: bytes, wanted: set[str]) -> tuple[dict[str, bytes], list[str]]:
    """Return the wanted files of an archive, and the names of the others as they may be shown."""
    with _why_unreadable():
        packed = zipfile.ZipFile(io.BytesIO(archive))
    infos = [each for each in packed.infolist() if not each.filename.endswith("/")]
    ours = [info for info in infos if info.filename in wanted]
    _check(ours)
    with _why_unreadable():
        files = {info.filename: packed.read(info) for info in ours}
    others = [info.filename for info in infos if info.filename not in wanted]
    return files, [(name if name.isprintable() else ascii(name))[:80] for name in others]


@contextmanager
def _why_unreadable() -> Iterator[None]:
    try:
        yield
    except ZIP_ERRORS as error:
        raise ValueError(f"this is no zip archive that can be read: {error!s:.100}") from None


def _check(ours: list[zipfile.ZipInfo]) -> None:
    """Refuse files that are too large, that stand twice or that no export of ours packs so."""
    if sum(info.file_size for info in ours) > MOST_BYTES:
        raise ValueError(f"unpacked, the archive has more than {MOST_BYTES:,} bytes")
    for name, number in Counter(info.filename for info in ours).items():
        if number > 1:
            raise ValueError(f"the archive has {number} files {name}: leave one in it")
    for info in ours:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{info.filename} is packed in a way that is not read: make a zip")


def _variant(course: Course, new: bytes) -> str:
    """Put a variant in place; return what to say."""
    path = course.root / VARIANT
    old = path.read_bytes() if path.is_file() else new
    try:
        student, _ = read_variant(new)
    except ValueError as error:
        return f"{VARIANT} of the archive is left out: {error}"
    if old == new:
        write_whole(path, new)
        return ""
    beside = set_aside(path, old)
    write_whole(path, new)
    return (
        f"{VARIANT} was another one: what was here is in {beside.name}. The exercises ask with the "
        f"numbers of {student!r:.60} now"
    )


def _exercise(course: Course, number: str, new: bytes) -> tuple[bool, str]:
    """Put one exercise's file in place; return whether it is new here, and what to say."""
    exercise, path = course[number], course.file(number)
    template = f"{exercise.header}\n{exercise.stub}".encode()
    old = path.read_bytes() if path.is_file() else template
    if new in (old, template):
        return False, ""
    sentence = ""
    if old != template:
        beside = set_aside(path, old)
        sentence = f"{path.name} was other work: what was here is in {beside.name}"
    write_whole(path, new)
    return True, sentence


def _log(course: Course, new: bytes) -> int:
    """Make one log of two, in the order of time; return how many lines came in."""
    log = ProgressLog(course.root)
    old = log.path.read_bytes() if log.path.is_file() else b""
    lines = [line for line in old.split(b"\n") if line.strip()]
    known = set(lines)
    fresh = [line for line in new.split(b"\n") if line.strip() and line not in known]
    if fresh:
        log.path.parent.mkdir(parents=True, exist_ok=True)
        both = sorted([*lines, *fresh], key=_when)
        half = log.path.with_suffix(".half")
        half.write_bytes(b"\n".join(both) + b"\n")
        half.replace(log.path)
    return len(fresh)


def _when(line: bytes) -> str:
    """Return when a line was written, '' if it does not say."""
    try:
        return str(json.loads(line).get("when", ""))
    except (ValueError, AttributeError, RecursionError):
        return ""


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _lines(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"
