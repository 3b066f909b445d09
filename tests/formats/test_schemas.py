"""The schemas in docs/ are those of the code, and what anonlab ships and writes fits them."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
from project import ROOT

from anonlab import record
from anonlab.formats.history import VERBS, History
from anonlab.formats.schemas import schemas
from anonlab.formats.trace import Trace
from anonlab.histories import library
from anonlab.histories.generate import generate

FOLDER = ROOT / "docs" / "schemas"
RECORDED = ROOT / "anonlab" / "linux" / "recorded"
MADE = schemas()


def complaint(name: str, plain: Any) -> str:
    """What the schema `name` first says against a file, '' if it says nothing."""
    error = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(MADE[name]).iter_errors(plain)
    )
    return "" if error is None else f"{error.json_path}: {error.message}"


def test_the_files_are_what_the_code_says_now() -> None:
    """python docs/make_schemas.py writes them."""
    written = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
    assert written == MADE
    for schema in MADE.values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", library.names())
def test_every_history_of_the_library_and_its_trace_fit(name: str) -> None:
    history = library.load(name)
    assert complaint("history", history.to_json()) == ""
    plain = json.loads(record(history).dumps())
    assert complaint("trace", plain) == ""
    assert Trace.from_json(plain).dumps() == json.dumps(
        plain, separators=(",", ":"), sort_keys=True
    )


def test_random_histories_with_every_verb_fit() -> None:
    found = set()
    for seed in range(40):
        plain = generate(seed, 60).to_json()
        assert complaint("history", plain) == "", seed
        found |= {op["verb"] for op in plain["ops"]}
    assert found >= set(VERBS) - {"swapoff", "vfork"}


@pytest.mark.parametrize("kind", ["recording", "rmap-recording"])
def test_every_recording_that_is_shipped_fits(kind: str) -> None:
    folder = RECORDED / "rmap" if kind == "rmap-recording" else RECORDED
    files = sorted(folder.glob("*.json"))
    complaints = {path.name: complaint(kind, json.loads(path.read_text("utf-8"))) for path in files}
    assert {name: said for name, said in complaints.items() if said} == {}
    assert len(files) > 10


def with_change(plain: Any, path: list[Any], value: Any) -> Any:
    """A copy of plain data with another value at `path`."""
    changed = copy.deepcopy(plain)
    at = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["version"], 2),
        (["machine", "geometry"], "vax"),
        (["machine", "frames"], 1),
        (["ops", 0, "verb"], "swapon"),
        (["ops", 1, "args", "addr"], "0x30000"),
        (["ops", 1, "args", "bogus"], 1),
        (["ops", 1, "args"], {}),
        (["ops", 1, "who"], ""),
    ],
)
def test_what_reading_refuses_the_schema_refuses(path: list[Any], value: Any) -> None:
    plain = library.load("fork_and_write").to_json()
    assert complaint("history", plain) == ""
    changed = with_change(plain, path, value)
    assert complaint("history", changed) != ""
    with pytest.raises(ValueError):
        History.from_json(changed)


def test_a_history_that_was_written_by_hand_fits_and_runs() -> None:
    """The example in docs/FORMATS.md."""
    text = (ROOT / "docs" / "FORMATS.md").read_text("utf-8")
    example = text.split("```json\n")[1].split("```")[0]
    plain = json.loads(example)
    assert complaint("history", plain) == ""
    assert record(History.from_json(plain)).steps[-1].text == "child write 0x30000 9"
