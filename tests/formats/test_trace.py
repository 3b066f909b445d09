"""Traces as JSON: equal traces give equal bytes, and what is no trace is refused with a reason."""

from __future__ import annotations

import copy
import itertools
import json
import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from anonlab import Kernel
from anonlab.errors import FormatError
from anonlab.formats.labels import LABELS, sentence
from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import TRACE_VERSION, Trace
from anonlab.histories import library
from anonlab.histories.generate import generate
from anonlab.recording.recorder import record

SHORT = "a = spawn\na mmap 0x30000 2\na write 0x30000 1 2\na write 0x50000 1\nb = fork a\n"


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return record(SHORT, title="short").to_json()


@pytest.mark.parametrize("name", library.names())
def test_traces_of_the_library_come_back_and_are_the_same_bytes_again(name: str) -> None:
    text = record(library.load(name)).dumps()
    assert Trace.loads(text).dumps() == text
    assert record(library.load(name)).dumps() == text


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("geometry", ["lesson", "x86_64"])
def test_traces_of_random_histories_come_back(seed: int, geometry: str) -> None:
    text = record(generate(seed, 60, geometry, faulty=0.2)).dumps()
    assert Trace.loads(text).dumps() == text


def test_a_trace_that_comes_back_is_equal_step_by_step(plain: dict[str, Any]) -> None:
    trace, again = record(SHORT, title="short"), Trace.from_json(plain)
    assert again == trace
    assert [type(step.vpns) for step in again.steps] == [tuple] * len(again.steps)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["format"], "anonlab-history", "expected an object with format 'anonlab-trace'"),
        (["format"], None, "expected an object with format 'anonlab-trace', got None"),
        (["version"], TRACE_VERSION + 1, "version 4 is not known here; this anonlab reads version"),
        (["version"], "1", "version '1' is not known here"),
        (["title"], None, "trace: field 'title' must be str, got None"),
        (["steps"], {}, "trace: field 'steps' must be list"),
        (["steps", 1], [], "step 1: a step is an object, not list"),
        (["steps", 2, "operation"], True, "step 2: field 'operation' must be int, got True"),
        (["steps", 2, "label"], 7, "step 2: field 'label' must be str, got 7"),
        (["steps", 2, "vpns"], "30", "step 2: field 'vpns' must be list"),
        (["steps", 2, "vpns"], ["0x30"], "step 2: field 'vpns' must hold page numbers"),
        (["steps", 0, "snapshot"], 3, "step 0: field 'snapshot' must be dict"),
        (["steps", 0, "snapshot", "pfn"], [[1]], "pfn must be a list of numbers"),
        (["steps", 2, "changes"], 3, "step 2: field 'changes' must be dict"),
        (["steps", 2, "changes", "colour"], [], "step 2: changes have no field 'colour'"),
        (["steps", 2, "changes", "frames"], 3, "step 2: changes of frames must be a list"),
        (["steps", 2, "changes", "frames"], [7], r"changes of frames are \[position, value\]"),
        (["steps", 2, "changes", "frames"], [[448, 1]], "frames have positions below 448"),
        (["steps", 2, "changes", "swap"], [[3, 1], [2, 1]], "swap have positions below 51, asc"),
        (["steps", 2, "changes", "words"], [[1 << 40, 1]], "words have positions below"),
        (["steps", 2, "changes", "words"], [[1, 1 << 63]], "a number that is not int64"),
        (["steps", 2, "changes", "cost"], [1], "changes have 15 numbers as cost"),
        (["steps", 2, "changes", "cost"], ["1"] * 15, "cost must hold int"),
        (
            ["steps", 2, "changes", "mms"],
            [[1, 1, []]],
            r"mms are \[start, removed, facts\] inside 1",
        ),
        (["steps", 2, "changes", "mms"], [[0, 1, [[1]]]], "mms wants 5 values"),
        (["steps", 0], {"changes": {}}, "step 0: field 'label' must be str"),
    ],
)
def test_what_is_no_trace_is_refused_by_place_and_with_what_would_be_right(
    plain: dict[str, Any], path: list[Any], value: Any, words: str
) -> None:
    wrong = copy.deepcopy(plain)
    inner = wrong
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(FormatError, match=words):
        Trace.from_json(wrong)


def test_changes_without_a_step_before_them_are_refused(plain: dict[str, Any]) -> None:
    wrong = {**plain, "steps": plain["steps"][1:]}
    with pytest.raises(FormatError, match="step 0: changes need a step before them"):
        Trace.from_json(wrong)


def test_a_trace_that_an_older_anonlab_wrote_is_read_and_written_as_today() -> None:
    """Written by version 2, with a whole snapshot in every step."""
    text = (Path(__file__).parent / "data" / "trace_version_2.json").read_text("utf-8")
    assert json.loads(text)["version"] == 2
    old = Trace.loads(text)
    whole = [Snapshot.from_json(step["snapshot"]) for step in json.loads(text)["steps"]]
    assert [step.snapshot for step in old.steps] == whole
    assert [step.snapshot.walks for step in old.steps] == [each.walks for each in whole]
    new = record(
        "machine lesson frames 8 swap 2\na = spawn\na mmap 0x30000 1\na write 0x30000 7\n"
        "b = fork a\nb write 0x30000 8\na swap_out 0x30000\na write 0x50000 1\n",
        title="written by version 2",
    )
    assert reworded(old) == reworded(new)
    assert Trace.loads(old.dumps()) == old
    assert len(new.dumps()) < len(text) / 2


def reworded(trace: Trace) -> list[dict[str, Any]]:
    """The steps as they are written, without their sentences: their words are not the format."""
    steps: list[dict[str, Any]] = trace.to_json()["steps"]
    return [{**one, "sentence": ""} for one in steps]


def test_a_snapshot_made_by_hand_comes_back_as_it_is() -> None:
    """Frames in any order, or of count 0: such a state has no place in a log of changes."""
    kernel = Kernel()
    kernel.spawn("a").execve("sh")
    taken = kernel.snapshot()
    odd = replace(taken, **{name: getattr(taken, name)[::-1].copy() for name in ("pfn", "data")})
    steps = record(SHORT).steps
    trace = Trace("by hand", (steps[0], replace(steps[1], snapshot=odd), *steps[2:]))
    again = Trace.loads(trace.dumps())
    assert again == trace
    assert again.steps[1].snapshot.pfn.tolist() == odd.pfn.tolist()


@pytest.mark.parametrize("name", ["label", "operation", "vpns", "snapshot", "error"])
def test_a_step_without_one_of_its_fields_is_refused(plain: dict[str, Any], name: str) -> None:
    wrong = copy.deepcopy(plain)
    del wrong["steps"][0][name]
    with pytest.raises(FormatError, match=f"step 0: field '{name}'"):
        Trace.from_json(wrong)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: not JSON"),
        ('{"format":\n"anonlab-trace",\n', "line 3: not JSON"),
        ("[" * 100_000, "too deep"),
        ('{"a": ' + "9" * 5000 + "}", "not a file of anonlab"),
        ("7", "expected an object with format 'anonlab-trace', got 'int'"),
        ("null", "expected an object"),
    ],
)
def test_text_that_is_no_trace_is_refused(text: str, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        Trace.loads(text)


def test_a_file_cut_off_anywhere_is_refused(plain: dict[str, Any]) -> None:
    text = json.dumps(plain)
    for end in random.Random(1).sample(range(len(text)), 40):
        with pytest.raises(FormatError):
            Trace.loads(text[:end])


# Labels


def test_sentences_are_whole_for_any_number_of_pages() -> None:
    for label, n in itertools.product(LABELS, (0, 1, 2)):
        text = sentence(LABELS[label].sentence, "shell", "0x30000", "0x31000", n, "rw-")
        assert not set(text) & set("{}[]|"), label
        assert "  " not in text, label
        begins = text[0].isupper() or text[0].isdigit() or text.startswith(("shell", "rw-"))
        assert begins, label
        assert text.endswith("."), label
        words = text.replace(".", " ").replace(":", " ").split()
        for number, noun in pairwise(words):
            if number.isdigit() and noun.rstrip("s") in ("page", "frame", "PTE"):
                assert noun.endswith("s") == (n != 1), text


MAIL = {
    'an "execve()" creates a new "anon memory group"',
    "adds the new mm to the mm list for that anon memory group",
    "and drops the old one",
    "each anonymous page is associated with exactly _one_ virtual address",
    "look up page using the inode vma list",
    "if (PageAnonymous(page) && page->count > 1)",
    "copy_page(page, newpage)",
    "page->index = address >> PAGE_SHIFT",
}
"""Fragments of the mail of 13 March 2004, copied from it letter by letter."""


def test_what_labels_quote_from_the_mail_are_the_words_of_the_mail() -> None:
    quoted = {
        part.partition("”")[0] for label in LABELS.values() for part in label.source.split("“")[1:]
    }
    assert quoted == MAIL


def test_every_quotation_says_that_it_is_of_the_mail() -> None:
    for label in LABELS.values():
        assert ("“" in label.source) == label.source.startswith("mail of 13 March 2004: “")
        assert label.source or label.title == "start"
