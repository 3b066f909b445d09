"""Plans of fifty minutes, one for each notebook: a made part inside a page that a teacher wrote.

The made part says which questions fit into fifty minutes, slide by slide, with right answers and
what wrong ones tell; where a notebook has few, those of its drill follow, on paper. Minutes are
planned, nobody has timed them: a question takes four (one alone, one in pairs, one on the stage,
one for the explanation), the frame around them eighteen.
"""

from __future__ import annotations

import re
from pathlib import Path

from anonlab.course.authoring.masters import Master
from anonlab.course.drills.drills import DRILLS
from anonlab.course.drills.paper import homework
from anonlab.course.teaching.minutes import notebook_minutes
from anonlab.course.teaching.slides import notebook_titles, topics_of
from anonlab.course.teaching.topics import Topic, TopicQuestion

LESSON = 50
QUESTION = 4
BEGIN, TOGETHER, END = 4, 10, 4
"""Minutes before the questions, for the exercise in pairs at least, and for the exit question."""
SHEET, DRILL_QUESTIONS = 1, 5
"""The seed of the sheet of paper, and how many questions it has: as many as the drill by itself."""
OPEN, CLOSE = "<!-- made by anonlab course build: change what is around it -->", "<!-- made -->"
_PAIRS = re.compile(r"^\*\*Together\.\*\* \(at least (\d+) minutes\)", re.MULTILINE)
"""How a plan says that work in pairs needs more than TOGETHER."""
_MADE = re.compile(re.escape(OPEN) + r".*?" + re.escape(CLOSE), re.DOTALL)


def plan_pages(root: Path, masters: tuple[Master, ...]) -> dict[Path, str]:
    """Return the text of every plan of the course in `root`, its made part anew.

    raises  ValueError for a plan without a place for what is made
    """
    titles, pages = notebook_titles(root / "notebooks"), {}
    for path in sorted((root / "docs" / "teaching" / "plans").glob("*.md")):
        text = path.read_text("utf-8")
        if len(_MADE.findall(text)) != 1:
            raise ValueError(f"{path}: one line {OPEN!r} and one {CLOSE!r} are needed")
        pairs = _PAIRS.search(text)
        together = max(TOGETHER, int(pairs[1])) if pairs else TOGETHER
        made = made_part(root, path.stem, titles.get(path.stem, ""), masters, together)
        pages[path] = _MADE.sub(lambda _, new=made: f"{OPEN}\n{new}{CLOSE}", text)  # type: ignore[misc]
    return pages


def without_plan(root: Path) -> list[str]:
    """Return the numbers of notebooks that have no plan."""
    folder = root / "docs" / "teaching" / "plans"
    return [n for n in notebook_titles(root / "notebooks") if not (folder / f"{n}.md").is_file()]


def made_part(
    root: Path, notebook: str, title: str, masters: tuple[Master, ...], together: int = TOGETHER
) -> str:
    """Return what is made for the plan of one notebook, as Markdown; `together` minutes at least
    are for work in pairs."""
    most = max(0, (LESSON - BEGIN - together - END) // QUESTION)
    asked = [(topic, question) for topic in topics_of(notebook) for question in topic.questions]
    drills = _drills(notebook, most - len(asked))
    rows = [f"**Ask**: {_short(q)} | {_where(topic)}" for topic, q in asked[:most]]
    rows += [f"**Ask**: question {at} of the drill, below | paper"
             for at in range(1, len(drills) + 1)]  # fmt: skip
    lines = [*_head(root, notebook, title, masters, bool(asked), bool(drills))]
    lines += ["| minute | what | with |", "|---|---|---|"]
    lines.append("| 0 | **Begin**: recall, words and drawing, as above | you |")
    lines += [f"| {BEGIN + at * QUESTION} | {row} |" for at, row in enumerate(rows)]
    at = BEGIN + len(rows) * QUESTION
    lines.append(f"| {at} | **Together**, {LESSON - END - at} minutes: below | pairs |")
    lines += [f"| {LESSON - END} | **End**: the exit question below | everybody |", ""]
    lines += [*_answers(asked[:most]), *_paper(drills)]
    if later := asked[most:]:
        lines += ["For homework, or if there is time:", ""]
        lines += [*(f"- {_short(question)}" for _, question in later), ""]
    return "\n".join(lines)


def _head(
    root: Path, notebook: str, title: str, masters: tuple[Master, ...], slides: bool, drills: bool
) -> list[str]:
    minutes = notebook_minutes(root / "notebooks").get(notebook, 0)
    own = [f"{master.number} {master.title}" for master in masters if master.notebook == notebook]
    sentences = [f"Notebook: {title}, about {minutes} minutes alone."]
    sentences += [f"Exercises: {', '.join(own)}."] if own else []
    sentences += [f"Slides: `anonlab course slides {notebook} --out slides`."] if slides else []
    sentences += [f"Paper: `{_sheet(notebook)}`."] if drills else []
    return ["", " ".join(sentences), ""]


def _sheet(notebook: str) -> str:
    return f"anonlab course drill {notebook} --seed {SHEET} --pages drill.html"


def _drills(notebook: str, room: int) -> list[str]:
    """Return at most `room` questions of the notebook's drill with their answers, as a list: those
    of the sheet of paper."""
    if notebook not in DRILLS or room <= 0:
        return []
    lines: list[str] = []
    for item in homework([notebook], DRILL_QUESTIONS, SHEET)[:room]:
        question = item.question
        shown = " ".join(f"`{line}`" for line in question.lines)
        asked = " ".join(part.text for part in question.parts)
        right = "; ".join(part.shown(part.truth) for part in question.parts)
        why = " ".join(dict.fromkeys(part.why for part in question.parts))
        text = " ".join(filter(None, (question.text, shown, asked)))
        lines.append(f"{len(lines) + 1}. {text} **{right}.** {why}")
    return lines


def _paper(drills: list[str]) -> list[str]:
    return ["**The drill on paper, with its answers.**", "", *drills, ""] if drills else []


def _short(question: TopicQuestion) -> str:
    """Return what is asked in one line, without what would break a table."""
    texts = [part.text for part in question.parts if part.text]
    return " ".join([question.ask, *texts]).strip().replace("|", "/").replace("\n", " ")


def _where(topic: Topic) -> str:
    is_belief = topic.title == "What people say"
    return "slides, *What people say*" if is_belief else f'slides, `scene("{topic.name}")`'


def _answers(asked: list[tuple[Topic, TopicQuestion]]) -> list[str]:
    if not asked:
        return []
    lines = ["**Right answers, and what others tell.**", ""]
    for topic, question in asked:
        lines.append(f"- {_short(question)} **{_right(question)}.** {question.explain}".rstrip())
        for at, part in enumerate(question.parts, 1):
            which = f" to question {at}" if len(question.parts) > 1 else ""
            lines += [f"  - Who says *{given}*{which}: {words}" for given, words in part.said]
        lines += [f"  - The belief behind it: {each.thought}." for each in topic.beliefs
                  if topic.title == "What people say"]  # fmt: skip
    return [*lines, ""]


def _right(question: TopicQuestion) -> str:
    return "; ".join(part.right.rstrip(".") for part in question.parts)
