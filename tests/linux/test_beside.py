"""A history on the simulated machine and on a kernel, told operation by operation for learners."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from linux_view import needs_full_view, needs_some_view
from project import ROOT

from anonlab.course.judging.call_answers import load_tests
from anonlab.formats.history_text import format as format_history
from anonlab.formats.recording import Recording
from anonlab.linux.pagemap import Access
from anonlab.linux.recordings import load_recording, shipped_recordings
from anonlab.live import compare as comparer
from anonlab.live import copies
from anonlab.live import own_pagemap as own
from anonlab.live import page_cache_rules as cached
from anonlab.live import source as asked
from anonlab.live.own_pagemap import own_pagemap_words
from anonlab.live.programs import trace_and_replay
from anonlab.live.source import LiveOrRecorded, ask_running_kernel, live_or_recorded
from anonlab.live.steps import GROUP, RULES, TODAY, compare_steps
from anonlab.live.verify import compare_with_recording

SHIPPED = dict(shipped_recordings())
LESSONS = [name for name in SHIPPED if not re.search("random|odd|borders", name)]
COMPARED = [
    name
    for name in LESSONS
    if not any(op.verb in ("swap_out", "pin") for op in SHIPPED[name].history.ops)
]
"""With the anon memory group."""


@pytest.mark.parametrize("name", SHIPPED)
def test_every_recording_is_told_as_it_is_judged(name) -> None:
    """The same operations differ, by the same rules, as when histories are held in bulk."""
    told = compare_steps(LiveOrRecorded(SHIPPED[name], live=False))
    held = compare_with_recording(SHIPPED[name])
    assert told.unexplained == 0
    of_the_group = {"merged_vmas", "several_vmas", "half_range"}
    assert set(told.explained) == {rule for rule, n in held.explained.items() if n} - of_the_group
    assert told.explained.keys() <= RULES.keys()


@pytest.mark.parametrize("name", COMPARED)
def test_the_group_differs_from_the_first_copy_on_and_not_before(name) -> None:
    told = compare_steps(LiveOrRecorded(SHIPPED[name], live=False), GROUP)
    assert told.unexplained == 0
    first = [s.number for s in told.steps if "mremap_copy" in s.rules]
    assert bool(told.differ) == bool(first)
    assert told.differ[:1] == tuple(first[:1])
    for step in told.steps:
        if step.number < (first or [99])[0]:
            excused = any(re.search(r"\b(z|file)\b", text) for _, text in step.ours)
            assert step.ours == step.real or excused


def test_the_copy_of_mremap_is_seen_page_by_page() -> None:
    told = compare_steps(
        LiveOrRecorded(load_recording("mremap_of_shared_pages"), live=False), GROUP
    )
    assert dict(told.steps[5].ours)["child"] == "0x48000 5×1 6×1 7×1 8×1"
    assert dict(told.steps[5].real)["child"] == "0x48000 5×1 2×2 3×2 4×2"
    assert told.differ == (6, 7, 8, 9, 10, 11)


def test_a_kernel_that_does_something_else_is_not_explained_away() -> None:
    plain = json.loads(load_recording("who_gets_the_copy").dumps())
    plain["steps"][4]["pages"]["shell"][0][2] = 1  # the writer keeps the old page
    told = compare_steps(LiveOrRecorded(Recording.from_json(plain), live=False))
    assert told.unexplained == 1
    assert "differs without a reason" in told.steps[-1].verdict
    assert len(told.steps) < 11


@pytest.mark.parametrize("design", [TODAY, GROUP])
def test_table_and_text_say_the_same(design) -> None:
    told = compare_steps(
        LiveOrRecorded(load_recording("mremap_of_shared_pages"), live=False), design
    )
    table, text = told._repr_html_(), repr(told)
    rows = re.findall(r"<tr><td>(.*?)</td></tr>", table)
    assert len(rows) == len(told.steps)
    for row, step in zip(rows, told.steps, strict=True):
        words = unescape(re.sub(r"<[^>]+>", " ", row.replace("≠", "")))
        for who, what in (*step.ours, *step.real):
            assert f"{who} {what}" in " ".join(words.split())
            assert f"{who} {what}" in text
        assert step.verdict in words.replace(" :", ":")
        assert f"{step.number}. {step.text}: {step.verdict}." in text
        assert ("≠" in row) == (step.ours != step.real)


def test_without_rights_a_recording_is_shown_with_the_reason(monkeypatch) -> None:
    monkeypatch.setattr(asked, "access", lambda: Access("weak", "frame numbers are hidden"))
    seen = live_or_recorded("who_gets_the_copy")
    assert not seen.live
    assert seen.recording == load_recording("who_gets_the_copy")
    assert seen.source == (
        f"recorded on {seen.kernel}; the running kernel was not asked: frame numbers are hidden"
    )
    with pytest.raises(ValueError, match="frame numbers are hidden"):
        live_or_recorded("who_gets_the_copy", live=True)


def test_without_swap_a_recording_of_swap_is_shown(monkeypatch) -> None:
    monkeypatch.setattr(asked, "access", lambda: Access("full", ""))
    monkeypatch.setattr(asked, "has_swap", lambda: False)
    assert live_or_recorded("swap_one_entry_two_tables").reason == "there is no swap here"


@needs_full_view
@pytest.mark.parametrize("name", COMPARED)
def test_the_running_kernel_does_what_the_lessons_have_recorded(name) -> None:
    seen = live_or_recorded(name, live=True)
    assert seen.recording.effects == load_recording(name).effects


@needs_some_view
@pytest.mark.parametrize("view", ["", "weak"])
def test_a_history_of_ones_own_is_asked_and_told(view) -> None:
    seen = ask_running_kernel(
        "a = spawn\na mmap 0x30000 1\na write 0x30000 1\nb = fork a\nb write 0x30000 2\n", view
    )
    told = compare_steps(seen)
    assert told.unexplained == 0
    assert len(told.steps) == 5


def test_designs_that_are_held_against_no_kernel_are_refused() -> None:
    seen = LiveOrRecorded(load_recording("who_gets_the_copy"), live=False)
    with pytest.raises(ValueError, match="compared with a kernel are"):
        compare_steps(seen, "pte_chain")
    with pytest.raises(ValueError, match="without swap"):
        compare_steps(
            LiveOrRecorded(load_recording("swap_one_entry_two_tables"), live=False), GROUP
        )


@needs_full_view
def test_what_exercise_10b_takes_for_todays_kernel_is_the_running_one() -> None:
    hidden = load_tests(
        ROOT / "tests" / "exercises" / "hidden" / "test_ex10b_two_kernels_hidden.py"
    )
    for name, text in hidden.OURS.items():
        seen = ask_running_kernel(text)
        assert compare_steps(seen).unexplained == 0
        assert compare_steps(seen, GROUP).explained.keys() >= {"mremap_copy"}, name
        places = {at: s.mapcount for at, s in seen.recording.effects[-1].observation.items()}
        assert hidden.public.both_of(hidden.Ours(name)).today == places


def test_every_rule_of_the_judge_has_its_sentence():
    said = f"{comparer.__doc__}{cached.__doc__}{copies.__doc__}"
    names = set(re.findall(r"^([a-z]+(?:_[a-z]+)+|refault) ", said, re.MULTILINE))
    assert len(names) >= 11, "the docstrings list the rules, a line each"
    assert names <= RULES.keys()


def test_a_history_of_ones_own_is_found_among_the_recordings(monkeypatch) -> None:
    monkeypatch.setattr(asked, "access", lambda: Access("", "needs Linux: this is plan9"))
    text = format_history(load_recording("who_gets_the_copy").history)
    assert live_or_recorded(text).recording == load_recording("who_gets_the_copy")
    with pytest.raises(ValueError, match="this is plan9.*nobody has recorded this history"):
        live_or_recorded(f"{text}shell exit\n")


def test_three_pages_of_this_process_have_three_words(monkeypatch) -> None:
    untouched, read, written = (word >> 55 for word in own_pagemap_words().words)
    assert (untouched, read, written) == (0, 1 << 8, 1 << 8 | 1 << 1)
    monkeypatch.setattr(own, "access", lambda: Access("", "needs Linux: this is plan9"))
    assert own_pagemap_words().words == own.RECORDED_WORDS
    assert "needs Linux: this is plan9" in repr(own_pagemap_words())


def test_a_program_prints_into_nobodys_way(capfd) -> None:
    trace_and_replay(["echo", "hello"])
    assert capfd.readouterr().out == ""


def test_a_program_is_traced_or_the_reason_told(tmp_path, monkeypatch) -> None:
    here = trace_and_replay(["true"])
    assert here.report.violations == []
    assert "true, traced just now" in here.source or "nothing was traced" in here.source
    assert "operation" in here._repr_html_()
    monkeypatch.setenv("PATH", str(tmp_path))
    kept = trace_and_replay(["true"])
    assert "nothing was traced: strace was not found" in repr(kept)
    assert kept.report.operations > 50
