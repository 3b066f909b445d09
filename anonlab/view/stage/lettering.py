"""How wide words are, about: no font is at hand where a static picture is made."""

from __future__ import annotations

SANS, BOLD, MONO = 0.57, 0.62, 0.605
"""px per character and px of size, rather too much than too little."""


def width_of(text: str, size: float, each: float = SANS) -> float:
    """Return about how many px `text` is wide."""
    return len(text) * size * each


def fit(text: str, width: float, size: float, each: float = SANS) -> str:
    """Shorten `text` with an ellipsis so that it is at most about `width` px wide."""
    room = max(1, int(width / (size * each)))
    return text if len(text) <= room else text[: room - 1] + "…"


def first_that_fits(texts: list[str], width: float, size: float, each: float = SANS) -> str:
    """Return the first of `texts` that is at most about `width` px wide, else ''."""
    return next((text for text in texts if text and width_of(text, size, each) <= width), "")
