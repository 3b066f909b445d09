"""The guides for instructors name commands, options, fields and files that there are."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from pathlib import Path

import click
import pytest
from project import ROOT

from anonlab.cli.verbs import cli
from anonlab.course.authoring.masters import read_masters
from anonlab.course.authoring.release import read_assignment
from anonlab.grading.reports.late import LatePolicy
from anonlab.grading.store.result import STATUSES, STUDENTS_DOING

GUIDES = {
    name: (ROOT / "notebooks" / name).read_text("utf-8")
    for name in ("GRADING.md", "GRADING_ELSEWHERE.md", "INSTRUCTOR.md")
}
COMMANDS = sorted(
    {
        match[1].strip("'")
        for text in GUIDES.values()
        for match in re.finditer(r"(?m)^ {4}.*?(anonlab (?:grade|course) .*)$", text)
    }
)


def verb(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that `words` name, and what is left of them."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        command, words = command.commands[words[0]], words[1:]
    return command, words


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_guides_is_known_with_its_options(line: str) -> None:
    command, words = verb(shlex.split(line, comments=True)[1:])
    known = {name for param in command.params for name in param.opts}
    assert [word for word in words if word.startswith("-") and word not in known] == []


def test_the_guides_name_the_commands_that_matter() -> None:
    assert len(COMMANDS) >= 10
    for option in ("--check", "--selftest", "--gradescope", "--lms", "--shard", "--scheduler"):
        assert any(option in line for line in COMMANDS), option


def test_the_assignment_of_the_guide_can_be_read(tmp_path: Path) -> None:
    found = re.search(r"(?m)^    name = .*\n(?:    .*\n)+", GUIDES["GRADING.md"])
    assert found is not None
    path = tmp_path / "hw1.toml"
    path.write_text(re.sub("(?m)^ {4}", "", found[0]), "utf-8")
    assignment = read_assignment(path, read_masters(ROOT / "solutions"))
    assert LatePolicy.from_plain(assignment.late) == LatePolicy(10, 50, timedelta(minutes=15))
    assert assignment.points["04a"] == 20


def test_every_status_is_explained() -> None:
    text = GUIDES["GRADING.md"]
    assert [each for each in STATUSES if f"| {each} |" not in text] == []
    checks = {*STUDENTS_DOING, "infra"} - {"missing", "unchanged"}
    assert [each for each in checks if f"`{each}`" not in text] == []


@pytest.mark.parametrize("name", GUIDES)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", GUIDES[name]):
        assert target.startswith("https://") or (ROOT / "notebooks" / target).is_file(), target


@pytest.mark.parametrize("name", ["GRADING.md", "GRADING_ELSEWHERE.md"])
def test_students_get_no_guide_for_instructors(name: str) -> None:
    text = (ROOT / "anonlab" / "course" / "authoring" / "release.py").read_text("utf-8")
    assert "*.md" not in text
    assert name not in text
