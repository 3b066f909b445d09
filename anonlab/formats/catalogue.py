"""The catalogue: every word that the stage shows, by key. Each language is one file of languages/.

A file is JSON: sections of {key: template}, in the template language of templates.py. Sections say
who speaks; a key is unique in the whole file, so nobody names sections. `en.json` has every key.
Another language says what it can; a missing key is said in English. translations.py names it.

The language is chosen once, for all that is shown from then on: by ``anonlab.language("de")``, or
by the environment variable ANONLAB_LANGUAGE. A recorded step keeps the words of its recording.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from anonlab.errors import FormatError
from anonlab.formats.json_text import parse_json
from anonlab.formats.templates import fill

ENGLISH = "en"
VARIABLE = "ANONLAB_LANGUAGE"
FOLDER = Path(__file__).with_name("languages")
FORMS = 200
"""Plural forms are listed for so many numbers; beyond them the last two digits decide."""
FAR = (1_000, 1_000_000, 1_000_001, 2_000_000)
"""Numbers at which some rules of gettext take a form of its own."""
Sections = dict[str, dict[str, str]]


class Catalogue:
    """One language, read.

    name      its code ("de"), or the path of its file
    sections  {section: {key: template}} of all keys; English where the file has none
    words     the same without sections
    plural    digits: which form of a template is right for 0, 1, … FORMS - 1
    """

    def __init__(self, name: str, sections: Sections) -> None:
        self.name = name
        self.sections = sections
        self.words = {key: text for each in sections.values() for key, text in each.items()}
        self.plural = plural_forms(self.words["language.plural"])

    @property
    def code(self) -> str:
        """The language as HTML names it."""
        return self.words["language.code"]

    def say(self, key: str, /, **arguments: object) -> str:
        """Return the words of `key`, filled in; raises ValueError as `say` does."""
        if key not in self.words:
            raise ValueError(f"{ENGLISH}.json has no {key!r}")
        try:
            return fill(self.words[key], arguments, self.plural)
        except ValueError as error:
            raise ValueError(f"language {self.name}: the words {key!r}: {error}") from None


def language(name: str | None = None) -> str:
    """Choose the language of pictures, text, player and steps; return the one that is chosen now.

    name    one of `languages()`, or the path of a file *.json; without it nothing changes
    raises  ValueError if there is no such language, or its file cannot be used
    """
    global _chosen
    if name is not None:
        _chosen = read_catalogue(name)
    return current().name


def languages() -> tuple[str, ...]:
    """Return the languages that anonlab brings along."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def current() -> Catalogue:
    """Return the language that is chosen: at first the one that ANONLAB_LANGUAGE names."""
    global _chosen
    if _chosen is None:
        wanted = os.environ.get(VARIABLE, "")
        try:
            _chosen = read_catalogue(wanted or ENGLISH)
        except ValueError as error:
            raise ValueError(f"{VARIABLE}={wanted}: {error}") from None
    return _chosen


def say(key: str, /, **arguments: object) -> str:
    """Return the words of `key` in the chosen language: ``say("swap.slot", slot=3)``.

    raises  ValueError if there are no such words, or an argument is missing
    """
    return current().say(key, **arguments)


def grouped(number: int) -> str:
    """Return a whole number as people write it: 11,000."""
    return f"{number:,}".replace(",", current().words["language.thousands"])


_chosen: Catalogue | None = None


def read_catalogue(name: str) -> Catalogue:
    """Return a language by its code or by the path of its file; raises as `language` does."""
    english = english_sections()
    if name == ENGLISH:
        return Catalogue(ENGLISH, english)
    mine = {key: text for each in sections_of(name).values() for key, text in each.items()}
    return Catalogue(
        name,
        {section: {key: mine.get(key, text) for key, text in words.items()}
         for section, words in english.items()},
    )  # fmt: skip


@lru_cache(1)
def english_sections() -> Sections:
    """Return the sections of en.json: all there are."""
    return sections_of(ENGLISH)


def sections_of(name: str) -> Sections:
    """Return the sections of a language's file, as they are; raises as `language` does."""
    path = Path(name) if name.endswith(".json") else FOLDER / f"{name}.json"
    if not name.endswith(".json") and name not in languages():
        near = [code for code in languages() if name.lower().startswith(code)]
        raise ValueError(
            f"there is no language {name!r}{f', did you mean {near[0]!r}?' if near else ';'} "
            f"there are {', '.join(languages())}, or the path of a file *.json"
        )
    try:
        found = parse_json(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not in UTF-8; save it in UTF-8") from None
    except FormatError as error:
        look = "; look there and in the line before for a comma, a quote or a brace"
        more = f"{look} that is missing or too much" if error.line else ""
        raise ValueError(f"{path} cannot be read: {error}{more}") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    _check_shape(path, found)
    forms = found.get("language", {}).get("language.plural")
    if forms is not None:
        plural_forms(forms)
    return dict(found)


def _check_shape(path: Path, found: object) -> None:
    """Raise ValueError unless there are sections of texts; it names the first that is none."""
    if not isinstance(found, dict):
        raise ValueError(f"{path} must have sections of texts: {{section: {{key: text}}}}")
    for section, words in found.items():
        if not isinstance(words, dict):
            raise ValueError(f"{path}: {section!r} must be an object of texts: {{key: text}}")
        for key, text in words.items():
            if not isinstance(text, str):
                raise ValueError(f"{path}: {key!r} must be a text in quotes, not {text!r:.40}")


@lru_cache(16)
def plural_forms(rule: str) -> str:
    """Return the form for 0, 1, 2, … as digits.

    rule    what a gettext file says after `plural=`, such as "n != 1"; its whole line will do
    raises  ValueError if it is no such rule, or looks at more than the last two digits
    """
    from gettext import c2py  # the parser of these rules in Python's library

    try:
        form = c2py(rule.rpartition("plural=")[2].strip("; "))
        forms = "".join(str(min(int(form(n)), 9)) for n in range(FORMS))
        odd = [n for n in (*range(FORMS, 1000), *FAR) if int(form(n)) != int(forms[100 + n % 100])]
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"language.plural is no plural rule of gettext: {error}") from None
    if odd:
        raise ValueError(
            f"language.plural: {odd[0]} has a form of its own in {rule!r}; "
            f"from {FORMS} on a rule may look at the last two digits only"
        )
    return forms
