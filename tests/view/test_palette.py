"""Colours: one palette, two themes, contrasts that can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from anonlab.view.stage import palette as colours

VIEW = Path(colours.__file__).parents[1]
SHEETS = sorted(VIEW.rglob("*.css"))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_has_a_contrast_of_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", [colours.LIGHT, colours.DARK], ids=["light", "dark"])
def test_text_has_a_contrast_of_4_5_and_shapes_of_3(theme: dict[str, str]) -> None:
    for text, ground in colours.TEXT_PAIRS:
        assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
    for shape, ground in colours.SHAPE_PAIRS:
        assert contrast(theme[shape], theme[ground]) >= 3, (shape, ground)


def test_both_themes_name_the_same_colours_and_each_is_paired_with_a_ground() -> None:
    assert colours.LIGHT.keys() == colours.DARK.keys()
    paired = {name for pair in colours.TEXT_PAIRS + colours.SHAPE_PAIRS for name in pair}
    assert colours.LIGHT.keys() - paired == {"faint", "hair"}  # decoration only


SOURCES = [path for kind in ("*.css", "*.js", "*.py", "*.j2") for path in sorted(VIEW.rglob(kind))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_colours_stand_in_the_palette_only(path: Path) -> None:
    if path.name == "palette.py":
        return
    text = path.read_text(encoding="utf-8")
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?!;)|\brgba?\(|\bhsla?\(", text)


def test_style_sheets_name_only_colours_of_the_palette() -> None:
    known = {*colours.LIGHT, "font", "mono"}
    for path in SHEETS:
        used = set(re.findall(r"var\(--al-([a-z-]+)\)", path.read_text(encoding="utf-8")))
        own = {"sh", "ph", "ch"}  # heights that the script sets
        assert used <= known | own, path.name
