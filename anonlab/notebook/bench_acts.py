"""What is clicked and typed on a bench, as calls; what cannot be done is said, not raised."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from anonlab.errors import FormatError
from anonlab.formats.snapshot import Snapshot
from anonlab.machine.words import PAGE_SHIFT, PTE_SHIFT, is_present
from anonlab.notebook.completion import hint, offers
from anonlab.view.story.reading import read
from anonlab.view.story.words import say

MOST_TYPED = 200
"""Lines that recall brings back."""
MOST_PAGES = 4096
"""Of a larger VMA, only the pages in the page tables are things of the picture."""


class Acts:
    """Hears what one bench's widgets say."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        self.typed: list[str] = []
        self.answer = [0, True]  # the last line that was typed, by number, and whether it was done
        self.text: list[Any] = [0, None, 0]  # number of the request, the text to edit, a line
        self.copy: list[Any] = [0, ""]

    def heard(self, content: Any) -> None:
        """Do what one message asks for; what nobody could have clicked is left alone."""
        if not isinstance(content, Mapping):
            return
        act = getattr(self, f"_do_{content.get('do')}", None)
        if act is None:
            return
        try:
            act(content)
        except (ValueError, OSError) as error:
            self.bench.say(_words(error), "error")

    def view(self) -> dict[str, Any]:
        """Return what the widgets show of this."""
        who, address = self.place()
        chosen = ""
        if who:
            key = "bench.on-page" if address else "bench.on-process"
            chosen = say(key, address=address, who=who)
        told = {"typed": self.typed, "answer": self.answer, "text": self.text, "copy": self.copy}
        return {**told, "chosen": chosen}

    def place(self) -> tuple[str, str]:
        """Return the process and the address of what is chosen in the picture, '' if none is."""
        chosen = str(self.bench.player.chosen)
        return places(self.bench.snapshot).get(chosen, ("", "")) if chosen else ("", "")

    # One method for each message

    def _do_line(self, content: Mapping[str, Any]) -> None:
        line, done = str(content["line"]).strip(), False
        if line and self.typed[-1:] != [line]:
            self.typed = [*self.typed[1 - MOST_TYPED :], line]
        try:
            self.bench.do(line)
            done = self.bench.failed is None
        except FormatError as error:
            self.bench.say(re.sub(r"^line \d+: ", "", str(error)), "error")
        self.answer = [int(content["number"]), done]
        self.bench.show_view()

    def _do_keep(self, _: Mapping[str, Any]) -> None:
        self.answer = [self.answer[0], True]
        self.bench.keep()

    def _do_undo(self, _: Mapping[str, Any]) -> None:
        self.bench.undo()

    def _do_redo(self, _: Mapping[str, Any]) -> None:
        self.bench.redo()

    def _do_design(self, content: Mapping[str, Any]) -> None:
        self.bench.use(str(content["name"]))

    def _do_compare(self, content: Mapping[str, Any]) -> None:
        self.bench.compare(*filter(None, [str(content["name"])]))

    def _do_machine(self, content: Mapping[str, Any]) -> None:
        self.bench.machine(str(content["name"]))

    def _do_preset(self, content: Mapping[str, Any]) -> None:
        self.bench.begin(str(content["name"]))

    def _do_show(self, content: Mapping[str, Any]) -> None:
        self.bench.show(int(content["operation"]))

    def _do_take_out(self, content: Mapping[str, Any]) -> None:
        self.bench.take_out(int(content["operation"]))

    def _do_rows(self, content: Mapping[str, Any]) -> None:
        self.bench.show_view(max(1, int(content["from"])))

    def _do_on_page(self, content: Mapping[str, Any]) -> None:
        self.bench.do(self._on_page(str(content["verb"]), content))

    def _on_page(self, verb: str, content: Mapping[str, Any]) -> str:
        """Return the line that does `verb` to what is chosen in the picture."""
        who, address = self.place()
        if not who or (not address and verb not in ("fork", "exit")):
            raise ValueError(say("bench.choose-page"))
        number = len(self.bench.names) + 1
        while f"p{number}" in self.bench.names:
            number += 1
        return {
            "fork": f"p{number} = fork {who}",
            "write": f"{who} write {address} {content.get('value', 0)}",
            "mremap": f"{who} mremap {address} 1 to {content.get('to', 'any')}",
            "munmap": f"{who} munmap {address} 1",
            "exit": f"{who} exit",
        }.get(verb, f"{who} {verb} {address}")

    def _do_complete(self, content: Mapping[str, Any]) -> None:
        line = str(content["line"])
        places: dict[str, list[str]] = {}
        geometry = self.bench.snapshot.geometry
        for fact in self.bench.snapshot.mms:
            starts = [geometry.address(vma.start_vpn) for vma in fact.vmas]
            places |= dict.fromkeys(fact.processes, starts)
        items = offers(line, self.bench.names, places)
        self.bench.bar.offers = {"line": line, "items": items, "usage": hint(line)}

    # Text and files

    def _do_edit(self, _: Mapping[str, Any]) -> None:
        self.text = [self.text[0] + 1, self.bench.text, 0]
        self.bench.show_view()

    def _do_replay(self, content: Mapping[str, Any]) -> None:
        try:
            self.bench.replay(str(content["text"]), say("bench.edited"))
        except FormatError as error:
            self.text = [self.text[0] + 1, "", error.line]
            raise
        self.text = [self.text[0] + 1, None, 0]
        self.bench.show_view()

    def _do_copy(self, _: Mapping[str, Any]) -> None:
        self.copy = [self.copy[0] + 1, self.bench.text]
        self.bench.say(say("bench.copied", n=len(self.bench.history.ops)))

    def _do_load(self, content: Mapping[str, Any]) -> None:
        self.bench.load(str(content["path"]))

    def _do_save(self, content: Mapping[str, Any]) -> None:
        self._written("save", self.bench.save, content)

    def _do_page(self, content: Mapping[str, Any]) -> None:
        self._written("page", self.bench.save_page, content)

    def _written(
        self, act: str, write: Callable[[Path, bool], Path], content: Mapping[str, Any]
    ) -> None:
        """Write a file; if there is another one, ask what to do."""
        path = Path(str(content["path"]).strip())
        if not path.name:
            raise ValueError(say("bench.name-file"))
        try:
            written = write(path, bool(content.get("replace", False)))
        except FileExistsError as error:
            there = path.with_suffix(".html") if act == "page" else path
            other = self.bench.free_name(there)
            replacing = {"path": str(there), "replace": True}
            choices = [[act, say("bench.save-as", file=other.name), {"path": str(other)}],
                       [act, say("bench.replace", file=there.name), replacing]]  # fmt: skip
            self.bench.say(str(error), "ask", choices)
            return
        self.bench.say(say("bench.saved", file=written))


def places(shown: Snapshot) -> dict[str, tuple[str, str]]:
    """Return {key of a thing in the picture: (process, address)} of all that one can act on.

    An address space has the address ''. A frame that one page alone maps stands for that page.
    The keys are those of view/stage/moment.js.
    """
    out: dict[str, tuple[str, str]] = {}
    pages: dict[int, list[tuple[str, str]]] = {}  # of each frame
    for mm, space in read(shown).spaces.items():
        if not space.fact.processes:
            continue
        who = space.fact.processes[0]
        out[f"m{mm}"] = who, ""
        areas = (range(vma.start_vpn, vma.end_vpn) for vma in space.fact.vmas)
        known = {vpn for area in areas if len(area) <= MOST_PAGES for vpn in area}
        for vpn in known | space.words.keys():
            place = out[f"p{mm}-{vpn}"] = who, hex(vpn << PAGE_SHIFT)
            word = space.words.get(vpn, 0)
            if is_present(word):
                pages.setdefault(word >> PTE_SHIFT, []).append(place)
    return out | {f"f{pfn}": users[0] for pfn, users in pages.items() if len(users) == 1}


def _words(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return say("bench.no-file", file=error.filename)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}"
    return str(error)
