"""The template language of all sentences, the same in Python and in the browser (stage/words.js).

{name}           the argument as it is
{name:hex}       a number as 0x2f
{name:address}   a page number as the address of its first byte, `digits` hex digits at least
{name:tag}       a content tag: small ones in decimal, others in hex
[one|many]       by the argument n;  [name:one|many] by another one. A language may have more forms
                 or fewer: its rule says which number takes which (formats/catalogue.py)
{?name}…{/name}  kept if the argument is there and is neither empty nor zero
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from numbers import Integral

from anonlab.machine.words import PAGE_SHIFT

_OPTIONAL = re.compile(r"\{\?(\w+)\}(.*?)\{/\1\}")
_CHOICE = re.compile(r"\[(?:(\w+):)?([^|\]]*\|[^\]]*)\]")
_ARGUMENT = re.compile(r"\{(\w+)(?::(\w+))?\}")
_EMPTY = ("", "0", 0, None)
_SMALL = range(-9_999, 100_000)
"""Content tags that people read in decimal."""
ENGLISH_PLURAL = "10" + "1" * 198
"""Which form is right for 0, 1, … 199; beyond them the last two digits decide."""


def fill(template: str, arguments: Mapping[str, object], plural: str = ENGLISH_PLURAL) -> str:
    """Return `template` with its arguments; what they hold is never read as a template.

    plural  digits: which form is right for 0, 1, 2, …
    raises  ValueError if an argument is missing, or its form is none of the above
    """
    kept = _without_empty(template, arguments)
    chosen = _CHOICE.sub(lambda match: _choice(match, arguments, plural), kept)
    return _ARGUMENT.sub(lambda match: _written(match[1], match[2], arguments), chosen)


def short(tag: int) -> str:
    """Return a content tag as people read it: small ones in decimal, others in hex."""
    return str(tag) if tag in _SMALL else f"{tag & (1 << 64) - 1:#x}"


def _without_empty(template: str, arguments: Mapping[str, object]) -> str:
    return _OPTIONAL.sub(
        lambda match: (
            "" if arguments.get(match[1]) in _EMPTY else _without_empty(match[2], arguments)
        ),
        template,
    )


def _choice(match: re.Match[str], arguments: Mapping[str, object], plural: str) -> str:
    forms = match[2].split("|")
    number = _argument(match[1] or "n", arguments)
    return forms[min(form_of(number, plural), len(forms) - 1)]


def form_of(number: object, plural: str = ENGLISH_PLURAL) -> int:
    """Return which form is right for `number`; what is no whole number from 0 on is many."""
    at = int(number) if isinstance(number, Integral) else -1
    if at < 0:
        return int(plural[2])
    return int(plural[at if at < len(plural) else 100 + at % 100])


def _argument(name: str, arguments: Mapping[str, object]) -> object:
    if name not in arguments:
        raise ValueError(f"the template asks for {name}, there is {', '.join(arguments) or 'none'}")
    return arguments[name]


def _written(name: str, form: str | None, arguments: Mapping[str, object]) -> str:
    value = _argument(name, arguments)
    if form is None:
        return str(value)
    number = int(str(value))
    if form == "hex":
        return f"{number:#x}"
    if form == "tag":
        return short(number)
    if form == "address":
        digits = int(str(arguments.get("digits", 0)))
        return f"0x{number << PAGE_SHIFT:0{digits}x}"
    raise ValueError(f"{{{name}:{form}}}: the forms are hex, address and tag")
