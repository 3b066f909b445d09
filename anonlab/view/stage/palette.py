"""The colours of every picture: one table for light, one for dark, and nothing else has colours.

Style sheets only name custom properties (`var(--al-ink)`); this module gives them their values.
`TEXT_PAIRS` and `SHAPE_PAIRS` say which colour stands on which, so that a test can compute the
contrast of each pair in both themes.
"""

from __future__ import annotations

LIGHT: dict[str, str] = {
    "page": "#f5f6f9",
    "panel": "#ffffff",
    "ink": "#18212f",
    "muted": "#546072",
    "line": "#7b8696",
    "hair": "#d5dae3",
    "faint": "#dfe3ea",
    "accent": "#1d5bbf",
    "accent-ink": "#ffffff",
    "write-fill": "#dde9fd",
    "write-line": "#2563c9",
    "write-ink": "#12366f",
    "read-fill": "#fff0cc",
    "read-line": "#9a5c00",
    "read-ink": "#613a00",
    "swap-fill": "#f0e5fb",
    "swap-line": "#7b46b6",
    "swap-ink": "#4b237c",
    "file-fill": "#d8f2e8",
    "file-line": "#137a5b",
    "file-ink": "#0a4a37",
    "zero-fill": "#e9edf2",
    "zero-line": "#66717f",
    "zero-ink": "#303947",
    "mark": "#c01657",
    "mark-ink": "#ffffff",
    "hit": "#137a5b",
    "miss": "#9a5c00",
    "extra": "#b3261e",
    "sign-ink": "#ffffff",
}
"""Light theme, colours as #rrggbb by role."""

DARK: dict[str, str] = {
    "page": "#0d1118",
    "panel": "#151b25",
    "ink": "#e9eef5",
    "muted": "#a6b2c2",
    "line": "#8492a5",
    "hair": "#2c3643",
    "faint": "#2c3643",
    "accent": "#82b4ff",
    "accent-ink": "#0a1c38",
    "write-fill": "#18325b",
    "write-line": "#6fa8ff",
    "write-ink": "#d6e6ff",
    "read-fill": "#46340c",
    "read-line": "#efb143",
    "read-ink": "#ffe8b8",
    "swap-fill": "#392455",
    "swap-line": "#c49df6",
    "swap-ink": "#eddfff",
    "file-fill": "#103e31",
    "file-line": "#51d1a7",
    "file-ink": "#ccf6e7",
    "zero-fill": "#2b3440",
    "zero-line": "#9aa6b5",
    "zero-ink": "#e3e9f0",
    "mark": "#ff7fb0",
    "mark-ink": "#2c0015",
    "hit": "#51d1a7",
    "miss": "#efb143",
    "extra": "#ff8f86",
    "sign-ink": "#10151d",
}
"""Dark theme, the same roles."""

_STATES = ("write", "read", "swap", "file", "zero")
TEXT_PAIRS: tuple[tuple[str, str], ...] = (
    ("ink", "panel"),
    ("ink", "page"),
    ("muted", "panel"),
    ("muted", "page"),
    ("accent", "panel"),
    ("accent", "page"),
    ("accent-ink", "accent"),
    ("mark-ink", "mark"),
    ("mark", "page"),
    ("mark", "panel"),
    *((f"{state}-ink", f"{state}-fill") for state in _STATES),
    *((sign, ground) for sign in ("hit", "miss", "extra") for ground in ("page", "panel")),
    *(("sign-ink", sign) for sign in ("hit", "miss", "extra")),
)
"""(text, ground) pairs that need a contrast of 4.5."""
SHAPE_PAIRS: tuple[tuple[str, str], ...] = (
    ("line", "panel"),
    ("line", "page"),
    ("accent", "page"),
    ("mark", "panel"),
    *((f"{state}-line", ground) for state in _STATES for ground in (f"{state}-fill", "panel")),
)
"""(shape, ground) pairs that need a contrast of 3."""

_LAB = {
    "page": "--jp-layout-color0",
    "font": "--jp-ui-font-family",
    "mono": "--jp-code-font-family",
}
FONT = '-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif'
MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace'


def _declare(colours: dict[str, str]) -> str:
    return "".join(
        f"--al-{name}:var({_LAB[name]},{value});" if name in _LAB else f"--al-{name}:{value};"
        for name, value in colours.items()
    )


def variables_css(selector: str) -> str:
    """Return the custom properties for elements that match `selector` (no comma in it).

    A plain page follows prefers-color-scheme; inside JupyterLab its theme decides, because
    its <body> says so in data-jp-theme-light; data-theme on the element itself decides over both.
    Paper is always light.
    """
    fonts = f"--al-font:var({_LAB['font']},{FONT});--al-mono:var({_LAB['mono']},{MONO});"
    light = _declare(LIGHT) + "color-scheme:light"
    dark = _declare(DARK) + "color-scheme:dark"
    return (
        f"{selector}{{{fonts}{light}}}\n"
        f"@media (prefers-color-scheme:dark){{{selector}{{{dark}}}}}\n"
        f'body[data-jp-theme-light="true"] {selector}{{{light}}}\n'
        f'body[data-jp-theme-light="false"] {selector}{{{dark}}}\n'
        f'html body {selector}[data-theme="light"],{selector}[data-theme="light"]{{{light}}}\n'
        f'html body {selector}[data-theme="dark"],{selector}[data-theme="dark"]{{{dark}}}\n'
        f"@media print{{html {selector},html body[data-jp-theme-light] {selector},"
        f"html {selector}[data-theme]{{{light}}}}}\n"
    )
