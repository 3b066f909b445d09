"""A slide as plain data: what it shows, and what the speaker reads below it."""

from __future__ import annotations

from dataclasses import dataclass

from anonlab.course.asking.bank.debate import Said
from anonlab.course.teaching.topics import TopicPart

MOST_LARGE = 240
"""Characters that a slide holds in large letters."""
VOTE = "Let everybody write down an answer alone, for one minute. Then they compare in pairs."


@dataclass(frozen=True)
class Slide:
    """One slide. kind: 'title', 'stage', 'question', 'answer' or 'said'.

    scene, start, end  of a stage: which story, and the steps that it goes through
    pictures           what is on the stage at the end, as SVG, for paper and beside questions
    said               of 'said': mails, each with its words and its idea
    """

    kind: str
    title: str
    notes: tuple[str, ...] = ()
    text: str = ""
    lines: tuple[str, ...] = ()
    parts: tuple[TopicPart, ...] = ()
    scene: int = -1
    start: int = 0
    end: int = 0
    pictures: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()

    @property
    def is_long(self) -> bool:
        """True if there is so much to read that the letters must be smaller."""
        shown = [self.text, *(part.text for part in self.parts)]
        for part in self.parts:
            shown += [part.right] if self.kind == "answer" else part.options
        return sum(map(len, shown)) > MOST_LARGE
