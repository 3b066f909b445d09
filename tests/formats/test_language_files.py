"""A language is a file: chosen once; what is missing in it is English, what is wrong is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from anonlab import Kernel, language
from anonlab.formats.catalogue import (
    VARIABLE,
    current,
    grouped,
    languages,
    plural_forms,
    read_catalogue,
    say,
)
from anonlab.formats.labels import LABELS, Label
from anonlab.formats.translations import examine

WriteFile = Callable[..., str]
CZECH = "nplurals=4; plural=(n==1) ? 0 : (n>=2 && n<=4) ? 1 : 3;"
"""A line as people have it in their files: whole, and of its four forms one is for fractions."""
BRETON = "n%10==1 && n%100!=11 ? 0 : n%1000000==0 && n!=0 ? 3 : 4"
POLISH = "n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2"
"""The line of a gettext file, as GNU gettext's manual prints it for Polish."""


@pytest.fixture
def file(tmp_path: Path) -> WriteFile:
    """Write a language's file of one section, and return its path."""

    def write(**words: Any) -> str:
        path = tmp_path / "xx.json"
        plain = {key.replace("__", "."): text for key, text in words.items()}
        path.write_text(json.dumps({"one": plain, "language": plain.pop("language", {})}))
        return str(path)

    return write


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    yield
    language("en")


def test_a_language_is_chosen_for_all_that_is_said_from_then_on(file: WriteFile) -> None:
    assert language() == "en"
    assert say("frame.shared", n=2) == "shared by 2"
    path = file(frame__shared="geteilt: {n}", step__fork="{who} ist da.")
    assert language(path) == path == language()
    assert say("frame.shared", n=2) == "geteilt: 2"
    assert LABELS["fork"] == Label("fork", "{who} ist da.", "do_fork"), "the rest is English"
    assert Kernel("pte_chain").design.words["spawn"].sentence.startswith("{who} starts with")


def test_many_plural_forms_are_right_where_the_rule_of_a_language_says_so(file: WriteFile) -> None:
    language(file(run__pages="{n} [strona|strony|stron]", language={"language.plural": POLISH}))
    said = [say("run.pages", n=n).split()[1] for n in (0, 1, 2, 4, 5, 12, 21, 22, 112, 1002)]
    assert said == ["stron", "strona", "strony", "strony", *["stron"] * 3, "strony", "stron",
                    "strony"]  # fmt: skip
    assert say("state.write") == "writable"


@pytest.mark.parametrize("rule", ["n != 1", POLISH, "n > 1", "0", CZECH, "(n != 1);"])
def test_forms_beyond_the_list_follow_the_last_two_digits(rule: str) -> None:
    from gettext import c2py

    forms, rule = plural_forms(rule), rule.rpartition("plural=")[2].rstrip(";")
    for n in (200, 201, 211, 312, 1001, 999_999):
        assert int(forms[100 + n % 100]) == c2py(rule)(n)


def test_numbers_are_grouped_as_a_language_does(file: WriteFile) -> None:
    assert grouped(1_234_567) == "1,234,567"
    language(file(language={"language.thousands": "."}))
    assert grouped(1_234_567) == "1.234.567"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"frame__shared": "geteilt"}, "frame.shared: {n} is missing in 'geteilt'"),
        ({"state__write": "{who}"}, "state.write: there is no {who} to say in '{who}'"),
        (
            {"frame__sharde": "x"},
            "frame.sharde: no such key, nobody says it; did you mean 'frame.shared'?",
        ),
        ({"run__pages": "{n} [a|b|c]"}, "run.pages: [a|b|c] has 3 forms, this language 2"),
        (
            {"run__pages": "{n} [a|b|c]", "language": {"language.plural": CZECH}},
            "run.pages: [a|b|c] has 3 forms, this language 4",
        ),
        ({"frame__fre": "x"}, "frame.fre: no such key, nobody says it; did you mean 'frame.free'?"),
        (
            {"state__write": ""},
            "state.write: an empty text; take the key out, and it is said in English",
        ),
        (
            {"run__pages": "{n} [Seite]"},
            "run.pages: a [ is neither an argument {who} nor a choice "
            "[page|pages] in '{n} [Seite]'",
        ),
        (
            {"frame__holds": "hat {data:tga}"},
            "frame.holds: {data:tga}: the forms are hex, address and tag; "
            "the text is 'hat {data:tga}'",
        ),
        ({"run__pages": "{n} [m:a|b]"}, "run.pages: there is no {m} to say in '{n} [m:a|b]'"),
        ({"frame__free": "[a|b]"}, "frame.free: there is no {n} to say in '[a|b]'"),
        (
            {"language": {"language.code": "Français"}},
            "language.code: 'Français' is no code of a language, such as 'de' or 'pt-BR' (ISO 639)",
        ),
    ],
)
def test_what_is_wrong_with_a_template_is_said(
    file: WriteFile, words: dict[str, Any], sentence: str
) -> None:
    assert sentence in examine(file(**words)).mistakes


def test_keys_that_are_missing_are_named(file: WriteFile) -> None:
    found = examine(file(state__write="x", state__raed="y"))
    assert found.problems[4].startswith("state.raed: no such key"), (
        "a mistake is not to be looked for"
    )
    assert found.summary("xx.json").startswith("xx.json: 5 mistakes; ")
    assert "language.plural: missing; only the language itself can say it" in found.mistakes[2]
    said = found.missing
    assert "frame.free: missing, it is said in English: 'free'" in said
    assert len(said) == len(read_catalogue("en").words) - 1 - 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"a": {"b": "1"\n"c": "2"}}', "line 2: not JSON: .* in the line before for a comma"),
        ("[" * 100_000, "too deep"),
        ("[]", "must have sections of texts"),
        ('{"a": "b"}', "'a' must be an object of texts"),
        ('{"a": {"b": 1}}', "'b' must be a text in quotes, not 1"),
        ('{"a": {"b": "1", "b": "2"}}', "the name 'b' more than once"),
        ('{"language": {"language.plural": "n +"}}', "no plural rule of gettext"),
        ('{"language": {"language.plural": "__import__"}}', "no plural rule of gettext"),
        (f'{{"language": {{"language.plural": "{BRETON}"}}}}', "1000000 has a form of its own"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "xx.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        language(str(path))
    assert language() == "en", "the one before stays"


def test_a_file_of_any_editor_is_read_or_refused_in_plain_words(tmp_path: Path) -> None:
    path = tmp_path / "xx.json"
    path.write_bytes(
        b'\xef\xbb\xbf{"one": {"frame.free": "lib\xc3\xa9r\xc3\xa9"}}'
    )  # a byte order mark
    assert language(str(path)) == str(path)
    assert say("frame.free") == "libéré"
    path.write_bytes('{"one": {"frame.free": "libéré"}}'.encode("latin-1"))
    with pytest.raises(ValueError, match="is not in UTF-8; save it in UTF-8"):
        language(str(path))


def test_a_mistake_that_is_met_while_playing_names_its_file(file: WriteFile) -> None:
    path = file(frame__shared="{qui}")
    language(path)
    with pytest.raises(ValueError, match=r"xx\.json: the words 'frame\.shared': .* asks for qui"):
        say("frame.shared", n=2)


def test_a_language_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no language 'de_DE.UTF-8', did you mean 'de'?"):
        language("de_DE.UTF-8")
    with pytest.raises(ValueError, match=r"no language 'klingon'; there are .*en.*\*\.json"):
        language("klingon")
    with pytest.raises(ValueError, match="cannot be read"):
        language("nowhere/xx.json")


@pytest.mark.parametrize(
    ("value", "said"), [("", "en"), ("en", "en"), ("klingon", f"{VARIABLE}=klingon: there is no")]
)
def test_the_environment_chooses_the_first_language(value: str, said: str) -> None:
    program = "import anonlab; print(anonlab.language())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, VARIABLE: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said in done.stdout + done.stderr


@pytest.mark.parametrize("name", languages())
def test_every_language_that_comes_along_is_whole(name: str) -> None:
    assert examine(name).problems == []
    language(name)
    assert current().code == name
