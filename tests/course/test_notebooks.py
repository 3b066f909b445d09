"""The notebooks: built files are what their sources make, run top to bottom, and read well."""

from __future__ import annotations

import ast
import builtins
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
import pytest
from project import ROOT

from anonlab import learn
from anonlab.course.authoring.build import course_drift
from anonlab.course.authoring.notebook_check import run_notebook
from anonlab.course.authoring.notebooks import (
    build_notebooks,
    notebook_drift,
    notebook_text,
    sources,
)

FOLDER = ROOT / "notebooks"
SOURCES = sorted((FOLDER / "source").glob("*.py"))
BUILT = sorted(FOLDER.glob("*.ipynb"))
MAX_LINES = 12
MAX_CELLS = 60
MAGIC = re.compile(r"%%exercise (\w+)\n")
SECTIONS = ("Recall", "Story", "Predict", "Run", "Investigate", "Worked example", "Modify", "Make",
            "Bug museum", "Exit ticket")  # fmt: skip
WITH_A_SCENE = ("Recall", "Story", "Predict and run", *SECTIONS[4:])
"""A scene asks and shows in one cell, where the story is fixed."""
MAX_PROSE = 120
"""Words in one text cell; teaching cells aim at 20 to 60."""

in_ci = pytest.mark.skipif(
    not os.environ.get("ANONLAB_CI"), reason="a notebook that somebody has run holds output"
)
each_notebook = pytest.mark.parametrize("path", BUILT, ids=lambda path: path.stem)


def read(path: Path) -> nbformat.NotebookNode:
    """The notebook in `path`."""
    return nbformat.read(path, as_version=4)


def cells(path: Path, kind: str) -> Iterator[tuple[int, str]]:
    """(number, source) of the cells of one kind."""
    for number, cell in enumerate(read(path).cells):
        if cell.cell_type == kind:
            yield number, cell.source


def test_there_are_notebooks() -> None:
    assert [path.stem for path in SOURCES][:1] == ["00_start_here"]


@in_ci
def test_all_that_is_built_is_current() -> None:
    assert course_drift(FOLDER) == ()


@in_ci
@each_notebook
def test_a_notebook_holds_no_output(path: Path) -> None:
    notebook = read(path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_each_source_has_its_notebook_and_each_notebook_its_source() -> None:
    assert [path.stem for path in BUILT] == [path.stem for path in SOURCES]


@each_notebook
def test_a_notebook_has_the_cells_of_its_source(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    made = nbformat.reads(notebook_text(FOLDER / "source" / f"{path.stem}.py"), as_version=4)
    wanted, found = ([(c.id, c.cell_type, c.source) for c in n.cells] for n in (made, notebook))
    assert found == wanted, "run `anonlab course build`, or take the notebook back with git"


@each_notebook
def test_a_notebook_becomes_its_source_again(path: Path) -> None:
    notebook = read(path)
    again = jupytext.reads(jupytext.writes(notebook, fmt="py:percent"), fmt="py:percent")
    assert [(cell.cell_type, cell.source) for cell in again.cells] == [
        (cell.cell_type, cell.source) for cell in notebook.cells
    ]


@pytest.fixture
def clean_jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the person who runs the tests."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


@pytest.mark.slow
@each_notebook
@pytest.mark.usefixtures("clean_jupyter")
def test_a_notebook_runs_top_to_bottom_without_programs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With them it runs in course/test_whole_course.py."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("dot") is None
    assert run_notebook(ROOT, path.name) == []


@each_notebook
def test_code_cells_fit_on_a_screen(path: Path) -> None:
    _, *codes = [(n, code) for n, code in cells(path, "code") if not MAGIC.match(code)]
    long = [number for number, code in codes if len(code.splitlines()) > MAX_LINES]
    assert not long, f"cells {long} have more than {MAX_LINES} lines"
    assert len(read(path).cells) <= MAX_CELLS


@each_notebook
def test_text_cells_are_short(path: Path) -> None:
    texts = [(n, text) for n, text in cells(path, "markdown") if "### Exercise" not in text]
    titles = re.compile(r"(?<=\.md#)[^)]*")  # what a link to the glossary says, when asked
    long = [n for n, text in texts if len(titles.sub("", text).split()) > MAX_PROSE]
    assert not long, f"cells {long} have more than {MAX_PROSE} words"


@each_notebook
def test_the_first_code_cell_is_imports_and_at_most_a_scene(path: Path) -> None:
    """Whoever runs it sees nothing odd: names come in, or the stage stands there."""
    _, code = next(cells(path, "code"))
    rest = [
        node for node in ast.parse(code).body if not isinstance(node, ast.Import | ast.ImportFrom)
    ]
    shown = [ast.unparse(node).partition("(")[0] for node in rest]
    assert shown in ([], ["scene"])


@each_notebook
def test_no_code_names_a_place_on_one_machine(path: Path) -> None:
    for number, code in cells(path, "code"):
        strings = [
            node.value
            for node in ast.walk(ast.parse(MAGIC.sub("", code)))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        wrong = [
            text for text in strings if re.match(r"(/(home|root|Users|tmp)\b|~|[A-Z]:\\)", text)
        ]
        assert not wrong, f"cell {number}: {wrong}"


@each_notebook
def test_every_image_has_an_alternative_text(path: Path) -> None:
    for number, text in cells(path, "markdown"):
        assert not re.search(r"!\[\s*\]\(", text), f"cell {number}: an image without a text"
        for tag in re.findall(r"<img\b[^>]*>", text):
            assert re.search(r'\balt="[^"]+"', tag), f"cell {number}: {tag}"


def topics() -> list[Path]:
    """The notebooks with the fixed shape."""
    odd = ("00", "05b", "10b", "11", "12", "13")
    return [path for path in BUILT if not path.stem.startswith(odd)]


@pytest.mark.parametrize("path", topics(), ids=lambda path: path.stem)
def test_a_topic_notebook_has_its_sections_in_order(path: Path) -> None:
    text = "\n".join(text for _, text in cells(path, "markdown"))
    titles = [
        title.partition(":")[0] for title in re.findall(r"^## \d+ · (.+)$", text, re.MULTILINE)
    ]
    scene = "Predict and run" in titles
    assert titles == list(WITH_A_SCENE if scene else SECTIONS)
    assert not scene or 'scene("' in "".join(code for _, code in cells(path, "code"))
    for word in ("**In ", "Exercises: ", "You need ", "**Inverse question.**", "glossary.md#"):
        assert word in text, f"{word!r} is missing"


@pytest.mark.parametrize("path", topics(), ids=lambda path: path.stem)
def test_a_topic_notebook_asks_before_it_plays_and_has_its_exercises(path: Path) -> None:
    codes = [code for _, code in cells(path, "code")]
    predicted: set[str] = set()
    for code in codes:
        predicted |= set(re.findall(r'predict\("([^"]+)"', code))
        for name in re.findall(r'(?:play\(\w+, |reveal\()"([^"]+)"', code):
            assert name in predicted, f"{name!r} is shown before it is asked"
    numbers = [match[1] for code in codes if (match := MAGIC.match(code))]
    assert len(numbers) >= 2
    statements = [text for _, text in cells(path, "markdown") if text.startswith("### Exercise")]
    assert [text.split()[2] for text in statements] == numbers
    assert all(number.startswith(path.stem[:2]) for number in numbers)


TOOLS = {"check", "hint", "play", "predict", "predicted", "progress", "reset", "reveal",
         "run_mutant", "solution", "statement"}  # fmt: skip
"""What a learner may call in a topic notebook at any time: notes speak of all of them."""


def imports(code: str) -> list[ast.Import | ast.ImportFrom]:
    """The import lines of a cell."""
    tree = ast.parse(MAGIC.sub("", code))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


@each_notebook
def test_the_first_code_cell_takes_all_of_anonlab_from_one_place(path: Path) -> None:
    first, *rest = [code for _, code in cells(path, "code") if not MAGIC.match(code)]
    assert len(first.splitlines()) <= 3, "two lines, and an empty one between them"
    assert len(imports(first)) <= 2
    modules = {
        node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name
        for code in (first, *rest)
        for node in imports(code)
    }
    assert {each for each in modules if each.startswith("anonlab")} <= {"anonlab", "anonlab.learn"}


@each_notebook
def test_every_name_is_the_notebooks_own_or_comes_from_learn(path: Path) -> None:
    nodes = [
        node for _, code in cells(path, "code") for node in ast.walk(ast.parse(MAGIC.sub("", code)))
    ]
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    named = [node for node in nodes if isinstance(node, ast.Name)]
    own |= {node.id for node in named if not isinstance(node.ctx, ast.Load)}
    used = {node.id for node in named if isinstance(node.ctx, ast.Load)}
    assert used - own - set(dir(builtins)) <= set(learn.__all__)


def test_learn_lists_all_that_it_offers() -> None:
    listed = set(re.findall(r"\w+", learn.__doc__ or ""))
    assert set(learn.__all__) <= listed
    assert not [name for name in learn.__all__ if not hasattr(learn, name)]


@each_notebook
def test_a_tool_that_a_notebook_speaks_of_is_there(path: Path) -> None:
    codes = [MAGIC.sub("", code) for _, code in cells(path, "code")]
    there = set(learn.__all__)
    assert [node for code in codes for node in imports(code) if node.names[0].name == "*"]
    text = "\n".join(text for _, text in cells(path, "markdown"))
    if not path.stem.startswith("00"):  # it tells of tools that the others have
        assert set(re.findall(r"`(\w+)\(\"\d\d", text)) <= there
    if path in topics():
        assert there >= TOOLS


@each_notebook
def test_links_between_notebooks_lead_somewhere(path: Path) -> None:
    for number, text in cells(path, "markdown"):
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in target:
                assert (FOLDER / target).exists(), f"cell {number}: {target}"


# The builder itself.

SAMPLE = """\
# %% [markdown]
# # A title

# %% tags=["some-tag"]
1 + 1


# %%
1 + 1

# %%
1 + 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one source."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "00_it.py").write_text(SAMPLE)
    return tmp_path


def test_two_builds_are_the_same_bytes(folder: Path) -> None:
    build_notebooks(folder)
    first = (folder / "00_it.ipynb").read_bytes()
    (folder / "00_it.ipynb").unlink()
    build_notebooks(folder)
    assert (folder / "00_it.ipynb").read_bytes() == first


def test_cell_ids_follow_the_source_and_are_unique(folder: Path) -> None:
    plain = json.loads(notebook_text(folder / "source" / "00_it.py"))
    ids = [cell["id"] for cell in plain["cells"]]
    assert len(set(ids)) == 4
    assert [name.rsplit("-", 1)[1] for name in ids] == ["1", "1", "2", "3"]
    (folder / "source" / "00_it.py").write_text(SAMPLE.replace("A title", "Another"))
    other = json.loads(notebook_text(folder / "source" / "00_it.py"))
    assert [cell["id"] for cell in other["cells"]][1:] == ids[1:]


def test_tags_stay_and_jupytext_leaves_no_trace(folder: Path) -> None:
    text = notebook_text(folder / "source" / "00_it.py")
    assert "jupytext" not in text
    assert "lines_to_next_cell" not in text
    assert json.loads(text)["cells"][1]["metadata"] == {"tags": ["some-tag"]}


def test_build_names_what_changed(folder: Path) -> None:
    assert build_notebooks(folder) == (folder / "00_it.ipynb",)
    assert build_notebooks(folder) == ()


def test_drift_names_missing_changed_and_foreign_notebooks(folder: Path) -> None:
    target = folder / "00_it.ipynb"
    assert [str(target) in line and "missing" in line for line in notebook_drift(folder)] == [True]
    build_notebooks(folder)
    assert notebook_drift(folder) == ()
    target.write_text(target.read_text().replace("A title", "Changed by hand"))
    (folder / "99_other.ipynb").write_text("{}")
    changed, foreign = notebook_drift(folder)
    assert "is not what" in changed
    assert "99_other.ipynb has no source" in foreign


def test_a_folder_without_sources_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="name the folder that holds source/"):
        sources(tmp_path)
