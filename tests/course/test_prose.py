"""Sentences are cut where a reader would cut them, and what is too long is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from project import ROOT

from anonlab.cli.verbs import cli
from anonlab.course.authoring import prose
from anonlab.course.authoring.course_prose import prose_problems, read_prose
from anonlab.errors import FormatError

LONG = " ".join(["word"] * 30) + " end."


def words_of(path: Path, text: str) -> list[tuple[int, int]]:
    path.write_text(text, "utf-8")
    return [(each.line, each.words) for each in prose.sentences(path)]


def test_markdown_is_cut_as_it_is_read(tmp_path: Path) -> None:
    """Counted by hand. Headings, tables and code are no sentences; code in a line is one word."""
    text = """# A heading has no sentence.

Linux 2.6.7 got `p.fork(1, 2)`. See mm.c, e.g. line 4! **What** [do you](x.md#y) see?

| a table | has | no sentence. |
|---|---|---|
| one | two | three four five. |

```
code is no sentence at all.
```

* one short item
* a long item — with a dash.

<details><summary>What for?</summary>The answer is here.</details>
"""
    found = words_of(tmp_path / "a.md", text)
    assert found == [(3, 4), (3, 5), (3, 4), (13, 3), (14, 6), (16, 4)]


def test_a_notebook_is_its_markdown_cells(tmp_path: Path) -> None:
    text = "# %% [markdown]\n# # Head\n#\n# One two three.\n\n# %%\n# no prose at all.\nx = 1\n"
    assert words_of(tmp_path / "00_it.py", text) == [(4, 3)]


def test_a_master_is_its_statement_its_hints_and_its_commentary(tmp_path: Path) -> None:
    text = '''"""04a · Title of it

One two three[^id]. Four five six seven.
"""

EXERCISE = {"hints": ["a b c."], "minutes": 3, "commentary": """
    One two.

    Three four five.
"""}
ERROR = "this one is code."
'''
    assert words_of(tmp_path / "ex04a_it.py", text) == [(3, 3), (3, 4), (6, 3), (9, 3)]


def test_strings_and_templates_are_read_as_they_come_out(tmp_path: Path) -> None:
    text = '"""No, a docstring."""\nraise ValueError(f"no {a + b} is here, use {c!r}.")\nX = "no"\n'
    assert words_of(tmp_path / "any.py", text) == [(2, 6)]
    text = '{"s": {\n"a": "{n} [page|pages] of {who}{?f}, frame {f}{/f} are gone."}}'
    assert words_of(tmp_path / "words.json", text) == [(2, 8)]


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"\.md, \.py and \.json"):
        words_of(tmp_path / "a.txt", "One two three.")


def test_a_long_sentence_is_named_unless_it_is_listed(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    guide, listed = tmp_path / "README.md", tmp_path / "notebooks" / prose.LISTED
    guide.write_text(f"It is here.\n\n{LONG}\n", "utf-8")
    (problem,) = prose_problems(tmp_path, read_prose(tmp_path))
    assert problem.startswith("README.md:3: 31 words, at most 30 in a sentence: “word word")
    listed.write_text('[[sentence]]\nbegins = "word word"\nwhy = "a quotation"\n', "utf-8")
    assert prose_problems(tmp_path, read_prose(tmp_path)) == []
    guide.write_text("It is here.\n", "utf-8")
    (problem,) = prose_problems(tmp_path, read_prose(tmp_path))
    assert "no long sentence begins “word word”" in problem
    listed.write_text('[[sentence]]\nbegins = "word word"\n', "utf-8")
    with pytest.raises(FormatError, match=r"\[\[sentence\]\] 1 has begins = and why ="):
        prose_problems(tmp_path, read_prose(tmp_path))


def test_the_median_is_of_whole_sentences(tmp_path: Path) -> None:
    """Three sentences of 16 words are not hidden by five items of three."""
    path = tmp_path / "README.md"
    path.write_text(
        "* one two three\n" * 5 + "\n" + ("word " * 15 + "end.\n\n") * 3,
        "utf-8",
    )
    (problem,) = prose_problems(tmp_path, read_prose(tmp_path))
    assert problem == "README.md: the median sentence has 16 words, 14 at most"


def test_authors_see_the_longest_sentences_of_one_file(tmp_path: Path) -> None:
    guide = tmp_path / "guide.md"
    guide.write_text(f"It is here.\n\n{LONG}\n", "utf-8")
    result = CliRunner().invoke(cli, ["course", "check", "--prose", str(guide)])
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "2 sentences; median 17 words, at most 14; longest 31, at most 30"
    assert lines[1].startswith(f"{guide}:3: 31 words: word word")
    assert lines[2] == f"{guide}:1:  3 words: It is here."


def test_the_course_is_read_as_a_whole() -> None:
    """Every kind of file that people read is found."""
    names = read_prose(ROOT)
    for one in ("notebooks/source/04_fork.py", "solutions/ex04a_fork.py", "README.md",
                "notebooks/INSTRUCTOR.md", "docs/STYLE.md", "anonlab/formats/languages/en.json",
                "anonlab/course/asking/bank/items.py"):  # fmt: skip
        assert len(names[one]) > 10, one
