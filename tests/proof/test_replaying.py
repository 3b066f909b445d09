"""Replay: histories, JSON and logs alike, every line accounted for, every mistake named."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonlab import FormatError
from anonlab.histories import library
from anonlab.histories.strace.log import read_strace
from anonlab.proof import replaying as replay_module
from anonlab.proof.mutants import Mutant, planted
from anonlab.proof.replaying import replay
from anonlab.rmap.anongroup import AnonGroup

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


def test_a_folder_is_an_error_of_the_system(tmp_path: Path):
    with pytest.raises(IsADirectoryError):
        replay(tmp_path)


@pytest.mark.parametrize("name", library.logs())
def test_every_line_of_a_log_became_operations_or_is_counted_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setattr(replay_module, "MOST_CHECKS", 5)
    report, log = replay(library.log(name)), read_strace(library.log(name))
    lines = library.log(name).read_text("utf-8").count("\n")
    assert report.lines == lines == log.used + sum(report.skipped.values())
    assert report.operations == log.operations >= log.used
    assert len(report.history.ops) == report.operations + len(log.touches) + log.setup


def test_a_log_that_is_cut_off_in_the_middle_of_a_line_is_replayed_up_to_there(tmp_path: Path):
    whole = library.log("bash_pipeline").read_bytes()
    path = tmp_path / "cut.log"
    path.write_bytes(whole[: len(whole) // 2 - 7])
    report = replay(path)
    assert report.violations == []
    assert report.skipped["line cut off"] == 1
    assert report.lines == path.read_bytes().count(b"\n") + 1


def test_a_timeline_has_a_point_for_each_operation_and_costs_nothing_else(tmp_path: Path):
    path = tmp_path / "a.history"
    path.write_text(library.text("fork_and_write"))
    plain, timed = replay(path), replay(path, timeline=True)
    assert plain.points == []
    assert plain.to_json() == timed.to_json()
    assert [point.operation for point in timed.points] == list(range(len(timed.history.ops)))
    assert [point.mms for point in timed.points] == [1, 1, 1, 2, 2, 2, 2, 2, 1, 1]
    assert [point.shared for point in timed.points] == [0, 0, 0, 3, 3, 2, 2, 1, 0, 0]
    assert {point.groups for point in timed.points} == {1}


def test_a_violation_is_told_with_the_operation_and_ends_the_replay(tmp_path: Path):
    path = tmp_path / "a.history"
    path.write_text(library.text("mremap_after_fork"))
    with planted(Mutant(AnonGroup.moved, "self.mem_map.index[pfns] = vpns", "pass")):
        report = replay(path)
    assert report.violations == [
        "after operation 6: pfn 5 is mapped at vpn 0x80, its index is 0x30"
    ]
    assert report.to_json()["violations"] == 1


def many(nprograms: int, path: Path) -> Path:
    """Write the log of many runs of make, one after the other; each has pids of its own."""
    log = library.log("make_two").read_text("utf-8")
    pids = dict.fromkeys(int(line.split()[0]) for line in log.splitlines())
    with path.open("w", encoding="utf-8") as file:
        for number in range(nprograms):
            text = log
            for at, pid in enumerate(pids):
                text = text.replace(str(pid), str(100_000 + 10 * number + at))
            file.write(text)
    return path


def test_a_long_log_is_replayed_and_checked_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(replay_module, "MOST_CHECKS", 20)
    one = replay(many(1, tmp_path / "one.log")).to_json()
    path = many(25, tmp_path / "long.log")
    seen: list[tuple[int, int]] = []
    report = replay(path, progress=lambda done, of: seen.append((done, of)))
    assert path.stat().st_size > 250_000
    plain = report.to_json()
    for name in ("lines", "operations", "processes", "execs", "forks", "groups_created"):
        assert plain[name] == 25 * one[name], name
    assert plain["skipped"] == {reason: 25 * count for reason, count in one["skipped"].items()}
    assert plain["violations"] == 0
    assert seen[0][0] <= 100 < seen[-2][0] < seen[-1][0] == 1000
    assert 20 <= len(seen) <= 30


@pytest.mark.parametrize(
    ("design", "groups"),
    [("pte_chain", 0), ("per_mm_space", 4), ("anongroup", 4), ("anonmm", 6), ("anon_vma", 22),
     ("anon_vma_chain", 40), ("cow_context", 6)],
)  # fmt: skip
def test_a_log_replays_under_every_design_and_leaves_nothing(design: str, groups: int):
    """Groups are what a page names in `mapping`: per execve, per mm, or per VMA that is written."""
    plain = replay(library.log("bash_pipeline"), design).to_json()
    assert plain["violations"] == 0
    assert plain["groups_created"] == plain["groups_dropped"] == groups
    execs, forks = plain["execs"], plain["forks"]
    assert {"per_mm_space": execs + 1, "anonmm": execs + 1 + forks}.get(design, groups) == groups
