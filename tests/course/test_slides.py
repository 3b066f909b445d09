"""Slides: one file, nothing from a network; each question is asked, played and explained."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from browsers import chromium, needs_browser
from click.testing import CliRunner
from project import ROOT
from test_debate import COMPUTED

from anonlab.cli.verbs import cli
from anonlab.course.asking.bank.debate import SAID
from anonlab.course.asking.bank.objections import OBJECTIONS
from anonlab.course.asking.bank.scenes import SCENES
from anonlab.course.asking.scenes import made
from anonlab.course.teaching.slides import topics_of, write_slides


@pytest.fixture(scope="module")
def decks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The decks of all notebooks that have something to show."""
    files = write_slides(ROOT, (), tmp_path_factory.mktemp("slides"))
    return {path.stem.removeprefix("slides-"): path for path in files}


def test_every_scene_is_in_the_slides_of_its_notebook(decks: dict[str, Path]) -> None:
    assert {name.split()[0] for name in SCENES} <= set(decks)
    for name, scene in SCENES.items():
        text = decks[name.split()[0]].read_text("utf-8")
        assert scene.title in re.sub(r"&#39;", "'", text)
        _, cards = made(name)
        topic = next(each for each in topics_of(name.split()[0]) if each.name == name)
        assert [question.step for question in topic.questions] == sorted(cards)


def test_a_deck_needs_no_network_and_tells_what_wrong_answers_mean(decks: dict[str, Path]) -> None:
    text = decks["00"].read_text("utf-8")
    assert not re.search(r'(?:src|href)="?https?:|@import|url\(http', text)
    assert "Who says “shell”: You said the shell. Look at table A" in text.replace("&#34;", '"')
    assert text.count('class="slide question"') == text.count('class="slide answer"') == 2
    assert "Some people say: the copy goes through the child." in decks["05"].read_text("utf-8")


MAIL = re.compile(
    r'<p class="who">(.*?)<span>(.*?)</span></p>\s*<div>\s*'
    r"(?:<blockquote>“(.*?)”</blockquote>\s*)?<p>(.*?)</p>"
)
CLAIMS = {each.claim for each in OBJECTIONS.values()}


def told_in_notebook() -> list[object]:
    """What notebook 11 tells, in order: mails, objections with who they speak against, scenes."""
    (source,) = (ROOT / "notebooks" / "source").glob("11_*.py")
    calls = re.findall(r'(?m)^(debate|objection|scene)\("([^"]+)"', source.read_text("utf-8"))
    out: list[object] = []
    for verb, name in calls:
        if verb == "debate":
            out += [(x.who, x.when, x.words, x.idea, x.url) for x in SAID if x.topic == name]
        elif verb == "objection":
            out += [OBJECTIONS[name].claim, (OBJECTIONS[name].claim, {*COMPUTED[name]})]
        else:
            out.append(SCENES[name].title)
    return out


def told_in_slides(deck: Path) -> Iterator[object]:
    """The same, from the slides and the notes under them."""
    text, scene = unescape(deck.read_text("utf-8")), ""
    for kind, slide in re.findall(r'(?s)<section class="slide (\w+).*?>\n(.*?)</section>', text):
        (title,) = re.findall(r"<h[12]>(.*?)</h[12]>", slide)
        if kind == "said":
            links = re.findall(r"<p>(.*?), (\d+ \w+ \d+): (https:\S+)</p>", slide)
            for mail, (who, when, url) in zip(MAIL.findall(slide), links, strict=True):
                assert mail[:2] == (who, when)
                yield (*mail, url)
        elif title == "An objection":
            yield from re.findall(r'<p class="ask">(.*?)</p>', slide)
        elif title in CLAIMS:
            (right,) = re.findall(r'<p class="right">.*?<span>(.*?)</span>', slide)
            yield title, {*right.split(", ")}
        elif kind != "title" and title != scene:
            yield (scene := title)


def test_the_debate_stands_in_its_deck_in_the_order_of_the_notebook(decks: dict[str, Path]) -> None:
    wanted = told_in_notebook()
    assert list(told_in_slides(decks["11"])) == wanted
    assert all(any(each.url in told for told in wanted) for each in SAID)
    assert all(claim in wanted for claim in CLAIMS)
    others = [path.read_text("utf-8") for name, path in decks.items() if name != "11"]
    assert not any("<blockquote>" in other for other in others)


def test_slides_of_what_is_not_there_are_refused(tmp_path: Path) -> None:
    run = CliRunner().invoke
    told = run(cli, ["course", "slides", "99", "--out", str(tmp_path), "--course", str(ROOT)])
    assert told.exit_code == 2
    assert "there is no notebook '99'; there are 00, 01" in told.output
    told = run(cli, ["course", "slides", "--out", str(tmp_path), "--course", str(tmp_path)])
    assert told.exit_code == 2
    assert "has no notebooks" in told.output


@pytest.fixture(scope="module")
def page(decks: dict[str, Path]) -> Iterator[Any]:
    with chromium() as browser:
        opened = browser.new_page(viewport={"width": 1920, "height": 1080})
        errors: list[str] = []
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.goto(decks["00"].as_uri())
        yield opened
        assert not errors


STATE = (
    "({at: deck.at, kind: deck.slide.classList[1], steps: [...deck.players.values()]"
    ".filter(({player}) => player.now.big).map(({player}) => player.now.i)})"
)


@needs_browser
def test_the_keys_go_through_the_stage_step_by_step_and_back(page: Any) -> None:
    seen = []
    for _ in range(60):
        before = page.evaluate(STATE)
        seen.append((before["at"], before["kind"], *before["steps"]))
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(120)
        if page.evaluate(STATE) == before:
            break
    slides = page.locator(".slide").count()
    assert seen[0] == (0, "title")
    assert {at for at, *_ in seen} == set(range(slides)), "every slide was shown"
    assert all(len(each) == 3 for each in seen if each[1] == "stage"), "one player, in lecture mode"
    for _ in range(len(seen) - 1):
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(120)
    assert page.evaluate(STATE)["at"] == 0


@needs_browser
def test_each_slide_fits_the_screen(page: Any, decks: dict[str, Path]) -> None:
    wrong = []
    for name, path in decks.items():
        page.goto(path.as_uri())
        slides = page.locator(".slide").count()
        for number in range(slides):
            page.evaluate(f"deck.show({number}, false)")
            kind, tall = page.evaluate(
                "[deck.slide.classList[1], document.documentElement.scrollHeight]"
            )
            if kind != "stage" and tall > 1080:
                wrong.append((name, number + 1, tall))
    assert not wrong, "(notebook, slide, px)"


@needs_browser
def test_each_slide_is_a_page_of_paper(page: Any, decks: dict[str, Path]) -> None:
    page.goto(decks["00"].as_uri())
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == page.locator(".slide").count()
