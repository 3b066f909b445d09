"""Traces for the tests of pictures: hand-built ones, and the library's histories, recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsers import chromium
from traces_at_hand import every_trace
from visiting import Visit

FACTS = Path(__file__).with_name("facts_of_moment.js")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `trace` runs for every trace at hand."""
    if "trace" in metafunc.fixturenames:
        traces = every_trace()
        metafunc.parametrize("trace", list(traces.values()), ids=list(traces))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def call(browser: Any) -> Iterator[Any]:
    """Evaluate an expression in which the module's own names are known, with `given`."""
    from anonlab.view.player.export import MODULE, player_js

    sources = [file.read_text(encoding="utf-8") for file in MODULE]
    names = re.findall(r"(?m)^(?:const|function) (\w+)", "".join(sources))
    page = browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    script = player_js().replace(
        "export default { render };", f"Object.assign(globalThis, {{{', '.join(names)}}});"
    )
    page.add_script_tag(type="module", content=script)
    page.wait_for_function("typeof addressOf === 'function'")  # a module runs when it likes
    yield lambda expression, given=None: page.evaluate(f"given => {expression}", given)
    page.close()
    assert wrong == []


@pytest.fixture(scope="module")
def on_story(browser: Any) -> Iterator[Any]:
    """Evaluate a function of (story, given) for a payload."""
    from anonlab.view.player.export import STORY
    from anonlab.view.story.words import words_js

    sources = [file.read_text(encoding="utf-8") for file in (*STORY, FACTS)]
    page = browser.new_page()
    page.add_script_tag(content=words_js() + "".join(sources))

    def run(made: Any, function: str, given: Any = None) -> Any:
        script = f"([made, given]) => ({function})(openStory(JSON.parse(made)), given)"
        return page.evaluate(script, [json.dumps(made), given])

    yield run
    page.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def visit(browser: Any, folder: Path) -> Iterator[Any]:
    open_: list[Visit] = []

    def go(trace: Any, fragment: str = "", predict: tuple[int, ...] = (), **options: Any) -> Visit:
        from anonlab.view import save_html

        path = save_html(trace, folder / f"{len(list(folder.iterdir()))}.html", predict=predict)
        open_.append(Visit(browser, path, fragment, **options))
        return open_[-1]

    yield go
    for each in open_:
        each.page.close()
        assert [said for said in each.wrong if not each.forgiven or each.forgiven not in said] == []
        assert [url for url in each.requests if not url.startswith("file:")] == []
        assert len(each.requests) == 1
