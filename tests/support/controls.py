"""Every control of the player, by mouse and by keyboard: one walk for both homes of its module.

The player shows the history fork_and_write from the library, without steps that ask.
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

import anonlab.view

PAGE = "[id$=mm1-pte-31]"
"""A page that two processes share from step 10 on."""
LAST = 21
ELSEWHERE = {"more", "back"}
"""Controls of long traces: they need a kernel and have a test of their own."""


def all_controls() -> set[str]:
    """The names of all controls in the player's source."""
    source = (Path(anonlab.view.__file__).parent / "player" / "player.js").read_text(
        encoding="utf-8"
    )
    return set(re.findall(r'button\("([\w-]+)"', source))


class Hand:
    """Presses the controls of one player and remembers which; `keyboard` uses Enter instead."""

    def __init__(self, page: Page, root: Locator, keyboard: bool) -> None:
        self.page, self.root, self.keyboard = page, root, keyboard
        self.used: set[str] = set()

    def press(self, name: str) -> None:
        button = self.root.locator(f"[data-do={name}]").first
        self.used.add(name)
        if self.keyboard:
            button.focus()
            self.page.keyboard.press("Enter")
        else:
            button.click()

    def part(self, name: str) -> Locator:
        return self.root.locator(f"[data-part={name}]")

    def goto(self, step: int) -> None:
        self.root.locator("input[type=range]").fill(str(step))
        self.at(step)

    def at(self, step: int) -> None:
        expect(self.root).to_have_attribute("data-step", str(step))


def every_button(page: Page, root: Locator, keyboard: bool) -> set[str]:
    """Press every button and check what it does; return their names."""
    hand = Hand(page, root, keyboard)
    _moves(hand)
    _modes(hand)
    _card(hand)
    _prediction(hand)
    return hand.used


def _moves(hand: Hand) -> None:
    hand.goto(0)
    for name, step in [("next", 1), ("last", LAST), ("previous", LAST - 1), ("first", 0)]:
        hand.press(name)
        hand.at(step)
    play = hand.root.locator("[data-do=play]")
    for pressed in ("true", "false"):
        hand.press("play")
        expect(play).to_have_attribute("aria-pressed", pressed)


def _modes(hand: Hand) -> None:
    for shown, hidden in (("text", "picture"), ("picture", "text")):
        hand.press("text")
        expect(hand.part(shown)).to_be_visible()
        expect(hand.part(hidden)).to_be_hidden()


def _choose(hand: Hand) -> None:
    cell = hand.root.locator(PAGE)
    if hand.keyboard:
        cell.focus()
        hand.page.keyboard.press("Enter")
    else:
        cell.click()
    expect(hand.root).to_have_attribute("data-chosen", "mm1-pte-31")


def _card(hand: Hand) -> None:
    hand.goto(12)
    _choose(hand)
    rows = hand.root.locator(".al-walk li")
    for name, probes in [("probe", 1), ("probes", 2), ("unprobe", 0)]:
        hand.press(name)
        expect(rows).to_have_count(probes)
    hand.press("next-change")
    expect(hand.root).not_to_have_attribute("data-step", "12")
    hand.press("back-change")
    step = int(hand.root.get_attribute("data-step") or 0)
    assert step <= 12
    hand.press("let-go")
    expect(hand.root).to_have_attribute("data-chosen", "")


def _prediction(hand: Hand) -> None:
    told = hand.part("guess")
    hand.goto(10)
    hand.press("predict")
    expect(hand.root).to_have_class(re.compile("marking"))
    hand.press("as-list")
    tick = hand.part("form").locator("label", has_text="child, page 0x30000").locator("input")
    if hand.keyboard:
        tick.focus()
        hand.page.keyboard.press("Space")
    else:
        tick.click()
    expect(told).to_contain_text("1 place marked")
    hand.press("predict")
    expect(hand.root).not_to_have_class(re.compile("marking"))
    hand.press("next")
    expect(told).to_contain_text(re.compile(r"Your prediction: \d right, \d+ missed, \d too many"))
    hand.goto(13)
    hand.press("predict")
    hand.press("unknown")
    hand.at(14)
    expect(told).to_contain_text("you did not know")
    hand.press("last")
    expect(hand.part("summary")).to_contain_text("in 2 steps")
    hand.press("to")
    hand.at(11)


def every_key(page: Page, root: Locator) -> None:
    """Press every key of the key map and check what it does."""
    hand = Hand(page, root, keyboard=True)
    hand.goto(0)
    root.focus()
    for key, step in [("ArrowRight", 1), ("ArrowLeft", 0), ("End", LAST), ("Home", 0)]:
        page.keyboard.press(key)
        hand.at(step)
    for pressed in ("true", "false"):
        page.keyboard.press("Space")
        expect(root.locator("[data-do=play]")).to_have_attribute("aria-pressed", pressed)
    for key, shown in (("t", "text"), ("T", "picture")):
        page.keyboard.press(key)
        expect(hand.part(shown)).to_be_visible()
    hand.goto(12)
    _choose(hand)
    root.focus()
    for key, probes in (("w", 1), ("W", 2)):
        page.keyboard.press(key)
        expect(root.locator(".al-walk li")).to_have_count(probes)
    page.keyboard.press("n")
    expect(root).not_to_have_attribute("data-step", "12")
    page.keyboard.press("N")
    page.keyboard.press("Escape")
    expect(root).to_have_attribute("data-chosen", "")
    page.keyboard.press("p")
    expect(root).to_have_class(re.compile("marking"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(hand.part("guess")).to_contain_text("1 place marked")
    page.keyboard.press("Escape")
    expect(root).not_to_have_class(re.compile("marking"))


def scrub_and_chart(page: Page, root: Locator) -> None:
    """Move through the steps with the pointer on slider and chart, and by the slider's keys."""
    hand = Hand(page, root, keyboard=False)
    slider = root.locator("input[type=range]")
    for where, step in ((0.999, LAST), (0.001, 0)):
        _click_at(slider, where)
        hand.at(step)
    slider.focus()
    page.keyboard.press("ArrowRight")
    hand.at(1)
    _click_at(root.locator(".al-chart svg").first, 0.999)
    hand.at(LAST)


def _click_at(place: Locator, where: float) -> None:
    """Click at a fraction of the width, once the place has come to rest in view."""
    box = place.bounding_box()
    assert box
    place.click(position={"x": where * box["width"], "y": box["height"] / 2})


def theme_of(root: Locator) -> tuple[str, str]:
    """(ink, page) of the player, as the browser computed them."""
    ink, ground = root.evaluate(
        "e => [getComputedStyle(e).getPropertyValue('--al-ink').trim(), "
        "getComputedStyle(e).backgroundColor]"
    )
    return str(ink), str(ground)
