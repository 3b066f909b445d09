"""`anonlab view`: every history of the library is a page, and the gallery leads to all of them."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from anonlab import DESIGNS
from anonlab.cli.verbs import cli
from anonlab.course.authoring import gallery
from anonlab.histories import library


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["view", *arguments])


def designs_of(page: str) -> list[str]:
    """The designs whose machines a page holds."""
    found = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found is not None
    frames = json.loads(found[1])["frames"]
    if isinstance(frames, str):
        frames = json.loads(zlib.decompress(base64.b64decode(frames.partition(":")[2])))
    return [track["design"] for track in frames["tracks"]]


@pytest.mark.slow
@pytest.mark.parametrize("name", library.names())
@pytest.mark.parametrize("design", DESIGNS)
def test_every_history_under_every_design_is_a_page(name: str, design: str) -> None:
    page = gallery.view(name, [design])
    assert len(page.encode()) <= 1_500_000
    assert designs_of(page) == [design]


def test_the_verb_writes_the_page_and_says_where(tmp_path: Path) -> None:
    target = tmp_path / "a.html"
    result = run("first_touch", "--design", "anon_vma", "--html", str(target))
    assert (result.exit_code, result.output.strip()) == (0, str(target))
    assert designs_of(target.read_text(encoding="utf-8")) == ["anon_vma"]


def test_several_designs_stand_side_by_side(tmp_path: Path) -> None:
    target = tmp_path / "a.html"
    designs = ("--design", "anongroup", "--design", "anon_vma_chain")
    assert run("fork_and_write", *designs, "--html", str(target)).exit_code == 0
    assert designs_of(target.read_text(encoding="utf-8")) == ["anongroup", "anon_vma_chain"]


def test_a_file_is_a_history_too(tmp_path: Path) -> None:
    source, target = tmp_path / "mine.history", tmp_path / "a.html"
    source.write_text("# Mine\na = spawn\n", encoding="utf-8")
    assert run(str(source), "--html", str(target)).exit_code == 0
    assert "<title>mine</title>" in target.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing",), "there is no file 'nothing' and no history of that name; there are first_"),
        (("first_touch", "--design", "magic"), "design is one of"),
        ((), "name one HISTORY, or say --all"),
        (("first_touch", "--all"), "name one HISTORY, or say --all"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = run(*arguments, "--html", str(tmp_path / "a.html"))
    assert result.exit_code == 2
    assert words in result.output


def test_the_gallery_leads_to_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "names", lambda: ["first_touch", "fork_and_write"])
    monkeypatch.setattr(library, "logs", lambda: [])
    seen: list[tuple[int, int]] = []
    written = gallery.write_gallery(tmp_path, lambda done, total: seen.append((done, total)))
    index = written[0].read_text(encoding="utf-8")
    links = set(re.findall(r'href="([^"]+)"', index))
    assert links == {path.name for path in written[1:]}
    assert len(links) == 2 * (len(DESIGNS) + 1)
    assert seen[-1] == (len(links), len(links))
    assert not re.findall(r'(?:src|href)="(?!data:|[a-z_-]+\.html)', index)
    alts = re.findall(r'<img alt="([^"]+)"', index)
    assert len(alts) == 2
