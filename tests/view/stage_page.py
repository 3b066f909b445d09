"""A page with nothing but a player and its payload, for tests of the stage in a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from anonlab.view.player.export import player_css, player_js

MODEL = """
const model = {
  state: JSON.parse(document.getElementById("state").textContent), heard: {}, saved: 0,
  get(name) { return this.state[name]; },
  set(name, value) {
    this.state[name] = value;
    (this.heard["change:" + name] || []).slice().forEach((act) => act());
  },
  save_changes() { this.saved += 1; }, send() {},
  on(name, act) { (this.heard[name] ||= []).push(act); },
  off(name, act) { this.heard[name] = (this.heard[name] || []).filter((one) => one !== act); },
};
window.model = model;
window.leave = render({ model, el: document.getElementById("here") });
"""
MEASURES = Path(__file__).with_name("stage_measures.js").read_text(encoding="utf-8")
HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>stage</title><style>'


def markup(payload: dict[str, Any] | str, step: int = 0, **state: Any) -> str:
    """A page that plays `payload`; `state` is what the model holds besides."""
    whole = {
        "frames": payload,
        "step": step,
        "chosen": "",
        "predictions": {},
        "keeping": "",
        **state,
    }
    script = player_js().replace("export default", "void")
    plain = json.dumps(whole).replace("<", "\\u003c")
    return (
        f"{HEAD}body{{margin:0}}{player_css()}</style></head>"
        '<body class="anonlab-page"><main id="here"></main>'
        f'<script type="application/json" id="state">{plain}</script>'
        f'<script type="module">{script}{MODEL}{MEASURES}</script></body></html>'
    )


class Seen:
    """A player in a page: what a person does with it and sees of it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".anonlab-player")
        self.wrong: list[str] = []
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda message: self.wrong.append(message.text))

    def open(self, path: Path) -> Seen:
        self.page.goto(path.as_uri())
        self.root.locator("[data-part=picture]").first.wait_for()
        return self

    def step(self) -> int:
        return int(self.root.get_attribute("data-step") or -1)

    def state(self) -> str:
        return str(self.root.get_attribute("data-state"))

    def act(self, name: str) -> None:
        self.root.locator(f"[data-do={name}]").first.click()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def text(self, part: str) -> str:
        return re.sub(r"\s+", " ", self.root.locator(f"[data-part={part}]").first.inner_text())

    def focused(self, name: str = "data-do") -> str:
        """An attribute of what has the focus; "BODY" if nothing has."""
        script = """name => document.activeElement === document.body ? "BODY" :
            document.activeElement.getAttribute(name) || document.activeElement.tagName"""
        return str(self.page.evaluate(script, name))

    def run(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)
