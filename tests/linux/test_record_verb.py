"""`anonlab record`: programs and histories, and every mistake told in a line."""

from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner
from linux_view import needs_full_view

from anonlab.cli.verbs import cli
from anonlab.linux.recordings import read
from anonlab.proof.replaying import replay

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="no strace")


def anonlab(*args: object):
    return CliRunner().invoke(cli, ["record", *map(str, args)])


@needs_strace
def test_a_program_becomes_a_log_that_replays(tmp_path) -> None:
    done = anonlab("-o", tmp_path / "log", "--", "true")
    assert done.exit_code == 0, done.output
    assert "exit status 0" in done.output
    report = replay(tmp_path / "log")
    assert report.operations > 10
    assert not report.violations


@needs_strace
def test_options_behind_the_command_are_the_commands(tmp_path) -> None:
    done = anonlab("-o", tmp_path / "log", "sh", "-c", "exit 3")
    assert "exit status 3" in done.output, done.output


@needs_full_view
def test_a_history_becomes_a_recording(tmp_path) -> None:
    (tmp_path / "short").write_text("a = spawn\na mmap 0x30000 1\na write 0x30000 1\n", "utf-8")
    done = anonlab("--history", tmp_path / "short", "-o", tmp_path / "made.json")
    assert done.exit_code == 0, done.output
    assert "3 operations, full view" in done.output
    assert anonlab("--renew", tmp_path).exit_code == 0
    assert read(tmp_path / "made.json").view == "full"


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ((), "one of the three"),
        (("--history", "x", "--", "true"), "one of the three"),
        (("--", "true"), "say where to write"),
        (("true", "-o", "log"), "before the command: -o FILE"),
        (("-o", "log", "--", "no-such-command"), "there is no command 'no-such-command'"),
        (("-o", "no/such/folder", "--", "true"), "no/such/folder: No such file"),
        (("--history", "nothing", "-o", "x"), "nothing: No such file"),
    ],
)
def test_mistakes_are_told_in_one_line(args, complaint, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = anonlab(*args)
    assert done.exit_code == 2
    assert complaint in done.output
    assert "Traceback" not in done.output
