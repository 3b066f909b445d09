"""Slides made from the scenes of a notebook: one HTML file, without a network.

Each question of a scene is four slides: the stage where it is asked, the question, the stage as it
goes on, and the explanation. The stage is the real player in lecture mode. The mails and objections
of a debate have slides, too. Notes for the speaker stand below each slide, and in a window of their
own; printed, each slide is one page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from anonlab.course.asking.questions import letter
from anonlab.course.teaching.debate_slides import DebateSlides, debate_slides
from anonlab.course.teaching.slide_kinds import VOTE, Slide
from anonlab.course.teaching.topics import Topic, TopicQuestion, belief_topics, scene_topics
from anonlab.course.templates import filled
from anonlab.view.player.export import made_payload, packed, page_js, player_css
from anonlab.view.stage.static import snapshot_svg
from anonlab.view.story.align import align

_HERE = Path(__file__).parent


def write_slides(root: Path, notebooks: tuple[str, ...], out: Path) -> tuple[Path, ...]:
    """Write the slides of each of `notebooks` of the course in `root` to the folder `out`; without
    names, of all that have something to show. Return the files.

    raises  ValueError for a notebook that is not there, or has nothing to show
    """
    titles = notebook_titles(root / "notebooks")
    wanted = [name.rjust(2, "0") for name in notebooks] or [n for n in titles if topics_of(n)]
    for name in wanted:
        if name not in titles:
            raise ValueError(f"there is no notebook {name!r}; there are {', '.join(titles)}")
        if not topics_of(name):
            raise ValueError(f"notebook {name} has no scene yet: there is nothing to show")
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for name in wanted:
        path = out / f"slides-{name}.html"
        (notebook,) = (root / "notebooks").glob(f"{name}_*.ipynb")
        text = deck(titles[name], topics_of(name), debate_slides(notebook))
        path.write_text(text, "utf-8", newline="\n")
        files.append(path)
    return tuple(files)


def topics_of(notebook: str) -> tuple[Topic, ...]:
    """Return what the slides of a notebook show: its scenes, then what people say."""
    return scene_topics(notebook) + belief_topics(notebook)


def notebook_titles(folder: Path) -> dict[str, str]:
    """Return the headings of the notebooks in `folder` by number: {"04": "04 · fork"}.

    raises  FileNotFoundError if there are none
    """
    titles = {}
    for path in sorted(folder.glob("*_*.ipynb")):
        first = "".join(json.loads(path.read_text("utf-8"))["cells"][0]["source"])
        titles[path.stem.split("_")[0]] = first.splitlines()[0].lstrip("# ")
    if not titles:
        raise FileNotFoundError(f"{folder} has no notebooks: name the folder of the course")
    return titles


def deck(title: str, topics: tuple[Topic, ...], debate: DebateSlides) -> str:
    """Return the page of a deck: a title, the debate around the topics."""
    payloads = [packed(made_payload(topic.played, tabs=())) for topic in topics]
    plain = json.dumps(payloads, separators=(",", ":"), ensure_ascii=False)
    return filled(
        "teaching/slides.html.j2",
        title=title,
        slides=[_title(title, topics, debate), *debate.before, *_slides(topics), *debate.after],
        letter=lambda at: letter(at).upper(),
        css=player_css(),
        own_css=(_HERE / "slides.css").read_text("utf-8"),
        payloads=plain.replace("<", "\\u003c"),
        script=page_js(_HERE / "slides.js"),
    )


def _title(title: str, topics: tuple[Topic, ...], debate: DebateSlides) -> Slide:
    names = tuple(dict.fromkeys(topic.title for topic in topics)) + debate.titles
    notes = (
        "Keys: right arrow or space goes on, left arrow goes back. On the stage the same keys go "
        "step by step, then to the next slide.",
        "N shows these notes. S opens them in a window of their own. T changes light and dark. F "
        "fills the screen. O shows all slides.",
    )
    return Slide("title", title, notes, lines=names)


def _slides(topics: tuple[Topic, ...]) -> Iterator[Slide]:
    for number, topic in enumerate(topics):
        at = 0
        for question in topic.questions:
            yield _stage(topic, number, at, question.step - 1, ())
            yield _asked(topic, question)
            yield _stage(topic, number, question.step - 1, question.ends, _truths(question))
            yield Slide("answer", topic.title, _answer_notes(question), question.explain,
                        parts=question.parts, pictures=_pictures(topic, question.ends))  # fmt: skip
            at = question.ends
        if at < topic.last or not topic.questions:
            yield _stage(topic, number, at, topic.last, ("Go on to the end of the story.",))


def _stage(topic: Topic, scene: int, start: int, end: int, notes: tuple[str, ...]) -> Slide:
    words = align(topic.played).words
    told = words[end].sentence if end >= 0 else ""
    about = notes or ("Let them look. Ask what they see, before you ask the question.",)
    return Slide("stage", topic.title, about, told, scene=scene, start=start, end=end,
                 pictures=_pictures(topic, end))  # fmt: skip


def _asked(topic: Topic, question: TopicQuestion) -> Slide:
    beliefs = tuple(
        f"Some people say: {each.thought}."
        + (f" It is voiced at {each.voiced}." if each.voiced else "")
        for each in topic.beliefs
    )
    return Slide("question", topic.title, (VOTE, *beliefs), question.ask, parts=question.parts,
                 pictures=_pictures(topic, question.step - 1))  # fmt: skip


def _truths(question: TopicQuestion) -> tuple[str, ...]:
    right = (f"Right: {part.right}" for part in question.parts)
    return ("Go on step by step. Who was right?", *right)


def _answer_notes(question: TopicQuestion) -> tuple[str, ...]:
    """Return what each wrong answer tells, and what to say to it."""
    return tuple(
        f"Who says “{given}”: {words}" for part in question.parts for given, words in part.said
    ) or ("Ask one pair to say it in their own words.",)


def _pictures(topic: Topic, at: int) -> tuple[str, ...]:
    aligned = align(topic.played)
    return tuple(snapshot_svg(track.steps[track.at[at]].snapshot) for track in aligned.tracks)
