"""Recorded kernels judge everywhere: as an ordinary user, without Linux, where /proc hides all."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from linux_view import needs_full_view

from anonlab.errors import FormatError
from anonlab.formats.history_text import parse
from anonlab.formats.observation import PAGE, STATES, AreaSeen, PageSeen
from anonlab.formats.recording import OpEffect, Recording
from anonlab.linux.address_window import VERBS
from anonlab.linux.recordings import (
    load_recording,
    read,
    record_anew,
    record_to_file,
    shipped_recordings,
)
from anonlab.live.verify import compare_with_recording, division_lines

SHIPPED = dict(shipped_recordings())


@pytest.mark.parametrize("name", SHIPPED)
def test_the_model_equals_the_recorded_kernel(name) -> None:
    held = compare_with_recording(SHIPPED[name])
    assert held.failures == []
    assert held.missed == 0
    assert held.differs == held.copies


def test_recordings_hold_what_they_promise_and_no_traces_of_a_machine() -> None:
    for recording in SHIPPED.values():
        assert set(recording.kernel) == {"release", "machine", "page_size", "settings"}
        assert recording.kernel["release"].replace(".", "").isdigit()
        assert set(recording.kernel["settings"]) == {
            *("transparent_hugepage", "ksm", "page_cluster", "swap", "cpus"),
        }
        assert Recording.loads(recording.dumps()) == recording
        assert "/" not in recording.dumps()


def test_recordings_cover_every_verb_and_both_views() -> None:
    verbs = Counter(op.verb for each in SHIPPED.values() for op in each.history.ops)
    assert verbs.keys() == set(VERBS)
    sights = [effects.observation for each in SHIPPED.values() for effects in each.effects]
    states = {seen.state for observation in sights for seen in observation.values()}
    assert states == set(STATES)
    assert {recording.view for recording in SHIPPED.values()} == {"full", "weak"}


def test_the_group_is_told_operation_by_operation() -> None:
    held = compare_with_recording(load_recording("mremap_of_shared_pages"))
    assert next(iter(division_lines(held))) == (
        "operation 6, child mremap 0x30000 4 to 0x48000: copies 3 pages, 6 differ"
    )
    assert held.differs
    assert held.copies


def test_an_unknown_recording_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"there are .*who_gets_the_copy"):
        load_recording("nothing")


GOOD = Recording(
    {"release": "6.18.44"},
    "full",
    parse("a = spawn\na mmap 0x30000 1\na write 0x30000 1\n"),
    (
        OpEffect("", (), {}),
        OpEffect("", (), {}),
        OpEffect("", (), {("a", 48): PageSeen(PAGE, 1, 1, True, 1)}),
    ),
)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"version": 9}, "version 9 is not known here"),
        ({"format": "other"}, "expected an object with format"),
        ({"view": "blurred"}, "field 'view' is 'full' or 'weak', got 'blurred'"),
        ({"steps": []}, "3 operations and 0 steps"),
        ({"steps": [{}, {}, 7]}, "step 2 must be dict, got 7"),
        ({"steps": [{}, {"surprise": 1}, {}]}, "step 1: has no field 'surprise'"),
        ({"steps": [{}, {"pages": {"a": [[48, "gone"]]}}, {}]}, "step 1: a page is"),
        ({"steps": [{}, {"pages": {"a": [[48, "gone", 1, 1, None, 1]]}}, {}]}, "with a state of"),
        ({"steps": [{}, {"values": ["x"]}, {}]}, "step 1: a value must be int"),
        ({"steps": [{}, {"areas": {"a": [[48]]}}, {}]}, "step 1: a VMA is .start, end, prot"),
        ({"history": [1]}, "a history line must be str"),
        ({"history": ["a = spawn", "a eats"]}, "line 2: "),
        ({"kernel": 6}, "field 'kernel' must be dict"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_with_what_is_wrong(change, complaint) -> None:
    with pytest.raises(FormatError, match=complaint):
        Recording.from_json({**json.loads(GOOD.dumps()), **change})


def test_a_file_that_cannot_be_read_is_named(tmp_path) -> None:
    (tmp_path / "broken.json").write_text("{", "utf-8")
    with pytest.raises(ValueError, match=r"broken\.json: line 1: not JSON"):
        read(tmp_path / "broken.json")


def test_a_wrong_recording_is_found() -> None:
    """The judge fails the model if the kernel shows something else."""
    plain = json.loads(GOOD.dumps())
    assert compare_with_recording(Recording.from_json(plain)).ok
    plain["steps"][2]["pages"]["a"][0][3] = 2
    (failure,) = compare_with_recording(Recording.from_json(plain)).failures
    assert failure.endswith("a at 0x30000 has mapcount 1 here, 2 there\n")


@needs_full_view
def test_recordings_are_made_and_renewed_on_the_running_kernel(tmp_path) -> None:
    path = tmp_path / "one.json"
    made = record_to_file(GOOD.history, path)
    assert tuple(each._replace(areas=None) for each in made.effects) == GOOD.effects
    assert made.effects[1].areas == {"a": (AreaSeen(0x30, 0x31, "rw-"),)}
    assert record_anew(tmp_path) == 1
    assert read(path) == made
