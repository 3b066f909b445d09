"""The templates of pictures and pages, filled in: everything that a person wrote is escaped."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from anonlab.formats.catalogue import current, grouped, say
from anonlab.view.stage.palette import FONT, LIGHT, MONO, variables_css
from anonlab.view.stage.shapes import FONTS, PAINTS

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def drawn(template: str, css_class: str, **what: object) -> str:
    """Return an SVG of this package, named by its path, without the white space of its lines."""
    text = _ENVIRONMENT.get_template(template).render(
        fonts=FONTS,
        paints=PAINTS,
        colours=LIGHT,
        style=style(css_class),
        css_class=css_class,
        sans=FONT,
        mono=MONO,
        say=say,
        **what,
    )
    return re.sub(r">\s*\n\s*<", "><", text).strip()


def filled(template: str, **what: object) -> str:
    """Return a page of this package, named by its path."""
    return _ENVIRONMENT.get_template(template).render(
        say=say, grouped=grouped, lang=current().code, **what
    )


def style(css_class: str) -> str:
    """Return the style sheet of a picture: what its attributes say, by the variables of the
    palette, which know dark themes."""
    rules = "".join(
        f".{css_class} .f-{role}{{fill:var(--al-{role})}}"
        f".{css_class} .s-{role}{{stroke:var(--al-{role})}}"
        for role in LIGHT
    )
    return f"{variables_css(f'.{css_class}')}.{css_class}{{max-width:100%;height:auto}}{rules}"
