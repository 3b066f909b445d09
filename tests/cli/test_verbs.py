"""The verbs: JSON alone on standard output, one clean line for what a user can mend."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from project import ROOT

from anonlab.cli.verbs import cli
from anonlab.errors import FormatError, OutOfMemory
from anonlab.version import __version__

VERIFIED: dict[str, Any] = {
    "seed": 1,
    "operations": 10,
    "designs": {"anongroup": {"violations": 0, "missed": 0, "candidates_per_mapping": 1.5}},
    "content_mismatches": 0,
}
REPLAYED: dict[str, Any] = {"lines": 2, "skipped": {"unknown call": 1}, "violations": 0}


def run(*arguments: str) -> Result:
    """Run `anonlab ARGUMENTS` in this process."""
    return CliRunner().invoke(cli, arguments)


def stand_in(
    monkeypatch: pytest.MonkeyPatch, module: str, outcome: Any, **more: Any
) -> list[tuple[Any, ...]]:
    """Replace the one function of `module` that a verb calls; return the list of its calls."""
    name = {"anonlab.proof.replaying": "replay", "anonlab.proof.verification": "verify"}[module]
    calls: list[tuple[Any, ...]] = []

    def function(*arguments: Any) -> Any:
        calls.append(arguments)
        if isinstance(outcome, Exception):
            raise outcome
        return SimpleNamespace(
            to_json=lambda: outcome,
            violations=[],
            failures=["p1 write 0x30000 7\n# pfn 3: mapcount"],
            **{"survivors": [], "kills": None, **more},
        )

    fake = ModuleType(module)
    setattr(fake, name, function)
    monkeypatch.setitem(sys.modules, module, fake)
    return calls


def test_version() -> None:
    result = run("--version")
    assert result.output.strip() == f"anonlab, version {__version__}"


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "anonlab", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert __version__ in done.stdout


def test_help_names_every_verb() -> None:
    output = run("--help").output
    assert all(verb in output for verb in ("doctor", "replay", "verify", "course"))


def test_doctor_prints_one_json_object_alone() -> None:
    result = run("doctor", "--json")
    plain = json.loads(result.stdout)
    assert result.exit_code == (0 if plain["ok"] else 1)


def test_doctor_tells_people_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    output = run("doctor", "--all").output
    assert re.search(r"no +strace", output)
    assert "to do: apt install strace" in output


def test_replay_passes_file_and_design_on(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = stand_in(monkeypatch, "anonlab.proof.replaying", REPLAYED)
    result = run("replay", "some.log", "--design", "pte_chain", "--json")
    assert json.loads(result.stdout) == REPLAYED
    assert calls == [(Path("some.log"), "pte_chain", None)]
    assert result.exit_code == 0


def test_replay_shows_people_every_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "anonlab.proof.replaying", REPLAYED)
    output = run("replay", "some.log").output
    assert [line.split() for line in output.splitlines()] == [
        ["lines", "2"],
        ["skipped:", "unknown", "call", "1"],
        ["violations", "0"],
    ]


STORY = """shell = spawn
shell mmap 0x30000 4
shell write 0x30000 7
child = fork shell
child write 0x30000 9
"""


@pytest.fixture
def story(tmp_path: Path) -> str:
    """The path of a short history."""
    path = tmp_path / "story.history"
    path.write_text(STORY)
    return str(path)


def test_replay_of_a_history_finds_nothing_wrong(story: str) -> None:
    plain = json.loads(run("replay", story, "--json").stdout)
    assert (plain["lines"], plain["operations"], plain["violations"]) == (5, 5, 0)
    assert (plain["processes"], plain["forks"], plain["peak_shared_pages"]) == (2, 1, 1)


def test_replay_writes_the_player_without_a_word_on_standard_output(
    story: str, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    result = run("replay", story, "--html", str(page), "--json")
    assert json.loads(result.stdout)["operations"] == 5
    text = page.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert "child write 0x30000 9" in text


def test_replay_names_the_line_of_a_wrong_word(story: str) -> None:
    Path(story).write_text(STORY + "child wirte 0x30000 9\n")
    result = run("replay", story)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("anonlab: line 6: ")
    assert "wirte" in result.stderr


def test_replay_names_the_designs_it_knows(story: str) -> None:
    result = run("replay", story, "--design", "telepathy")
    assert (result.exit_code, "anongroup" in result.stderr) == (2, True)


def test_violations_in_a_replay_are_exit_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "anonlab.proof.replaying", REPLAYED | {"violations": 1})
    assert run("replay", "some.log").exit_code == 1


def test_verify_passes_its_options_on(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = stand_in(monkeypatch, "anonlab.proof.verification", VERIFIED)
    for flags, mutants in ((), False), (("--mutants",), True):
        result = run("verify", "--ops", "10", "--seed", "3", *flags, "--json")
        assert json.loads(result.stdout) == VERIFIED
        assert calls.pop() == ("all", 10, 3, None, mutants)


def test_verify_fails_when_a_mutant_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "anonlab.proof.verification", VERIFIED, survivors=["fork copies nothing"])
    assert run("verify", "--mutants", "--json").exit_code == 1


def test_verify_tells_the_shortest_history_of_each_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    kills = [
        SimpleNamespace(mutant="exit leaks pins", design="anongroup", shortest="p1 = spawn\n# x"),
        SimpleNamespace(mutant="harmless", design="anon_vma", shortest=""),
    ]
    stand_in(monkeypatch, "anonlab.proof.verification", VERIFIED, kills=kills)
    told = run("verify", "--mutants").stdout
    assert "# mutant: exit leaks pins (under anongroup)\np1 = spawn\n# x" in told
    assert "# mutant: harmless (under anon_vma)\n# it survived" in told


def test_compare_prints_the_golden_counts() -> None:
    plain = json.loads(run("compare", "--history", "prefork", "--children", "10", "--json").stdout)
    assert (plain["history"], plain["children"]) == ("prefork", 10)
    walk = plain["designs"]["anongroup"]["walk: the own page of the middle child"]
    assert (walk["nodes"], walk["probes"], walk["times"]) == (6, 6, 1)


def test_compare_shows_any_counter_of_any_history(tmp_path: Path) -> None:
    path = tmp_path / "a.history"
    path.write_text(
        "p = spawn\np mmap 0x30000 2\np write 0x30000 1 2\nc = fork p\n"
        "c mremap 0x30000 2 to 0x80000\n"
    )
    told = run("compare", "--history", str(path), "--design", "anongroup", "--counter", "copies")
    assert re.search(r"mremap\W+2\b", told.stdout), told.stdout
    picture = tmp_path / "copies.svg"
    assert run("compare", "--history", str(path), "--svg", str(picture)).exit_code == 0
    assert picture.read_text().startswith("<svg")
    assert told.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--history", "nowhere.history"), "there is no history 'nowhere.history': name a file"),
        (("--design", "telepathy"), "design is one of"),
        (("--counter", "luck"), "counter is one of times, copies, nodes"),
        (("--children", "0"), "0 is not in the range"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments: tuple[str, str], words: str) -> None:
    result = run("compare", *arguments)
    assert (result.exit_code, words in result.stderr) == (2, True), result.stderr


def test_verify_shows_the_history_that_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "anonlab.proof.verification", VERIFIED)
    result = run("verify", "--json")
    assert "p1 write 0x30000 7" in result.stderr


def test_a_small_verify_finds_nothing_wrong() -> None:
    result = run("verify", "--ops", "50", "--json")
    plain = json.loads(result.stdout)
    assert (result.exit_code, plain["operations"], plain["content_mismatches"]) == (0, 50, 0)


def test_verify_names_the_designs_it_knows() -> None:
    result = run("verify", "--design", "telepathy")
    assert (result.exit_code, "anongroup" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"content_mismatches": 1},
        {"designs": {"a": {"violations": 0, "missed": 0}, "b": {"violations": 2, "missed": 0}}},
        {"designs": {"a": {"violations": 0, "missed": 1}}},
    ],
)
def test_anything_wrong_in_verify_is_exit_status_1(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    stand_in(monkeypatch, "anonlab.proof.verification", VERIFIED | wrong)
    assert run("verify").exit_code == 1


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FormatError("unknown verb 'wirte'", 37), "anonlab: line 37: unknown verb 'wirte'"),
        (OutOfMemory("p1: ENOMEM: no frame"), "anonlab: p1: ENOMEM: no frame"),
        (ValueError("unknown design 'x'"), "anonlab: unknown design 'x'"),
        (
            PermissionError(13, "Permission denied", "some.log"),
            "anonlab: some.log: Permission denied",
        ),
        (OSError("no name"), "anonlab: no name"),
        (ValueError("two\nlines \x1b[31mred"), "anonlab: two lines \\x1b[31mred"),
    ],
)
def test_what_users_can_mend_is_one_clean_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    stand_in(monkeypatch, "anonlab.proof.replaying", error)
    result = run("replay", "some.log", "--json")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"{line}\n")


def test_a_log_of_another_program_is_one_line_and_no_success(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("     0.000 ( 0.005 ms): ls/12 brk() = 0x55d2cc11b000\n")
    result = run("replay", str(tmp_path / "log"), "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("anonlab: this looks like the output of perf trace")
    assert result.stderr.count("\n") == 1


def test_our_own_faults_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "anonlab.proof.replaying", AssertionError("pfn 3: mapcount"))
    assert isinstance(run("replay", "some.log").exception, AssertionError)


@pytest.mark.parametrize(
    "arguments", [("verify", "--ops", "0"), ("verify", "--ops", "many"), ("replay",), ("fly",)]
)
def test_a_wrong_command_line_is_exit_status_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_missing_file_is_named() -> None:
    result = run("replay", "no-such-file.log")
    assert (result.exit_code, result.stderr) == (
        2,
        "anonlab: no-such-file.log: No such file or directory\n",
    )


def test_course_build_writes_and_then_has_nothing_to_do(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "00_it.py").write_text("# %%\n1 + 1\n")
    folder = str(tmp_path)
    assert run("course", "build", "--check", folder).exit_code == 1
    assert run("course", "build", folder).stdout == f"{tmp_path / '00_it.ipynb'}\n"
    assert run("course", "build", folder).stdout == ""
    assert run("course", "build", "--check", folder).exit_code == 0


def test_course_build_elsewhere_says_where_it_looked(tmp_path: Path) -> None:
    result = run("course", "build", str(tmp_path))
    assert result.exit_code == 2
    assert str(tmp_path / "source") in result.stderr


def test_a_history_and_a_log_that_come_along_are_replayed_by_name() -> None:
    assert json.loads(run("replay", "fork_and_write", "--json").stdout)["forks"] == 1
    assert json.loads(run("replay", "bash_pipeline", "--json").stdout)["forks"] == 2
    assert "no such file" in run("replay", "fork_and_wriet").stderr.lower()


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize(
    "args", [("compare",), ("replay", "bash_pipeline", "--bill"), ("verify", "--ops", "20")]
)
def test_no_word_of_a_table_is_cut_in_a_narrow_terminal(
    columns: int, args: tuple[str, ...]
) -> None:
    """A real terminal: what a pipe gets, word by word, and nothing else."""
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    command = [sys.executable, "-m", "anonlab", *args]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL) as running:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # how Linux says that the other end is closed
            while part := os.read(ours, 1 << 16):
                shown += part
    os.close(ours)
    assert running.returncode == 0
    piped = subprocess.run(command, capture_output=True, check=True).stdout
    assert words_of(shown) >= words_of(piped)


def words_of(shown: bytes) -> set[str]:
    """Return the words of an output, without lines and colours."""
    return set(re.sub(r"\x1b\[[0-9;]*m|[^\w.,:→-]", " ", shown.decode()).split())


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("replay", "LOG", "--chart", "bill.png"), "what is written is svg: name it bill.svg"),
        (("replay", "LOG", "--chart", "nowhere/bill.svg"), "there is no folder nowhere"),
        (("replay", "LOG", "--html", "nowhere/page.html"), "there is no folder nowhere"),
        (("compare", "--svg", "costs.pdf"), "name it costs.svg"),
        (("bench", "--chart", "ratios.jpg"), "name it ratios.svg"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    args: tuple[str, ...], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = run(*args)  # LOG is not there: nothing has been read yet
    assert refused.exit_code == 2
    assert complaint in refused.stderr
    assert not list(tmp_path.iterdir())


def test_a_language_is_checked_key_by_key(tmp_path: Path) -> None:
    assert run("language", "de").output == "de is whole\n"
    path = tmp_path / "xx.json"
    path.write_text('{"stage": {"frame.free": "frei"}}')
    found = run("language", str(path), "--json")
    assert found.exit_code == 1
    assert "frame.free" not in found.stdout
    assert (
        "frame.zero: missing, it is said in English: 'zero page'"
        in json.loads(found.stdout)["problems"]
    )
    spoken = run("language", str(path)).output
    assert spoken.splitlines()[-1].endswith("texts are missing, and said in English")
    listed = run("language").output
    assert "de.json" in listed, "a translation begins with a copy of such a file"
    assert "Deutsch" in listed
    refused = run("language", "klingon")
    assert refused.exit_code == 2
    assert "there is no language 'klingon'" in refused.stderr
