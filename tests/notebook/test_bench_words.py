"""The bench speaks the language that is chosen: nothing that it says stands in its code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browsers import chromium, needs_browser
from pseudo import english_in, pseudo_language

from anonlab import DESIGNS
from anonlab.histories import library
from anonlab.machine.words import GEOMETRIES
from anonlab.notebook.bench_panel import Panel
from anonlab.notebook.presets import LESSONS
from anonlab.notebook.workbench import Workbench

pytestmark = [needs_browser, pytest.mark.xdist_group("browser")]
SHOW = """([place, fixed, views]) => {
  const said = new Set();
  const hear = (one) => {
    if (one.nodeType === 3) said.add(one.data);
    for (const name of ["aria-label", "title", "placeholder", "alt"])
      if (one.getAttribute?.(name)) said.add(one.getAttribute(name));
    one.childNodes.forEach(hear);
  };
  const listeners = {};
  const offers = { line: "a", items: ["a write"], usage: "1" };
  const values = { place, fixed, view: views[0], offers };
  const on = (event, act) => { listeners[event] = act; };
  const model = { get: (name) => values[name], on, off() {}, send() {} };
  const el = document.createElement("div");
  document.body.append(el);
  window.render({ model, el });
  for (const view of views) {
    values.view = view;
    listeners["change:view"]();
    hear(el);
  }
  const line = el.querySelector("[data-part=line]");
  if (line) {
    line.value = "a";
    line.focus();
    listeners["change:view"]();
    hear(el);
    listeners["change:offers"]();
    hear(el);
  }
  return [...said];
}"""
"""Renders one widget with each view, types a letter, and returns every text it ever had."""


def views(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what never changes, and what a bench shows after one thing of each kind."""
    bench = Workbench()
    shown = [bench.bar.view]

    def act(name: str, /, **more: Any) -> None:
        bench.acts.heard({"do": name, **more})
        shown.append(bench.bar.view)

    act("on_page", verb="write", value="1")  # nothing is chosen
    act("line", line="child = fork shell", number=1)
    act("line", line="child write 0x90000 1", number=2)  # it fails
    act("keep")
    act("undo")
    act("redo")
    act("take_out", operation=5)
    act("line", line="child exit\nshell exit", number=3)
    act("compare", name="anon_vma")
    act("compare", name="")
    act("compare", name="")
    act("machine", name="x86_32")
    act("replay", text="shell = spawn\nshell mmap 0x30000 1\n")
    bench.replay("shell = spawn\nshell mmap 0x30000 2\n")
    act("copy")
    for path in ("", str(folder / "my.history"), str(folder / "my.history")):
        act("save", path=path)
    act("load", path=str(folder / "my.history"))
    act("load", path=str(folder / "none.history"))
    bench.player.chosen = "p1-48"
    act("rows", **{"from": 1})
    bench.player.chosen = "m1"
    act("rows", **{"from": 1})
    return dict(bench.bar.fixed), shown


def test_the_bench_says_nothing_that_stands_in_code(tmp_path: Path) -> None:
    names = {*DESIGNS, *GEOMETRIES, *library.names(), "my.history", "my.2.history", "none.history"}
    names |= {library.load(name).title for name in library.names()}
    names |= {one.words for one in LESSONS.values()} | {str(tmp_path), "exit", "a write"}
    names |= {"child = fork shell", "p2 = fork shell", "child write 0x90000 1", "shell = spawn"}
    names |= {"shell", "child"}
    names |= {
        "shell mmap 0x30000",
        "shell write 0x30000",
        "SIGSEGV: write to 0x90000: no VMA there",
    }
    with pseudo_language(tmp_path):
        fixed, shown = views(tmp_path)
        with chromium() as browser:
            page = browser.new_page()
            module = str(Panel._esm).replace(
                "export default { render };", "window.render = render;"
            )
            page.add_script_tag(content=module, type="module")
            page.wait_for_function("() => window.render")
            said = [text for place in ("bar", "side")
                    for text in page.evaluate(SHOW, [place, fixed, shown])]  # fmt: skip
    wrong = english_in(said, names)
    assert not wrong, "\n".join(wrong)
    assert len(set(said)) > 60
