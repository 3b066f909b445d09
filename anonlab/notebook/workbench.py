"""A bench of widgets: choose design and history, do operations, and see the machine move.

::

    import anonlab

    bench = anonlab.explore()              # in a notebook: shows the bench
    bench = anonlab.explore("05")          # the beginning of lesson 05
    bench = anonlab.explore("prefork", design="anon_vma")
    bench.do("child = fork shell")         # the same as the line typed there
    bench.undo(); bench.redo()             # every change, also of text, design and machine
    bench.history                          # what you made: as good as one written by hand

The history is the truth: whatever is clicked becomes a line of it, and the machine follows from all
lines. So every line can be edited, taken back, saved, loaded and handed in as an answer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import ipywidgets

from anonlab.errors import FormatError
from anonlab.formats.catalogue import grouped
from anonlab.formats.history import History
from anonlab.formats.history_text import format as history_text
from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import Trace
from anonlab.kernel import Kernel
from anonlab.machine.words import GEOMETRIES
from anonlab.notebook.bench_acts import Acts
from anonlab.notebook.bench_files import free_name, read_history, write_new
from anonlab.notebook.bench_panel import ROWS, Panel, first_listed, fixed, rows, vocabulary
from anonlab.notebook.draft import Draft, difference
from anonlab.notebook.live_history import LiveHistories, LiveHistory, copied, restored
from anonlab.notebook.presets import START, checked_designs, every, preset
from anonlab.notebook.timeline import Change, Timeline
from anonlab.notebook.windows import WindowPlayer, Windows
from anonlab.view.player.export import html
from anonlab.view.story.words import say

TITLE = "your machine"


class Failed(NamedTuple):
    """A line that was tried and is not in the history, and why."""

    line: str
    error: str


def explore(history: History | str = "", design: str = "") -> Workbench:
    """Return a bench to try operations on.

    history  a History or its text; the name of one in the library; a lesson ("05"); '' starts small
    design   the name of one; a lesson has its own, else it is the anon group
    raises   FormatError for a text that is no history, ValueError for an unknown design
    """
    if isinstance(history, History):
        return Workbench(history_text(history), design)
    if history in every() or not history:
        begin = preset(history)
        return Workbench(begin.text, *((design,) if design else begin.designs), tries=begin.tries)
    return Workbench(history, design)


class Workbench(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The bench.

    text, history   what was done so far
    kernel          the machine after it: a copy, so whatever you do to it, the bench stays as it is
    trace           how it came about; `designs` are shown, the first one is `design`
    player          the picture of a few operations around `shown`, the number of one, from 1
    message         the last thing that was said
    failed          the last line that failed and was not kept, None if there is none
    """

    def __init__(self, text: str = START, *designs: str, tries: tuple[str, ...] = ()) -> None:
        self.message, self.kind, self.shown = "", "ok", 0
        self.failed: Failed | None = None
        self.choices: list[Any] = []
        self._kernel: Kernel | None = None
        self._timeline, self._histories = Timeline(), LiveHistories()
        self._draft, self._tries = Draft.of(text), tries
        self._live: dict[str, LiveHistory] = {}
        self._live = self._run(self._draft, checked_designs(tuple(filter(None, designs)) or _FIRST))
        first = self._live[self.design]
        self.player = WindowPlayer(Trace(TITLE, tuple(first.steps[:1])), TITLE)
        self.bar = Panel(place="bar", fixed=fixed())
        self.side = Panel(place="side", fixed={"words": vocabulary()})
        self.side.add_class("ab-outside")
        self.acts = Acts(self)
        body = ipywidgets.HBox([self.side, self.player])
        body.add_class("anonlab-bench-body")
        super().__init__([self.bar, body])
        self.add_class("anonlab-workbench")
        self._show(len(self._draft.ops), say("bench.welcome"))
        self.player.observe(lambda _: self.show_view(), "chosen")
        self.player.observe(lambda _: self._follow(), "step")
        for panel in (self.bar, self.side):
            panel.on_msg(lambda _, content, __: self.acts.heard(content))

    # What is there

    @property
    def text(self) -> str:
        """The history as text, with its comments."""
        return self._draft.text

    @property
    def history(self) -> History:
        """The history."""
        return self._draft.history

    @property
    def designs(self) -> tuple[str, ...]:
        """The designs that are shown."""
        return tuple(self._live)

    @property
    def design(self) -> str:
        """The design that is shown first."""
        return next(iter(self._live))

    @property
    def kernel(self) -> Kernel:
        """A copy of the machine after the history; the same one until the history changes."""
        live = self._live[self.design]
        if self._kernel is None:
            self._kernel = restored(copied(live.kernel))
        return self._kernel

    @property
    def snapshot(self) -> Snapshot:
        """What can be seen of the machine now."""
        return self._live[self.design].steps[-1].snapshot

    @property
    def trace(self) -> Trace:
        """How it came about, under the first design."""
        return self.trace_of(self.design)

    @property
    def names(self) -> dict[str, str]:
        """Every name in the history, with 'process' or 'file'."""
        return self._draft.names

    def trace_of(self, design: str) -> Trace:
        """Return how it came about under one of `designs`."""
        return Trace(self.history.title or TITLE, tuple(self._live[design].steps))

    # What people and notebooks call

    def do(self, line: str, keep: bool = False) -> None:
        """Add one line to the history and do it.

        keep    also if it fails as programs fail (SIGSEGV, ENOMEM …); else such a line is said in
                `failed` and not kept
        raises  FormatError if the line makes no sense; nothing has changed then
        """
        line = line.strip()
        if not line:
            raise FormatError("write an operation, for example: child = fork shell")
        lines = tuple(one.strip() for one in line.split("\n"))
        self._try_draft(lines, keep)

    def _try_draft(self, lines: tuple[str, ...], keep: bool) -> None:
        count = len(self._draft.ops)
        draft = self._draft.changed(len(self._draft.lines), 0, lines)
        live = self._run(draft, self.designs)
        errors = [error for error in live[self.design].errors[count:] if error]
        if errors and not keep:
            self._run_again()
            self.failed = Failed("\n".join(lines), errors[0])
            again = [["keep", say("bench.keep"), {}]]
            self._say(say("bench.failed", error=errors[0]), "failed", again)
            return
        change = lines[0] if len(lines) == 1 else say("bench.lines", n=len(lines))
        self._commit(change, draft, live, len(self._draft.lines), 0, lines)

    def keep(self) -> None:
        """Put the line that failed last into the history, with its error."""
        if self.failed is None:
            raise ValueError("no line has failed")
        self.do(self.failed.line, keep=True)

    def undo(self) -> None:
        """Take the last change back, whatever it was."""
        if self._timeline.last is None:
            raise ValueError("there is nothing to undo")
        self._go(self._timeline.last.reverse(), -1, "bench.back")

    def redo(self) -> None:
        """Do again what was taken back last."""
        if self._timeline.next is None:
            raise ValueError("there is nothing to do again")
        self._go(self._timeline.next, 1, "bench.again")

    def replay(self, text: str, words: str = "") -> None:
        """Begin anew with the history in `text`; FormatError if it is none."""
        self._splice(words or say("bench.other-text"), Draft.of(text), self.designs)

    def begin(self, name: str) -> None:
        """Begin anew with a preset: a lesson ("05"), one of the library, or '' for a small one."""
        chosen = preset(name)
        self._splice(chosen.words, Draft.of(chosen.text), chosen.designs or self.designs[:1])
        self._tries = chosen.tries
        self.show_view()

    def take_out(self, operation: int) -> None:
        """Take one operation out of the middle, by its number from 1.

        raises  ValueError if there is none, FormatError if a later one needs it
        """
        if not 1 <= operation <= len(self._draft.ops):
            raise ValueError(f"there are the operations 1 to {len(self._draft.ops)}")
        at = self._draft.ops[operation - 1].line - 1
        draft = self._draft.changed(at, 1, ())
        live = self._run(draft, self.designs)
        change = say("bench.take-out-one", number=operation)
        self._commit(change, draft, live, at, 1, (), operation - 1)

    def use(self, design: str) -> None:
        """Show the same history under another design; what stands beside it stays."""
        beside = tuple(one for one in self.designs[1:] if one != design)
        self._designs(design, (design, *beside))

    def compare(self, *designs: str) -> None:
        """Show these designs beside the first one, live; none ends it."""
        named = ", ".join(designs) or say("bench.nothing")
        self._designs(say("bench.compared", designs=named), (self.design, *designs))

    def machine(self, geometry: str) -> None:
        """Run the same history on another machine: lesson, x86_32 or x86_64."""
        if geometry not in GEOMETRIES:
            raise ValueError(f"the machines are {', '.join(GEOMETRIES)}; got {geometry!r}")
        now, lines = self.history.machine, self._draft.lines
        limit = f" tables {now.tables}" if now.tables else ""
        said = f"machine {geometry} frames {now.frames} swap {now.swap}{limit}"
        at = [n for n, one in enumerate(lines) if one.split()[:1] == ["machine"]]
        head = at[0] if at else int(bool(lines) and lines[0].lstrip().startswith("#"))
        new = (*lines[:head], said, *lines[head + len(at) :])
        self._splice(
            say("bench.machined", name=geometry), Draft.of("\n".join(new) + "\n"), self.designs
        )

    def show(self, operation: int) -> None:
        """Show the machine after one operation, by its number; 0 is the start."""
        if not 0 <= operation <= len(self._draft.ops):
            raise ValueError(f"there are the operations 0 to {len(self._draft.ops)}")
        self._show(operation, self._sentence(operation))

    # Files

    def save(self, path: str | Path, replace: bool = False) -> Path:
        """Write the history to `path` and return the path.

        raises  FileExistsError, with a name that is free, if there is one and not `replace`
        """
        return write_new(Path(path), self.text, replace)

    def save_page(self, path: str | Path, replace: bool = False) -> Path:
        """Write a page that plays what is shown, without network or Python; as `save`."""
        target = Path(path)
        if target.suffix not in (".html", ".htm"):
            target = target.with_suffix(".html")
        traces = {design: self.trace_of(design) for design in self.designs}
        played: Any = traces if len(traces) > 1 else self.trace
        return write_new(target, html(played, self.history.title or TITLE), replace)

    def load(self, path: str | Path) -> None:
        """Begin anew with the history in the file `path`; raises FormatError, which says where."""
        self.replay(read_history(Path(path)), say("bench.loaded", file=Path(path).name))

    @staticmethod
    def free_name(path: str | Path) -> Path:
        """Return a name like `path` that no file has."""
        return free_name(Path(path))

    # Changes

    def _run(self, draft: Draft, designs: tuple[str, ...]) -> dict[str, LiveHistory]:
        """Return `draft`, run; what is shown may have gone on with it, until it is committed."""
        try:
            return {one: self._histories.after(draft.history, one) for one in designs}
        except BaseException:
            self._run_again()
            raise

    def _run_again(self) -> None:
        """What was tried does not count: go back to what is shown."""
        self._live = {one: self._histories.after(self.history, one) for one in self.designs}

    def _splice(self, words: str, draft: Draft, designs: tuple[str, ...]) -> None:
        """Change whatever differs between now and `draft`."""
        live = self._run(draft, designs)
        at, removed, added = difference(self._draft.lines, draft.lines)
        self._commit(words, draft, live, at, removed, added)

    def _designs(self, words: str, designs: tuple[str, ...]) -> None:
        self._splice(words, self._draft, checked_designs(designs))

    def _commit(
        self,
        words: str,
        draft: Draft,
        live: dict[str, LiveHistory],
        at: int,
        removed: int,
        added: tuple[str, ...],
        shown: int = -1,
    ) -> None:
        """Everything could be done: now it is so."""
        old = self._draft.lines[at : at + removed]
        change = Change(words, at, old, added, self.designs, tuple(live))
        if (old, change.before) == (added, change.after):
            self._say(say("bench.unchanged"))
            return
        self._timeline.add(change)
        self._draft, self._live = draft, live
        self._show(len(draft.ops) if shown < 0 else shown, self._sentence())

    def _go(self, change: Change, way: int, said: str) -> None:
        draft = self._draft
        if change.old or change.new:
            draft = draft.changed(change.at, len(change.old), change.new)
        live = self._run(draft, change.after)
        self._timeline.here += way
        looked_back = self.shown < len(self._draft.ops)
        self._draft, self._live = draft, live
        stays = way < 0 and looked_back and self.shown <= len(draft.ops)
        self._show(self.shown if stays else len(draft.ops), say(said, what=change.words), stays)

    # What is seen

    def _sentence(self, operation: int | None = None) -> str:
        live = self._live[self.design]
        number = len(live.ops) if operation is None else operation
        error = live.errors[number - 1] if number else ""
        return (
            say("bench.failed", error=error)
            if error
            else live.steps[live.ends[number] - 1].sentence
        )

    def _show(self, operation: int, message: str, stays: bool = False) -> None:
        """Show the end of `operation`; `stays`: its step that is shown now, if one is."""
        self._kernel, self.shown, self.failed = None, operation, None
        self._say(message)
        windows = Windows(self._live, self.history.title or TITLE)
        self.player.show_windows(windows, operation, stays)

    def _follow(self) -> None:
        """The list goes where the picture goes: one stepped there to another operation."""
        operation = self.player.operation
        if operation not in (self.shown, None):
            self.shown = operation
            self.show_view()

    def _say(self, message: str, kind: str = "ok", choices: list[Any] | None = None) -> None:
        self.message, self.kind, self.choices = message, kind, choices or []
        self.show_view()

    def say(self, message: str, kind: str = "ok", choices: list[Any] | None = None) -> None:
        """Say something on the bench; `choices` are buttons [act, words, arguments]."""
        self._say(message, kind, choices)

    def show_view(self, first: int = 0) -> None:
        """Let the widgets show what is so now; `first` is the first operation to list."""
        ops, live = self._draft.ops, self._live[self.design]
        first = first or first_listed(self.shown)
        lines = [self._draft.lines[op.line - 1].strip() for op in ops[first - 1 : first - 1 + ROWS]]
        last, following = self._timeline.last, self._timeline.next
        view = {
            "message": self.message,
            "kind": self.kind,
            "choices": self.choices,
            "rows": rows(first, lines, live.errors[first - 1 : first - 1 + ROWS]),
            "from": first,
            "count": len(ops),
            "counted": say("bench.operations", n=len(ops), count=grouped(len(ops))),
            "shown": self.shown,
            "failed": list(self.failed) if self.failed else None,
            "undo": last.words if last else "",
            "redo": following.words if following else "",
            "design": self.design,
            "beside": self.designs[1] if self.designs[1:] else "",
            "machine": self.history.machine.geometry,
            "tries": [*self._tries],
            **self.acts.view(),
        }
        self.bar.view = self.side.view = view


_FIRST = ("anongroup",)
