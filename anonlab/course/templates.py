"""The pages of the course, filled in: everything that a person wrote is escaped."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def filled(template: str, **what: object) -> str:
    """Return a page of the course, named by its path from here."""
    return _PAGES.get_template(template).render(**what)
