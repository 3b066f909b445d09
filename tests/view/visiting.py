"""A page in a real browser, with everything that went wrong on it; the fixtures are in conftest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROOT = ".anonlab-player"


class Visit:
    """One page, with everything that went wrong on it."""

    def __init__(self, browser: Any, path: Path, fragment: str = "", **options: Any) -> None:
        self.page = browser.new_page(**options)
        self.page.set_default_timeout(8000)
        self.wrong: list[str] = []
        self.forgiven = ""
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: (self.wrong.append("dialog"), dialog.dismiss()))
        self.page.goto(path.as_uri() + fragment)

    def _hear(self, message: Any) -> None:
        if not self.forgiven or self.forgiven not in message.text:
            self.wrong.append(message.text)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def step(self) -> int:
        return int(self.page.get_attribute(ROOT, "data-step"))

    def told(self, part: str) -> str:
        return str(self.page.text_content(f"{ROOT} [data-part={part}]"))

    def wrong_is_only(self, words: str) -> None:
        """Forgive complaints that hold `words`."""
        self.forgiven = words

    def focus(self) -> str:
        return str(self.page.evaluate("document.activeElement.className.baseVal ?? "
                                      "document.activeElement.className"))  # fmt: skip
