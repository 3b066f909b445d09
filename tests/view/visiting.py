"""A page in a real browser, with everything that went wrong on it; the fixtures are in conftest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from reading_back import unpacked

CHROMIUM = shutil.which("chromium")
ARGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
ROOT = ".anonlab-player"


class Visit:
    """One page, with everything that went wrong on it."""

    def __init__(self, browser: Any, path: Path, fragment: str = "", **options: Any) -> None:
        self.page = browser.new_page(**options)
        self.page.set_default_timeout(8000)
        self.wrong: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda message: self.wrong.append(message.text))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: (self.wrong.append("dialog"), dialog.dismiss()))
        self.page.goto(path.as_uri() + fragment)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def step(self) -> int:
        return int(self.page.get_attribute(ROOT, "data-step"))

    def told(self, part: str) -> str:
        return str(self.page.text_content(f"{ROOT} [data-part={part}]"))

    def facts(self) -> list[tuple[str, ...]]:
        read = "all => all.map(e => e.getAttribute('data-facts'))"
        texts = self.page.eval_on_selector_all(f"{ROOT} [data-facts]", read)
        return [fact for text in texts for fact in unpacked(json.loads(text))]

    def over(self, slack: float = 2) -> list[str]:
        """Words that reach out of their box, by more than `slack` pixels."""
        found: list[str] = self.page.evaluate(
            """slack =>
            [...document.querySelectorAll('[data-part=picture] g.c')]
            .filter(g => g.querySelector('rect')).flatMap(g => {
                const box = g.querySelector('rect').getBoundingClientRect();
                return [...g.querySelectorAll('text')].filter(t => t.textContent &&
                    g.getBoundingClientRect().width && !g.matches('.span') &&
                    (t.getBoundingClientRect().right > box.right + slack ||
                     t.getBoundingClientRect().left < box.left - slack))
                    .map(t => `${g.id}: ${t.textContent}`);
            })""",
            slack,
        )
        return found

    def focus(self) -> str:
        return str(self.page.evaluate("document.activeElement.className.baseVal ?? "
                                      "document.activeElement.className"))  # fmt: skip
