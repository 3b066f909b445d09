"""Real processes on the running kernel: rules 1 to 5 of today's kernel, and that all ends well."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from linux_view import needs_full_view, needs_some_view
from project import ROOT

from anonlab.cli.verbs import cli
from anonlab.errors import FormatError
from anonlab.formats.history_text import parse
from anonlab.formats.recording import Recording
from anonlab.linux import pagemap
from anonlab.linux.address_window import AddressWindow
from anonlab.linux.oracle import Oracle
from anonlab.live.verify import compare_live, compare_with_kernel

FORKED = "a = spawn\na mmap 0x3f000 2\na write 0x3f000 7 2\nb = fork a\n"


def last(oracle, text):
    return list(oracle.run(parse(text)))[-1].observation


@needs_full_view
def test_a_fork_shares_pages_without_the_mark(oracle) -> None:
    observation = last(oracle, FORKED)
    assert {place: seen.mapcount for place, seen in observation.items()} == {
        (who, vpn): 2 for who in "ab" for vpn in (0x3F, 0x40)
    }
    assert not any(seen.exclusive for seen in observation.values())
    assert observation["a", 0x40] == observation["b", 0x40]
    assert observation["a", 0x40].value == 8


@needs_full_view
def test_the_writer_gets_the_copy_and_the_last_owner_writes_in_place(oracle) -> None:
    observation = last(oracle, FORKED + "a write 0x3f000 9\nb write 0x3f000 5\n")
    assert observation["a", 0x3F][1:] == (3, 1, True, 9)
    assert observation["b", 0x3F][1:] == (1, 1, True, 5)


@needs_full_view
def test_mremap_moves_shared_pages_without_a_copy(oracle) -> None:
    observation = last(oracle, FORKED + "b mremap 0x3f000 2 to 0x60000\n")
    assert observation["b", 0x60] == observation["a", 0x3F]
    assert observation["b", 0x61].mapcount == 2


@needs_full_view
def test_a_fork_leaves_out_an_area_that_was_only_read(oracle) -> None:
    observation = last(oracle, "a = spawn\na mmap 0x3f000 1\na read 0x3f000\nb = fork a\n")
    assert {place: seen.state for place, seen in observation.items()} == {("a", 0x3F): "zero"}


@needs_full_view
def test_execve_and_exit_drop_everything(oracle) -> None:
    observation = last(oracle, FORKED + "a execve ls\n")
    assert {place[0] for place in observation} == {"b"}
    assert {seen.mapcount for seen in observation.values()} == {1}
    assert last(oracle, FORKED + "a exit\nb exit\n") == {}


@needs_full_view
def test_errors_are_outcomes(oracle) -> None:
    text = FORKED + (
        "a write 0x10000 1\na mprotect 0x3f000 1 r\na write 0x3f000 1\na mmap 0x3f000 1\n"
        "a mremap 0x10000 1 to 0x20000\na munmap 0x3f001 1\nb exit\nb read 0x3f000\n"
    )
    errors = [effects.error for effects in oracle.run(parse(text))][4:]
    assert errors == ["SIGSEGV", "", "SIGSEGV", "EEXIST", "EFAULT", "EINVAL", "", "ESRCH"]
    held = compare_with_kernel(parse(text), oracle.run(parse(text)))
    assert not held.failures


@needs_full_view
def test_a_recording_reads_back_equal(oracle) -> None:
    recording = oracle.record(parse(FORKED + "a write 0x3f000 9\na read 0x3f000 2\n"))
    assert Recording.loads(recording.dumps()) == recording
    assert recording.effects[-1].values == (9, 8)
    assert os.uname().nodename not in recording.dumps()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("a mmap any 1", "needs an address"),
        ("reclaim 1", "the oracle does spawn, fork"),
        ("a mmap 0x200000000 1", "the oracle's window is 0x0 to 0x100000"),
        ("a write 0x30001 1", "pages at their beginning"),
        ("a mremap 0x30000 1 dontunmap", "needs an address"),
    ],
)
def test_what_real_processes_cannot_do_is_refused_with_its_line(line, complaint) -> None:
    with pytest.raises(FormatError, match=complaint) as caught:
        AddressWindow(parse(f"a = spawn\n{line}\n"))
    assert caught.value.line == 2


def test_a_history_wider_than_the_window_is_refused() -> None:
    history = parse("machine x86_64\na = spawn\na mmap 0x10000 1\na mmap 0x7f0000000000 1\n")
    with pytest.raises(FormatError, match="pages apart"):
        AddressWindow(history)


@needs_full_view
def test_the_machine_of_real_programs_has_a_window_too(oracle) -> None:
    text = "machine x86_64\na = spawn\na mmap 0x7f0000000000 2\na write 0x7f0000001000 3\n"
    assert last(oracle, text)["a", 0x7F0000001].value == 3
    assert not compare_with_kernel(parse(text), oracle.run(parse(text))).failures


def workers_of(pid: int) -> set[int]:
    """Every living descendant of a process that runs the worker."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"linux/worker.py" in (entry / "cmdline").read_bytes():
                found.add(int(entry.name))
        except OSError:
            continue
    return {each for each in found if pid in family(each)}


def family(pid: int) -> set[int]:
    """The ancestors of a process, itself included."""
    seen = set()
    while pid > 1 and pid not in seen:
        seen.add(pid)
        try:
            stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
        except OSError:
            break
        pid = int(stat.rpartition(")")[2].split()[1])
    return seen


@needs_some_view
def test_nothing_is_left_when_an_oracle_closes() -> None:
    with Oracle() as asked:
        list(asked.run(parse(FORKED)))
        pids = [living.pid for living in asked.processes.living.values()]
        assert len(workers_of(os.getpid()) & set(pids)) == 2
    assert not workers_of(os.getpid()) & set(pids)


@needs_some_view
def test_a_worker_that_is_killed_is_an_error_with_its_name() -> None:
    before = workers_of(os.getpid())
    with Oracle() as asked:
        steps = asked.run(parse(FORKED + "b read 0x3f000\n"))
        for _ in range(4):
            next(steps)
        os.kill(asked.processes.living["b"].pid, signal.SIGKILL)
        with pytest.raises((ChildProcessError, BrokenPipeError)):
            next(steps)
    assert workers_of(os.getpid()) == before


@needs_some_view
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_whoever_asked_them(end) -> None:
    code = (
        "from anonlab.linux.oracle import Oracle; from anonlab.formats.history_text import parse\n"
        "with Oracle() as asked:\n"
        f"    list(asked.run(parse({FORKED!r}))); print('ready', flush=True)\n"
        "    import time; time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as asking:
        assert asking.stdout is not None
        assert asking.stdout.readline() == b"ready\n"
        pids = workers_of(asking.pid)
        assert len(pids) == 3
        asking.send_signal(end)
        asking.wait(20)
    for _ in range(100):
        left = {pid for pid in pids if b"worker.py" in cmdline(pid)}
        if not left:
            break
        time.sleep(0.05)
    assert not left


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@needs_full_view
def test_a_share_of_the_random_histories_equals_the_running_kernel() -> None:
    held = compare_live(6_000, 41)
    assert held.failures == []
    assert held.missed == 0
    assert held.differs == held.copies > 0
    assert held.operations == 6_000


@needs_full_view
def test_the_verb_prints_the_promised_keys_and_an_example_operation_by_operation() -> None:
    done = CliRunner().invoke(cli, ["verify", "--live", "--ops", "400", "--seed", "3", "--json"])
    assert done.exit_code == 0, done.output
    live = json.loads(done.stdout)["live"]
    assert list(live) == [
        *("histories", "operations", "unexplained", "explained"),
        *("anongroup_differs", "anongroup_mremap_copies", "missed_sharers"),
    ]
    assert (live["operations"], live["unexplained"], live["missed_sharers"]) == (400, 0, 0)
    told = CliRunner().invoke(cli, ["verify", "--live", "--ops", "400", "--seed", "3"]).stdout
    assert "# the anon memory group:\n# operation" in told


def test_where_the_kernel_shows_nothing_the_verb_says_why(monkeypatch) -> None:
    monkeypatch.setattr(pagemap.sys, "platform", "darwin")
    done = CliRunner().invoke(cli, ["verify", "--live"])
    assert done.exit_code == 2
    assert "the running kernel cannot be the witness: needs Linux: this is darwin" in done.output
