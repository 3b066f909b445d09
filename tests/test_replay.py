"""Replay: histories, JSON and logs alike, every line accounted for, every mistake named."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonlab import FormatError
from anonlab.histories import library
from anonlab.histories.replay import replay

KEYS = [
    "lines", "operations", "skipped", "processes", "execs", "forks", "groups_created",
    "groups_dropped", "peak_shared_pages", "violations",
]  # fmt: skip


@pytest.mark.parametrize("name", library.logs())
def test_a_recorded_log_runs_without_violation_and_leaves_no_group(name: str):
    plain = replay(library.log(name)).to_json()
    assert list(plain) == KEYS
    assert plain["violations"] == 0
    assert plain["groups_created"] == plain["groups_dropped"] >= plain["execs"]
    assert plain["operations"] + sum(plain["skipped"].values()) >= plain["lines"]


def test_the_pipeline_has_two_forks_and_three_programs_and_shares_until_execve():
    report = replay(library.log("bash_pipeline"), timeline=True)
    plain = report.to_json()
    assert (plain["lines"], plain["forks"], plain["execs"], plain["processes"]) == (78, 2, 3, 3)
    assert plain["peak_shared_pages"] == max(point.shared for point in report.points) > 0
    assert len(report.points) == len(report.history.ops)
    assert report.points[-1][1:] == (0, 0, 0)


def test_a_history_text_and_its_json_give_the_same_report(tmp_path: Path):
    text = tmp_path / "a.history"
    text.write_text(library.text("fork_and_write"))
    plain = tmp_path / "a.json"
    plain.write_text(library.load("fork_and_write").dumps())
    one, other = replay(text).to_json(), replay(plain).to_json()
    assert {**one, "lines": 0} == {**other, "lines": 0}
    assert one["operations"] == len(library.load("fork_and_write").ops)


def test_failed_operations_are_counted_by_errno(tmp_path: Path):
    path = tmp_path / "a.history"
    path.write_text("a = spawn\na write 0x30000 1\na exit\na exit\n")
    assert dict(replay(path).failed) == {"SIGSEGV": 1, "ESRCH": 1}


def test_progress_goes_from_work_done_to_all_of_it():
    seen: list[tuple[int, int]] = []
    replay(library.log("make_two"), progress=lambda done, of: seen.append((done, of)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\x7fELF\x00\x01\x02" * 40, "binary|not text"),
        (b"a = spawn\n" * 1 + b"a wibble 3\n", "line 2: .*wibble"),
        (b'{"format": "anonlab-history", "version": 9}', "version 9"),
        ("a = spawn\né".encode("latin-1"), "neither a history nor an strace log"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_a_reason(tmp_path, content, words):
    path = tmp_path / "input"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=words):
        replay(path)


def test_an_unknown_design_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="design is one of .*anongroup"):
        replay(library.log("bash_pipeline"), "anonsoup")


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        replay(tmp_path / "none")
