"""Verify: zeros for the original, every mutant dies within 300 histories, and the work is shared
among processes wherever it is started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbclient
import nbformat
import pytest

from anonlab.formats.history_text import parse
from anonlab.kernel import fault
from anonlab.proof import workers
from anonlab.proof.fuzz import MACHINES, OPS_PER_HISTORY, Tally, history_of, run_checked
from anonlab.proof.golden import faults
from anonlab.proof.mutants import MUTANTS, Mutant, planted
from anonlab.proof.verification import (
    HISTORIES,
    Asked,
    Kill,
    Report,
    disagreements_of,
    hunt,
    verify,
)
from anonlab.rmap import DESIGNS, AnonGroup


@pytest.mark.slow
def test_random_histories_break_nothing_and_mix_up_nothing():
    report = verify("all", 4000, seed=1)
    assert report.failures == []
    plain = report.to_json()
    assert list(plain) == ["seed", "operations", "designs", "content_mismatches"]
    assert (plain["seed"], plain["operations"], plain["content_mismatches"]) == (1, 4000, 0)
    for design in plain["designs"].values():
        assert list(design) == ["violations", "missed", "candidates_per_mapping"]
        assert (design["violations"], design["missed"]) == (0, 0)
        assert design["candidates_per_mapping"] >= 1


@pytest.mark.slow
def test_the_same_seed_gives_the_same_report():
    assert verify("anongroup", 300, seed=5).to_json() == verify("anongroup", 300, seed=5).to_json()


@pytest.mark.slow
def test_one_process_and_several_give_the_same_report(monkeypatch: pytest.MonkeyPatch):
    reports = []
    for ncpus in (1, 3):
        monkeypatch.setattr(workers, "ncpus", lambda ncpus=ncpus: ncpus)
        reports.append(verify("anongroup", 2 * OPS_PER_HISTORY + 7, seed=2))
    assert reports[0] == reports[1]
    assert reports[0].operations == 2 * OPS_PER_HISTORY + 7


@pytest.mark.slow
def test_progress_counts_histories():
    seen: list[tuple[int, int]] = []
    verify("anongroup", 2 * OPS_PER_HISTORY, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(1, 2), (2, 2)]


def test_machines_are_small_and_large_and_short_of_everything():
    assert {machine.geometry for machine in MACHINES} >= {"lesson", "x86_64"}
    assert min(machine.frames for machine in MACHINES) <= 16
    assert {machine.swap == 0 for machine in MACHINES} == {True, False}
    assert any(machine.tables for machine in MACHINES)


@pytest.mark.parametrize(
    ("designs", "operations", "words"),
    [
        ("anonsoup", 10, "'all' or some of .*anongroup"),
        ("all", 0, "operations must be >= 1, got 0"),
    ],
)
def test_what_cannot_be_verified_is_refused(designs: str, operations: int, words: str):
    with pytest.raises(ValueError, match=words):
        verify(designs, operations)


def test_designs_that_show_a_program_different_things_are_told_with_the_history():
    asked = Asked(1, 0, 20)
    seen = ["", "", "12ab34cd", ""]
    for theirs in (seen, [*seen[:2], "p1: ENOMEM: fork needs 3 frames"], seen[:3]):
        assert disagreements_of(asked, {"anongroup": seen, "anon_vma": theirs}) == []
    wrong = [*seen[:2], "ffffffff", ""]
    (text,) = disagreements_of(asked, {"anongroup": seen, "pte_chain": seen, "anon_vma": wrong})
    assert text.splitlines()[-1] == "# anongroup shows '12ab34cd', anon_vma 'ffffffff'"
    assert parse(text).ops == history_of(*asked).ops[:3]


def test_a_disagreement_counts_as_mixed_up_contents():
    report = Report(1, 10, {"anongroup": Tally()}, ("a history\n# why\n",))
    assert report.to_json()["content_mismatches"] == 1
    assert report.failures == ["a history\n# why\n"]


def test_survivors_are_told_by_name():
    kills = (Kill("a", "anongroup", 3, "…"), Kill("b", "anon_vma", 0, ""), Kill("c", "x", 5, "…"))
    report = Report(1, 10, {}, kills=kills)
    assert report.to_json()["mutants"] == {
        "total": 3,
        "killed": 2,
        "survivors": ["b"],
        "median_histories": 4,
    }


@pytest.mark.slow
def test_a_mutant_that_no_history_shows_survives(monkeypatch: pytest.MonkeyPatch):
    harmless = Mutant(fault.first_touch, "vpns = span.vpns[at]", "vpns = span.vpns[at] + 0")
    monkeypatch.setitem(MUTANTS, "harmless", harmless)
    monkeypatch.setattr("anonlab.proof.verification.HISTORIES", 2)
    assert hunt("harmless") == Kill("harmless", "anongroup", 0, "")


def test_every_mutant_fits_the_code_that_it_changes():
    for name, mutant in MUTANTS.items():
        code = mutant.function.__code__
        with planted(mutant):
            assert mutant.function.__code__ != code, name
        assert not set(name) & set("'\"[]"), f"{name}: no name that pytest -k can take"
        assert mutant.function.__code__ is code, name


@pytest.mark.parametrize(("old", "times"), [("span", "1?[0-9]"), ("no such text", "0")])
def test_a_piece_that_does_not_stand_once_is_refused_with_what_to_do(old: str, times: str):
    says = f"stands {times} times in first_touch: it stands there once, so take a longer piece"
    with pytest.raises(AssertionError, match=says), planted(Mutant(fault.first_touch, old, "x")):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_dies_and_the_original_survives_the_same_history(name: str):
    kill = hunt(name)
    assert 0 < kill.histories <= HISTORIES, f"the mutant survived {HISTORIES} histories"
    history, design = parse(kill.shortest), DESIGNS[MUTANTS[name].design]
    golden = "would be right" in kill.shortest
    with planted(MUTANTS[name]):  # its text replays the failure
        assert faults(design) if golden else run_checked(history, design).failures
    assert not (faults(design) if golden else run_checked(history, design).failures)


def test_a_copy_in_the_frame_that_mremap_has_just_freed_is_another_page():
    """The last operation of this history copies to where that frame was mapped before."""
    assert run_checked(history_of(99, 40), AnonGroup).failures == []


def test_a_crash_of_the_kernel_is_a_finding_with_its_history():
    with planted(Mutant(fault.first_touch, "vpns = span.vpns[at]", "vpns = span.vpns[[99]]")):
        report = verify("anongroup", 40, seed=1)
    assert report.to_json()["designs"]["anongroup"]["violations"] == 1
    *history, why = report.failures[0].splitlines()
    assert why.startswith("# IndexError: index 99 is out of bounds")
    assert [line.split()[1] for line in history[2:]] == [
        "=",
        "mmap",
        "write",
    ]  # as short as it gets


def test_histories_that_went_wrong_are_shown_as_short_as_they_get():
    with planted(MUTANTS["mremap does not update index"]):
        failures = verify("anongroup", OPS_PER_HISTORY, seed=1).failures
        assert run_checked(parse(failures[0]), AnonGroup).failures
    assert len(failures) == 1
    verbs = [op.verb for op in parse(failures[0]).ops]
    assert verbs == ["spawn", "mmap", "write", "mremap"]


# Where it is started

FEW = 2 * OPS_PER_HISTORY
CALL = (
    f"from anonlab.proof.verification import verify\nprint(verify('anongroup', {FEW}).to_json())\n"
)


def is_fine(printed: str) -> bool:
    """True if `printed` is a report without a violation."""
    return f"'operations': {FEW}" in printed and "'violations': 0" in printed


@pytest.mark.slow
@pytest.mark.parametrize("how", ["file without a guard", "standard input", "-c"])
def test_verify_runs_from_any_script_without_a_warning(tmp_path: Path, how: str):
    script = tmp_path / "script.py"
    script.write_text(CALL)
    arguments = {"-c": ["-c", CALL], "standard input": ["-"]}.get(how, [str(script)])
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        input=CALL,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert is_fine(done.stdout), done.stdout
    assert done.stderr == ""


@pytest.mark.slow
def test_verify_runs_while_other_threads_do():
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda seed: verify("anongroup", FEW, seed), (1, 2)))
    assert [report.failures for report in reports] == [[], []]


@pytest.mark.slow
def test_verify_runs_in_a_notebook(tmp_path: Path):
    cells = [nbformat.v4.new_code_cell(CALL)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": tmp_path}}
    ).execute()
    (output,) = notebook.cells[0].outputs
    assert is_fine(output["text"]), output


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: /proc")
@pytest.mark.parametrize("at_work", [True, False], ids=["at work", "still starting"])
def test_ctrl_c_ends_it_and_its_workers_at_once(at_work: bool):
    command = [sys.executable, "-m", "anonlab", "verify", "--ops", "1000000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as running:
        workers = started(running.pid, at_work)
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does: workers get it too
        _, printed = running.communicate()
    assert running.returncode != 0
    assert b"Traceback" not in printed
    assert [pid for pid in workers if alive(pid)] == []


def started(pid: int, at_work: bool) -> list[int]:
    """Wait until process `pid` has workers, and they work; return their process ids."""
    while alive(pid):
        children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
                    for child in (task / "children").read_text("ascii").split()]  # fmt: skip
        workers = [each for each in children
                   if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]  # fmt: skip
        if workers and (not at_work or all(busy(worker) for worker in workers)):
            return workers
        time.sleep(0.01)
    raise AssertionError(f"process {pid} ended without a worker")


def alive(pid: int) -> bool:
    """True for a process that has not ended."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def busy(pid: int) -> bool:
    """True once process `pid` has used a second of processor time: it is no longer starting."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) > 100
