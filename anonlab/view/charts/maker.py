"""The one maker of charts: a title, and the boxes, lines and words that a chart is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from anonlab.view.stage.shapes import Box, Stroke, Words
from anonlab.view.templates import drawn

CSS_CLASS = "anonlab-chart"


@dataclass
class Chart:
    """A chart of `width` x `height` px; `twin` says the same as text."""

    title: str
    twin: str
    width: float
    height: float
    boxes: list[Box] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)

    def box(self, x: float, y: float, width: float, height: float, paint: str) -> None:
        """Add a bar; `paint` is a key of shapes.PAINTS."""
        self.boxes.append(Box(x, y, width, height, 2, paint))

    def stroke(self, path: str, line: str = "hair", width: float = 1.0, dashes: str = "") -> None:
        """Add a line in the colour of the role `line`."""
        self.strokes.append(Stroke(path, line, width, dashes))

    def sign(self, path: str, fill: str) -> None:
        """Add a shape filled in the colour of the role `fill`."""
        self.strokes.append(Stroke(path, "", fill=fill))

    def say(
        self, x: float, y: float, text: str, font: str = "muted", anchor: str = "start"
    ) -> None:
        """Add words; `font` is a key of shapes.FONTS."""
        self.words.append(Words(x, y, text, font, anchor))

    def svg(self) -> str:
        """Return the chart as one self-contained SVG."""
        return drawn("charts/chart.svg.j2", CSS_CLASS, **vars(self))
