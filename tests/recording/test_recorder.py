"""Traces: labelled steps, immutable snapshots, JSON; and recording changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from anonlab import (
    FormatError,
    Kernel,
    Recorder,
    SegmentationFault,
    Trace,
    check,
    operations,
    record,
    run,
)
from anonlab.formats.labels import LABELS
from anonlab.formats.snapshot import COLUMNS, Snapshot
from anonlab.histories import library
from anonlab.histories.generate import generate
from anonlab.histories.run import apply, make_kernel, op_text

EVERYTHING = """machine lesson frames 40 swap 8
f = file 4
a = spawn
a execve sh
a mmap 0x30000 4
a write 0x30000 1 2
a read 0x32000
a mmap 0x40000 3 rw file f
a read 0x40000
a write 0x41000 5
a mmap 0x50000 2 shared
a write 0x50000 6
a brk 0x12000
b = fork a
b write 0x30000 9
a write 0x30000 8
b mremap 0x30000 4 to 0x80000
v = vfork a
v exit
t = clone_vm a
t exit
a swap_out 0x31000
a read 0x31000
a mlock 0x50000 1
a munlock 0x50000 1
a pin 0x30000
a unpin 0x30000
a mprotect 0x30000 1 r
a madvise 0x30000 1 dontneed
a munmap 0x40000 1
a mremap 0x32000 1 to 0x50000
a write 0xfd000 3
truncate f 1
reclaim 1
b exit
c = fork a
c mmap 0x90000 1
c write 0x90000 4
d = fork c
d mremap 0x90000 1 to 0xa0000
d swap_out 0xa0000
c swap_out 0x90000
e = fork c
e mremap 0x90000 1 to 0xb0000
c read 0x90000
e read 0xb0000
swapoff
"""


@pytest.fixture(scope="module")
def everything() -> Trace:
    return record(EVERYTHING, title="everything")


def test_no_operation_of_the_long_history_fails(everything: Trace):
    assert [step.error for step in everything.steps if step.error] == []


def test_every_label_of_the_catalogue_is_met(everything: Trace):
    assert {step.label for step in everything.steps} == set(LABELS)


def test_a_label_without_a_dot_ends_its_operation(everything: Trace):
    for step in everything.steps:
        assert step.level == ("sub" if "." in step.label else "op")
    numbers = [step.operation for step in operations(everything)]
    assert numbers == list(range(-1, EVERYTHING.count("\n") - 1))


def test_sentences_are_filled_in_and_singular_where_they_should_be(everything: Trace):
    for step in everything.steps:
        assert not set("{}[]|") & set(step.sentence), step.sentence
        assert " 1 pages" not in f" {step.sentence}", step.sentence
        assert step.sentence.endswith((".", "?"))


def test_the_last_snapshot_of_an_operation_is_the_state_after_it():
    kernel = Kernel()
    with Recorder(kernel) as recorder:
        shell = kernel.spawn("shell")
        heap = shell.mmap(8192, at=0x30000)
        shell.write(heap, 7)
        assert recorder.trace().steps[-1].snapshot == kernel.snapshot()
        shell.fork("child")
        assert recorder.trace().steps[-1].snapshot == kernel.snapshot()


@pytest.mark.parametrize("name", library.names())
def test_recording_changes_nothing(name: str):
    history = library.load(name)
    assert record(history).steps[-1].snapshot == run(history).kernel.snapshot()


@pytest.mark.parametrize("seed", range(4))
def test_recorded_and_unrecorded_runs_agree_after_every_operation(seed: int):
    history = generate(seed, 100, frames=16, swap=12, faulty=0.2)
    kernel = make_kernel(history)
    last = operations(record(history))[1:]
    assert len(last) == len(history.ops)
    for op, step in zip(history.ops, last, strict=True):
        outcome = apply(kernel, op)
        assert step.snapshot == kernel.snapshot(), step.text
        assert step.error == outcome.error
        assert step.text == op_text(op)


@pytest.mark.parametrize("seed", range(4))
def test_a_failed_operation_has_one_step_with_its_error_and_nothing_changed(seed: int):
    trace = record(generate(seed, 100, frames=16, swap=12, faulty=0.3))
    failed = [at for at, step in enumerate(trace.steps) if step.error]
    assert failed
    for at in failed:
        before, step = trace.steps[at - 1], trace.steps[at]
        assert (before.level, before.operation) == ("op", step.operation - 1)
        assert step.sentence == step.error
        assert replace(step.snapshot, cost=()) == replace(before.snapshot, cost=())


@pytest.mark.parametrize("seed", range(4))
def test_steps_of_random_histories_are_well_formed(seed: int):
    steps = record(generate(seed, 100, "x86_64", frames=20, swap=12)).steps
    for before, step in pairwise(steps):
        assert step.operation == before.operation + (before.level == "op")
        assert step.label in LABELS
        assert (step.title, step.source) == (LABELS[step.label].title, LABELS[step.label].source)
        assert list(step.vpns) == sorted(set(step.vpns))
        assert step.process == "" or step.process in {p.name for p in step.snapshot.processes}


def test_a_fork_that_fails_is_told_of_the_parent():
    trace = record("machine lesson frames 9 swap 0 tables 2\na = spawn\nb = spawn\nc = fork a\n")
    assert (trace.steps[-1].label, trace.steps[-1].process) == ("fork", "a")
    assert trace.steps[-1].error.startswith("a: ENOMEM: fork needs 1 page-table page, 0 of 2")


def test_a_recorder_that_has_ended_hears_nothing_more():
    kernel = Kernel()
    with Recorder(kernel) as recorder:
        shell = kernel.spawn("shell")
    shell.mmap(4096)
    assert [step.label for step in recorder.trace().steps] == ["start", "spawn"]


def test_a_recorder_ends_also_when_an_operation_fails():
    kernel = Kernel()
    with pytest.raises(SegmentationFault), Recorder(kernel) as recorder:
        kernel.spawn("shell").read(0x30000)
    assert kernel.recorder is None
    assert [step.label for step in recorder.trace().steps] == ["start", "spawn"]


@pytest.mark.parametrize(
    ("history", "sentence"),
    [
        ("f = file 1\n", "There is now a file f of 1 page."),
        ("f = file 2\n", "There is now a file f of 2 pages."),
        ("a = spawn\na brk 0\n", "The heap of a ends at 0x10000 now."),
        ("a = spawn\na brk 0x12000\n", "The heap of a ends at 0x12000 now."),
        ("a = spawn\na mmap 0x30000 3\na madvise 0x30000 3 dontneed\n",
         "a drops what it had from 0x30000 on: 0 pages are no longer mapped."),
        ("f = file 1\ntruncate f 9\n",
         "f has a new length; pages beyond its end are gone from every process."),
    ],
)  # fmt: skip
def test_the_last_sentence_says_what_happened(history: str, sentence: str):
    assert record(history).steps[-1].sentence == sentence


def test_snapshots_cannot_be_changed(everything: Trace):
    snapshot = everything.steps[-1].snapshot
    for name in COLUMNS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(snapshot, name)[...] = 1
    with pytest.raises(AttributeError):
        snapshot.nframes = 3  # type: ignore[misc]


def test_a_failed_operation_ends_with_its_error_and_the_state_before_it():
    trace = record("a = spawn\na mmap 0x30000 1\na write 0x50000 1\n")
    last, before = trace.steps[-1], trace.steps[-2]
    assert last.level == "op"
    assert "SIGSEGV: write to 0x50000: no VMA there" in last.error
    assert last.snapshot == before.snapshot


def test_json_brings_back_an_equal_trace(everything: Trace):
    again = Trace.loads(everything.dumps())
    assert again.dumps() == everything.dumps()
    assert again.steps[7].snapshot == everything.steps[7].snapshot
    assert record(EVERYTHING, title="everything").dumps() == everything.dumps()


@pytest.mark.parametrize("seed", range(3))
def test_json_brings_back_random_snapshots(seed: int):
    kernel = run(generate(seed, 120)).kernel
    check(kernel)
    plain = json.loads(json.dumps(kernel.snapshot().to_json()))
    assert Snapshot.from_json(plain) == kernel.snapshot()
    assert all(getattr(Snapshot.from_json(plain), name).dtype == np.int64 for name in COLUMNS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 99}, "version 99 is not known here; this anonlab reads version 2"),
        ({"version": 1}, "version 1 is not known here; this anonlab reads version 2"),
        ({"format": "other"}, "expected an object with format 'anonlab-trace', got 'other'"),
        ({"title": 7}, "field 'title' must be str"),
        ({"steps": [{}]}, "step 0: field 'label' must be str"),
    ],
)
def test_what_is_no_trace_is_refused_with_what_would_be_right(everything, change, words):
    plain = {**everything.to_json(), **change}
    with pytest.raises(FormatError, match=words):
        Trace.from_json(plain)


def test_a_cut_off_file_is_refused_with_its_line(everything: Trace, tmp_path: Path):
    with pytest.raises(FormatError, match="line 1: not JSON"):
        Trace.loads(everything.dumps()[:-9])


def test_a_snapshot_with_a_missing_field_is_refused():
    plain = Kernel().snapshot().to_json()
    del plain["mapcount"]
    with pytest.raises(FormatError, match="a snapshot has the fields"):
        Snapshot.from_json(plain)
