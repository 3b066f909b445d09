"""A batch: nothing is lost or doubled, whoever dies; one student's trouble is nobody else's."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from project import ROOT
from stand_in import judge, pool, tasks
from test_store import files_of
from waiting import PATIENCE_S, wait_until

from anonlab.grading.intake.submission import Settings, Submission
from anonlab.grading.judging.batch import GradingTask, refusal, run_batch
from anonlab.grading.judging.engines import Cluster, EngineTrouble, Pool
from anonlab.grading.store.store import Store, StoreTrouble, result_bytes

SECRETS = random.SystemRandom()
FIFTY = {f"s{at:02}": f"sleep 0.02\n{at}\n" for at in range(50)}


def kept(folder: Path) -> dict[str, bytes]:
    """Every result in the store without its durations; a damaged one raises."""
    found = {}
    store = Store(folder / "store", "hw 1")
    for path in sorted(store.folder.glob("*.json")):
        result = store.get(path.stem)
        assert result is not None, f"{path} is damaged"
        found[path.stem] = result_bytes(result).rpartition(b' "timing"')[0]
    return found


def undisturbed(folder: Path, answers: dict[str, str]) -> dict[str, bytes]:
    """What each submission gets where nobody is disturbed."""
    expected = {}
    for task in tasks(folder, answers):
        Store(task.store, "hw 1").regraded.mkdir(parents=True, exist_ok=True)
        run_batch([task], InThisProcess())
        expected = kept(folder)
    return expected


class InThisProcess:
    """An engine for what kills nobody."""

    def executor(self, alone: bool = False):  # type: ignore[no-untyped-def]
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(1)

    def everywhere(self, check) -> None:  # type: ignore[no-untyped-def]
        check()

    def watch(self) -> None:
        pass


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed")
    answers = {name: text.replace("0.02", "0.02") for name, text in FIFTY.items()}
    return undisturbed(folder, answers)


def left(folder: Path, answers: dict[str, str]) -> list[GradingTask]:
    """The tasks whose result is not in the store yet."""
    store = Store(folder / "store", "hw 1")
    return [task for task in tasks(folder, answers)
            if store.finished(task.submission.id, task.key) is None]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    held = Store(tmp_path / "store", "hw 1")
    with held.locked(False, lambda _: True):
        yield held


def test_a_pool_grades_all_and_says_so(
    tmp_path: Path, store: Store, expected: dict[str, bytes]
) -> None:
    heard: list[str] = []
    batch = run_batch(tasks(tmp_path, FIFTY), pool(), lambda each: heard.append(each.submission))
    assert sorted(heard) == list(FIFTY)
    assert {each.status for each in batch.outcomes.values()} == {"graded"}
    assert kept(tmp_path) == expected
    assert batch.seconds > 0
    assert run_batch(left(tmp_path, FIFTY), pool()).outcomes == {}
    assert not list(store.folder.glob(".*.running"))


def test_a_fault_of_the_judge_is_no_number_and_stops_nobody(tmp_path: Path, store: Store) -> None:
    batch = run_batch(tasks(tmp_path, {"a": "raise\n", "b": "1\n"}), pool())
    assert {name: each.status for name, each in batch.outcomes.items()} == {
        "a": "infra",
        "b": "graded",
    }
    result = store.get("a")
    assert result is not None
    assert (result.score, result.reason) == (
        None,
        "the grader failed: RuntimeError: the judge is ill",
    )
    assert [task.submission.id for task in left(tmp_path, {"a": "raise\n", "b": "1\n"})] == ["a"]


def test_a_worker_that_dies_each_time_is_trouble_of_one(tmp_path: Path, store: Store) -> None:
    answers = {**{f"s{at}": f"{at}\n" for at in range(20)}, "killer": "die\n"}
    batch = run_batch(tasks(tmp_path, answers), pool())
    statuses = {name: each.status for name, each in batch.outcomes.items()}
    assert statuses.pop("killer") == "infra"
    assert set(statuses.values()) == {"graded"}
    assert len(statuses) == 20
    result = store.get("killer")
    assert result is not None
    assert "ended its worker, twice" in result.reason
    assert "killer" in batch.retried
    assert not list(store.folder.glob(".*.running"))


def test_a_worker_that_dies_once_is_forgiven(tmp_path: Path, store: Store) -> None:
    answers = {f"s{at}": f"{at}\n" for at in range(10)}
    answers |= {"unlucky": f"die {tmp_path / 'died'}\n"}
    batch = run_batch(tasks(tmp_path, answers), pool())
    assert {each.status for each in batch.outcomes.values()} == {"graded"}
    assert len(kept(tmp_path)) == 11


class Forgetful(InThisProcess):
    """An engine whose workers do their work, and die before they say so; their marks stay."""

    def executor(self, alone: bool = False):  # type: ignore[no-untyped-def]
        from concurrent.futures import ThreadPoolExecutor

        class Executor(ThreadPoolExecutor):
            def submit(self, *words):  # type: ignore[no-untyped-def]
                done: Future[None] = Future()
                super().submit(*words).result()
                store = Store(words[1].store, "hw 1")
                (store.folder / f".{words[1].submission.id}.json.1-abcdef01.running").touch()
                done.set_exception(BrokenProcessPool())
                return done

        return Executor(1)


def test_a_result_counts_though_its_worker_never_said_so(tmp_path: Path, store: Store) -> None:
    batch = run_batch(tasks(tmp_path, {"a": "1\n", "b": "2\n"}), Forgetful())
    assert {name: each.status for name, each in batch.outcomes.items()} == {
        "a": "graded",
        "b": "graded",
    }
    assert batch.retried == []
    assert not list(store.folder.glob(".*.running"))


def test_workers_that_never_begin_are_said_to(tmp_path: Path, store: Store) -> None:
    (task,) = tasks(tmp_path, {"a": "1\n"})
    broken = GradingTask(task.submission, task.key, task.settings, task.store, Unreadable())
    with pytest.raises(EngineTrouble, match="workers die before they begin"):
        run_batch([broken], pool())


class Unreadable:
    """A judge that kills whoever unpickles it."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (1,)

    def __call__(self, submission: Submission, settings: Settings):  # type: ignore[no-untyped-def]
        raise NotImplementedError


def test_what_intake_refused_is_a_result_without_a_number(tmp_path: Path) -> None:
    (task,) = tasks(tmp_path, {"a": "1\n"})
    refused = Submission("a", "ada", {}, rejected="unsafe path", notes=("n",), ignored=("i",))
    result = refusal(GradingTask(refused, "k", task.settings, task.store, judge))
    assert (result.status, result.score, result.reason) == ("rejected", None, "unsafe path")
    assert (result.key, result.student, result.ignored) == ("k", "ada", ("i",))


# -- kill, and go on ------------------------------------------------------------------------------

GRADE = """\
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:4]
from stand_in import pool, tasks
from test_batch import FIFTY, left
from anonlab.grading.judging.batch import run_batch
from anonlab.grading.store.store import Store
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    store = Store(folder / "store", "hw 1")
    with store.locked(False, lambda _: True):
        print("begun", flush=True)
        run_batch(left(folder, FIFTY), pool())
"""


def grader(folder: Path) -> subprocess.Popen[bytes]:
    """Start a grader of FIFTY, in a process group of its own."""
    script = folder / "grade.py"
    script.write_text(GRADE, "utf-8")
    command = [sys.executable, str(script), str(folder), str(ROOT / "tests" / "support"),
               str(ROOT / "tests" / "grading")]  # fmt: skip
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, process_group=0)


def children(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for one in found:
        for path in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(each) for each in path.read_text().split()]
    return found


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def wait_for_some(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the grader has a result more, or has ended; then a little longer."""
    before = len(list(folder.glob("store/*/*.json")))
    wait_until(
        lambda: process.poll() is not None or len(list(folder.glob("store/*/*.json"))) > before,
        "the grader has no result",
    )
    time.sleep(SECRETS.uniform(0, 0.15))


def wait_for_results(folder: Path, more: int) -> None:
    """Wait until there are so many results more."""
    before = len(list(folder.glob("store/*/*.json")))
    wait_until(lambda: len(list(folder.glob("store/*/*.json"))) >= before + more, "no results")


def below(pid: int, called: bytes) -> list[int]:
    """The processes below one whose command line names `called`."""
    return [each for each in children(pid)[1:] if called in cmdline(each)]


def kill_workers(folder: Path, workers_now: Callable[[], list[int]], times: int) -> None:
    """Kill one of the workers there are so many times, each time after a result more."""
    for _ in range(times):
        wait_for_results(folder, 1)
        time.sleep(SECRETS.uniform(0, 0.1))
        if workers := workers_now():
            os.kill(SECRETS.choice(workers), signal.SIGKILL)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def end_soon(family: list[int]) -> None:
    """Fail if one of these processes stays; a busy machine takes its time to end them."""
    wait_until(lambda: not any(alive(pid) for pid in family), "workers outlive their grader")


def test_a_grader_that_is_killed_goes_on_where_it_was(
    tmp_path: Path, expected: dict[str, bytes]
) -> None:
    counts = []
    for _ in range(3):
        with grader(tmp_path) as process:
            wait_for_some(tmp_path, process)
            family = children(process.pid)
            process.kill()
        counts.append(len(kept(tmp_path)))
        end_soon(family)
    assert counts == sorted(counts)
    assert 0 < counts[0] < 50
    with grader(tmp_path) as process:
        assert process.wait(PATIENCE_S) == 0
    assert kept(tmp_path) == expected


def pool_workers() -> list[int]:
    return below(os.getpid(), b"spawn_main")


def test_workers_that_are_killed_all_at_once_cost_nothing(
    tmp_path: Path, store: Store, expected: dict[str, bytes]
) -> None:
    def kill() -> None:
        wait_for_results(tmp_path, 5)
        for pid in pool_workers():
            os.kill(pid, signal.SIGKILL)

    killer = Thread(target=kill, daemon=True)
    killer.start()
    assert len(run_batch(tasks(tmp_path, FIFTY), pool()).outcomes) == 50
    run_batch(left(tmp_path, FIFTY), pool())
    assert kept(tmp_path) == expected


def test_workers_that_are_killed_at_random_cost_nothing(
    tmp_path: Path, store: Store, expected: dict[str, bytes]
) -> None:
    killer = Thread(target=kill_workers, args=(tmp_path, pool_workers, 3), daemon=True)
    killer.start()
    batch = run_batch(tasks(tmp_path, FIFTY), pool())
    assert len(batch.outcomes) == 50
    run_batch(left(tmp_path, FIFTY), pool())  # a submission that was hit twice is graded next time
    assert kept(tmp_path) == expected


def test_ctrl_c_ends_at_once_and_keeps_what_was_graded(
    tmp_path: Path, expected: dict[str, bytes]
) -> None:
    with grader(tmp_path) as process:
        wait_for_some(tmp_path, process)
        family = children(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(PATIENCE_S)
    end_soon(family)
    assert 0 < len(kept(tmp_path)) < 50
    with grader(tmp_path) as process:
        assert process.wait(PATIENCE_S) == 0
    assert kept(tmp_path) == expected


def test_a_full_disk_is_one_clear_error_and_what_was_graded_is_kept(tmp_path: Path) -> None:
    answers = {**{f"s{at}": f"{at}\n" for at in range(9)}}
    store = Store(tmp_path / "store", "hw 1")
    with store.locked(False, lambda _: True):
        run_batch(tasks(tmp_path, answers), InThisProcess())
        answers |= {f"t{at}": f"{at}\n" for at in range(9)}
        with files_of(300), pytest.raises(StoreTrouble, match="what was graded is kept"):
            run_batch(left(tmp_path, answers), InThisProcess())
    assert list(kept(tmp_path)) == [f"s{at}" for at in range(9)]
    run_batch(left(tmp_path, answers), InThisProcess())
    assert len(kept(tmp_path)) == 18


SLOW = {"a": "1\n", "b": "sleep 600\n", "c": "sleep 600\n", "d": "2\n"}
OVER = "the time for all is over: 1 of 4 submissions were graded and are kept; the same command"


def test_when_the_time_is_over_nobody_works_on_and_what_was_graded_is_kept(
    tmp_path: Path, store: Store
) -> None:
    with pytest.raises(EngineTrouble, match=OVER):
        run_batch(tasks(tmp_path, SLOW), Pool(1), seconds=4)
    assert list(kept(tmp_path)) == ["a"]
    assert pool_workers() == []
    answers = dict.fromkeys(SLOW, "1\n")
    run_batch(left(tmp_path, answers), pool(), seconds=60)
    assert list(kept(tmp_path)) == list(SLOW)


def test_who_is_graded_alone_has_no_more_time_than_the_others(tmp_path: Path, store: Store) -> None:
    """It kills its worker the first time, and never ends the second."""
    answer = f"die {tmp_path / 'once'}\nsleep 600\n"
    with pytest.raises(EngineTrouble, match="0 of 1 submissions"):
        run_batch(tasks(tmp_path, {"a": answer}), pool(), seconds=4)
    assert (tmp_path / "once").exists()
    assert kept(tmp_path) == {}


# -- Dask -----------------------------------------------------------------------------------------

SCHEDULER = """\
import os, sys
sys.path[:0] = sys.argv[1:3]
import dask
from distributed import LocalCluster
# A task that has killed a worker is not given to the next, which may not be whole yet.
dask.config.set({"distributed.scheduler.allowed-failures": 0})
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None,
                      host="127.0.0.1", local_directory=sys.argv[3]) as cluster:
        pids = [each.pid for each in cluster.workers.values()]
        print(cluster.scheduler_address, *pids, flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """The address of a small Dask cluster on this machine, and the process that has it."""
    script = tmp_path / "cluster.py"
    script.write_text(SCHEDULER, "utf-8")
    command = [sys.executable, str(script), str(ROOT / "tests" / "support"),
               str(ROOT / "tests" / "grading"), str(tmp_path / "scratch")]  # fmt: skip
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        stderr=(tmp_path / "dask.log").open("w"),
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().split()[0], process.pid
        process.stdin.close()
        process.wait(PATIENCE_S)


def _state(dask_worker: Any) -> str:
    return str(dask_worker.status.name)


def pids_of(engine: Cluster) -> Callable[[], list[int]]:
    """What asks for the workers that a cluster has, once all of them are whole: of one that dies
    while it is starting its nanny takes no notice."""

    def whole() -> bool:
        states = engine.client.run(_state, nanny=True, on_error="ignore").values()
        return [*states] == ["running", "running"]

    def ask() -> list[int]:
        wait_until(whole, "the cluster has not two workers")
        found = engine.client.run(os.getpid, on_error="ignore")
        return [pid for pid in found.values() if isinstance(pid, int)]

    return ask


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_without_workers_is_not_waited_for(
    tmp_path: Path,
    store: Store,
    cluster: tuple[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("anonlab.grading.judging.engines.WITHOUT_WORKERS", 2)
    monkeypatch.setattr("anonlab.grading.judging.batch.WATCH", 0.5)
    engine = Cluster(cluster[0])
    try:
        engine.client.retire_workers()
        with pytest.raises(EngineTrouble, match="has had no workers for 2 s; what was graded is"):
            run_batch(tasks(tmp_path, {"a": "1\n"}), engine)
    finally:
        engine.close()


class Lossy:
    """An engine that does the work and loses the answer: its futures never end."""

    def __init__(self) -> None:
        self.watched = 0

    @contextmanager
    def executor(self, alone: bool = False) -> Iterator[Any]:
        yield self

    def submit(self, function: Callable[[GradingTask], Any], task: GradingTask) -> Future[Any]:
        function(task)
        return Future()

    def watch(self) -> None:
        self.watched += 1


def test_an_answer_that_is_lost_on_the_way_counts_once_it_is_in_the_store(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker of a cluster may die with results that it has computed and kept."""
    monkeypatch.setattr("anonlab.grading.judging.batch.WATCH", 0.05)
    engine = Lossy()
    batch = run_batch(tasks(tmp_path, {"a": "1\n", "b": "2\n"}), engine, seconds=60)
    assert {name: one.status for name, one in batch.outcomes.items()} == {
        "a": "graded",
        "b": "graded",
    }
    assert engine.watched == 1


@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_a_cluster_grades_like_a_pool_whoever_is_killed(
    tmp_path: Path, store: Store, cluster: tuple[str, int], expected: dict[str, bytes]
) -> None:
    engine = Cluster(cluster[0])
    try:
        engine.everywhere(os.getpid)
        killer = Thread(target=kill_workers, args=(tmp_path, pids_of(engine), 2), daemon=True)
        killer.start()
        answers = {**FIFTY, "killer": "die\n"}
        batch = run_batch(tasks(tmp_path, answers), engine)
    finally:
        engine.close()
    found = kept(tmp_path)
    assert b"ended its worker, twice" in found.pop("killer")
    assert batch.outcomes["killer"].status == "infra"
    killer.join()
    if found != expected:  # a submission that was hit twice is graded next time
        run_batch(left(tmp_path, FIFTY), pool())
    assert {**kept(tmp_path)} | {"killer": b""} == {**expected, "killer": b""}


@pytest.mark.filterwarnings("ignore")
def test_when_the_time_is_over_a_cluster_is_left_alone(
    tmp_path: Path, store: Store, cluster: tuple[str, int]
) -> None:
    engine = Cluster(cluster[0])
    begun = time.monotonic()
    try:
        with pytest.raises(EngineTrouble, match="of 4 submissions were graded and are kept"):
            run_batch(tasks(tmp_path, SLOW), engine, seconds=4)
    finally:
        engine.close()
    assert {"a"} <= {*kept(tmp_path)} <= {"a", "d"}
    assert time.monotonic() - begun < 60


@pytest.mark.filterwarnings("ignore")
def test_workers_with_another_anonlab_grade_nothing(
    cluster: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anonlab.grading.judging.engines.__version__", "9.9")
    engine = Cluster(cluster[0])
    try:
        with pytest.raises(EngineTrouble, match=r"the worker at tcp://\S+ has anonlab .* has 9\.9"):
            engine.everywhere(os.getpid)
    finally:
        engine.close()


@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonlab.grading.judging.engines.SECONDS", 0.5)
    with pytest.raises(EngineTrouble, match="no scheduler of Dask answers at tcp://127.0.0.1:9"):
        Cluster("tcp://127.0.0.1:9")


def test_without_distributed_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EngineTrouble, match=r"pip install 'anonlab\[dask\]'"):
        Cluster("tcp://127.0.0.1:9")


def test_a_pool_has_a_process_for_each_processor() -> None:
    assert Pool().jobs == len(os.sched_getaffinity(0))
