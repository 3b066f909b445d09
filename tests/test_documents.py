"""What contributors read is true: the files, the tree, the layers, the place of the mail."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml
from project import ROOT
from test_layers import LAYERS, RANK

from anonlab.course.asking.mail_lines import LINES
from anonlab.version import __version__

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/ARCHITECTURE.md",
    "docs/STYLE.md",
    "docs/FORMATS.md",
)
ARCHITECTURE = (ROOT / "docs" / "ARCHITECTURE.md").read_text("utf-8")
PLACEHOLDER = re.compile(r"NAME|NNx")
"""Part of the name of a file that a contributor is going to make."""


def named(text: str) -> set[str]:
    """The paths, with a slash, that stand alone in code or are the target of a link."""
    pairs = re.findall(r"`([\w./-]+/[\w.-]*)`|\]\((\w[\w./-]+)\)", text)
    return {path for pair in pairs for path in pair if path and not path.startswith(".venv")}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_exists(document: str) -> None:
    paths = named((ROOT / document).read_text("utf-8"))
    here = (ROOT / document).parent
    gone = [
        path
        for path in sorted(paths)
        if not PLACEHOLDER.search(path) and not ((ROOT / path).exists() or (here / path).exists())
    ]
    assert gone == []
    assert len(paths) >= 4
    assert named("`anonlab/mm.py` [x](docs/y.md) `a / b`") == {"anonlab/mm.py", "docs/y.md"}


def test_the_tree_has_every_room_and_no_other() -> None:
    (tree,) = re.findall(r"```\nanonlab/\n(.*?)```", ARCHITECTURE, re.DOTALL)
    drawn = {line.split()[1] for line in tree.splitlines()}
    package = ROOT / "anonlab"
    rooms = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    modules = {path.name for path in package.glob("*.py")} - {"__init__.py"}
    assert drawn == rooms | modules


def test_the_layers_are_those_that_a_test_holds() -> None:
    (line,) = re.findall(r"> (errors < .*?)\n\n", ARCHITECTURE, re.DOTALL)
    ranks = [[RANK[name] for name in re.findall(r"\w+", layer)] for layer in line.split(" < ")]
    assert [set(each) for each in ranks] == [{each[0]} for each in ranks]
    assert [each[0] for each in ranks] == list(range(len(LAYERS) - 1)), "all, but for __main__"


def file_of(code: str) -> str:
    """The file of a dotted name: 'anonlab/kernel/fault.py' for 'anonlab.kernel.fault.wp_copy'."""
    parts = code.split(".")
    for end in range(len(parts), 0, -1):
        base = "/".join(parts[:end])
        for name in (f"{base}.py", f"{base}/__init__.py"):
            if (ROOT / name).is_file():
                return name
    raise AssertionError(f"{code} has no file")


def test_the_reading_list_has_the_paragraphs_that_the_course_maps_to_its_files() -> None:
    """A row that is wrong is shown as it must be; what no row has must stand in the text below."""
    mail: dict[str, set[int]] = {}
    for line in LINES:
        mail.setdefault(file_of(line.code), set()).add(line.paragraph)
    rows = re.findall(r"^\| `(anonlab/[\w/.]+)` \| .* \| ([\d, ]*)\|$", ARCHITECTURE, re.MULTILINE)
    listed = {path: {int(number) for number in re.findall(r"\d+", text)} for path, text in rows}
    assert len(listed) >= 10
    assert listed == {path: mail.get(path, set()) for path in listed}
    (rest,) = re.findall(r"The rest of the mail(.*?)\n\n", ARCHITECTURE, re.DOTALL)
    elsewhere = {path: numbers for path, numbers in mail.items() if path not in listed}
    assert named(rest) == set(elsewhere)
    told = {int(number) for part in re.findall(r"\(([\d, ]+)\)", rest) for number in
            re.findall(r"\d+", part)}  # fmt: skip
    assert told == set.union(*elsewhere.values())


def test_the_hooks_run_what_make_style_runs() -> None:
    """The same tools, from this project's own environment; nothing is downloaded."""
    recipe = subprocess.run(
        ["make", "--dry-run", "--always-make", "style"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    tools = {line.split(" --")[0] for line in re.findall(r"-m ((?:ruff|mypy).*)", recipe)}
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert repo["repo"] == "local"
    entries = [hook["entry"].partition(" -m ") for hook in repo["hooks"]]
    assert {hook["language"] for hook in repo["hooks"]} == {"system"}
    assert {python for python, _, _ in entries} == {".venv/bin/python"}
    assert {tool.split(" --")[0] for _, _, tool in entries} == {
        re.sub(r" anonlab .*", "", tool) for tool in tools
    }


def test_the_citation_is_of_this_version_and_this_licence() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert (citation["version"], citation["license"]) == (__version__, "BSD-3-Clause")
