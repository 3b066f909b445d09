"""The site: pages that ask nothing of anybody, links that lead somewhere, players and cards that
work without Python."""

from __future__ import annotations

import functools
import html.parser
import http.server
import json
import re
import threading
from collections.abc import Iterator
from itertools import permutations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from browsers import chromium
from project import ROOT
from whole_site import own_files

from anonlab.course.asking.bank import QUESTIONS
from anonlab.course.asking.cards import question_card, question_verdict, typed
from anonlab.histories import library

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.xdist_group("site")
OUTSIDE = re.compile(r"^(?:https?:)?//")
RESOURCE = {
    "script": ("src",), "img": ("src", "srcset"), "iframe": ("src",), "source": ("src", "srcset"),
    "video": ("src",), "audio": ("src",), "embed": ("src",), "object": ("data",),
    "image": ("href", "xlink:href"), "use": ("href", "xlink:href"), "link": ("href",),
}  # fmt: skip


@pytest.fixture(scope="module")
def site(pages_folder: Path) -> Path:
    return pages_folder


class Parsed(html.parser.HTMLParser):
    """What a page loads, where its links lead, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors = {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        self.loads += [found[name] for name in RESOURCE.get(tag, ()) if name in found]
        if tag == "a" and "href" in found:
            self.links.append(found["href"])


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Parsed]:
    return {path: Parsed(path.read_text("utf-8")) for path in own_files(site, "*.html")}


def asked_outside(text: str) -> list[str]:
    """What a style sheet or a script asks of other hosts."""
    found = re.findall(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", text)
    found += re.findall(r"\b()(?:fetch|import)\(\s*['\"]([^'\"]+)", text)
    return [each for pair in found for each in pair if OUTSIDE.match(each)]


def test_no_page_loads_anything_from_elsewhere(site: Path, pages: dict[Path, Parsed]) -> None:
    loads = {(path.name, each) for path, page in pages.items() for each in page.loads}
    assert {each for each in loads if OUTSIDE.match(each[1])} == set()
    assert len(loads) > 20
    for path in own_files(site, "*.css") + own_files(site, "*.js"):
        assert asked_outside(path.read_text("utf-8")) == [], path.name
    for page in pages:
        assert asked_outside("".join(re.findall(r"<style.*?</style>", page.read_text("utf-8"),
                                                re.DOTALL))) == []  # fmt: skip
    assert asked_outside("a{background:url(https://x.org/y.png)}") == ["https://x.org/y.png"]
    assert Parsed('<script src="//cdn.org/x.js">').loads == ["//cdn.org/x.js"]


def test_every_link_leads_to_a_place_of_the_site(site: Path, pages: dict[Path, Parsed]) -> None:
    """But for lite/, which is made by its own builder; tests/lite follows the way there."""
    dead = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or "lite" in Path(parts.path).parts:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages.get(target)
            if not target.is_file() or (
                known and parts.fragment and unquote(parts.fragment) not in known.anchors
            ):
                dead.append((path.relative_to(site).as_posix(), link))
    assert dead == []


def test_every_history_of_the_library_has_a_page(site: Path) -> None:
    text = (site / "gallery.html").read_text("utf-8")
    for name in library.names():
        assert (site / "gallery" / f"{name}-anongroup.html").is_file()
        assert f"gallery/{name}-anongroup.html" in text
    assert sum(path.stat().st_size for path in own_files(site, "*")) < 20e6


def test_the_pages_hold_no_trace_of_the_machine_that_built_them(pages: dict[Path, Parsed]) -> None:
    for path in pages:
        text = path.read_text("utf-8")
        assert str(ROOT) not in text, path.name
        assert "anonlab-site-" not in text, path.name


# In Chromium, with every other host shut.


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    serve = functools.partial(Quiet, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page; nothing may go wrong on it, and nothing may leave this machine."""
    opened = browser.new_page(viewport={"width": 1366, "height": 768})
    opened.set_default_timeout(10_000)
    wrong: list[str] = []

    def route(route: Any) -> None:
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            wrong.append(route.request.url)
            route.abort()

    opened.route("**/*", route)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: wrong.append(said.text))
    yield opened
    opened.close()
    assert wrong == []


def test_a_player_steps_asks_and_shows_what_was_right(page: Page, address: str) -> None:
    page.goto(f"{address}04_fork.html")
    player = page.locator(".anonlab-player:not(.anonlab-card)").first
    step = lambda: int(player.get_attribute("data-step") or -1)  # noqa: E731
    player.locator("[data-do=next]").click()
    card = player.locator(".al-card[data-question]")
    for _ in range(6):
        if card.count():
            break
        player.locator("[data-do=next]").click()
    assert card.count() == 1
    card.locator("[data-do=dunno]").click()
    told = player.locator("[data-reveal]")
    told.wait_for()
    assert "Kept on this page" in (told.text_content() or "")
    player.locator("[data-do=close]").click()
    before = step()
    player.locator("[data-do=prev]").click()
    assert step() == before - 1
    assert page.locator(".al-host > .al-still").first.is_hidden()


def test_a_card_is_answered_with_a_second_chance(page: Page, address: str) -> None:
    page.goto(f"{address}00_start_here.html")
    card = page.locator("[data-anonlab=card]", has_text="00 digits").first
    card.locator("[data-do=lock]").click()
    assert card.locator("[role=alert]").text_content()
    card.locator("input").first.fill("0x999")
    card.locator("[data-do=lock]").click()
    page.wait_for_function(
        "card => card.textContent.includes('once more')", arg=card.element_handle()
    )
    card.locator("input").first.fill("0x998")
    card.locator("[data-do=lock]").click()
    card.locator("[data-reveal]").wait_for()
    assert "0 of 1 right" in (card.text_content() or "")


def answers_of(card: dict[str, Any]) -> list[list[Any]]:
    """Answers of every form to a card."""
    part = card["parts"][0]
    if part["kind"] == "order":
        return [[list(one)] for one in list(permutations(range(len(part["items"]))))[::7]]
    if part["kind"] == "several":
        sets = product([0, 1], repeat=len(part["options"]))
        return [[[at for at, chosen in enumerate(each) if chosen]] for each in sets]
    if part["kind"] == "text":
        return [[text] for text in ("1", "0x1", "3", "0x30", "9", "16")]
    size = min(len(each["options"]) for each in card["parts"])
    return [[option] * len(card["parts"]) for option in range(size)]


JUDGED = """([host, answers]) => answers.map(lock => {
    host.model.send({lock});  // twice: the second time is the last one
    host.model.send({lock});
    const {parts} = host.model.get("verdict");
    return parts.map(part => part.right);
})"""


def test_the_page_judges_as_python_does(page: Page, address: str) -> None:
    """Every answer to sets and choices, one in seven of the orders."""
    kinds = set()
    for name in ("00_start_here", "04_fork"):
        page.goto(f"{address}{name}.html")
        for host in page.locator("[data-anonlab=card]").all():
            state = json.loads(host.locator("script").text_content() or "")
            question = QUESTIONS.get(state["card"]["name"])
            if question is None:
                continue
            # The numbers of a question are those of nobody's variant, as in a folder just made.
            assert (
                state["card"]["parts"] == question_card(state["card"]["name"], question, 0)["parts"]
            )
            answers = answers_of(state["card"])
            found = page.evaluate(JUDGED, [host.element_handle(), answers])
            kinds.add(state["card"]["parts"][0]["kind"])
            for given, judged in zip(answers, found, strict=True):
                seed = seed_of_card(state)
                marks = question.judge(typed(question, given), seed)
                right = [
                    part["right"]
                    for part in question_verdict(question, given, marks, True)["parts"]
                ]
                assert judged == right, (state["card"]["name"], given)
    assert kinds >= {"order", "several", "text"}


def seed_of_card(state: dict[str, Any]) -> int:
    """The seed whose question stands on a card."""
    question = QUESTIONS[state["card"]["name"]]
    return next(
        seed for seed in range(5000) if question.ask(seed).split("\n")[0].replace("`", "")
        == state["card"]["ask"]
    )  # fmt: skip


def test_what_only_python_can_do_is_said_with_the_way_to_it(page: Page, address: str) -> None:
    page.goto(f"{address}04_fork.html")
    notes = page.locator(".al-run")
    assert "Here you write code" in " ".join(notes.all_text_contents())
    assert "to answer it and to get fresh ones" in " ".join(notes.all_text_contents())
    way = page.locator("a.run").first.get_attribute("href")  # tests/lite goes it
    assert way == "lite/lab/index.html?path=notebooks/04_fork.ipynb"


def test_terms_search_and_the_dark(page: Page, address: str) -> None:
    page.goto(f"{address}04_fork.html")
    term = page.locator("a.al-term", has_text="copy on write").first
    term.hover()
    shown = term.evaluate("link => getComputedStyle(link, '::after').content")
    assert "two processes share a page until one of them writes" in shown
    term.click()
    page.wait_for_url("**/glossary.html#copy-on-write")
    page.goto(f"{address}search.html?q=mremap")
    page.locator("#search-results li a").first.wait_for()
    page.emulate_media(color_scheme="dark")
    page.goto(f"{address}04_fork.html")
    player = page.locator(".anonlab-player").first
    both = """one => [getComputedStyle(one).colorScheme,
                      getComputedStyle(document.body).backgroundColor]"""
    scheme, ground = player.evaluate(both)
    assert scheme == "dark"
    assert max(map(int, re.findall(r"\d+", ground)[:3])) < 64
    page.emulate_media(media="print")
    assert player.is_hidden()
    assert page.locator(".al-still svg").first.is_visible()


@pytest.mark.parametrize("width", [1366, 400])
def test_no_page_is_wider_than_the_screen(
    browser: Browser, site: Path, address: str, width: int
) -> None:
    """What does not fit is cut, not scrolled: the theme hides what is beyond the edge."""
    opened = browser.new_page(viewport={"width": width, "height": 768})
    wide = []
    for path in own_files(site, "*.html"):
        if path.parent.name != "gallery":  # pages of their own: tests/view has them
            opened.goto(address + path.relative_to(site).as_posix())
            beyond = opened.evaluate("document.documentElement.scrollWidth - innerWidth")
            wide += [path.name] * (beyond > 0)
    assert wide == []
    opened.close()


def test_a_page_that_is_opened_from_a_folder_works_as_well(browser: Browser, site: Path) -> None:
    opened = browser.new_page()
    opened.goto((site / "04_fork.html").as_uri())
    player = opened.locator(".anonlab-player").first
    player.locator("[data-do=next]").click()
    assert player.get_attribute("data-step") == "1"
    assert opened.locator(".al-host.is-live").count() == opened.locator(".al-host").count()
    opened.close()


def test_one_workflow_builds_what_make_site_builds() -> None:
    plan = yaml.safe_load((ROOT / ".github" / "workflows" / "site.yml").read_text("utf-8"))
    steps = plan["jobs"]["site"]["steps"]
    assert [step["run"].split()[:2] for step in steps if "make" in step.get("run", "")] == [
        ["make", "site"]
    ]
    assert [step["with"]["path"] for step in steps if "path" in step.get("with", {})] == [
        "build/site"
    ]
