"""Replay: histories, JSON and logs alike, every line accounted for, every mistake named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anonlab import FormatError
from anonlab.formats.history_text import format_op
from anonlab.histories import library
from anonlab.histories.run import apply, make_kernel
from anonlab.histories.runs import runs, touched_as_one
from anonlab.histories.strace.log import read_strace
from anonlab.kernel.pages import map_new
from anonlab.proof import replaying as replay_module
from anonlab.proof.mutants import Mutant, planted
from anonlab.proof.replaying import replay
from anonlab.rmap.anongroup import AnonGroup

KEYS = [
    "lines", "operations", "skipped", "processes", "execs", "forks", "vforks", "threads",
    "groups_created", "groups_dropped", "peak_shared_pages", "violations", "touches", "refused",
    "effects", "by_rule",
]  # fmt: skip


@pytest.mark.parametrize("name", library.logs())
def test_a_recorded_log_runs_without_violation_and_leaves_no_group(name: str):
    plain = replay(library.log(name)).to_json()
    assert list(plain) == KEYS
    assert plain["violations"] == 0
    assert plain["groups_created"] == plain["groups_dropped"] >= plain["execs"]
    assert plain["operations"] + sum(plain["skipped"].values()) >= plain["lines"]
    assert (plain["touches"], plain["refused"]) == ("rule", {})
    bounds = plain["by_rule"]
    assert (
        bounds["peak_shared_pages_at_least"]
        <= plain["peak_shared_pages"]
        <= bounds["peak_shared_pages_at_most"]
    )


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


# -- the truth about a log ------------------------------------------------------------------------

RW = "PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS"


def replayed(tmp_path: Path, *lines: str) -> dict[str, Any]:
    path = tmp_path / "log"
    path.write_text("\n".join(['1 execve("/bin/a", ["a"], 0x7f /* 2 vars */) = 0', *lines, ""]))
    report = replay(path)
    assert report.violations == []
    return report.to_json()


def test_forks_vforks_threads_and_execs_are_counted_apart(tmp_path: Path):
    plain = replayed(
        tmp_path,
        "1 fork() = 2",
        "1 vfork() = 3",
        '3 execve("/bin/b", ["b"], 0x7f) = 0',
        "1 clone(flags=CLONE_VM|CLONE_THREAD) = 4",
        "1 clone(flags=CLONE_VM|CLONE_THREAD) = 5",
        "1 clone(flags=CLONE_VM|CLONE_THREAD) = 6",
    )
    names = ("processes", "forks", "vforks", "threads", "execs")
    assert [plain[name] for name in names] == [6, 1, 1, 3, 2]


def test_what_the_kernel_of_the_log_did_and_this_machine_did_not_is_told(tmp_path: Path):
    plain = replayed(
        tmp_path,
        f"1 mmap(NULL, 8192, {RW}|MAP_LOCKED, -1, 0) = 0x7f0000200000",
        "1 madvise(0x7f0000200000, 4096, MADV_DONTNEED_LOCKED) = 0",
        "1 madvise(0x7f0000201000, 4096, MADV_DONTNEED_LOCKED) = 0",
    )
    assert plain["refused"] == {"madvise EINVAL": 2}


def test_recorded_touches_need_no_bounds_and_a_history_says_itself_what_it_touches(tmp_path: Path):
    plain = replayed(
        tmp_path,
        f"1 mmap(NULL, 8192, {RW}, -1, 0) = 0x7f0000000000",
        "1 page_fault(0x7f0000000000, write) = 0",
    )
    assert plain["touches"] == "recorded"
    assert "by_rule" not in plain
    path = tmp_path / "a.history"
    path.write_text(library.text("fork_and_write"))
    assert replay(path).to_json()["touches"] == "history"


def test_bounds_hold_whatever_the_programs_touched(tmp_path: Path):
    """By hand: two pages of the stack are sure, 100 may be; the rule says 2 + 8."""
    plain = replayed(
        tmp_path,
        f"1 mmap(NULL, 409600, {RW}, -1, 0) = 0x7f0000000000",
        "1 mmap(NULL, 409600, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f1000000000",
        "1 fork() = 2",
    )
    assert plain["peak_shared_pages"] == 10
    assert plain["by_rule"] == {
        "operations": 3, "peak_shared_pages_at_least": 2, "peak_shared_pages_at_most": 102,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("calls", "shared", "effect"),
    [
        ((f"mmap(NULL, 409600, {RW}|MAP_POPULATE, -1, 0) = 0x7f0000000000",), 102, "MAP_POPULATE"),
        ((f"mmap(NULL, 409600, {RW}|MAP_LOCKED, -1, 0) = 0x7f0000000000",), 102, "MAP_LOCKED"),
        (
            ("mlockall(MCL_FUTURE) = 0", f"mmap(NULL, 409600, {RW}, -1, 0) = 0x7f0000000000"),
            102,
            "mlockall",
        ),
        (
            (f"mmap(NULL, 409600, {RW}, -1, 0) = 0x7f0000000000", "mlockall(0x1) = 0"),
            102,
            "mlockall",
        ),
        (
            (
                f"mmap(NULL, 409600, {RW}, -1, 0) = 0x7f0000000000",
                "madvise(0x7f0000000000, 204800, MADV_POPULATE_WRITE) = 0",
            ),
            52,
            "MADV_POPULATE",
        ),
        (
            (
                f"mmap(NULL, 409600, {RW}|MAP_POPULATE, -1, 0) = 0x7f0000000000",
                "madvise(0x7f0000000000, 40960, MADV_DONTFORK) = 0",
            ),
            92,
            "MADV_DONTFORK",
        ),
        (
            (
                f"mmap(NULL, 409600, {RW}|MAP_POPULATE, -1, 0) = 0x7f0000000000",
                "madvise(0x7f0000000000, 40960, MADV_WIPEONFORK) = 0",
            ),
            92,
            "MADV_WIPEONFORK",
        ),
        (
            (
                f"mmap(NULL, 409600, {RW}|MAP_POPULATE, -1, 0) = 0x7f0000000000",
                "madvise(0x7f0000000000, 40960, MADV_FREE) = 0",
            ),
            102,
            "MADV_FREE",
        ),
    ],
)
def test_calls_that_fill_lock_or_hold_back_pages_have_their_effect(
    tmp_path: Path, calls: tuple[str, ...], shared: int, effect: str
):
    """Shared by a fork: what is in memory, and two pages of the stack. Counted by hand."""
    plain = replayed(tmp_path, *(f"1 {call}" for call in calls), "1 fork() = 2", "2 exit(0) = ?")
    assert plain["peak_shared_pages"] == shared
    assert plain["effects"][effect]["calls"] == 1
    sure = shared - 10 * (effect == "MADV_FREE")
    assert plain["by_rule"]["peak_shared_pages_at_least"] == sure
    assert plain["by_rule"]["peak_shared_pages_at_most"] == max(
        102 - 10 * effect.endswith("ONFORK") - 10 * effect.endswith("DONTFORK"), shared
    )
    assert plain["refused"] == {}


def test_a_child_has_nothing_where_dontfork_was_and_empty_pages_where_wipeonfork_was(
    tmp_path: Path,
):
    path = tmp_path / "log"
    path.write_text(
        f"""1 mmap(NULL, 8192, {RW}|MAP_POPULATE, -1, 0) = 0x7f0000000000
1 mmap(NULL, 8192, {RW}|MAP_POPULATE, -1, 0) = 0x7f0000100000
1 madvise(0x7f0000000000, 8192, MADV_DONTFORK) = 0
1 madvise(0x7f0000100000, 4096, MADV_WIPEONFORK) = 0
1 fork() = 2
2 munmap(0x7f0000000000, 8192) = 0
"""
    )
    report = replay(path)
    assert report.skipped["mapping not in the log"] == 1
    assert [format_op(op) for op in report.history.ops if op.who == "p2"] == [
        "p2 = fork p1",
        "p2 munmap 0x7f0000000000 2",
        "p2 madvise 0x7f0000100000 1 dontneed",
    ]
    assert report.peak_shared_pages == 1


def test_sysv_shared_memory_is_one_file_for_all_who_attach_it(tmp_path: Path):
    plain = replayed(
        tmp_path,
        "1 shmget(IPC_PRIVATE, 10000, IPC_CREAT|0600) = 32769",
        "1 shmat(32769, NULL, 0) = 0x7f0000000000",
        "1 fork() = 2",
        "2 shmdt(0x7f0000000000) = 0",
        "2 shmat(32769, NULL, SHM_RDONLY) = 0x7f0000100000",
        "2 shmdt(0x7f0000100000) = 0",
        "2 shmat(7, NULL, 0) = 0x7f0000200000",
    )
    assert plain["effects"]["SysV shared memory"]["calls"] == 2
    assert plain["effects"]["SysV shared memory"]["pages"] == 6
    assert plain["skipped"]["shared memory whose size is not in the log"] == 1
    assert plain["refused"] == {}
    assert plain["peak_shared_pages"] == 2


def test_the_upper_bound_forgets_children_that_are_gone(tmp_path: Path):
    """Two children at a time may share other pages each with their parent."""
    memory = f"1 mmap(NULL, 409600, {RW}, -1, 0) = 0x7f0000000000"
    after = replayed(tmp_path, memory, "1 fork() = 2", "2 exit(0) = ?", "1 fork() = 3")
    beside = replayed(tmp_path, memory, "1 fork() = 2", "1 fork() = 3")
    most = "peak_shared_pages_at_most"
    assert (after["by_rule"][most], beside["by_rule"][most]) == (102, 204)


SERVER = """machine lesson frames 48 swap 16
f = file 4
a = spawn
a mmap 0x30000 8
a mmap 0x38000 4 r
a mmap 0x3c000 6 r file f
""" + "".join(
    f"{line}\n"
    for line in (
        *(f"a write {0x30000 + 4096 * page} {page + 1}" for page in range(8)),
        *(f"a read {0x30000 + 4096 * page}" for page in range(14)),  # three areas; all may be read
        "b = fork a",
        *(f"b write {0x32000 + 4096 * page} 9" for page in range(4)),
        *(f"a write {0x36000 + 4096 * page} 7" for page in range(5)),  # the third is forbidden
        *(f"a read {0x3E000 + 4096 * page}" for page in range(5)),  # beyond the end of f
        "b exit",
        *(f"b read {0x30000 + 4096 * page}" for page in range(3)),  # nobody is left
    )
)  # fmt: skip


def test_touches_in_groups_end_as_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Failures are counted one by one, and the machine is the same."""
    path = tmp_path / "server.history"
    path.write_text(SERVER)
    monkeypatch.setattr(replay_module, "MOST_CHECKS", 2)
    grouped, single = replay(path), replay(path, grouped=False)
    assert grouped == single
    assert dict(grouped.failed) == {"SIGSEGV": 4, "SIGBUS": 2, "ESRCH": 3}
    seen = []
    for as_one in (True, False):
        kernel = make_kernel(grouped.history)
        for _, ops in runs(grouped.history.ops, 99):
            if not as_one or len(ops) == 1 or not touched_as_one(kernel, ops):
                for op in ops:
                    apply(kernel, op)
        pages = {(task.name, vpn): task.page(vpn << 12) for task in living(kernel) for vpn in VPNS}
        seen.append({at: page and (page.data, page.mapcount) for at, page in pages.items()})
    assert seen[0] == seen[1]
    assert any(seen[0].values())


VPNS = range(0x30, 0x42)


def living(kernel):
    return [task for task in kernel.processes.values() if task.alive]


def test_a_run_is_of_one_process_one_verb_and_the_next_page_each_time(tmp_path: Path):
    path = tmp_path / "server.history"
    path.write_text(SERVER)
    ops = replay(path).history.ops
    found = [len(run) for _, run in runs(ops, 99) if len(run) > 1]
    assert found == [8, 14, 4, 5, 5, 3]
    assert max(len(run) for _, run in runs(ops, 6)) == 6
    alone = list(runs(ops, 1))
    assert alone == [(n, [op]) for n, op in enumerate(ops)], "a short history is checked each time"


def test_a_group_of_touches_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "server.history"
    path.write_text("".join(SERVER.splitlines(keepends=True)[:14]))
    monkeypatch.setattr(replay_module, "MOST_CHECKS", 1)
    assert replay(path).violations == []
    with planted(Mutant(map_new, "mem.mapcount[pfns] = 1", "mem.mapcount[pfns] = 2")):
        (sentence,) = replay(path).violations
    assert "after operation 13: " in sentence
