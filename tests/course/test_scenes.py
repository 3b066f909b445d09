"""Scenes: what is right is what the simulated machine does, and answers are kept once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from project import ROOT

from anonlab import learn
from anonlab.course.asking.bank.scenes import SCENES
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.asking.scenes import made
from anonlab.course.authoring.exercises import Course
from anonlab.formats.snapshot import Snapshot
from anonlab.formats.trace import Trace
from anonlab.view.story.align import align

ASKED = re.compile(r'\bscene\("([^"]+)"\)')


def test_every_scene_is_in_a_notebook_and_the_other_way_round() -> None:
    sources = (path.read_text("utf-8") for path in (ROOT / "notebooks" / "source").glob("*.py"))
    assert {name for text in sources for name in ASKED.findall(text)} == set(SCENES)


Entries = dict[tuple[str, int], int]
"""(process, page number) -> page-table entry."""


def entries(snapshot: Snapshot) -> Entries:
    """Every entry of every process, by loops over the tables and no code of anonlab."""
    rows: dict[int, list[tuple[int, int]]] = {}
    columns = (snapshot.row.tolist(), snapshot.slot.tolist(), snapshot.word.tolist())
    for row, slot, word in zip(*columns, strict=True):
        rows.setdefault(row, []).append((slot, word))
    found = [(who, 0, mm.pgd << 12) for mm in snapshot.mms for who in mm.processes]
    for _ in range(snapshot.geometry.levels):
        found = [
            (who, (vpn << snapshot.geometry.bits) + slot, word)
            for who, vpn, above in found
            for slot, word in rows.get(above >> 12, [])
        ]
    return {(who, vpn): word for who, vpn, word in found}


def frame(words: Entries, who: str, vpn: int) -> int:
    """The frame of a page, 0 if it has none of its own."""
    return words.get((who, vpn), 0) >> 12 if words.get((who, vpn), 0) & 1 else 0


def used(snapshot: Snapshot) -> int:
    """The frames with users, without the zero page."""
    return len({*snapshot.pfn.tolist()} - {0})


def taken(was: Snapshot, now: Snapshot) -> int:
    """How many frames more are in use."""
    return used(now) - used(was)


def movers(was: Snapshot, now: Snapshot) -> set[str]:
    """Who has another frame for a page that he had before."""
    old, new = entries(was), entries(now)
    return {who for who, vpn in new if frame(old, who, vpn) not in (0, frame(new, who, vpn))}


def read_only(now: Snapshot) -> set[str]:
    """The places of present entries without W."""
    numbers = {who: mm.mm for mm in now.mms for who in mm.processes}
    return {f"p{numbers[who]}-{vpn}" for (who, vpn), word in entries(now).items() if word & 3 == 1}


def users(now: Snapshot, pfn: int) -> set[str]:
    """Who has an entry that names the frame."""
    return {who for who, vpn in entries(now) if frame(entries(now), who, vpn) == pfn}


def shared(now: Snapshot, who: str) -> int:
    """How many pages of a process have a frame that somebody else uses."""
    mine, others = (
        {frame(entries(now), each, vpn) for each, vpn in entries(now) if (each == who) == own}
        for own in (True, False)
    )
    return len(mine & others - {0})


def faulted(was: Snapshot, now: Snapshot) -> set[str]:
    """Whether an entry changed, but for the bits 5 and 6 that the machine sets."""
    old, new = ({at: word & ~0x60 for at, word in entries(each).items()} for each in (was, now))
    return {"no" if old == new else "yes"}


def at_addresses(was: Snapshot, now: Snapshot) -> set[str]:
    """Whether everybody has his pages where he had them."""
    return {"at the same address" if {*entries(was)} == {*entries(now)} else "at another address"}


def read(now: Snapshot, who: str, vpn: int) -> int:
    """The number in a page."""
    at = now.pfn.tolist().index(frame(entries(now), who, vpn))
    return int(now.data[at])


def new_places(was: Snapshot, now: Snapshot) -> set[str]:
    """The places of new entries; there is one process."""
    return {f"p1-{vpn}" for _, vpn in {*entries(now)} - {*entries(was)}}


def new_top_slots(was: Snapshot, now: Snapshot) -> set[str]:
    """The slots of the top table below which there is something now, and was nothing."""
    old, new = ({vpn // 16 for _, vpn in entries(each)} for each in (was, now))
    return {f"{slot:x}" for slot in new - old} or {"none"}


def areas(now: Snapshot) -> int:
    """How many runs of pages there are in which a page and its neighbour have one rule."""
    ((*_, vmas),) = now.mms
    rule = {vpn: vma.prot for vma in vmas for vpn in range(vma.start_vpn, vma.end_vpn)}
    return sum(rule[vpn] != rule.get(vpn - 1) for vpn in rule)


no_right = {"The program gets the signal SIGSEGV."}
too_little = {"no, there is too little memory"}


def in_slot_1(now: Snapshot) -> int:
    """How many entries are not present and name slot 1."""
    return sum(word & 1 == 0 and word >> 8 == 1 for word in entries(now).values())


BY_HAND: dict[str, list[Callable[[Snapshot, Snapshot], list[Any]]]] = {
    "00 first look": [],
    "00 who uses it": [
        lambda was, now: [
            users(was, 1),
            movers(was, now),
        ],
        lambda was, now: [taken(was, now)],
    ],
    "01 slots": [
        lambda was, now: [new_top_slots(was, now), new_places(was, now)],
        lambda was, now: [new_top_slots(was, now), new_places(was, now)],
    ],
    "02 areas": [lambda was, now: [areas(now)]] * 3,
    "02 rights": [
        lambda was, now: [{"The write works."} if read(now, "editor", 0x30) == 7 else no_right],
        lambda was, now: [{"The write works."} if read(now, "editor", 0x30) == 8 else no_right],
    ],
    "03 frames": [
        lambda was, now: [taken(was, now)],
        lambda was, now: [taken(was, now)],
        lambda was, now: [taken(was, now), faulted(was, now)],
    ],
    "03 pin": [lambda was, now: [len(users(now, 1)), len(users(now, 1)) + 1]],
    "04 fork": [lambda was, now: [taken(was, now), read_only(now)]],
    "04 swap": [lambda was, now: [in_slot_1(now), taken(was, now)]],
    "05 three writes": [
        lambda was, now: [movers(was, now), at_addresses(was, now)],
        lambda was, now: [movers(was, now), faulted(was, now)],
        lambda was, now: [movers(was, now), faulted(was, now)],
    ],
    "05 one of eight": [
        lambda was, now: [taken(was, now), used(now)],
    ],
    "05 grandchild": [
        lambda was, now: [taken(was, now), users(now, 1)],
        lambda was, now: [taken(was, now)],
        lambda was, now: [taken(was, now)],
    ],
    "05 pin": [
        lambda was, now: [
            {"to a new frame" if movers(was, now) else "to the frame that the device holds"}
        ],
    ],
    "05 shared on purpose": [lambda was, now: [taken(was, now), read(now, "parent", 0x30)]],
    "05 no memory": [
        lambda was, now: [{"yes"} if ("child", 0x30) in entries(now) else too_little],
        lambda was, now: [{"yes"} if read(now, "child", 0x30) == 9 else too_little],
    ],
    "05b pipeline": [
        lambda was, now: [shared(now, "p12401")],
        lambda was, now: [movers(was, now)],
        lambda was, now: [movers(was, now)],
        lambda was, now: [sum(node.kind == "mm" for node in now.nodes)],
        lambda was, now: [
            shared(now, "p12402"),
            {
                "no"
                if {each.id for each in was.nodes if each.kind == "group"}
                <= {each.id for each in now.nodes}
                else "yes"
            },
        ],
    ],
}
"""What is right for each part of each question, from the moments before and after."""


def answers(part: dict[str, Any]) -> Any:
    """What a card calls right, in words."""
    truth, options = part["truth"], part.get("options")
    if part["kind"] == "mark":
        return set(truth)
    if options is None:
        return truth
    chosen = truth if isinstance(truth, list) else [truth]
    return {options[at] for at in chosen} - {"nobody"}


@pytest.mark.parametrize("name", BY_HAND)
def test_what_is_right_is_what_a_loop_over_the_page_tables_finds(name: str) -> None:
    trace, cards = made(name)
    assert isinstance(trace, Trace)
    assert len(cards) == len(BY_HAND[name])
    for (step, card), by_hand in zip(cards.items(), BY_HAND[name], strict=True):
        mine = [at for at, each in enumerate(trace.steps)
                if each.operation == trace.steps[step].operation]  # fmt: skip
        was, now = (trace.steps[at].snapshot for at in (mine[0] - 1, mine[-1]))
        assert [answers(part) for part in card["parts"]] == by_hand(was, now)
        assert card["shows"] == mine[-1], "with the reveal the whole operation is seen"


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_opens_before_its_first_question_and_each_wrong_option_is_answered(
    name: str,
) -> None:
    played, cards = made(name)
    steps = align(played).words
    assert steps[0].level == "op"
    assert all(0 < step < len(steps) for step in cards)
    for card in cards.values():
        assert card["explain"]
        for part in card["parts"]:
            options = range(len(part.get("options", ())))
            wrong = [str(at) for at in options if at != part["truth"]] or ["else"]
            assert "else" in part["why"] or set(wrong) <= set(part["why"])


def test_answers_are_kept_with_what_was_right_and_the_first_counts(course: Course) -> None:
    player = learn.scene("00 who uses it")
    step = next(iter(made("00 who uses it")[1]))
    player.predictions = {str(step): {"answers": [[1, 0], 0], "marks": []}}
    player.predictions = {str(step): {"answers": [None, None], "gave_up": True}}
    event = ProgressLog(course.root).events("scene")
    assert [(one["said"], one["right"], one["of"]) for one in event] == [
        ("child, shell; shell", 1, 2)
    ]
    assert event[0]["happened"] == "shell, child; child"
    assert learn.scene("00 who uses it").predictions[str(step)]["answers"] == [[1, 0], 0]
    said = "you said child, shell; shell; it was shell, child; child (1 of 2 right)"
    assert f"00 who uses it: {said}" in repr(learn.predicted("00"))
    assert "1 prediction; 1 of 2 elements were right at first." in repr(learn.progress())


def test_of_marks_each_place_counts_and_is_called_by_its_name(course: Course) -> None:
    player = learn.scene("04 fork")
    ((step, card),) = made("04 fork")[1].items()
    marked = ["p1-48", "p1-51"]
    names = {key: f"page {int(key[3:]) << 12:#x} of {'shell' if key[1] == '1' else 'child'}"
             for key in [*marked, *card["parts"][1]["truth"]]}  # fmt: skip
    player.predictions = {str(step): {"answers": [2, marked], "names": names}}
    (event,) = ProgressLog(course.root).events("scene")
    assert event["said"] == "2; page 0x30000 of shell, page 0x33000 of shell"
    assert event["happened"].startswith(
        "0; page 0x30000 of shell, page 0x31000 of shell, page 0x32"
    )
    assert (event["right"], event["of"]) == (1, 1 + 7), "one hit, five missed, one too many"


def test_who_does_not_know_is_told_what_it_was(course: Course) -> None:
    player = learn.scene("04 fork")
    (step,) = made("04 fork")[1]
    player.predictions = {str(step): {"answers": [None, None], "gave_up": True}}
    assert "you said I don't know; I don't know; it was 0; p1-48" in repr(learn.predicted("04"))


def test_a_scene_that_an_earlier_release_kept_is_shown_as_it_was(course: Course) -> None:
    log = ProgressLog(course.root)
    log.add("scene", name="04 fork", step=3, kept={}, said="2", right=0, of=1)
    log.add("predict", name="04 words", answer="shell 0x30000")
    assert "04 fork: you said 2 (0 of 1 right)" in repr(learn.predicted("04"))
    assert "04 words: you said shell 0x30000" in repr(learn.predicted("04"))
    log.add("scene", name="05b pipeline", step=3, kept={}, said="2", right=0, of=1)
    assert "05b" not in repr(learn.predicted("05"))
    assert "05b" in repr(learn.predicted("05b"))


def test_an_unknown_scene_is_named() -> None:
    with pytest.raises(ValueError, match="there is no scene '00 nothing'; there are 00 first look"):
        learn.scene("00 nothing")


def test_a_scene_runs_under_the_rule_of_its_year() -> None:
    """The frame that the child's pipe holds: with the secret under the rule of 2005 alone."""
    for name, secret in (("12 leak", "99"), ("12 leak mended", "7")):
        (card,) = made(name)[1].values()
        assert card["parts"][0]["options"][card["parts"][0]["truth"]] == secret
