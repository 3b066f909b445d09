"""What the tracked files may not say: paths of one machine, hosts of package indexes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import ROOT

NOT_OURS = re.compile(r"build|dist|__pycache__|\.(?!ci$|gitignore$).*")
"""Names that no file of the project has on its path: products, caches, settings of people."""
HOMES = re.compile(r"(?<![\w.~-])/(?:home|Users)/\w|(?<![\w.~-])/root(?![\w|-])")
HOSTS = re.compile(r"pypi\.org|pythonhosted\.org|anaconda\.org|npmjs\.|--(?:extra-)?index-url")


def folder_pattern(folder: Path) -> re.Pattern[str]:
    """The folder as a whole path, not as part of a longer name; never matches '/' or '/src'."""
    text = re.escape(str(folder)) if len(folder.parts) > 2 else "(?!)"
    return re.compile(rf"(?<![\w.~-]){text}(?![\w-])")


def tracked() -> Iterator[Path]:
    """Files of the project: what git would take, or in an unpacked archive all that is ours."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        paths = [ROOT / name for name in done.stdout.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        paths = sorted(ROOT.rglob("*"))
    for path in paths:
        relative = path.relative_to(ROOT)
        ours = not any(NOT_OURS.fullmatch(part) for part in relative.parts)
        if ours and path.is_file() and path != Path(__file__):
            yield path


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """'file:line: text' for each line of a tracked text file that `pattern` matches."""
    found = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip():.120}")
    return found


def test_no_home_directory_is_in_the_project() -> None:
    assert lines_with(HOMES) == []


@pytest.mark.parametrize("folder", [ROOT, Path(sys.prefix)], ids=["project", "environment"])
def test_no_folder_of_this_machine_is_in_the_project(folder: Path) -> None:
    assert lines_with(folder_pattern(folder)) == []


def test_no_host_of_a_package_index_is_in_the_project() -> None:
    assert lines_with(HOSTS) == []


@pytest.mark.parametrize("line", ["open('/home/ada/x')", "cd /root", "PATH=/Users/ada/bin"])
def test_home_directories_are_recognised(line: str) -> None:
    assert HOMES.search(line)


@pytest.mark.parametrize("line", ["/usr/bin/bash", "$HOME/x", "the/root of", "/homes"])
def test_other_paths_are_no_home_directories(line: str) -> None:
    assert not HOMES.search(line)


def test_a_folder_of_this_machine_is_recognised() -> None:
    pattern = folder_pattern(Path("/srv/lab"))
    assert pattern.search("see /srv/lab/notebooks")
    assert not pattern.search("/srv/labels or a/srv/lab")


def test_the_readme_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "make lab" in text
    assert "make test" in text


def test_links_between_documents_lead_somewhere() -> None:
    """Links of site/pages are between pages that are built; tests/site follows those."""
    broken = []
    for path in tracked():
        if path.suffix == ".md" and path.parent != ROOT / "site" / "pages":
            for target in re.findall(r"\]\(([^)#\s]+)", path.read_text("utf-8")):
                if "://" not in target and not (path.parent / target).exists():
                    broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert broken == []
