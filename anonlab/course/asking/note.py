"""What a learner's tools return: text that shows itself, and mistakes told in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from html import escape
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
_LEFT = "text-align:left;white-space:normal"
_LOOK = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;max-width:96ch"
"""Lines break between words; JupyterLab's own rule would break them anywhere."""


class Note:
    """Text that shows itself; `html` is what follows it in a notebook."""

    def __init__(self, text: str, html: str = "") -> None:
        self.text = text
        self.html = html

    def _repr_html_(self) -> str:
        return f'<pre style="{_LOOK}">{escape(self.text)}</pre>{self.html}'

    def __repr__(self) -> str:
        return self.text


class TableNote(Note):
    """Text that is a table in a notebook; every cell of `rows` is HTML."""

    def __init__(
        self, text: str, caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]]
    ) -> None:
        super().__init__(text)
        head = "".join(f'<th scope="col" style="{_LEFT}">{each}</th>' for each in heads)
        cell = f'<td style="{_LEFT}">'
        body = "".join(f"<tr>{''.join(f'{cell}{each}</td>' for each in row)}</tr>" for row in rows)
        self.table = (
            f"<table><caption>{escape(caption)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _repr_html_(self) -> str:
        return self.table


def errors_as_notes(tool: Callable[_P, _T]) -> Callable[_P, _T | Note]:
    """Let `tool` say what a person can mend in a sentence instead of a traceback."""

    @wraps(tool)
    def telling(*args: _P.args, **kwargs: _P.kwargs) -> _T | Note:
        try:
            return tool(*args, **kwargs)
        except (ValueError, OSError) as error:
            return Note(str(error))

    return telling
