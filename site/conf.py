"""Sphinx's settings for the site: pages that ask nothing of any other host."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from api_pages import as_restructured_text

from anonlab.version import __version__

project, author, release = "anonlab", "anonlab contributors", __version__
project_copyright = "2026, anonlab contributors, BSD-3-Clause"
extensions = ["myst_nb", "sphinx.ext.autodoc"]
exclude_patterns = ["_static"]

nb_execution_mode = "off"  # notebooks.py has run them
nb_ipywidgets_js: dict[str, Any] = {}  # its default is on other hosts
nb_number_source_lines = False
nb_merge_streams = True
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide it"
myst_heading_anchors = 4
# Anchors of the glossary are HTML; test_site.py follows every link of the built pages.
suppress_warnings = ["myst.xref_missing", "myst.header", "mystnb.unknown_mime_type", "ref.python"]

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
default_role = "code"
toc_object_entries = False  # with them each page takes three times as long
python_maximum_signature_line_length = 80

html_theme = "furo"
html_title = "anonlab"
html_favicon = "static/favicon.svg"
html_static_path: list[str] = []
html_css_files = ["anonlab.css"]
html_js_files = [("anonlab.js", {"defer": "defer"})]
html_copy_source = False
html_show_sphinx = False
html_permalinks_icon = "#"
html_theme_options = {"footer_icons": [], "navigation_with_keys": False}
pygments_style = "friendly"
pygments_dark_style = "github-dark"


def setup(app: Any) -> None:
    """Let docstrings be read as they are written here, and take static files from the sources."""
    app.connect("autodoc-process-docstring", _docstring)
    app.connect("config-inited", _static)


def _docstring(
    _app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]
) -> None:
    lines[:] = as_restructured_text(lines)


def _static(app: Any, config: Any) -> None:
    config.html_static_path = [str(Path(app.srcdir) / "_static")]
