"""A bench of widgets: choose design and history, click operations, and see the machine move.

::

    import anonlab

    bench = anonlab.explore()              # in a notebook: shows the bench
    bench = anonlab.explore("prefork", design="anon_vma")
    bench.do("child = fork shell")         # the same as a click
    bench.history                          # what you made: as good as one written by hand

The history is the truth: whatever is clicked becomes a line of it, and the machine is made again
from all lines. So every line can be edited, undone, saved, loaded and handed in as an answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets

from anonlab.errors import FormatError
from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
from anonlab.formats.history_text import parse, usage
from anonlab.formats.trace import Trace
from anonlab.histories import library
from anonlab.histories.run import make_kernel, op_text, run_on
from anonlab.kernel import Kernel
from anonlab.machine.words import GEOMETRIES, PAGE_SHIFT
from anonlab.recording.recorder import Recorder
from anonlab.rmap import DESIGNS
from anonlab.view.player.player import Player

START = """\
machine lesson frames 32 swap 8
shell = spawn
shell mmap 0x30000 4
shell write 0x30000 7 2
"""
"""What a bench without a history begins with."""
MOST_OPERATIONS = 300
"""A bench draws the whole history after every click; more would be slow."""
Button = ipywidgets.Button


def explore(history: History | str = "", design: str = "anongroup") -> Workbench:
    """Return a bench to try operations on.

    history  a History, its text, the name of one in the library, or '' for a small start
    raises   FormatError for a text that is no history, ValueError for an unknown design
    """
    if isinstance(history, History):
        text = history_text(history)
    elif history in library.names():
        text = library.text(history)
    else:
        text = history or START
    return Workbench(text, design)


class Workbench(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The bench: `text` and `history` are what was done so far, `kernel` is the machine after it,
    `trace` how it came about, `player` the picture, `message` the last thing that was said."""

    def __init__(self, text: str, design: str = "anongroup") -> None:
        if design not in DESIGNS:
            raise ValueError(f"design is one of {', '.join(DESIGNS)}; got {design!r}")
        self.text, self.history, self.message = "", History(()), ""
        self.trace, self.kernel = _run(parse(text), design)
        self.player = Player(self.trace, "your machine")
        self._build(design)
        super().__init__([self._choices, self._page, self._line_row, self.says, self.player,
                          self._file_row])  # fmt: skip
        self._take(text)
        self.player.observe(self._chosen, "chosen")

    # What people and notebooks call

    def do(self, line: str) -> None:
        """Add one line to the history and do it.

        raises  FormatError if the line makes no sense; nothing has changed then
        """
        self._take(f"{self.text.rstrip()}\n{line.strip()}\n")

    def undo(self) -> None:
        """Take the last operation back."""
        lines = self.text.rstrip().split("\n")
        while lines and not lines[-1].partition("#")[0].strip():
            lines.pop()
        self._take("\n".join(lines[:-1]) + "\n")

    def replay(self, text: str) -> None:
        """Begin anew with the history in `text`; FormatError if it is none."""
        self._take(text)

    def save(self, path: str | Path) -> Path:
        """Write the history to `path` and return the path."""
        target = Path(path)
        target.write_text(self.text, encoding="utf-8")
        return target

    def load(self, path: str | Path) -> None:
        """Begin anew with the history in the file `path`."""
        self._take(Path(path).read_text(encoding="utf-8"))

    # The machine

    def _take(self, text: str) -> None:
        history = parse(text)
        if len(history.ops) > MOST_OPERATIONS:
            raise FormatError(f"a bench holds {MOST_OPERATIONS} operations: begin a new history")
        trace, kernel = _run(history, self.design.value)
        self.text, self.history, self.trace, self.kernel = text, history, trace, kernel
        self.area.value = text
        self.machine.value = history.machine.geometry
        self.player.play(trace)
        error = trace.steps[-1].error
        self._say(f"It failed: {error}" if error else trace.steps[-1].sentence)

    def _say(self, message: str) -> None:
        self.message = self.says.value = message

    def _try(self, action: Callable[[], object]) -> None:
        """Do what a click asks for; what cannot be done is said, not raised."""
        try:
            action()
        except (ValueError, OSError) as error:
            self._say(str(error))

    # The widgets

    def _build(self, design: str) -> None:
        self.design = ipywidgets.Dropdown(options=list(DESIGNS), value=design, description="design")
        self.known = ipywidgets.Dropdown(
            options=["", *library.names()], description="history", tooltip="begin anew with it"
        )
        self.machine = ipywidgets.Dropdown(
            options=list(GEOMETRIES), value="lesson", description="machine"
        )
        self.line = ipywidgets.Text(
            placeholder="child = fork shell", description="operation",
            layout={"flex": "1 1 16em"},
        )  # fmt: skip
        self.verb = ipywidgets.Dropdown(options=["", *_VERBS], description="example")
        self.says = ipywidgets.Label()
        self.area = ipywidgets.Textarea(
            description="history", rows=8, layout={"flex": "1 1 30em", "width": "auto"}
        )
        self.path = ipywidgets.Text(value="my.history", description="file")
        self.value = ipywidgets.BoundedIntText(
            value=100, min=0, max=1 << 60, description="value", layout={"width": "11em"}
        )
        self.to = ipywidgets.Text(value="0x80000", description="to", layout={"width": "13em"})
        self.buttons = {name: Button(description=words, layout={"width": "auto"})
                        for name, words in _BUTTONS.items()}  # fmt: skip
        self._rows()
        self._listen()

    def _rows(self) -> None:
        wrap = {"flex_flow": "row wrap"}
        on_page = ("write", "read", "fork", "swap_out", "mremap", "munmap", "exit")
        chosen = [self.buttons[name] for name in on_page]
        files = [self.buttons[name] for name in ("replay", "save", "load")]
        self._choices = ipywidgets.HBox(
            [self.design, self.known, self.machine, self.buttons["undo"]], layout=wrap
        )
        self._page = ipywidgets.HBox([*chosen, self.value, self.to], layout=wrap)
        self._line_row = ipywidgets.HBox([self.line, self.verb, self.buttons["do"]], layout=wrap)
        side = ipywidgets.VBox([self.path, *files])
        self._file_row = ipywidgets.HBox([self.area, side], layout=wrap)

    def _listen(self) -> None:
        acts: dict[str, Callable[[], object]] = {
            "do": lambda: self.do(self.line.value),
            "undo": self.undo,
            "replay": lambda: self.replay(self.area.value),
            "save": self._save,
            "load": lambda: self.load(self.path.value),
        }
        for name, button in self.buttons.items():
            button.on_click(self._clicked(acts.get(name) or self._doing(name)))
        self.design.observe(lambda _: self._try(lambda: self._take(self.text)), "value")
        self.known.observe(self._start_known, "value")
        self.machine.observe(lambda _: self._try(self._change_machine), "value")
        self.verb.observe(self._show_example, "value")
        self.line.on_msg(self._entered)

    def _entered(self, _: Any, content: Any, __: Any) -> None:
        """Enter in the line does it, as the button; leaving the line does not."""
        if isinstance(content, dict) and content.get("event") == "submit":
            self._try(lambda: self.do(self.line.value))

    def _clicked(self, act: Callable[[], object]) -> Callable[[Any], None]:
        return lambda _: self._try(act)

    def _doing(self, verb: str) -> Callable[[], object]:
        return lambda: self.do(self._on_page(verb))

    def _save(self) -> None:
        self._say(f"saved as {self.save(self.path.value)}")

    def _start_known(self, change: Any) -> None:
        if change["new"]:
            self._try(lambda: self._take(library.text(change["new"])))

    def _change_machine(self) -> None:
        if self.machine.value == self.history.machine.geometry:
            return
        rest = [line for line in self.text.split("\n") if not line.startswith("machine")]
        sizes = f"frames {self.history.machine.frames} swap {self.history.machine.swap}"
        self._take("\n".join([f"machine {self.machine.value} {sizes}", *rest]))

    def _show_example(self, change: Any) -> None:
        if change["new"]:
            self.line.value = ""
            self.line.placeholder = usage(change["new"])
            self._say(usage(change["new"]))

    def _chosen(self, change: Any) -> None:
        who, address = self._place()
        self._say(f"chosen: {who} {address}".strip() if who else "")

    def _place(self) -> tuple[str, str]:
        """Return the process and the address of what is chosen in the picture, '' if none is."""
        match = re.search(r"mm(\d+)-(?:(?:pte|vma)-([0-9a-f]+)|head)", str(self.player.chosen))
        if match:
            mm, vpn = int(match[1]), match[2]
            names = [p.name for p in self.kernel.processes.values() if p.mm and p.mm.number == mm]
            return (names[0] if names else "", hex(int(vpn, 16) << PAGE_SHIFT) if vpn else "")
        return "", ""

    def _on_page(self, verb: str) -> str:
        """Return the line that does `verb` to what is chosen in the picture."""
        who, address = self._place()
        if not who or (not address and verb not in ("fork", "exit")):
            raise ValueError("choose a page in the picture first: click it, or Tab, arrows, Enter")
        number = len(self.kernel.processes) + 1
        return {
            "fork": f"p{number} = fork {who}",
            "write": f"{who} write {address} {self.value.value}",
            "mremap": f"{who} mremap {address} 1 to {self.to.value}",
            "munmap": f"{who} munmap {address} 1",
            "exit": f"{who} exit",
        }.get(verb, f"{who} {verb} {address}")


_VERBS = ("spawn", "fork", "vfork", "clone_vm", "execve", "exit", "mmap", "munmap", "mprotect",
          "mremap", "madvise", "brk", "read", "write", "mlock", "munlock", "pin", "unpin",
          "swap_out", "reclaim", "swapoff", "file", "truncate")  # fmt: skip
_BUTTONS = {
    "write": "Write here",
    "read": "Read here",
    "fork": "Fork",
    "swap_out": "Swap out",
    "mremap": "Move (mremap)",
    "munmap": "Unmap",
    "exit": "Exit",
    "do": "Do it",
    "undo": "Undo",
    "replay": "Replay this text",
    "save": "Save",
    "load": "Load",
}


def _run(history: History, design: str) -> tuple[Trace, Kernel]:
    """Run `history` and return how it went and the machine after it."""
    kernel = make_kernel(history, design)
    recorder = Recorder(kernel)
    with recorder:
        run_on(kernel, history, before=lambda op: recorder.begin(op_text(op)), after=recorder.end)
    return recorder.trace(history.title or "your machine"), kernel
