"""The store holds each result whole, once, and under the key of all that decides it."""

from __future__ import annotations

import contextlib
import errno
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from classroom import MASTERS, ONE, RIGHT, put
from hypothesis import given
from hypothesis import strategies as st
from project import ROOT

from anonlab.errors import FormatError
from anonlab.grading.intake.submission import Settings, Submission
from anonlab.grading.store.keys import Common, shard_of
from anonlab.grading.store.result import STATUSES, STUDENTS_DOING, Result
from anonlab.grading.store.result import TestResult as Verdict
from anonlab.grading.store.store import (
    Locked,
    Store,
    StoreTrouble,
    VerdictChange,
    read_result,
    result_bytes,
)

text = st.text(st.characters(exclude_categories=[]), max_size=20)
points = st.none() | st.integers(0, 40).map(lambda quarters: quarters / 4)
verdicts = st.builds(
    Verdict,
    exercise=st.sampled_from(["04a", "05a"]),
    test=text,
    title=text,
    hidden=st.booleans(),
    status=st.sampled_from([*STUDENTS_DOING, "infra"]),
    points=points,
    most=st.just(10.0),
    hint=text,
    shown=st.dictionaries(text, text, max_size=2),
    private=st.dictionaries(text, st.none() | st.integers() | text, max_size=2),
)
results = st.builds(
    Result,
    submission=st.from_regex(r"[a-z0-9][a-z0-9.]{0,5}\Z"),
    student=text,
    assignment=text,
    key=text,
    status=st.sampled_from(STATUSES),
    tests=st.lists(verdicts, max_size=3).map(tuple),
    reason=text,
    ignored=st.lists(text, max_size=2).map(tuple),
    notes=st.lists(text, max_size=2).map(tuple),
    official=st.booleans(),
    timing=st.dictionaries(text, st.floats(0, 99), max_size=2),
)


def made(
    score: float | None = 3.0, status: str = "graded", key: str = "k", **more: object
) -> Result:
    verdict = "infra" if score is None else "fail"
    test = Verdict("04a", "test_it", "It", False, verdict, score, 10.0)
    return replace(Result("bob", "bob", "hw", key, status, (test,)), **more)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    kept = Store(tmp_path / "store", "hw")
    with kept.locked(False, lambda _: True):
        yield kept


@given(results)
def test_every_result_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, result: Result
) -> None:
    path = tmp_path_factory.mktemp("store") / "x.json"
    path.write_bytes(result_bytes(result))
    assert read_result(path) == result


def test_scores_that_are_none_and_zero_stay_apart(store: Store) -> None:
    kept = {}
    for name, result in {
        "zero": made(0.0),
        "missing": made(0.0, "missing"),
        "unchanged": made(0.0, "unchanged"),
        "infra": made(None, "infra"),
        "rejected": made(status="rejected", tests=()),
    }.items():
        store.put(replace(result, submission=name))
        back = store.get(name)
        assert back is not None
        kept[name] = (back.status, back.score)
    assert kept == {
        "zero": ("graded", 0.0),
        "missing": ("missing", None),
        "unchanged": ("unchanged", 0.0),
        "infra": ("infra", None),
        "rejected": ("rejected", None),
    }


def test_only_the_durations_may_differ(store: Store) -> None:
    one, other = (result_bytes(made(timing={"seconds": each})) for each in (1.5, 2.5))
    lines = list(zip(one.split(b"\n"), other.split(b"\n"), strict=True))
    assert [pair for pair in lines if pair[0] != pair[1]] == [
        (b' "timing": {"seconds": 1.5}', b' "timing": {"seconds": 2.5}')
    ]
    assert result_bytes(made()).startswith(b"{\n")


def test_a_finished_result_counts_under_its_key_alone(store: Store) -> None:
    store.put(made())
    assert store.finished("bob", "k") == made()
    assert store.finished("bob", "other") is None
    assert store.finished("eve", "k") is None


def test_trouble_of_the_grader_is_not_finished(store: Store) -> None:
    store.put(made(None, "infra"))
    assert store.finished("bob", "k") is None
    store.put(made(key="k2"))
    assert store.get("bob") == made(key="k2")


def test_a_regrade_is_told_before_it_replaces_anything(store: Store) -> None:
    store.put(made(3.0))
    store.put(made(7.0, key="k2"))
    assert store.get("bob") == made(3.0)
    assert store.finished("bob", "k2") == made(7.0, key="k2")
    told = [VerdictChange("bob", "04a test_it", "fail, 3 of 10", "fail, 7 of 10")]
    assert store.changes({"bob": "k2"}) == told
    store.publish({"bob": "k2"})
    assert store.get("bob") == made(7.0, key="k2")
    assert (store.folder / "regrades.csv").read_text("utf-8") == (
        'submission,test,old,new\nbob,04a test_it,"fail, 3 of 10","fail, 7 of 10"\n'
    )
    store.put(made(7.0, key="k3"))
    assert store.changes({"bob": "k3"}) == []
    store.publish({"bob": "k3"})
    assert store.get("bob") == made(7.0, key="k3")


def test_a_regrade_under_another_key_is_forgotten(store: Store) -> None:
    store.put(made(3.0))
    store.put(made(7.0, key="k2"))
    store.publish({"bob": "k3"})
    assert store.get("bob") == made(3.0)


def test_a_change_of_status_is_a_change(store: Store) -> None:
    store.put(made(3.0))
    store.put(made(status="rejected", key="k2", tests=()))
    assert store.changes({"bob": "k2"}) == [
        VerdictChange("bob", "", "graded", "rejected"),
        VerdictChange("bob", "04a test_it", "fail, 3 of 10", ""),
    ]


def test_a_damaged_file_is_graded_again_and_a_newer_one_refused(store: Store) -> None:
    store.path("bob").write_bytes(result_bytes(made())[:50])
    assert store.get("bob") is None
    newer = result_bytes(made()).replace(b'"version": 1', b'"version": 2')
    store.path("bob").write_bytes(newer)
    for ask in (
        lambda: store.get("bob"),
        lambda: store.put(made()),
        lambda: store.finished("bob", "k"),
    ):
        with pytest.raises(
            FormatError, match=r"results of version 2, this anonlab knows version 1"
        ):
            ask()
    assert store.path("bob").read_bytes() == newer


@pytest.mark.parametrize("plain", [[], {}, {"format": "other"}, {"format": "anonlab-grade"}, 3])
def test_what_is_no_result_is_refused(tmp_path: Path, plain: object) -> None:
    (tmp_path / "x.json").write_text(json.dumps(plain))
    with pytest.raises(FormatError, match="is no result of grading"):
        read_result(tmp_path / "x.json")


def test_half_written_files_go_at_the_start_but_only_ones_own(tmp_path: Path) -> None:
    store = Store(tmp_path, "hw")
    left = [store.folder / f".{name}.json.123-abcd.{kind}"
            for name in ("a", "b.json") for kind in ("tmp", "running")]  # fmt: skip
    put(store.folder, {path.name: "{" for path in left})
    with store.locked(True, lambda name: name == "a"):
        assert [path.exists() for path in left] == [False, False, True, True]
    with store.locked(False, lambda _: True):
        assert not any(path.exists() for path in left)


def test_two_graders_of_one_store_are_one_too_many(store: Store) -> None:
    other = Store(store.folder.parent, "hw")
    for shared in (False, True):
        with (
            pytest.raises(Locked, match=rf"in use by process {os.getpid()} on .*: wait for it"),
            other.locked(shared, lambda _: True),
        ):
            pass


def test_shards_share_a_store_and_keep_others_out(tmp_path: Path) -> None:
    stores = [Store(tmp_path, "hw") for _ in range(3)]
    with (
        stores[0].locked(True, lambda _: True),
        stores[1].locked(True, lambda _: True),
        pytest.raises(Locked),
        stores[2].locked(False, lambda _: True),
    ):
        pass
    with stores[2].locked(False, lambda _: True):
        pass


def test_a_killed_grader_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from anonlab.grading.store.store import Store\n"
        "with Store(Path(sys.argv[1]), 'hw').locked(False, lambda _: True):\n"
        "    print('here', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"here\n"
        with pytest.raises(Locked, match=f"process {other.pid}"):
            Store(tmp_path, "hw").locked(False, lambda _: True).__enter__()
        other.kill()
    with Store(tmp_path, "hw").locked(False, lambda _: True):
        pass


def write_for_ever(folder: Path, size: int) -> None:
    store, at = Store(folder, "hw"), 0
    while True:
        store.put(made(float(at % 10), reason="x" * size, submission=f"s{at % 7}"))
        at += 1


def test_a_writer_that_is_killed_leaves_no_damaged_result(tmp_path: Path) -> None:
    store = Store(tmp_path, "hw")
    context = multiprocessing.get_context("forkserver")
    for delay in (0.0, 0.003, 0.01, 0.02, 0.05):
        with store.locked(False, lambda _: True):
            writer = context.Process(target=write_for_ever, args=(tmp_path, 300_000))
            writer.start()
            while not list(store.folder.glob("s?.json")):
                writer.join(0.002)
            writer.join(delay)
            writer.kill()
            writer.join()
            for path in store.folder.glob("s?.json"):
                assert read_result(path).tests[0].points is not None
    with store.locked(False, lambda _: True):
        assert not list(store.folder.glob(".*.tmp"))


@contextlib.contextmanager
def files_of(most_bytes: int) -> Iterator[None]:
    """No file can grow beyond this: a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_result_that_cannot_be_written_leaves_the_old_one(store: Store) -> None:
    store.put(made(None, "infra"))
    with files_of(300), pytest.raises(StoreTrouble, match=r"bob\.json cannot be written .*kept"):
        store.put(made(reason="x" * 1000))
    assert store.get("bob") == made(None, "infra")
    assert not list(store.folder.glob(".*.tmp"))


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_whatever_fails_in_writing_is_one_sentence(
    store: Store, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreTrouble, match=rf"bob\.json cannot be written \({os.strerror(code)}\)"):
        store.put(made())
    assert not list(store.folder.glob("*.json")) + list(store.folder.glob(".*.tmp"))


def test_a_store_that_is_no_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    store = Store(tmp_path / "store", "hw")
    with pytest.raises(StoreTrouble, match="Not a directory"), store.locked(False, lambda _: True):
        pass


def test_no_two_assignments_share_a_folder(tmp_path: Path) -> None:
    names = ("hw 1", "hw-1", "hw/1", "../hw 1", "..", "", "hw" * 99)
    folders = {Store(tmp_path, name).folder for name in names}
    assert len(folders) == len(names)
    assert all(folder.parent == tmp_path and folder.name for folder in folders)


# -- keys -----------------------------------------------------------------------------------------


def key(folder: Path, settings: Settings, content: str = "x = 1\n", **more: object) -> str:
    put(folder / "files", {ONE: content})
    submission = Submission("bob", "bob", {"04a": folder / "files" / ONE})
    return Common.of(settings, MASTERS).key(replace(submission, **more))  # type: ignore[arg-type]


def test_a_key_is_of_all_that_decides_and_nothing_else(tmp_path: Path) -> None:
    base = Settings(ROOT, "hw", {"04a": 10}, "secret")
    same = key(tmp_path, base)
    assert key(tmp_path, base, id="other", student="eve", notes=("x",)) == same
    others = [
        key(tmp_path, base, RIGHT[ONE]),
        key(tmp_path, base, rejected="unsafe path"),
        key(tmp_path, replace(base, secret="other")),
        key(tmp_path, replace(base, points={"04a": 11})),
        key(tmp_path, replace(base, call_seconds=4.0)),
        key(tmp_path, replace(base, box_seconds=4.0)),
        key(tmp_path, replace(base, in_process=True)),
        key(tmp_path, replace(base, variants=True)),
        key(tmp_path, replace(base, variants=True), student="eve"),
        key(tmp_path, replace(base, assignment="other")),
    ]
    assert len({same, *others}) == 1 + len(others)
    assert "secret" not in same


@pytest.mark.parametrize("part", ["solutions", "tests/exercises/public", "tests/exercises/hidden"])
def test_a_changed_test_or_reference_changes_the_key(tmp_path: Path, part: str) -> None:
    course = tmp_path / "course"
    for name in ("solutions", "tests/exercises/public", "tests/exercises/hidden"):
        for path in (ROOT / name).glob("*.py"):
            put(course, {f"{name}/{path.name}": path.read_bytes()})
    settings = Settings(course, "hw", {"04a": 10})
    before = key(tmp_path, settings)
    (changed,) = (course / part).glob("*ex04a_*.py")
    changed.write_text(changed.read_text("utf-8") + "# more\n", "utf-8")
    assert key(tmp_path, settings) != before


@given(st.text(max_size=9), st.integers(1, 50))
def test_each_submission_is_in_one_shard(name: str, shards: int) -> None:
    assert 0 <= shard_of(name, shards) < shards
    assert shard_of(name, 1) == 0


def test_a_shard_is_the_same_for_ever() -> None:
    assert [shard_of(name, 7) for name in ("ada", "bob", "007")] == [4, 2, 0]
