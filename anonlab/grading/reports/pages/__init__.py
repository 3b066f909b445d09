"""Pages of reports: templates that escape all that they are given, in the colours of the course."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from anonlab.grading.reports.words import UNOFFICIAL
from anonlab.view.stage.palette import variables_css

_HERE = Path(__file__).parent


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["palette"] = variables_css("body")
    made.globals["style"] = (_HERE / "page.css").read_text("utf-8")
    made.globals["unofficial"] = UNOFFICIAL
    return made


def page(template: str, /, **facts: Any) -> str:
    """Return a template filled with `facts`; one that it lacks is an error."""
    return _templates().get_template(template).render(facts)
