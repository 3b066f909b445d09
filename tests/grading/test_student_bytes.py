"""Whatever bytes a student sends, they are read or refused with a sentence: no other error, no
hang, no memory beyond a bound; and what is valid comes back as it was.

| reader | what comes | may raise | bound |
|---|---|---|---|
| zip | a submission, a zip in it | Rejected | 10 MB unpacked, 8 MB of names, 1,000 files |
| notebook | an .ipynb, in a process of its own | nothing: it says why | 10 MB, 10 s, 1 GiB |
| work archive | a learner's own zip, brought to another place | ValueError | 10 MB unpacked |
| progress log | a learner's log; damaged lines are counted | nothing | the file |
| variant | variant.json, to intake and to checks | ValueError | 10 kB at intake |
| answer file | a Python file that is not run | ValueError | 10 MB exported |
| wire | a line from a box | Broken | 4 MiB, 200,000 elements |
| history, history JSON | text and JSON of an operation list | FormatError | the file |
| told history | a history that a student's function returns | Wrong | 20,000 characters |
| told tests | the lab's tests that a student's function returns | Wrong | 2,000 characters a line |
| bench | a history for the bench | FormatError | 8 MB |
| replay, strace | a history or a log, packed or not | FormatError | 4 MiB a line, 2**24 frames |
| trace, recording, reverse map | JSON of anonlab | FormatError | the file |

A tar is not opened: only a name that ends in .zip is, and a tar of that name is "no zip". Folders,
links, pipes and devices are in test_intake.py; numbers, names and times of tables in
test_nothing_is_lost.py. Round trips of histories, traces, recordings and the wire stand beside
their formats (tests/formats, test_wire.py); those of zips, notebooks and logs are below.

Time is held by size: four times the bytes may not take nine times as long. Memory is held in a
process of its own with a limit.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable

import pytest
from classroom import ONE, OTHER, entry, zipped
from damage import damaged, nested, odd_json
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ordinary import environment
from student_bytes import HISTORY, LOG, READERS, cells, course, taken

from anonlab.course.asking.progress_log import ProgressLog
from anonlab.formats.history_text import parse

MOST_MESSAGE = 1500
FEW, MANY = 60, 2000


def read(name: str, data: bytes) -> str:
    """Let a reader read; return what it said where it refused, '' where it did not."""
    reader = READERS[name]
    try:
        reader.read(data)
    except reader.errors as error:
        assert 0 < len(str(error)) <= MOST_MESSAGE
        return str(error)
    return ""


def hurt(name: str, examples: int) -> None:
    """Let a reader read so many damaged inputs."""
    reader = READERS[name]
    valid = reader.valid()
    inputs = damaged(valid, reader.words)

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.one_of(inputs, odd_json(valid)) if reader.json else inputs)
    def run(data: bytes) -> None:
        read(name, data)

    run()


@pytest.mark.parametrize("name", READERS)
def test_valid_bytes_are_read(name: str) -> None:
    for data in READERS[name].valid():
        assert read(name, data) == ""


@pytest.mark.parametrize("name", READERS)
def test_damaged_bytes_are_read_or_refused(name: str) -> None:
    hurt(name, FEW)


@pytest.mark.slow(share=0)
@pytest.mark.parametrize("name", READERS)
def test_many_damaged_bytes_are_read_or_refused(name: str) -> None:
    hurt(name, MANY)


# -- what fuzzing found, and what others found before ----------------------------------------------


def with_bytes(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def far_away(name: str = ONE) -> bytes:
    """A zip whose list says of its file that it lies before the beginning."""
    data = zipped({name: "x = 1\n"})
    at = data.rindex(b"PK\5\6") + 16
    return with_bytes(data, at, struct.pack("<L", data.index(b"PK\1\2") + 5))


def gone_inside() -> bytes:
    """A zip with bytes that are no deflate stream."""
    data = zipped({"exercises/ex04a_fork.py": "x = 1\n" * 99, ONE: "x = 1\n" * 99})
    for name in (b"exercises/ex04a_fork.py", ONE.encode()):
        data = with_bytes(data, data.index(name) + len(name), b"\xff" * 4)
    return data


def nameless() -> bytes:
    """A zip with a file that has no name, beside one that is work."""
    data = zipped({"x": "y", "progress.jsonl": "", ONE: "x = 1\n"})
    return with_bytes(data, data.index(b"PK\1\2") + 28, struct.pack("<HHH", 0, 0, 1))


def overlapping() -> bytes:
    """A zip all of whose files are one: a few kilobytes that say they are a gigabyte."""
    data = zipped({ONE: b"#" * 1_000_000})
    at = data.index(b"PK\1\2")
    end = data.rindex(b"PK\5\6")
    one = data[at:end]
    many = b"".join(
        one[:28] + struct.pack("<H", len(name)) + one[30:46] + name
        for name in (b"%03d/%s" % (number, ONE.encode()) for number in range(999))
    )
    last = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 999, 999, len(many), at, 0)
    return data[:at] + many + last


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        link = tarfile.TarInfo(ONE)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return gzip.compress(out.getvalue(), mtime=0)


def broken_gzip() -> bytes:
    data = bytearray(gzip.compress(LOG.encode() * 9, mtime=0))
    data[30:40] = b"\xff" * 10
    return bytes(data)


def history_with(**more: object) -> bytes:
    return json.dumps({**parse(HISTORY).to_json(), **more}).encode()


def in_history(value: str) -> bytes:
    """A history in JSON with a raw value for its title."""
    return history_with(title="@").replace(b'"@"', value.encode())


MMAP = "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000\n"
FAULTS: dict[str, tuple[str, bytes, str]] = {
    "a file before the beginning": ("zip", far_away(), "damaged, or no zip"),
    "work before the beginning": (
        "work archive",
        far_away("exercises/ex04a_fork.py"),
        "no zip archive that can be read",
    ),
    "no deflate stream": ("zip", gone_inside(), "damaged, or no zip"),
    "no deflate stream in work": ("work archive", gone_inside(), "no zip archive that can be read"),
    "a file without a name": ("zip", nameless(), ""),
    "work without a name": ("work archive", nameless(), ""),
    "overlapping files": ("zip", overlapping(), "the limit is 10.0 MB"),
    "a tar of the name of a zip": ("zip", tar(), "damaged, or no zip"),
    "a tar of work": ("work archive", tar(), "no zip archive that can be read"),
    "a path without end": ("zip", zipped({"a/" * 9000 + ONE: "x"}), "a path of more than"),
    "work twice": (
        "work archive",
        zipped({"progress.jsonl": b"{}", "progress.jsonx": b""}).replace(b"jsonx", b"jsonl"),
        "2 files progress.jsonl",
    ),
    "a seed without end": ("variant", b'{"student": "007", "seeds": {"04a": 1e999}}', "it has no"),
    "a list for a variant": ("variant", b"[]", "it has no"),
    "a variant of two students": ("variant", b'{"student": "7", "student": "8"}', "more than once"),
    "a deep variant": ("variant", b"[" * 100_000, "it is no JSON"),
    "a long id": (
        "variant",
        b'{"student": "%s", "seeds": {}}' % (b"7" * 5000),
        "no name of a file",
    ),
    "broken gzip": ("replay", broken_gzip(), "no whole gzip file"),
    "a history of 2**31 frames": (
        "replay",
        b"machine lesson frames 2147483648\na = spawn\n",
        "cannot be run",
    ),
    "a deep message of a container": (
        "strace",
        f'{MMAP}{{"log":{"[" * 5000}\n'.encode(),
        "",
    ),
    "a character of 5,000 digits": ("strace", f"{MMAP}&lt;&#{'9' * 5000};\n".encode(), ""),
    "a length of 5,000 digits": (
        "strace",
        f"{MMAP}munmap(0x1000, {'9' * 5000}) = 0\n".encode(),
        "",
    ),
    "an offset with a zero before it": (
        "strace",
        f"{MMAP}mmap2(NULL, 1, PROT_READ, MAP_PRIVATE, 3, 010) = 0x1000\n".encode(),
        "",
    ),
    "a descriptor with a zero before it": (
        "strace",
        f"{MMAP}mmap(NULL, 1, PROT_READ, MAP_PRIVATE, -01, 0) = 0x1000\n".encode(),
        "",
    ),
    "an error without a name": ("strace", f"{MMAP}munmap(0x1000, 1) = -1 \x1b[0m\n".encode(), ""),
    "a test of 2 MB": ("told tests", b"free() == [" + b"1," * 1_000_000 + b"]", "characters"),
    "a told history of 2 MB": ("told history", b"swapoff\n" * 250_000, "characters"),
    "a name of 70,000 letters": (
        "history",
        b"a = spawn\n" + b"x" * 70_000 + b" exit\n",
        "no process",
    ),
    "a format of 70,000 letters": (
        "history JSON",
        history_with(format="x" * 70_000),
        "expected an",
    ),
    "a name twice": ("history JSON", b'{"title": "a", "title": "b"}', "'title' more than once"),
    "half a character": ("history JSON", in_history('"\\udc80"'), "\\udc80 alone is half a"),
    "no number": ("history JSON", in_history("NaN"), "NaN is no number"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_once_was_another_error_is_a_sentence(fault: str) -> None:
    name, data, says = FAULTS[fault]
    assert says in read(name, data), read(name, data)


LOG_LINES: dict[str, bytes] = {
    "a mark that is a number": b'{"what": "marked", "name": "04 p", "marks": {"3": {"hit": 1}}}',
    "a mark of numbers": b'{"what": "marked", "name": "04 p", "marks": {"3": {"hit": [1]}}}',
    "names that are a text": b'{"what": "marked", "name": "04 p", "marks": {"3": {"names": "x"}}}',
    "a step of 5,000 digits": b'{"what": "marked", "marks": {"%s": {}}}' % (b"3" * 5000),
    "a score without its part": b'{"what": "scored", "name": "03 f", "of": 2}',
    "half a character": b'{"what": "drill", "name": "\\ud800", "right": 1, "of": 1}',
    "a scene without its step": b'{"what": "scene", "name": "05 s", "kept": {}}',
    "a scene without a name": b'{"what": "scene", "step": 1, "kept": {}}',
}


@pytest.mark.parametrize("fault", LOG_LINES)
def test_a_line_of_a_log_that_says_nothing_is_counted_as_damaged(fault: str) -> None:
    assert "1 line of the log cannot be read" in str(READERS["progress log"].read(LOG_LINES[fault]))


JSON_OF_OTHERS = (
    b"",
    b" ",
    b"\xef\xbb\xbf{}",
    b"\xef\xbb\xbf",
    b"[1,]",
    b"[,1]",
    b'["a",,"b"]',
    b"[1 true]",
    b'{"a" b}',
    b'{"a":1,}',
    b"{'a':0}",
    b'{"a":/*c*/1}',
    b"[-01]",
    b"[0x42]",
    b"[1.]",
    b"[.5]",
    b"[+1]",
    b"[1e]",
    b"[Infinity]",
    b"[-NaN]",
    b'["\\u00A"]',
    b'["\\x00"]',
    b'["\x00"]',
    b'["\n"]',
    b'["\\uD800\\n"]',
    b'["\\uDFAA"]',
    b"[\xff]",
    b'["\xed\xa0\x80"]',
    b'["\xf4\xbf\xbf\xbf"]',
    b"\xff\xfe[\0]\0",
    b"[" * 100_000,
    b'[{"":' * 50_000,
    b"[1e9999999]",
    b"[%s]" % (b"1" * 30_000),
    b"nul",
    b"]",
    b'"',
    b"{}}",
    b"[\x0c]",
    b"\xe2\x81\xa0",
    b'{"a":"b"}#',
    b"<null>",
    b"[True]",
)
"""The kinds of a public collection of what parsers of JSON trip over, made anew."""


@pytest.mark.parametrize("name", [name for name, reader in READERS.items() if reader.json])
def test_json_that_others_trip_over_is_refused_or_read(name: str) -> None:
    valid = READERS[name].valid()[0]
    for data in JSON_OF_OTHERS:
        read(name, data)
        read(name, valid.replace(b": ", b": " + data + b" ", 1))


@pytest.mark.parametrize("name", ["history JSON", "bench", "trace", "recording", "variant", "wire"])
def test_lists_in_lists_of_any_depth_are_refused_or_read(name: str) -> None:
    """Python reads some that it cannot show: where that begins depends on who calls."""
    valid = READERS[name].valid()[-1]
    for depth in range(800, 1001, 4):
        read(name, valid.replace(b":1", b":" + nested(depth).encode(), 1))
        read(name, valid.replace(b": 1", b": " + nested(depth).encode(), 1))


NOTEBOOKS_OF_OTHERS = (
    {"nbformat": 2, "worksheets": [{"cells": []}]},
    {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": "x"}]}]},
    {"nbformat": 4, "cells": [{"cell_type": "code", "source": {"x": 1}}]},
    {"nbformat": 4, "cells": [{"cell_type": "code", "source": ["%%exercise 04a\n", 1]}]},
    {"nbformat": 4, "cells": [{"cell_type": ["code"], "source": "%%exercise 04a\nx"}, None, 7]},
    {"nbformat": 4, "cells": [{"source": "%%exercise 04a\nx = 1"}]},
    {"nbformat": True, "cells": []},
    {"nbformat": 1e300, "cells": []},
    {"nbformat": 4, "nbformat_minor": "x", "cells": {"0": {}}},
)


def test_notebooks_that_others_trip_over_have_no_answers() -> None:
    for plain in NOTEBOOKS_OF_OTHERS:
        assert cells(json.dumps(plain).encode()) == [] or isinstance(
            cells(json.dumps(plain).encode()), str
        )


# -- what is valid comes back ----------------------------------------------------------------------

codes = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=60)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.binary(min_size=1, max_size=3000).filter(bytes.strip), codes, st.booleans())
def test_a_file_in_a_zip_is_taken_as_it_is(code: bytes, other: str, stored: bool) -> None:
    first = entry(f"ü/{ONE}")
    if stored:
        first.compress_type = zipfile.ZIP_STORED
    found = taken(zipped([(first, code), (entry(f"ü/{OTHER}.bak"), other.encode())]))
    assert found == {"04a": code}


@settings(deadline=None, derandomize=True, max_examples=60)
@given(codes, st.booleans())
def test_the_code_of_a_cell_is_what_was_typed(code: str, listed: bool) -> None:
    source = f"%%exercise 04a\n{code}"
    lines = source.split("\n")
    parts = [line + "\n" for line in lines[:-1]] + lines[-1:] if listed else source
    plain = {"nbformat": 4, "cells": [{"cell_type": "code", "source": parts}]}
    (found,) = cells(json.dumps(plain).encode())
    assert found["problem"] or found["note"] or found["code"] == code


events = st.fixed_dictionaries(
    {"what": st.sampled_from(("check", "predict", "own"))},
    optional={
        "name": codes,
        "points": st.integers(0, 9),
        "when": codes,
        "else": st.recursive(st.none() | codes, lambda inner: st.lists(inner, max_size=3)),
    },
)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.lists(events, max_size=6), st.booleans())
def test_the_events_of_a_log_come_back(wanted: list[dict[str, object]], ascii_only: bool) -> None:
    text = "".join(json.dumps(event, ensure_ascii=ascii_only) + "\n" for event in wanted)
    READERS["progress log"].read(text.encode())
    assert ProgressLog(course().root).events() == wanted


# -- time and memory -------------------------------------------------------------------------------


def folders_of_python(n: int) -> bytes:
    return zipped({f"{number}/pyvenv.cfg": "" for number in range(n)} | {ONE: "x"})


def copies_and_litter(n: int) -> bytes:
    copies = {f"ex04a_fork ({number}).py": "x = 1" for number in range(n // 10)}
    return zipped(copies | {f"venv/{number}": "" for number in range(n)})


def lines(text: str) -> bytes:
    return f"{MMAP}{text}".encode("latin-1")


def cell_of(text: str) -> bytes:
    return json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": text}]}).encode()


SIZES: dict[str, tuple[str, int, Callable[[int], bytes]]] = {
    "folders of Python": ("zip", 1000, folders_of_python),
    "many answers in a long list": ("zip", 2000, copies_and_litter),
    "numbers and brackets": ("strace", 16_000, lambda n: lines("1<" * (n // 2) + ") = 0\n")),
    "half a stack": ("strace", 16_000, lambda n: lines(" > /X(" + "(" * n + "\n")),
    "quotes": ("strace", 16_000, lambda n: lines('execve("' + '\\"' * (n // 2) + " x) = 0\n")),
    "digits": (
        "strace",
        16_000,
        lambda n: lines("munmap(0x1000, 1) = 0x" + "9" * n + ") = 5 \x01\n"),
    ),
    "blanks and commas": (
        "strace",
        16_000,
        lambda n: lines(f"mmap(NULL, 1,{' ' * n},{' ' * n},x) = 0\n"),
    ),
    "failures at the end": ("strace", 16_000, lambda n: lines(") = -1 EA (" * (n // 11))),
    "colons first": ("strace", 4000, lambda n: ("2 " + ":" * n + "\n").encode()),
    "offsets in pages": ("strace", 16_000, lambda n: lines("mmap2(, " * (n // 8) + "\n")),
    "brackets on the bench": ("bench", 16_000, lambda n: b"a(" * (n // 2)),
    "returns on the bench": ("bench", 16_000, lambda n: b"a() = " * (n // 6)),
    "names of an object": (
        "history JSON",
        5000,  # more do not fit the caches: that takes longer, too
        lambda n: json.dumps({str(at): 0 for at in range(n)}).encode()[:-1] + b',"%d":1}' % (n - 1),
    ),
    "a name among many": (
        "history",
        4000,
        lambda n: "".join(f"p{at} = spawn\n" for at in range(n)).encode() + b"q exit",
    ),
    "signs of equality": ("history", 200_000, lambda n: b"=" * n),
    "blanks of a cell": (
        "notebook",
        100_000,
        lambda n: cell_of("%%exercise 05a\n(\n" + " " * n + "x\n"),
    ),
    "a text without an end": (
        "wire",
        200_000,
        lambda n: b'{"id":1,"ok":"' + b'\\"' * (n // 2) + b"," * 1_000_001,
    ),
}


def seconds(name: str, data: bytes, times: int) -> float:
    """The least processor time that reading takes."""
    least = 1e9
    for _ in range(times):
        begin = time.process_time()
        read(name, data)
        least = min(least, time.process_time() - begin)
    return least


@pytest.mark.parametrize("case", SIZES)
def test_four_times_the_bytes_take_about_four_times_as_long(case: str) -> None:
    """By the square it would be sixteen times, whenever one looks; others may disturb once."""
    name, n, make = SIZES[case]
    few, many = make(n), make(4 * n)
    assert any(seconds(name, many, 2) < 9 * max(seconds(name, few, 3), 0.001) for _ in range(4))


BOMBS = {
    "a packed line of 300 MB": (
        "import gzip; data = gzip.compress(b'1 mmap(' + b'a' * 300_000_000, 1)",
        "replay",
        "a line of",
    ),
    "a list of 100,000 files": (
        "from classroom import zipped; data = zipped({f'venv/{at}': '' for at in range(70_000)})",
        "zip",
        "",
    ),
    "a gigabyte of zeros": (
        "from classroom import ONE, zipped; data = zipped({ONE: bytes(9_000_000)} | "
        "{f'{at}/{ONE}': bytes(9_000_000) for at in range(9)})",
        "zip",
        "the limit is",
    ),
}
LIMITED = """
import resource, sys
{make}
from test_student_bytes import read
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
print(read({name!r}, data))
"""


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_in_a_gibibyte(bomb: str) -> None:
    make, name, says = BOMBS[bomb]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED.format(make=make, name=name)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**environment(), "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
