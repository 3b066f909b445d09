"""Terms come in order, and a link to one says what it means."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from project import ROOT

from anonlab.course.authoring.build import build_course
from anonlab.course.authoring.glossary import Term, linked, plain, read_glossary
from anonlab.course.authoring.vocabulary import vocabulary_problems
from anonlab.errors import FormatError

PAGE = Term("page", ("page",), "4096 bytes.", "00", False)
TABLE = Term("page-table", ("page table", "PT"), 'it says "where".', "01", False)
COUNT = Term("count", ("count",), "how many.", "01", True)
TERMS = (PAGE, TABLE, COUNT)
GLOSSARY = """# Glossary

* <a id="page"></a>**page**: 4096 bytes. (00)
* <a id="page-table"></a>**page table** (*PT*): it leads to pages. (01, 03)
* <a id="count"></a>**count**: how many. (01; an everyday word)
"""


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    """Two notebooks and a glossary."""
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    folder = tmp_path / "notebooks"
    (folder / "glossary.md").write_text(GLOSSARY, "utf-8")
    (folder / "source" / "00_a.py").write_text("# %% [markdown]\n# A page.\n", "utf-8")
    (folder / "source" / "01_b.py").write_text(
        "# %% [markdown]\n# A page table has [entries](glossary.md#count). A page has none.\n\n"
        "# %% [markdown]\n# A page table.\n",
        "utf-8",
    )
    return folder


@pytest.mark.parametrize(
    ("text", "gives"),
    [
        ("Two pages.", 'Two [pages](glossary.md#page "page: 4096 bytes.").'),
        (
            "A page table, a page.",
            "A [page table](glossary.md#page-table \"page table: it says 'where'.\"), "
            'a [page](glossary.md#page "page: 4096 bytes.").',
        ),
        ("No count is linked.", "No count is linked."),
        ("[It](glossary.md#count) is.", '[It](glossary.md#count "count: how many.") is.'),
        ("[It](glossary.md#none) is.", "[It](glossary.md#none) is."),
        ("A `page` alone.", 'A [`page`](glossary.md#page "page: 4096 bytes.") alone.'),
        ("`p.page(3)` and homepage, page.py, PTs-", None),
        ("# page\n\n| page |\n|---|\n\n```\npage\n```\n", None),
        ('*"a page"* and [the page](x.md), <a title="page">page</a>', None),
    ],
)
def test_the_first_use_becomes_a_link_that_says_what_it_is(text: str, gives: str | None) -> None:
    assert linked(text, TERMS, set()) == (text if gives is None else gives)


def test_built_notebooks_link_each_term_once(notebooks: Path) -> None:
    build_course(notebooks)
    built = (notebooks / "01_b.ipynb").read_text("utf-8")
    cells = [cell.source for cell in nbformat.reads(built, as_version=4).cells]
    assert [re.findall(r"#([\w-]+) \"", cell) for cell in cells] == [
        ["page-table", "count", "page"],
        [],
    ]
    assert vocabulary_problems(notebooks, ()) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        ("source/00_a.py", "A page.", "A page, a PT.", "source/00_a.py:2: page table is used here"),
        ("source/00_a.py", "A page.", "A [page](glossary.md#count).", "00_a.py:2: count is used"),
        ("source/00_a.py", "A page.", "[It](glossary.md#it).", "the glossary has no it"),
        ("source/00_a.py", "A page.", "It.", "00_a.py: introduces page, says the glossary, but"),
        ("source/01_b.py", "(glossary.md#count)", "", "introduces count, says the glossary"),
        ("glossary.md", "(00)", "(02)", "page is of notebook 02, and there is none"),
        ("glossary.md", "4096 bytes.", "One. Two is here. It is three. It is four.", "sentences"),
        ("glossary.md", "4096 bytes.", "many " * 20 + "bytes.", "page: 21 words, 20 at most"),
    ],
)
def test_each_fault_of_the_vocabulary_is_named(
    notebooks: Path, path: str, old: str, new: str, says: str
) -> None:
    text = (notebooks / path).read_text("utf-8")
    assert old in text
    (notebooks / path).write_text(text.replace(old, new), "utf-8")
    found = vocabulary_problems(notebooks, ())
    assert any(says in sentence for sentence in found), found


def test_an_entry_without_a_notebook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "glossary.md").write_text('* <a id="page"></a>**page**: 4096 bytes.\n', "utf-8")
    with pytest.raises(FormatError, match="entry 'page' is no"):
        read_glossary(tmp_path / "glossary.md")


def test_every_entry_of_the_course_is_read() -> None:
    text = (ROOT / "notebooks" / "glossary.md").read_text("utf-8")
    assert len(read_glossary(ROOT / "notebooks" / "glossary.md")) == text.count("<a id=") > 25


def test_a_name_keeps_its_underscores() -> None:
    """Tooltips said "anonvma": an underscore inside a word is no mark."""
    marked = "an _old_ `anon_vma`, [see](x.md) *do_wp_page*"
    assert plain(marked) == "an old anon_vma, see do_wp_page"
