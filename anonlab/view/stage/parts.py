"""Long traces: cut into parts that a player holds, and sampled where there are too many steps.

A trace of up to MOST_STEPS steps is cut into chapters of whole steps. A longer one shows the last
step of each operation, and the sub-steps of one operation when they are asked for. A part has an
id: "c2" is chapter 2, "o17" the sub-steps of operation 17; `payload["parts"]` says which parts
there are::

    here  id of this part             list  [id, words] of every chapter
    back  [id, step] to go back to, from the sub-steps of an operation
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil

from anonlab.view.player.payload import (
    MOST_BYTES,
    Payload,
    Played,
    TooLarge,
    build_payload,
    checked_predictions,
    size,
)
from anonlab.view.stage.graph import Layouter, dot_layout
from anonlab.view.story.align import align
from anonlab.view.story.reading import plural

AT_HAND = "its sub-steps are a click away"
MOST_STEPS = 1000
"""A longer trace shows operations first."""
_TRIED = 64
"""Steps that are drawn first, to learn how many a part can hold."""


class Parts:
    """The parts of a trace (or of several side by side), drawn when they are asked for.

    predict     numbers of steps before which the learner is asked what will change
    sampled     show the last step of each operation only; more than MOST_STEPS are always so
    most_bytes  of one part, if not MOST_BYTES
    raises      ValueError if a trace has no steps, or a number in `predict` is no step
    """

    def __init__(
        self,
        played: Played,
        title: str | None = None,
        predict: Iterable[int] = (),
        layouter: Layouter = dot_layout,
        sampled: bool = False,
        most_bytes: int | None = None,
    ) -> None:
        self.aligned = align(played)
        self.title, self.layouter = title, layouter
        self.most_bytes = MOST_BYTES if most_bytes is None else most_bytes
        self.asked = checked_predictions(self.aligned, predict)
        words = self.aligned.words
        self.sampled = sampled or len(words) > MOST_STEPS
        self.kept = list(range(len(words)))
        if self.sampled:
            ends = {at for at in self.kept if words[at].level == "op"}
            self.kept = sorted({*ends, *self.asked, *(at - 1 for at in self.asked)})
        self.drawn: dict[str, Payload] = {}
        self.chapters = self._cut()

    def _cut(self) -> list[list[int]]:
        """Return the steps of every chapter; each begins with the last step of the one before."""
        tried = self.kept[:_TRIED]
        made = self._payload(tried)
        need = size(made) * len(self.kept) / len(tried)
        if len(tried) < len(self.kept) and need <= 2 * self.most_bytes:
            tried, made = self.kept, self._payload(self.kept)  # what repeats is sent once only
            need = size(made)
        if tried == self.kept and need <= self.most_bytes:
            self.drawn["c0"] = made
            return [self.kept]
        each = max(2, int(0.6 * self.most_bytes * len(self.kept) / need))
        count = ceil((len(self.kept) - 1) / (each - 1))
        bounds = [round(at * (len(self.kept) - 1) / count) for at in range(count + 1)]
        return [self.kept[a : b + 1] for a, b in pairwise(bounds)]

    def _payload(self, kept: Sequence[int]) -> Payload:
        return build_payload(self.aligned, kept, self.title, self.asked, self.layouter)

    @property
    def ids(self) -> list[str]:
        """The chapters, in order."""
        return [f"c{at}" for at in range(len(self.chapters))]

    def part(self, wanted: str) -> Payload:
        """Return the payload of the part `wanted`.

        A part that turns out too large keeps the ends of operations, then the first steps only,
        and says so.
        raises  ValueError if there is no such part, TooLarge if not even two steps fit
        """
        if wanted not in self.drawn:
            self.drawn[wanted] = self._part(wanted)
        made = self.drawn[wanted]
        notes = [self._note(wanted), made["note"]]
        out = {**made, "note": " ".join(note for note in notes if note)}
        if len(self.chapters) > 1 or wanted.startswith("o"):
            out["parts"] = self._parts(wanted)
        if self.sampled and wanted.startswith("c"):
            out["steps"] = [
                {**step, "more": more} if (more := self._more(at)) else step
                for at, step in zip(out["kept"], out["steps"], strict=True)
            ]
        return out

    def _part(self, wanted: str) -> Payload:
        kind, number = wanted[:1], wanted[1:]
        if kind == "o" and number.isdecimal():
            kept = self._sub_steps(int(number))
        elif wanted in self.ids:
            kept = self.chapters[int(number)]
        else:
            raise ValueError(f"this trace has the parts {', '.join(self.ids)}, got {wanted!r}")
        made, words = self._payload(kept), self.aligned.words
        choices = [[at for at in kept if words[at].level == "op"]]
        choices += [kept[:many] for many in (len(kept) // 2, len(kept) // 4, len(kept) // 8)]
        for fewer in choices:
            if size(made) <= self.most_bytes:
                return made
            if len(fewer) > 1:
                made = self._payload(fewer)
                made["note"] = f"Only {len(fewer)} of {plural(len(kept), 'step')} fit in here."
        if size(made) > self.most_bytes:
            raise TooLarge(
                f"{plural(len(made['kept']), 'step')} of {self.aligned.title!r} need "
                f"{size(made):,} bytes; a player holds {self.most_bytes:,}: play fewer steps, "
                "for example Trace(title, trace.steps[:5])",
                size(made),
            )
        return made

    def _sub_steps(self, operation: int) -> list[int]:
        words = self.aligned.words
        inside = [at for at, step in enumerate(words) if step.operation == operation]
        if not inside:
            raise ValueError(f"this trace has no operation {operation}")
        return [at for at in (inside[0] - 1, *inside) if at >= 0]

    def _more(self, at: int) -> str:
        """Return the part with the sub-steps of the operation that ends at step `at`, or ''."""
        words = self.aligned.words
        same = at > 0 and words[at - 1].operation == words[at].operation
        return f"o{words[at].operation}" if same and words[at].level == "op" else ""

    def _note(self, wanted: str) -> str:
        words = self.aligned.words
        if wanted.startswith("o"):
            return f"The sub-steps of: {words[self._sub_steps(int(wanted[1:]))[-1]].text}"
        if not self.sampled:
            return ""
        return f"Of {len(words):,} steps only the last one of each operation is shown; {AT_HAND}."

    def _parts(self, wanted: str) -> dict[str, object]:
        if wanted.startswith("c"):
            named = [
                [f"c{at}", f"{at + 1}: steps {kept[0]:,} to {kept[-1]:,}"]
                for at, kept in enumerate(self.chapters)
            ]
            return {"here": wanted, "list": named}
        last = self._sub_steps(int(wanted[1:]))[-1]
        at = next(at for at, kept in enumerate(self.chapters) if kept[-1] >= last)
        near = min(range(len(self.chapters[at])), key=lambda k: abs(self.chapters[at][k] - last))
        return {"here": wanted, "list": [], "back": [f"c{at}", near]}
