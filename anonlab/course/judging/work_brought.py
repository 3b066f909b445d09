"""Work that was saved on another machine, or in another browser, comes into this course.

An archive is what `work_archive.py` makes. Nothing here is lost by it: a file that has other work
is set aside, and the logs of both become one. What does not belong into an archive is left out, and
that is said.
"""

from __future__ import annotations

import io
import json
import zipfile

from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.authoring.exercises import Course
from anonlab.course.judging.attempt import set_aside
from anonlab.course.judging.work_archive import MOST_BYTES

LOG = "progress.jsonl"
VARIANT = "exercises/variant.json"


def bring_work(course: Course, archive: bytes) -> tuple[str, ...]:
    """Take the work in `archive` into `course`; return sentences that say what became of it.

    raises  ValueError if it is no archive, too large, or holds nothing of this course; nothing has
            changed then
    """
    files = _unpacked(archive)
    known = {f"exercises/{course.file(number).name}": number for number in course.exercises}
    ours = [name for name in files if name in known or name in (LOG, VARIANT)]
    if not ours:
        raise ValueError(
            "the archive has no work of this course: it needs exercises/exNNx_topic.py or "
            f"{LOG}, and has {', '.join(sorted(files)[:5]) or 'nothing'}"
        )
    told = [f"{name} is not work of this course: left out" for name in files if name not in ours]
    brought = 0
    for name in ours:
        if name in known:
            done, sentence = _exercise(course, known[name], files[name])
            brought += done
            told += [sentence] if sentence else []
    if VARIANT in files:
        (course.root / VARIANT).write_bytes(files[VARIANT])
    added = _log(course, files[LOG]) if LOG in files else 0
    return (f"{_files(brought)} and {_lines(added)} of the log came in.", *told)


def _unpacked(archive: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as packed:
            infos = [info for info in packed.infolist() if not info.is_dir()]
            if sum(info.file_size for info in infos) > MOST_BYTES:
                raise ValueError(f"unpacked, the archive has more than {MOST_BYTES:,} bytes")
            return {info.filename: packed.read(info) for info in infos}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"this is no zip archive that can be read: {error}") from None


def _exercise(course: Course, number: str, new: bytes) -> tuple[bool, str]:
    """Put one exercise's file in place; return whether it is new here, and what to say."""
    exercise, path = course[number], course.file(number)
    template = f"{exercise.header}\n{exercise.stub}".encode()
    old = path.read_bytes() if path.is_file() else template
    if new in (old, template):
        return False, ""
    sentence = ""
    if old != template:
        beside = set_aside(path, old.decode("utf-8", "surrogateescape"))
        sentence = f"{path.name} was other work: what was here is in {beside.name}"
    path.write_bytes(new)
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
