"""The catalogue of words: its language, and that Python and the browser fill it alike."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from anonlab.formats.catalogue import current
from anonlab.formats.templates import fill
from anonlab.view.player.export import MODULE
from anonlab.view.story import words

pytestmark = pytest.mark.xdist_group("javascript")

CASES = [
    ("{a} of {b}", {"a": 1, "b": "{a} [x|y]"}, "1 of {a} [x|y]"),
    ("{v:hex} {v:address}", {"v": 0x2F, "digits": 0}, "0x2f 0x2f000"),
    ("{v:address}", {"v": 0xF, "digits": 5}, "0x0f000"),
    ("{v:address}", {"v": 0x7FFFFFFFF, "digits": 12}, "0x7ffffffff000"),
    ("{t:tag} {u:tag}", {"t": 99_999, "u": 100_000}, "99999 0x186a0"),
    ("{t:tag} {u:tag}", {"t": -9_999, "u": "-9223372036854775808"}, "-9999 0x8000000000000000"),
    ("{n} [page|pages]", {"n": 1}, "1 page"),
    ("{n} [page|pages][| of each]", {"n": 0}, "0 pages of each"),
    ("[m:is|are] [page at|{n} pages from]", {"n": 2, "m": 1}, "is 2 pages from"),
    ("a{?who}, {who}{?n} {n}{/n}{/who}.", {"who": "b", "n": 3}, "a, b 3."),
    ("a{?who}, {who}{/who}{?n}{n}{/n}{?gone}!{/gone}", {"who": "", "n": 0}, "a"),
]
"""(template, arguments, what the language says it is)."""


@pytest.mark.parametrize(("template", "arguments", "filled"), CASES)
def test_a_template_is_filled(template: str, arguments: dict[str, object], filled: str) -> None:
    assert fill(template, arguments) == filled


def test_the_browser_fills_templates_alike(call: Any) -> None:
    for template, arguments, filled in CASES:
        given = {"template": template, "args": arguments}
        assert call("fill(given.template, given.args)", given) == filled, template


def test_every_key_belongs_to_one_section() -> None:
    english = current()
    assert sum(map(len, english.sections.values())) == len(english.words)


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(ValueError, match=r"en\.json has no 'twin\.nothing'"):
        words.say("twin.nothing")
    with pytest.raises(ValueError, match=r"the words 'twin\.run': .* asks for last"):
        words.say("twin.run", first=1)
    with pytest.raises(ValueError, match="the forms are hex, address and tag"):
        fill("{n:octal}", {"n": 1})


def test_the_browser_gets_the_same_catalogue() -> None:
    line = words.words_js().splitlines()[0].removeprefix("const WORDS = ").removesuffix(";")
    sent, english = json.loads(line), current()
    assert sent == {key: english.words[key] for key in sent}
    said = "".join(file.read_text(encoding="utf-8") for file in MODULE)
    keys = set(re.findall(r'\bsay\("([\w.-]+)"', said))
    assert len(keys) > 150
    assert keys <= set(sent)
