"""Pictures, text and the player, made of snapshots and traces and of nothing else.

``snapshot_svg`` and ``text_twin`` show one moment, ``changes`` says what is different in another,
``html`` and ``save_html`` make a page of a trace, ``lines_svg`` a chart of counts,
``costs_svg`` one of what designs cost, ``address_svg`` how an address is split. The player for
notebooks is ``anonlab.view.player.player.Player``: it needs anywidget, which nothing here loads.
"""

from anonlab.view.charts.chart import lines_svg, lines_text
from anonlab.view.charts.costs import costs_svg, costs_text
from anonlab.view.player.export import html, save_html
from anonlab.view.stage.address import address_svg, address_text
from anonlab.view.stage.graph import dot_source
from anonlab.view.stage.static import snapshot_svg
from anonlab.view.story.changes import Change, changes
from anonlab.view.story.facts import facts
from anonlab.view.story.text import text_twin

__all__ = [
    "Change",
    "address_svg",
    "address_text",
    "changes",
    "costs_svg",
    "costs_text",
    "dot_source",
    "facts",
    "html",
    "lines_svg",
    "lines_text",
    "save_html",
    "snapshot_svg",
    "text_twin",
]
