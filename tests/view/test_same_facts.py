"""Picture, player and text say the same, and it is what the snapshot says."""

from __future__ import annotations

import re

import pytest
import sample
from reading_back import text_facts, true_facts

from anonlab import DESIGNS, record
from anonlab.formats.trace import Trace
from anonlab.histories.generate import generate
from anonlab.view import facts, text_twin


def test_facts_are_what_a_plain_loop_finds(trace: Trace) -> None:
    for step in trace.steps:
        assert facts(step.snapshot) == true_facts(step.snapshot)


def test_every_text_states_every_fact_once(trace: Trace) -> None:
    for step in trace.steps:
        told = text_facts(text_twin(step.snapshot))
        assert set(told) == not_zero(true_facts(step.snapshot))
        assert len(told) == len(set(told))


def not_zero(truth: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """What text says: counters of cost that are zero have no line."""
    return {fact for fact in truth if fact[0] != "cost" or fact[2] != "0"}


@pytest.mark.parametrize("design", DESIGNS)
def test_random_histories_say_the_same_in_text(design: str) -> None:
    for step in record(generate(1, 60, frames=20, swap=12), design).steps:
        truth = true_facts(step.snapshot)
        assert facts(step.snapshot) == truth
        assert set(text_facts(text_twin(step.snapshot))) == not_zero(truth)


def test_text_is_at_most_80_columns_wide_and_plain(trace: Trace) -> None:
    for step in trace.steps:
        for line in text_twin(step.snapshot).splitlines():
            assert len(line) <= 80 or '"' in line, line
            assert line == line.rstrip()
            assert not re.search("[\u2500-\u257f]", line)


def test_text_goes_from_process_to_page_to_frame() -> None:
    text = text_twin(sample.lesson().steps[9].snapshot)
    kinds = [
        re.match(r" *(?:\d+ )?(\w+)", line)[1]  # type: ignore[index]
        for line in text.splitlines()
        if not line.startswith("    ")
    ]
    order = list(dict.fromkeys(kinds))
    assert order == [
        "Machine", "Process", "Address", "VMA", "Table", "Page", "Frame", "File", "Cached",
        "Node", "Edge",
    ]  # fmt: skip


def test_the_text_of_the_first_copy_on_write() -> None:
    assert text_twin(sample.lesson().steps[10].snapshot).splitlines()[:12] == [
        "Machine lesson, design anongroup: 6 of 64 frames in use, 16 swap slots.",
        "Process shell: pid 1, runs shell, address space 1.",
        "Process child: pid 2, child of shell, runs shell, address space 2.",
        'Address space 1 of shell: top table in row 1, home "group 1".',
        "  VMA from 0x30000: 4 pages, rw-, private, anonymous at page 48.",
        "  VMA from 0x80000: 3 pages, r-x, private, file libc from page 0.",
        "  Table from 0x30000: row 2.",
        "  Table from 0x80000: row 3.",
        "  Page 0x30000: frame 3, read-only, bits P-UAD.",
        "  Page 0x31000: frame 4, read-only, shared by 2, bits P-UAD.",
        "  Page 0x32000: frame 5, read-only, shared by 2, bits P-UAD.",
        "  Page 0x33000: frame 0, read-only, the zero page, bits P-UA-.",
    ]


@pytest.mark.parametrize("kind", ["pte", "frame", "vma", "slot", "node", "edge", "cached"])
def test_the_traces_at_hand_show_every_kind_of_fact(kind: str) -> None:
    told = {fact[0] for step in sample.lesson().steps for fact in facts(step.snapshot)}
    assert kind in told
