"""Snapshots: immutable, compared by value, and every JSON is an equal snapshot or a clear error."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonlab.errors import FormatError
from anonlab.formats.snapshot import COLUMNS, Snapshot
from anonlab.histories.run import run
from anonlab.machine.words import LESSON, Geometry

STORY = """machine lesson frames 16 swap 4
libc = file 3
a = spawn
a mmap 0x30000 3
a write 0x30000 1 2
a mmap 0x40000 2 r file libc offset 1
a read 0x40000
b = fork a
a swap_out 0x30000
b read 0x30000
a mlock 0x31000 1
"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


def story() -> Snapshot:
    return run(STORY).kernel.snapshot()


def plain() -> dict[str, Any]:
    return json.loads(json.dumps(story().to_json()))


def test_columns_cannot_be_written_and_fields_cannot_be_set() -> None:
    snapshot = story()
    for name in COLUMNS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(snapshot, name)[:1] = 7
    with pytest.raises(AttributeError):
        snapshot.nframes = 7  # type: ignore[misc]


def test_everything_that_is_no_column_is_made_of_tuples_and_scalars() -> None:
    def frozen(value: object) -> bool:
        if isinstance(value, tuple):
            return all(map(frozen, value))
        return isinstance(value, int | str | bool | Geometry)

    snapshot = story()
    assert all(frozen(value) for name, value in vars(snapshot).items() if name not in COLUMNS)


def test_a_snapshot_does_not_change_when_the_machine_does() -> None:
    kernel = run(STORY).kernel
    before = kernel.snapshot()
    text = json.dumps(before.to_json())
    kernel.processes["b"].write(0x31000, 9)
    kernel.processes["a"].exit()
    assert json.dumps(before.to_json()) == text
    assert kernel.snapshot() != before


def test_only_what_is_in_use_is_kept_in_ascending_order() -> None:
    snapshot = story()
    assert snapshot.pfn.tolist() == sorted(snapshot.pfn.tolist())
    assert (snapshot.count > 0).all()
    assert (snapshot.word != 0).all()
    places = list(zip(snapshot.row.tolist(), snapshot.slot.tolist(), strict=True))
    assert places == sorted(places)
    assert (snapshot.swap_count > 0).all()
    assert snapshot.swap_slot.tolist() == [1]


def test_the_mapping_of_each_page_has_a_name() -> None:
    snapshot = story()
    names = dict(snapshot.mappings)
    assert {names[mapping] for mapping in snapshot.mapping.tolist() if mapping} == {
        "group 1",
        "file libc",
    }


def test_json_brings_back_an_equal_snapshot_with_the_same_types() -> None:
    snapshot, again = story(), Snapshot.from_json(plain())
    assert again == snapshot
    assert again.geometry is LESSON
    for name, value in vars(again).items():
        assert type(value) is type(getattr(snapshot, name)), name
    assert all(getattr(again, name).dtype == np.int64 for name in COLUMNS)
    assert again.mms[0].vmas[0].locked is snapshot.mms[0].vmas[0].locked


def test_a_geometry_of_ones_own_survives_json() -> None:
    own = Snapshot(design="x", nframes=4, geometry=Geometry(3, 5, "own"))
    assert Snapshot.from_json(own.to_json()).geometry == Geometry(3, 5, "own")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("pfn", [1, 2], "columns pfn, count, .* have unequal lengths"),
        ("slot", [], "columns row, slot, word have unequal lengths"),
        ("count", ["1"], "count must be a list of numbers"),
        ("word", [True], "word must be a list of numbers"),
        ("data", [1 << 63], "data has a number that is not int64"),
        ("design", 7, "design must hold str, got 7"),
        ("nframes", "16", "nframes must hold int"),
        ("nframes", True, "nframes must hold int"),
        ("processes", {}, "processes must hold a list"),
        ("processes", [["a", 1]], "processes wants 5 values"),
        ("mms", [[1, 1, ["a"], "group1", [[0, 1]]]], "mms wants 8 values"),
        ("mms", [[1, 1, "a", "group1", []]], "mms must hold a list, got 'a'"),
        ("files", [["libc", -1, 3, 0, []]], "files must hold bool, got 0"),
        ("mappings", [[1]], "mappings wants 2 values"),
        ("cost", [["nodes", 1.5]], "cost must hold int"),
        ("geometry", {"levels": 2, "bits": 4}, "geometry has levels, bits, name"),
        ("geometry", {"levels": 2.0, "bits": 4, "name": "lesson"}, "geometry must hold int"),
        ("geometry", {"levels": 0, "bits": 4, "name": "flat"}, "a geometry needs levels >= 1"),
    ],
)
def test_a_wrong_field_is_named_with_what_would_be_right(
    field: str, value: Any, words: str
) -> None:
    with pytest.raises(FormatError, match=words):
        Snapshot.from_json({**plain(), field: value})


@pytest.mark.parametrize("change", ["missing", "unknown"])
def test_a_snapshot_has_all_its_fields_and_no_others(change: str) -> None:
    wrong = plain()
    wrong.pop("word") if change == "missing" else wrong.update(colour=3)
    with pytest.raises(FormatError, match="a snapshot has the fields"):
        Snapshot.from_json(wrong)


@given(st.sampled_from(sorted(plain())), JSON)
@settings(max_examples=300, derandomize=True, deadline=None)
def test_any_value_in_any_field_is_read_exactly_or_refused(field: str, value: Any) -> None:
    given_plain = {**plain(), field: value}
    try:
        snapshot = Snapshot.from_json(given_plain)
    except FormatError:
        return
    assert json.dumps(snapshot.to_json(), sort_keys=True) == json.dumps(given_plain, sort_keys=True)
