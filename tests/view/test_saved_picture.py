"""A step saved as a picture: alone in the world, and the same as the stage shows."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from stage_page import Seen, markup
from test_stage_browser import RULES
from true_changes import entries, signs

from anonlab import record
from anonlab.formats.trace import Trace
from anonlab.histories import library
from anonlab.view.stage import palette
from anonlab.view.story.payload import payload

SVG = "{http://www.w3.org/2000/svg}"
STRANGE = "<b>\x01 \U0001f332 & co</b>"
"""A title with a character that XML does not know."""
SHOWN = """() => {
    const all = (name, key) => [...document.querySelectorAll(`[data-part=picture] [data-${name}]`)]
        .filter((one) => one.checkVisibility()).map(key).sort();
    const drawn = (one) => one.dataset.to ? one.dataset.arrow + ">" + one.dataset.to
        : one.dataset.arrow + ">" + one.dataset.slot;
    return {arrow: all("arrow", drawn), key: all("key", (one) => one.dataset.key),
            change: all("change", (one) => one.dataset.change)};
}"""
WRONG = """() => {
    const file = document.documentElement;
    const [wide, tall] = ["width", "height"].map((name) => Number(file.getAttribute(name)));
    const boxes = [...document.querySelectorAll("text")].map((one) =>
        [one.textContent.trim(), one.getBoundingClientRect()]);
    const wrong = boxes.filter(([, box]) => box.left < 0 || box.top < 0 || box.right > wide
        || box.bottom > tall).map(([text]) => `"${text}" is cut`);
    boxes.forEach(([text, one], at) => boxes.slice(at + 1).forEach(([other, two]) => {
        const across = Math.min(one.right, two.right) - Math.max(one.left, two.left);
        const down = Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top);
        if (across > 0.5 && down > 3) wrong.push(`"${text}" and "${other}" overlap`);
    }));
    const all = document.querySelector("svg").getBBox();
    if (all.width > wide + 0.5 || all.height > tall + 0.5) wrong.push("a shape is cut");
    return wrong;
}"""


def single(name: str) -> tuple[dict[str, Any], Trace]:
    trace = record(library.load(name))
    return payload(trace), trace


def beside(name: str, *designs: str) -> tuple[dict[str, Any], Trace]:
    traces = {design: record(library.load(name), design) for design in designs}
    return payload(traces), traces[designs[0]]


Save = Callable[..., tuple[Seen, Path]]


@pytest.fixture
def save(browser: Any, folder: Path) -> Iterator[Save]:
    """Open a payload at a step, save it, and return the player and the file."""
    pages = []

    def go(made: dict[str, Any], step: int, size: tuple[int, int], theme: str) -> tuple[Seen, Path]:
        path = folder / f"save{len(list(folder.iterdir()))}.html"
        path.write_text(markup(made, step), encoding="utf-8")
        view = {"width": size[0], "height": size[1]}
        pages.append(browser.new_page(viewport=view, color_scheme=theme))
        player = Seen(pages[-1]).open(path)
        player.press("s")
        return player, saved(player, "svg", path.with_suffix(".svg"))

    yield go
    for page in pages:
        page.close()


def saved(player: Seen, kind: str, path: Path) -> Path:
    with player.page.expect_download() as download:
        player.act(kind)
    assert download.value.suggested_filename.endswith(f"-step-{player.step()}.{kind}")
    download.value.save_as(path)
    return path


CASES = [
    ("fork_and_write", (), 14, (1000, 640), "light"),
    ("fork_and_write", (), 13, (548, 579), "dark"),
    ("swap_and_back", (), 12, (914, 647), "light"),
    ("mremap_after_fork", ("anongroup", "anon_vma", "anonmm"), 16, (1366, 768), "dark"),
    ("mremap_after_fork", ("pte_chain", "anon_vma_chain"), 12, (548, 579), "light"),
]


@pytest.mark.parametrize(("name", "designs", "step", "size", "theme"), CASES)
def test_a_saved_step_is_what_the_stage_shows_and_needs_nothing_else(
    name: str, designs: tuple[str, ...], step: int, size: tuple[int, int], theme: str, save: Save
) -> None:
    made, trace = beside(name, *designs) if designs else single(name)
    player, path = save(made, step, size, theme)
    root = ElementTree.fromstring(path.read_bytes())
    told = " ".join("".join(one.itertext()) for one in root.iter(f"{SVG}text"))
    bar = player.root.locator(".al-words2 > *").all_inner_texts()
    for text in (trace.title, player.text("count"), f"step {step} of ", *bar, *designs):
        assert text in told
    if not designs:
        assert bar == [trace.steps[step].title, trace.steps[step].sentence]
    assert found(root) == player.run(SHOWN)
    if not designs:
        true = entries(trace.steps[step].snapshot).items()
        assert {f"{key}>{pfn}" for key, pfn in true} <= set(found(root)["arrow"])
        assert found(root)["change"] or not signs(trace)[step]
    needs_nothing(root, palette.LIGHT if theme == "light" else palette.DARK)
    player.page.goto(path.as_uri())
    assert player.run(WRONG) == []


def found(root: ElementTree.Element) -> dict[str, list[str]]:
    """What a file draws, as SHOWN says it of the stage."""
    arrows = [
        f"{one.get('data-arrow')}>{one.get('data-to') or one.get('data-slot')}"
        for one in root.iterfind(".//*[@data-arrow]")
    ]
    rest = {
        name: sorted(str(one.get(f"data-{name}")) for one in root.iterfind(f".//*[@data-{name}]"))
        for name in ("key", "change")
    }
    return {"arrow": sorted(arrows), **rest}


def needs_nothing(root: ElementTree.Element, colours: dict[str, str]) -> None:
    """Check that colours and fonts stand in the file, and nothing that a style sheet would say."""
    ground = root.find(f"{SVG}rect")
    assert ground is not None
    assert ground.get("fill") == colours["panel"]
    for one in root.iter():
        assert not {"class", "style", "id", "onload"} & set(one.keys())
        assert not any("var(" in value or "url(" in value for value in one.attrib.values())
        if one.tag == f"{SVG}text":
            assert "sans-serif" in one.get("font-family", "") or "monospace" in one.get(
                "font-family", ""
            )
            assert float(one.get("font-size", "0")) >= 12
            assert one.get("fill") not in (None, "none")


def test_a_png_is_twice_as_fine(save: Save) -> None:
    player, path = save(single("fork_and_write")[0], 14, (1000, 640), "light")
    root = ElementTree.fromstring(path.read_bytes())
    pixels = saved(player, "png", path.with_suffix(".png")).read_bytes()
    assert pixels[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", pixels[16:24])
    assert (width, height) == (2 * int(root.get("width", "")), 2 * int(root.get("height", "")))
    assert player.wrong == []


def test_a_strange_title_makes_a_file_that_xml_takes(save: Save) -> None:
    made, _ = single("fork_and_write")
    made["title"] = STRANGE
    _, path = save(made, 3, (1000, 640), "light")
    told = [one.text for one in ElementTree.fromstring(path.read_bytes()).iter(f"{SVG}text")]
    assert STRANGE.replace("\x01", "\ufffd") in told


def test_where_a_page_may_not_draw_the_box_says_so_and_svg_is_still_saved(
    browser: Any, folder: Path
) -> None:
    path = folder / "strict.html"
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
    rule = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    text = markup(single("fork_and_write")[0], 14).replace("<title>", f"{rule}<title>", 1)
    path.write_text(text, encoding="utf-8")
    player = Seen(browser.new_page()).open(path)
    player.press("s")
    ElementTree.fromstring(saved(player, "svg", folder / "strict.svg").read_bytes())
    player.act("png")
    expect(player.root.locator("[data-part=saved]")).to_contain_text("No PNG")
    expect(player.root.locator("[data-part=saved]")).to_contain_text("Save it as SVG.")
    assert all("Content Security Policy" in one for one in player.wrong)
    player.page.close()


@pytest.mark.parametrize("size", [(1000, 640), (548, 579)], ids=str)
def test_the_box_is_reached_by_keys_and_the_bar_stays_low(
    size: tuple[int, int], browser: Any, folder: Path
) -> None:
    path = folder / f"keys{size[0]}.html"
    path.write_text(markup(single("fork_and_write")[0], 14), encoding="utf-8")
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    player = Seen(page).open(path)
    player.root.locator("[data-do=next]").focus()
    player.press(*["ArrowDown"] * 3)
    assert player.focused() == "savestep"
    player.press("Enter")
    assert player.focused() == "svg"
    assert player.root.locator("[data-do=savestep]").get_attribute("aria-expanded") == "true"
    bar = player.root.locator("[data-part=bar]").bounding_box()
    assert bar
    assert bar["height"] <= 90
    found_wrong = Axe().run(page, options=RULES).response["violations"]
    assert [one["id"] for one in found_wrong] == []
    player.press("ArrowDown")
    assert player.focused() == "png"
    player.press("ArrowUp", "ArrowUp")
    assert player.focused() == "endsave"
    player.press("ArrowLeft")
    assert player.step() == 13
    assert "step 13" in player.text("save")
    player.press("Escape")
    assert player.focused() == "savestep"
    assert player.run("() => document.documentElement.scrollWidth") <= size[0]
    assert player.wrong == []
    page.close()
