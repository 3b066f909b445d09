"""The running kernel's reverse map is the simulated anon_vma_chain, node by node, after every
operation; recorded ones judge where kernel memory cannot be read."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from anonlab.cli.verbs import cli
from anonlab.formats.history_text import parse
from anonlab.linux import real_graph
from anonlab.linux.pagemap import Access
from anonlab.linux.real_graph import names, record_rmap, recorded_rmap, watch_rmap, why_not
from anonlab.live import rmaps as beside
from anonlab.live.rmaps import RmapComparison, compare_rmaps, compare_rmaps_live, model_effects
from anonlab.live.source import lacks_swap
from anonlab.live.verify import history_of
from anonlab.proof.mutants import MUTANTS, planted

WHY_NOT = why_not()
needs_kernel_memory = pytest.mark.skipif(
    bool(WHY_NOT), reason=f"needs CAP_SYS_ADMIN and kernel memory that can be read: {WHY_NOT}"
)
each_name = pytest.mark.parametrize("name", names())


def test_the_lessons_are_recorded() -> None:
    assert {"fork", "three_generations", "split", "mremap_after_fork", "dead_parent"} <= {*names()}


@each_name
def test_the_model_equals_the_recorded_reverse_map_after_every_operation(name) -> None:
    effects = compare_rmaps(name, live=False)
    assert effects.differences() == []
    assert effects.real[-1].pages


@needs_kernel_memory
@each_name
def test_the_running_kernel_does_what_was_recorded(name) -> None:
    recording = recorded_rmap(name)
    if lacks_swap(recording.history):
        pytest.skip("needs CAP_SYS_ADMIN and swap: it is recorded, and judged above")
    assert tuple(after.graph for after in watch_rmap(recording.history)) == recording.graphs


@pytest.mark.slow
@needs_kernel_memory
@pytest.mark.parametrize("number", range(24))
def test_the_model_equals_the_running_kernel_under_random_histories(number) -> None:
    effects = compare_rmaps_live(history_of(13, number, kinds=("files",)))
    assert effects.differences() == []
    for graph in effects.real:
        for page in graph.pages:
            assert {*page.places} <= {*graph.candidates(page)}
            assert len(page.places) == page.mapcount


@needs_kernel_memory
def test_where_the_two_part_the_comparison_ends_and_says_so() -> None:
    text = "a = spawn\na mmap 0x30000 1\na mmap 0x31000 1 r\na write 0x30000 1\n"
    effects = compare_rmaps_live(parse(text + "a mremap 0x30000 1 pages 2\na write 0x30000 2\n"))
    assert (len(effects.history.ops), effects.diverged_by) == (4, "chosen_address")
    assert effects.differences() == []
    said = " ".join(repr(effects).split())
    assert "They part with the next operation: the kernel chose an address" in said
    assert "They part" not in repr(effects.after(2))


MUTANTS_HERE = [name for name, mutant in MUTANTS.items() if mutant.design == beside.DESIGN]
PINS = "anon_vma_chain: fork shares a page that a device holds"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MUTANTS_HERE if name != PINS])
def test_the_graph_kills_every_mutant_of_the_design(name) -> None:
    """Power: most of these change neither contents nor mapcounts, and a walk finds everybody."""

    def shows() -> bool:
        for recording in map(recorded_rmap, names()):
            if tuple(after.graph for after in model_effects(recording.history)) != recording.graphs:
                return True
        return False

    assert not shows()
    with planted(MUTANTS[name]):
        try:
            seen = shows()
        except (KeyError, AttributeError):  # links of a VMA that lead nowhere
            seen = True
    assert seen


def test_pins_are_the_only_thing_that_no_graph_shows() -> None:
    assert PINS in MUTANTS_HERE
    assert len(MUTANTS_HERE) > 15


def test_recordings_hold_no_traces_of_a_machine() -> None:
    for name in names():
        recording = recorded_rmap(name)
        assert set(recording.kernel) == {"release", "machine", "page_size", "settings"}
        numbers = re.findall(r"\d+", json.dumps([g.to_json() for g in recording.graphs]))
        assert max(map(int, numbers)) < 0x100  # pages of the lesson machine, and small counts
        assert "/" not in recording.dumps()


def test_where_the_kernel_cannot_be_read_the_reason_stands_beside_the_recording(
    monkeypatch,
) -> None:
    monkeypatch.setattr(beside, "why_not", lambda: "the kernel is locked down")
    effects = compare_rmaps("fork")
    assert not effects.live
    assert "recorded on Linux 6." in repr(effects)
    assert "was not read: the kernel is locked down" in " ".join(repr(effects).split())
    with pytest.raises(ValueError, match="cannot be read: the kernel is locked down"):
        compare_rmaps("fork", live=True)


def test_each_missing_right_is_a_reason(monkeypatch) -> None:
    def refuse() -> None:
        raise OSError("bpf map create: Operation not permitted")

    monkeypatch.setattr(real_graph, "access", lambda: Access("weak", "no frame numbers"))
    assert why_not() == "no frame numbers"
    monkeypatch.setattr(real_graph, "access", lambda: Access("full", ""))
    monkeypatch.setattr(real_graph, "RealRmap", refuse)
    assert why_not() == "bpf map create: Operation not permitted"


@needs_kernel_memory
def test_a_new_recording_is_made_on_the_running_kernel(tmp_path) -> None:
    history = parse("a = spawn\na mmap 0x30000 1\na write 0x30000 1\nb = fork a\n")
    made = record_rmap(history, tmp_path / "made.json")
    assert made.graphs == tuple(after.graph for after in model_effects(history))
    assert real_graph.RmapRecording.loads((tmp_path / "made.json").read_text("utf-8")) == made


@needs_kernel_memory
def test_the_verb_records_a_reverse_map(tmp_path) -> None:
    (tmp_path / "short").write_text("a = spawn\na mmap 0x30000 1\na write 0x30000 1\n", "utf-8")
    args = ["record", "--rmap", "--history", str(tmp_path / "short")]
    done = CliRunner().invoke(cli, [*args, "-o", str(tmp_path / "made.json")])
    assert done.exit_code == 0, done.output
    assert "3 operations, at last 1 anon_vmas behind 1 pages" in done.output
    refused = CliRunner().invoke(cli, args)
    assert refused.exit_code == 2
    assert "--rmap records a --history FILE -o RECORDING" in refused.output


def test_an_unknown_name_or_operation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"there are .*three_generations"):
        compare_rmaps("nothing")
    effects: RmapComparison = compare_rmaps("fork", live=False)
    with pytest.raises(ValueError, match="operation is 1 to 5, got 9"):
        effects.after(9)
