"""Everything that reads bytes of a student, each as one function from bytes to what it made of
them; and valid bytes to begin with. tests/test_student_bytes.py has the table."""

from __future__ import annotations

import atexit
import gzip
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from shutil import rmtree
from types import SimpleNamespace
from typing import IO, Any

from classroom import MASTERS, ONE, OTHER, RIGHT, notebook, zipped
from project import ROOT

from anonlab import record
from anonlab.box.wire import Broken, is_answer, read_answer
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.asking.progress_map import map_text, progress_map
from anonlab.course.asking.progress_page import write_page
from anonlab.course.asking.review import review_text
from anonlab.course.authoring.exercises import Course, build_exercises, find_course
from anonlab.course.authoring.masters import read_masters
from anonlab.course.judging.attempt import seed_of
from anonlab.course.judging.call_answers import Wrong
from anonlab.course.judging.history_answers import read_history_answer
from anonlab.course.judging.places_to_run import in_process
from anonlab.course.judging.work_archive import archive_name, export_work
from anonlab.course.judging.work_brought import bring_work
from anonlab.course.lab.own_tests import must_pass, own_tests
from anonlab.errors import FormatError
from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse
from anonlab.formats.recording import Recording
from anonlab.formats.rmap_recording import RmapRecording
from anonlab.formats.trace import Trace
from anonlab.grading.intake import notebook_cells
from anonlab.grading.intake.accept import accept_files
from anonlab.grading.intake.archives import Entry, Listing, Rejected
from anonlab.grading.intake.submission import Submission
from anonlab.grading.intake.variants import with_variant
from anonlab.histories.strace.log import read_strace
from anonlab.notebook.bench_files import read_history
from anonlab.proof.replaying import replay

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HISTORY = """\
# a story
machine lesson frames 64 swap 16
shell = spawn
libc = file 12
shell mmap 0x30000 4
shell mmap any 2 r file libc offset 1 shared
shell write 0x30000 7 2
child = fork shell
child mremap 0x30000 4 to 0x80000
child execve ls args 2
child exit
truncate libc 3
"""
LOG = """\
1 execve("/bin/sh", ["sh", "-c", "a\\"b"], 0x7ffc1 /* 9 vars */) = 0
1 mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000
1 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 3</lib/x.so>, 0x1000) = 0x7f0000100000
[pid 1] 12:00:01.5 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7) = 2
2 brk(0x5000 <unfinished ...>
1 mremap(0x7f0000000000, 8192, 16384, MREMAP_MAYMOVE) = 0x7f0000000000
2 <... brk resumed>) = 0x5000
2 madvise(0x7f0000000000, 4096, MADV_DONTNEED) = -1 EINVAL (Invalid argument)
2 munmap(0x7f0000100000, 4096) = 0
strace: Process 2 attached
 > /usr/lib/libc.so.6(fork+0x1) [0x1234]
&lt; \x1b[31m not a call &gt;
{"log": "1 brk(NULL) = 0x6000", "stream": "x"}
2 +++ exited with 0 +++
1 --- SIGCHLD {si_signo=SIGCHLD} ---
1 exit_group(0) = ?
"""


@dataclass(frozen=True)
class Reader:
    """One reader: what it may raise, bytes that are valid, and pieces that its language has."""

    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    valid: Callable[[], list[bytes]]
    words: tuple[bytes, ...] = ()
    json: bool = False


@cache
def folder() -> Path:
    """One folder for all that readers write; what is in it is the last input's."""
    made = Path(tempfile.mkdtemp(prefix="anonlab-bytes-"))
    atexit.register(rmtree, made, ignore_errors=True)
    return made


@cache
def course() -> Course:
    """A learner's copy of the course."""
    root = folder() / "course"
    build_exercises(read_masters(ROOT / "solutions"), root / "exercises")
    return find_course(root)


def file(data: bytes, name: str = "file") -> Path:
    """The bytes as a file."""
    path = folder() / name
    path.write_bytes(data)
    return path


def entry(data: bytes, name: str = "work.zip") -> Entry:
    """The bytes as a file that was handed in."""
    path = file(data, "entry")

    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        with path.open("rb") as found:
            yield found

    return Entry(name, len(data), opened)


def taken(data: bytes) -> dict[str, bytes]:
    """What intake takes of a zip."""
    target = folder() / "taken"
    rmtree(target, ignore_errors=True)
    found = accept_files(Listing((entry(data),)), MASTERS, target, boxed=False)
    assert sum(path.stat().st_size for path in found.files.values()) <= 10_000_000
    assert all(fate.name and fate.why for fate in found.fates)
    return {number: path.read_bytes() for number, path in found.files.items()}


def cells(data: bytes) -> list[dict[str, Any]] | str:
    """What the reader of notebooks says; it has to pass to another process."""
    told = json.loads(json.dumps(notebook_cells.told(data)))
    return told["error"] if "error" in told else told["cells"]


def brought(data: bytes) -> tuple[str, ...]:
    """What becomes of an archive of a learner's own work."""
    for path in course().root.rglob("*.old*"):
        path.unlink()
    return bring_work(course(), data)


def progress(data: bytes) -> str:
    """All that is made of a learner's log."""
    path = ProgressLog(course().root).path
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    done = progress_map(course(), NOW)
    write_page(done, folder() / "page.html")
    said = "\n".join([map_text(done), review_text(ProgressLog(course().root), "")])
    return said.encode().decode()


def variant(data: bytes) -> object:
    """All that reads a variant's file."""
    path = course().root / "exercises" / "variant.json"
    path.write_bytes(data)
    person = SimpleNamespace(id="007", ids=())
    roster: Any = SimpleNamespace(people={"007": person})
    submission = Submission("x", "007", {}, variant_file=data)
    found: list[object] = [with_variant(submission, roster, "s" * 40, ["04a"]).variant]
    try:
        found += [seed_of(course(), "04a"), archive_name(course())]
    finally:
        path.unlink()
    return found


def answer_file(data: bytes) -> object:
    """What is read of an answer without running it."""
    path = course().file("04a")
    before = path.read_bytes()
    path.write_bytes(data)
    (folder() / "work.zip").unlink(missing_ok=True)
    try:
        in_process("x").warning(data)
        return export_work(course(), folder() / "work.zip").notes
    finally:
        path.write_bytes(before)


def traced(data: bytes) -> Trace:
    """A trace, and the machine at its ends."""
    found = Trace.loads(data.decode("utf-8"))
    for step in found.steps[:1] + found.steps[-1:]:
        assert step.snapshot
        assert step.sentence is not None
    return found


def told_history(data: bytes) -> object:
    """A history that a student's function returned, to the judge."""
    student = SimpleNamespace(history=lambda: data.decode("utf-8", "surrogateescape"))
    return read_history_answer(student, 60)


def told_tests(data: bytes) -> object:
    """Tests of the lab's machine that a student's function returned, to the judge."""
    text = data.decode("utf-8", "surrogateescape")
    tests = own_tests(SimpleNamespace(tests=lambda: [text]))
    must_pass(tests)
    return tests


def wire(data: bytes) -> object:
    """An answer from a box."""
    is_answer(data, 1, b"[1,2]")
    return read_answer(data, 1)


def as_text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    """A reader of text."""
    return lambda data: read(data.decode("utf-8", "surrogateescape"))


def _histories() -> list[bytes]:
    return [HISTORY.encode()]


def _history_json() -> list[bytes]:
    return [parse(HISTORY).dumps().encode()]


@cache
def _traces() -> list[bytes]:
    return [record("a = spawn\na mmap 0x30000 2\na write 0x30000 7\nb = fork a").dumps().encode()]


def _recordings() -> list[bytes]:
    history = parse("a = spawn\na mmap 0x30000 2\n")
    plain = {
        "format": "anonlab-recording",
        "version": 3,
        "kernel": {"release": "6.1"},
        "view": "full",
        "history": history_text(history).splitlines(),
        "steps": [
            {},
            {
                "values": [1],
                "pages": {"a": [[48, "page", 1, 1, True, 7]]},
                "areas": {"a": [[48, 50, "rw", False, "", 48, False, False]]},
            },
        ],
    }
    return [json.dumps(plain).encode()]


def _rmaps() -> list[bytes]:
    history = parse("a = spawn\n")
    graph = {
        "anon_vmas": [[0, 0, 0, 1, 1, 1]],
        "areas": [["a", 48, 2, 48, [0], 0]],
        "pages": [[[["a", 48]], 0, 48, 1]],
    }
    plain = {
        "format": "anonlab-rmap-recording",
        "version": 1,
        "kernel": {"release": "6.1"},
        "history": history_text(history).splitlines(),
        "graphs": [graph],
    }
    return [json.dumps(plain).encode()]


def _zips() -> list[bytes]:
    """No archive has the time of day in it, or what is damaged would differ from day to day."""
    files = {f"hw/{ONE}": RIGHT[ONE], f"hw/{OTHER}": "x = 1\n", "hw/ä.txt": "y", "hw/.git/x": "z"}
    variant = b'{"student": "007", "seeds": {"04a": 5}}'
    stored = [(zipfile.ZipInfo(ONE), b"x = 2\n"), (zipfile.ZipInfo("variant.json"), variant)]
    inner = zipped({"hw.zip": zipped({ONE: "x = 3\n"}), "readme": "no"})
    return [zipped(files), zipped(stored), inner]


def _own_tests() -> list[bytes]:
    lines = [
        "machine(8)",
        'spawn("p")',
        'mmap("p", 0x20, 2)',
        'write("p", 0x20, 1, 7)',
        'fork("p", "c")',
        'mappers("p", 0x20) == [("c", 0x20), ("p", 0x20)]',
        'read("p", 0x20, 1) == [7]  # as written',
    ]
    return ["\n".join(lines).encode()]


def _notebooks() -> list[bytes]:
    found = notebook(
        "%%exercise 04a\nx = 1\n",
        "# a\n%pip install x\n%%exercise 05a\n%time y\n",
        "!ls\n",
        "def f(:\n",
    )
    return [found.encode(), b"\xef\xbb\xbf" + found.encode()]


def _log() -> list[bytes]:
    when = "2026-03-01T10:00:00+00:00"
    events = [
        {"when": when, "what": "predict", "name": "03 frames", "answer": "1, 2"},
        {"when": when, "what": "scored", "name": "03 frames", "right": 1, "of": 2, "happened": "1"},
        {"when": when, "what": "check", "exercise": "04a", "ok": True, "points": 2, "most": 4},
        {"when": when, "what": "answer", "name": "04 q", "given": "b", "right": 1, "of": 1},
        {"when": when, "what": "scene", "name": "05 s", "step": 1, "kept": {"a": 1}, "said": "x"},
        {"when": when, "what": "drill", "name": "04", "right": 1, "of": 1, "level": 2},
        {
            "when": when,
            "what": "marked",
            "name": "04 p",
            "marks": {"3": {"hit": ["a"], "names": {"a": "frame 1"}, "title": "t", "known": True}},
        },
        {"when": when, "what": "hint", "exercise": "04a", "hint": 1},
        {"when": when, "what": "items", "which": "before", "right": 3, "of": 8},
    ]
    return ["".join(json.dumps(event) + "\n" for event in events).encode()]


def _packed_log() -> bytes:
    return gzip.compress(LOG.encode(), mtime=0)


def _work() -> list[bytes]:
    files = {
        "exercises/ex04a_fork.py": "x = 1\n",
        "progress.jsonl": _log()[0],
        "exercises/variant.json": '{"student": "007", "seeds": {"04a": 5}}',
    }
    return [zipped(files)]


def _answers() -> list[bytes]:
    values = [
        [1, 2],
        {"$t": [1, {"$f": "0x1.8000000000000p+0"}]},
        {"$d": [["a", {"$s": [1]}]]},
        {"$a": ["int64", [2], "AQAAAAAAAAACAAAAAAAAAA=="]},
        {"$b": "YQ=="},
    ]
    lines = [json.dumps({"id": 1, "ok": value}) for value in values]
    return [each.encode() for each in (*lines, '{"id":1,"err":"E","msg":"m","line":3}')]


_JSON = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"null",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b'"\\ud800"',
    b"\\u0000",
    b"9" * 4301,
    b"\xef\xbb\xbf",
    b"\xff",
    b"18446744073709551616",
)
_LINES = (
    b"\n",
    b"\r",
    b"\0",
    b"#",
    b"=",
    b" ",
    b"\xe2\x80\xa8",
    b"\xff",
    b"0x",
    b"-1",
    b"_",
    b"9223372036854775808",
    b"9" * 5000,
    "²".encode(),
    "٣".encode(),
)
_STRACE = (
    *_LINES,
    b"1<",
    b"<",
    b">",
    b"(",
    b")",
    b") = ",
    b",",
    b'"',
    b'\\"',
    b"&#",
    b"&lt;",
    b"[",
    b"]",
    b"\x1b[",
    b"\x1b]",
    b"|",
    b"> ",
    b"0x7fffffffffff000",
    b"<unfinished ...>",
    b"strace: Process 3 attached",
    b"+++ ",
    b'{"log":',
    b" in pid ",
    b"=3D",
)
_ZIP = (
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"../",
    b"\\",
    b"\xff" * 4,
    b"\0" * 4,
    b"\x01\0",
    b"\x0c\0",
    b"\x7f" * 8,
)
_CELLS = (*_JSON, b"%%exercise ", b"\\n", b"%", b"!", b"(", b"'''", b"\\\\", b" ", b"\\u2028")

READERS: dict[str, Reader] = {
    "zip": Reader(taken, (Rejected,), _zips, _ZIP),
    "notebook": Reader(cells, (), _notebooks, _CELLS, json=True),
    "work archive": Reader(brought, (ValueError,), _work, _ZIP),
    "progress log": Reader(progress, (), _log, _JSON, json=True),
    "variant": Reader(
        variant, (ValueError,), lambda: [b'{"student": "007", "seeds": {"04a": 5}}'], _JSON, True
    ),
    "answer file": Reader(
        answer_file, (ValueError,), lambda: [RIGHT[ONE].encode()], (*_LINES, b"(", b"'''", b"\\d")
    ),
    "wire": Reader(wire, (Broken,), _answers, (*_JSON, b'"$d"', b'"$s"', b'"$a"', b'"$f"'), True),
    "history": Reader(as_text(parse), (FormatError,), _histories, _LINES),
    "told history": Reader(told_history, (Wrong,), _histories, _LINES),
    "told tests": Reader(
        told_tests,
        (Wrong,),
        _own_tests,
        (
            *_LINES,
            b"(",
            b")",
            b"[",
            b"{",
            b" == ",
            b"'",
            b"1j",
            b"...",
            b"1e999",
            b"-",
            b"*",
            b"lambda:",
        ),
    ),
    "history JSON": Reader(as_text(History.loads), (FormatError,), _history_json, _JSON, True),
    "bench": Reader(
        lambda data: read_history(file(data)),
        (FormatError,),
        lambda: _histories() + _history_json(),
        (*_LINES, *_JSON),
    ),
    "replay": Reader(
        lambda data: replay(file(data)),
        (FormatError,),
        lambda: [*_histories(), *_history_json(), LOG.encode(), _packed_log()],
        _STRACE,
    ),
    "strace": Reader(
        lambda data: read_strace(data.decode("latin-1").splitlines(True)),
        (FormatError,),
        lambda: [LOG.encode()],
        _STRACE,
    ),
    "trace": Reader(traced, (FormatError, UnicodeDecodeError), _traces, _JSON, True),
    "recording": Reader(as_text(Recording.loads), (FormatError,), _recordings, _JSON, True),
    "reverse map": Reader(as_text(RmapRecording.loads), (FormatError,), _rmaps, _JSON, True),
}
