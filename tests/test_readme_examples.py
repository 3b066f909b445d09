"""The examples that people read first run as they stand and do what their comments say."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from project import ROOT

import anonlab
from anonlab import Kernel, Recorder, operations
from anonlab.cli.verbs import cli
from anonlab.formats import history, history_text
from anonlab.recording.recorder import Recorder as RecorderClass

README = (ROOT / "README.md").read_text("utf-8")


def indented(docstring: str | None, first: str) -> str:
    """Return the indented block of a docstring that begins with the line `first`."""
    lines = textwrap.dedent((docstring or "").partition("\n")[2]).splitlines()
    start = next(at for at, line in enumerate(lines) if line.strip() == first)
    end = start
    while end < len(lines) and (not lines[end] or lines[end].startswith("    ")):
        end += 1
    return textwrap.dedent("\n".join(lines[start:end]))


def run(source: str, **names: Any) -> dict[str, Any]:
    """Run Python `source` and return the names it leaves."""
    exec(compile(source, "example", "exec"), names)
    return names


def test_the_example_of_the_package_runs() -> None:
    left = run(indented(anonlab.__doc__, "from anonlab import Kernel, LESSON, check"))
    shell, child, heap = left["shell"], left["child"], left["heap"]
    assert (shell.read(heap), child.read(heap)) == (7, 9)
    assert shell.page(heap).pfn != child.page(heap).pfn


def test_the_example_of_the_readme_does_what_its_comments_say() -> None:
    (source,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    left = run(source)
    kernel, shell, child, heap = (left[name] for name in ("kernel", "shell", "child", "heap"))
    assert (heap, shell.read(heap), child.read(0x80000)) == (0x30000, 7, 9)
    assert kernel.mappers(shell.page(heap).pfn) == [(shell, heap)]
    assert kernel.design.cost.copies_cow == 1
    assert kernel.design.cost.copies_mremap == 0


def test_the_page_that_fork_and_write_leave_reads_as_the_mail_has_it() -> None:
    kernel = Kernel(design="anongroup", frames=64)
    shell = kernel.spawn("shell")
    heap = shell.mmap(4 * 4096, at=0x30000)
    shell.write(heap, 7)
    shell.fork("child").write(heap, 9)
    page = shell.page(heap)
    assert repr(page) == "Page(pfn=1, index=0x30, mapping=group 1, count=1, mapcount=1)"


def test_shared_pages_are_copied_by_mremap_and_an_own_page_keeps_its_frame() -> None:
    kernel = Kernel()
    shell = kernel.spawn("shell")
    heap = shell.mmap(4 * 4096, at=0x30000)
    shell.write_range(heap, [1, 2, 3, 4])
    child = shell.fork("child")
    child.write(heap, 9)
    own, shared = child.page(heap), child.page(heap + 4096)
    child.mremap(heap, 4 * 4096, new=0x80000)
    assert child.page(0x80000).pfn == own.pfn
    assert child.page(0x81000).pfn != shared.pfn
    assert child.read_range(0x80000, 4 * 4096).tolist() == [9, 2, 3, 4]


@pytest.mark.parametrize("module", [history, history_text], ids=["history", "history_text"])
def test_histories_in_docstrings_can_be_read(module: Any) -> None:
    lines = [line[4:] for line in module.__doc__.splitlines() if line.startswith("    ")]
    told = anonlab.parse("\n".join(lines))
    assert told.ops[0].verb == "spawn"
    assert all(not outcome.error for outcome in anonlab.run(told).outcomes)


def test_the_recorder_is_used_as_its_docstring_says() -> None:
    kernel = Kernel()
    shell = kernel.spawn("shell")
    source = indented(RecorderClass.__doc__, "with Recorder(kernel) as recorder:")
    left = run(source, Recorder=Recorder, kernel=kernel, shell=shell)
    assert [step.label for step in operations(left["trace"])] == ["start", "fork"]


ONLY_KNOWN = ("course", "check", "bench", "export", "grade")
"""Verbs that need a course, or minutes: here it is only asked whether they and their options are
there."""
COMMANDS = [line.strip() for line in README.splitlines() if line.startswith("    anonlab ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_of_the_readme_are_understood(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = shlex.split(line, comments=True)[1:]
    log = ROOT / "anonlab" / "histories" / "data" / "bash_pipeline.strace"
    (tmp_path / "ls.log").write_bytes(log.read_bytes())
    words = [str(ROOT / word) if (ROOT / word).is_file() else word for word in words]
    words = ["20" if word in ("1000", "100000") else word for word in words]
    words = [word for word in words if word != "--mutants"]  # minutes: tests/proof hunts
    named = [word for word in words if word.startswith("-")] if words[0] in ONLY_KNOWN else []
    if words[0] in ONLY_KNOWN:
        words = [*words[: 1 + (words[0] == "course")], "-h"]
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    assert [option for option in named if option not in result.output] == []
