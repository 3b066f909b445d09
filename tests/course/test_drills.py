"""Drills: what they call right is right by brute force, on machines that were not asked.

The histories of drills are run a second time on the lab's reference machine, which shares no code
with the kernel; addresses are cut as text; VMAs are counted page by page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from project import ROOT

from anonlab.cli.verbs import cli
from anonlab.course.asking.drill_tools import drill, is_done
from anonlab.course.asking.progress_log import ProgressLog
from anonlab.course.authoring.exercises import find_course
from anonlab.course.authoring.masters import read_master
from anonlab.course.drills.drills import DRILLS, LEVELS, drill_question
from anonlab.course.drills.paper import exam_items, homework, paper, read_exam, write_exam
from anonlab.course.drills.question import DrillQuestion, Part, judge

SEEDS = range(12)
SOLUTION: dict[str, Any] = {}
exec(read_master(ROOT / "solutions" / "lab1_kernel.py").solution, SOLUTION)
each_drill = pytest.mark.parametrize("name", DRILLS)


def questions(name: str) -> list[DrillQuestion]:
    return [drill_question(name, seed, level) for level in range(LEVELS) for seed in SEEDS]


class Brute:
    """A history on the lab's reference machine, and the machine one line before its end."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.machine, self.before = self.run(lines), self.run(lines[:-1])
        self.last = lines[-1]

    def run(self, lines: tuple[str, ...]) -> Any:
        machine = SOLUTION["Machine"](64)
        for line in lines:
            self.do(machine, line.split())
        return machine

    def do(self, machine: Any, words: list[str]) -> None:
        if words[1] == "=":
            call = (words[3], words[0]) if words[2] == "fork" else (words[0],)
            return getattr(machine, words[2])(*call)
        who, verb, *rest = words
        if verb == "execve":
            machine.exit(who)
            machine.spawn(who)
            return self.do(machine, [who, "mmap", "0xf0000", rest[2]]) or self.do(
                machine, [who, "write", "0xf0000", "1", rest[2]]
            )
        numbers = [int(word, 0) for word in rest if word[0].isdigit()]
        vpn = numbers[0] >> 12 if numbers else 0
        npages = (numbers[1:] or [1])[0] if verb != "write" else (numbers[2:] or [1])[0]
        if verb == "madvise":
            machine.mmap(who, vpn, npages)
        elif verb in ("mmap", "munmap", "read"):
            getattr(machine, verb)(who, vpn, npages)
        elif verb == "write":
            machine.write(who, vpn, npages, numbers[1])
        elif verb == "mremap":
            assert machine.mremap(who, vpn, npages, numbers[2] >> 12) is None
        else:
            getattr(machine, verb)(*((who,) if verb == "exit" else (who, vpn)))
        return None

    def used(self) -> int:
        return 63 - self.machine.state()["free"]

    def grown(self) -> int:
        return self.before.state()["free"] - self.machine.state()["free"]

    def word(self, who: str, address: str, machine: Any = None) -> int:
        return int((machine or self.machine).words[who].get(int(address, 0) >> 12, 0))

    def maps(self, who: str, address: str) -> int:
        pfn = self.word(who, address) >> 12
        return int(self.machine.maps[pfn]) if pfn else 0

    def decided(self) -> str:
        who, _, address, *_ = self.last.split()
        old, new = self.word(who, address, self.before), self.word(who, address)
        return "nothing" if old & 2 else "reuse" if old >> 12 == new >> 12 else "copy"

    def looks(self, question: DrillQuestion) -> tuple[int, int]:
        """The walk of the mail, by hand: places looked at, and those in vain."""
        who, address = re.search(r"that (\w+) has at (0x\w+)", question.text).groups()  # type: ignore[union-attr]
        pfn, found, looked = self.word(who, address) >> 12, 0, 0
        for member in self.machine.groups[self.machine.group_of[who]]:
            if found == self.machine.maps[pfn]:
                break
            looked += 1
            found += self.word(member, address) >> 12 == pfn
        return looked, looked - found


Truth = Callable[[Brute, DrillQuestion, re.Match[str]], object]
BY_HAND: tuple[tuple[str, Truth], ...] = (
    (r"How many frames are in use", lambda b, q, m: b.used()),
    (r"How many frames does the last line give back", lambda b, q, m: -b.grown()),
    (r"How many pages does the last line copy", lambda b, q, m: b.grown()),
    (r"How many words map the frame that (\w+) has at (\w+)", lambda b, q, m: b.maps(*m.groups())),
    (r"Is WRITE on in the word of (\w+) at (\w+)", lambda b, q, m: b.word(*m.groups()) & 2 > 0),
    (r"Does (\w+) still have a frame at (\w+)", lambda b, q, m: b.word(*m.groups()) >> 12 > 0),
    (r"Does (\w+) read 0 at (\w+)", lambda b, q, m: b.word(*m.groups()) >> 12 == 0),
    (
        r"How many words of (\w+) name the zero page",
        lambda b, q, m: sum(word >> 12 == 0 for word in b.machine.words[m[1]].values()),
    ),
    (r"How many words has (\w+) in all", lambda b, q, m: len(b.machine.words[m[1]])),
    (
        r"How many of them have WRITE off",
        lambda b, q, m: sum(
            not word & 2
            for word in b.machine.words[re.search(r"has (\w+) in", q.parts[0].text)[1]].values()  # type: ignore[index]
        ),
    ),
    (
        r"How many pages of (\w+) have a frame",
        lambda b, q, m: sum(word >> 12 > 0 for word in b.machine.words[m[1]].values()),
    ),
    (
        r"Which index has the frame that (\w+) maps at (\w+)",
        lambda b, q, m: b.machine.home[b.word(*m.groups()) >> 12][1],
    ),
    (
        r"Which index has the frame that it gets",
        lambda b, q, m: int(b.last.split()[2], 0) >> 12,
    ),
    (r"What does the last write do", lambda b, q, m: b.decided()),
    (
        r"Does p have another frame after the last line",
        lambda b, q, m: b.decided() == "copy",
    ),
    (r"At how many places does the walk", lambda b, q, m: b.looks(q)[0]),
    (r"How many of them do not map it", lambda b, q, m: b.looks(q)[1]),
)
APART = ("swap", "device", "A page is shared by a family", "again and again")
"""What the lab's machine does not do, or counts elsewhere; and what has its own test below."""


def by_hand(question: DrillQuestion, part: Part) -> str | None:
    """The truth of a part by brute force; None if nothing here works it out."""
    brute = Brute(question.lines)
    for pattern, truth in BY_HAND:
        if found := re.match(pattern, part.text):
            value = truth(brute, question, found)
            return {True: "yes", False: "no"}[value] if type(value) is bool else str(value)
    return None


@pytest.mark.parametrize("name", ["03", "04", "05", "06", "07", "08"])
def test_what_is_right_is_right_on_a_machine_of_another_make(name: str) -> None:
    asked = 0
    for question in questions(name):
        text = " ".join((question.text, *question.lines))
        if any(word in text for word in APART):
            continue
        for part in question.parts:
            assert part.truth == by_hand(question, part), (question.lines, part.text)
            asked += 1
    assert asked >= 30


def test_counts_in_a_family_and_after_swap_are_right() -> None:
    for question in questions("03"):
        if "shared by a family" not in question.text:
            continue
        text = "\n".join(question.lines)
        mapped = 1 + text.count("fork") - text.count("exit")
        truths = [int(part.truth) for part in question.parts]
        assert truths == [mapped, mapped + text.count("pin")]
    for question in questions("08"):
        if "was on swap" not in question.text:
            continue
        readers = sum(" read " in line for line in question.lines)
        everybody = sum(" = " in line for line in question.lines)
        assert [int(part.truth) for part in question.parts] == [readers, readers + 1]
        assert readers <= everybody


def test_copies_over_a_story_are_counted_page_by_page() -> None:
    for question in questions("05"):
        if "again and again" not in question.text:
            continue
        shared, copies = set[int](), 0
        for line in question.lines:
            words = line.split()
            if "write" in words:
                start = int(words[2], 0) >> 12
                pages = set(range(start, start + int((words[4:] or ["1"])[0])))
                copies += len(pages & shared)
                shared -= pages
            elif "fork" in words:
                start, length = (
                    int(question.lines[1].split()[2], 0) >> 12,
                    question.lines[1].split()[3],
                )
                shared = set(range(start, start + int(length)))
        assert int(question.parts[0].truth) == copies
        assert int(question.parts[1].truth) == copies + int(question.lines[1].split()[3])


def test_pinned_pages_are_copied_when_they_move() -> None:
    for question in questions("07"):
        if "device" not in question.text:
            continue
        pinned: list[int] = []
        for line in question.lines:
            words = line.split()
            if words[1] == "pin":
                pinned.append(int(words[2], 0) >> 12)
            elif words[1] == "unpin":
                pinned.remove(int(words[2], 0) >> 12)
        _, _, start, length, *_ = question.lines[-1].split()
        moved = range(int(start, 0) >> 12, (int(start, 0) >> 12) + int(length))
        assert int(question.parts[0].truth) == len(set(pinned) & set(moved))


def test_addresses_are_cut_as_text() -> None:
    for question in questions("01"):
        truths = [int(p.truth) if p.kind == "number" else p.truth for p in question.parts]
        if "x86-64" in question.text or (
            "levels of" in question.text and "lesson" not in question.text
        ):
            bits = (
                9
                if "x86-64" in question.text
                else int(re.search(r"of (\d+) bits", question.text)[1])
            )  # type: ignore[index]
            levels = (
                4
                if "x86-64" in question.text
                else int(re.search(r"(\d+) levels", question.text)[1])
            )  # type: ignore[index]
            address = int(re.search(r"address (0x\w+)", question.text)[1], 0)  # type: ignore[index]
            digits = f"{address:0{levels * bits + 12}b}"
            for part, truth in zip(question.parts, truths, strict=True):
                level = int(re.search(r"level (\d)", part.text)[1])  # type: ignore[index]
                assert truth == int(digits[level * bits : (level + 1) * bits], 2)
        elif "uses address" in question.text:
            digits = re.search(r"address 0x(\w{5})", question.text)[1]  # type: ignore[index]
            assert truths == [int(digits[0], 16), int(digits[1], 16), int(digits[2:], 16)]
        elif question.lines:
            rows = dict(re.findall(r"row (\d+)   (.*)", "\n".join(question.lines)))
            row = question.lines[0].split()[-1]
            address = re.search(r"address 0x(\w+)", question.text)[1]  # type: ignore[index]
            for digit in address[:2]:
                words = dict(re.findall(r"slot (\d+): (0x\w+)", rows.get(row, "")))
                row = str(int(words.get(str(int(digit, 16)), "0"), 16) >> 12)
            physical = int(f"{int(row):x}{address[2:]}", 16) if int(row) else 0
            assert truths == ["yes" if int(row) else "no", physical]
        else:
            top, leaf, offset = re.search(
                r"slot (\d+) .* slot (\d+) .* offset (0x\w+)", question.text
            ).groups()  # type: ignore[union-attr]
            assert truths == [int(f"{int(top):x}{int(leaf):x}{int(offset, 16):03x}", 16)]


def areas(lines: tuple[str, ...]) -> list[tuple[int, str, int]]:
    """The VMAs of p as (first page, prot, file page), counted page by page."""
    pages: dict[int, tuple[str, int]] = {}
    for line in lines:
        words = line.split()
        if words[1] in ("=",):
            continue
        start, length = int(words[2], 0) >> 12, int(words[3])
        for at in range(length):
            if words[1] == "munmap":
                pages.pop(start + at, None)
            elif words[1] == "mprotect" and start + at in pages:
                pages[start + at] = (words[4], pages[start + at][1])
            elif words[1] == "mmap":
                offset = (
                    int(words[words.index("offset") + 1]) + at if "offset" in words else start + at
                )
                pages[start + at] = (words[4] if len(words) > 4 else "rw", offset)
    found = []
    for vpn in sorted(pages):
        prot, offset = pages[vpn]
        if pages.get(vpn - 1) != (prot, offset - 1):
            found.append((vpn, prot, offset))
    return found


def test_vmas_are_counted_page_by_page() -> None:
    names = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
    for question in questions("02"):
        found = areas(question.lines)
        for part in question.parts:
            if "How many VMAs" in part.text:
                truth = str(len(found))
            elif "more VMAs" in part.text:
                number = len(found) - 1
                truth = "more" if number > 0 else "fewer" if number < 0 else "same"
            elif "May p write" in part.text:
                vpn = int(re.search(r"0x\w+", part.text)[0], 0) >> 12  # type: ignore[index]
                truth = "yes" if [a for a in found if a[0] <= vpn][-1][1] == "rw" else "no"
            elif "pgoff" in part.text:
                truth = str(found[-1][2])
            else:
                which = names.index(re.search(r"its (\w+) VMA", part.text)[1])  # type: ignore[index]
                truth = str(found[which][0] << 12)
            assert part.truth == truth, (question.lines, part.text)


def test_words_of_pagemap_are_read_bit_by_bit() -> None:
    for question in questions("10"):
        found = re.search(r"pagemap says (0x\w+)", question.text)
        if found is None:
            continue
        bits = f"{int(found[1], 0):064b}"[::-1]
        kind = "page" if bits[63] == "1" else "swap" if bits[62] == "1" else "none"
        low = int(bits[:55][::-1], 2)
        assert question.parts[0].truth == kind
        if "Which slot" in question.parts[1].text:
            assert int(question.parts[1].truth) == (low >> 5 if kind == "swap" else 0)
        else:
            assert int(question.parts[1].truth) == low
            assert question.parts[2].truth == ("yes" if bits[56] == "1" else "no")


def test_bits_entries_and_copies_of_today_are_right_by_hand() -> None:
    for question in (*questions("10"), *questions("08")):
        truths = [part.truth for part in question.parts]
        if "pagemap word of p for" in question.text:
            address = re.search(r"for (0x\w+)", question.text)[1]  # type: ignore[index]
            brute = Brute(question.lines)
            maps = brute.maps("p", address)
            assert truths == ["yes" if maps else "no", "yes" if maps == 1 else "no"]
        elif "moves two pages" in question.text:
            brute = Brute(question.lines)
            assert [int(each) for each in truths] == [
                brute.grown(),
                63 - brute.before.state()["free"],
            ]
        elif "is sent to swap" in question.text:
            address, brute = question.lines[-1].split()[2], Brute(question.lines[:-1])
            same = brute.word("c", address) >> 12 == brute.word("p", address) >> 12
            maps = brute.maps("p", address)
            assert truths == [str(maps), "yes" if same else "no"]


def test_designs_look_where_their_mail_or_patch_says() -> None:
    for question in questions("09"):
        for part in question.parts:
            if "copy" in part.text and "anongroup" not in question.text:
                assert part.truth == "0"  # who keeps the index copies nothing
            elif "copy" in part.text:
                assert int(part.truth) == Brute(question.lines).grown()
            elif "At how many words" in part.text:
                text = question.text.replace("of p at", "that p has at")
                if "child has" in text:
                    last = question.lines[-1].split()[0]
                    text = re.sub(r"a page of its own at", f"that {last} has at", text)
                brute = Brute(question.lines)
                who, address = re.search(r"that (\w+) has at (0x\w+)", text).groups()  # type: ignore[union-attr]
                if "pte_chain" in question.text:
                    assert int(part.truth) == brute.maps(who, address)
                elif "anongroup" in question.text:
                    asked = DrillQuestion("", 0, 0, text, (), ())
                    assert int(part.truth) == brute.looks(asked)[0]


@each_drill
def test_questions_come_from_their_seed_and_answer_themselves(name: str) -> None:
    seen = set()
    for question in questions(name):
        again = drill_question(name, question.seed, question.level)
        assert again == question
        seen.add((question.text, question.lines))
        marks = judge(question, [part.shown(part.truth) for part in question.parts])
        assert all(mark.right for mark in marks)
        assert not any(mark.right for mark in judge(question, ["?"] * len(question.parts)))
        for part in question.parts:
            assert part.truth not in part.mistakes
            assert part.why
            assert all(said for said in part.mistakes.values())
    assert len(seen) > len(SEEDS) * 2


def test_a_known_mistake_is_told_in_its_own_words() -> None:
    question = next(each for each in questions("04") if each.parts[0].mistakes)
    wrong, said = next(iter(question.parts[0].mistakes.items()))
    given = [wrong, *("?" for _ in question.parts[1:])]
    assert judge(question, given)[0].text.endswith(said)


@pytest.mark.parametrize(
    ("given", "says"),
    [("1", "2 answers are asked for, got 1"), ("copy, x", "'x' is no answer"),
     ("stay, yes", "'stay' is no answer")],
)  # fmt: skip
def test_an_answer_of_another_form_is_refused(given: str, says: str) -> None:
    question = next(each for each in questions("05") if len(each.parts) == 2)
    with pytest.raises(ValueError, match=re.escape(says)):
        judge(question, given)
    with pytest.raises(ValueError, match="'many' is no number"):
        judge(drill_question("03", 1), "many")


def test_five_in_a_row_is_done_and_a_wrong_one_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "catalogue.json").write_text(
        (ROOT / "exercises" / "catalogue.json").read_text("utf-8"), "utf-8"
    )
    monkeypatch.setenv("ANONLAB_COURSE", str(tmp_path))
    from anonlab.course.asking.drill_tools import next_question

    course = find_course()
    log = ProgressLog(course.root)
    levels = []
    assert "0 of 5 in a row" in str(drill("4"))
    for turn in range(7):
        question = next_question(course, log, "04")
        levels.append(question.level)
        right = ", ".join(part.shown(part.truth) for part in question.parts)
        said = str(drill("04", "?, ?, ?"[: 3 * len(question.parts) - 2] if turn == 1 else right))
        assert question.lines[-1] in said
    assert levels == [0, 1, 0, 1, 2, 3, 4]
    assert is_done(log, "04")
    assert "5 in a row: drill 04 is done" in said
    assert len({event["seed"] for event in log.events("drill")}) == 7
    assert "there is no drill '44'" in str(drill("44"))
    assert "is no" in str(drill("04", "one, two, three")) or "asked for" in str(drill("04", "a"))
    assert len(log.events("drill")) == 7  # what has not the form is no answer


EXAM = """name = "Mid<term>"
variants = 2
seed = 4711
[[question]]
drill = "04"
level = 4
points = 3
[[question]]
drill = "05"
"""


def test_an_exam_has_other_numbers_in_each_variant_and_its_own_key(tmp_path: Path) -> None:
    (tmp_path / "exam.toml").write_text(EXAM, "utf-8")
    done = CliRunner().invoke(
        cli, ["course", "exam", str(tmp_path / "exam.toml"), "--out", str(tmp_path / "out")]
    )
    assert done.exit_code == 0, done.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"exam-A.html", "exam-B.html", "key-A.html", "key-B.html", "questions.json"}
    data = json.loads((tmp_path / "out" / "questions.json").read_text("utf-8"))
    assert data["A"][0]["lines"] != data["B"][0]["lines"]
    exam, key = (
        (tmp_path / "out" / f"{name}-A.html").read_text("utf-8") for name in ("exam", "key")
    )
    assert "Mid&lt;term&gt;, variant A" in exam
    for part in data["A"][0]["parts"]:
        assert part["why"] not in exam
        assert part["truth"] in key
    items = exam_items(read_exam(tmp_path / "exam.toml"), 0)
    assert [item.points for item in items] == [3, 1]
    with pytest.raises(ValueError, match="is not empty"):
        write_exam(tmp_path / "exam.toml", tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no questions"),
        ("name = 3 4", "Expected newline"),
        ("[[question]]\ndrill = '04'", "seed is missing"),
        ("seed = 1\n[[question]]\ndrill = 4", "drill is one of 01, 02"),
        ("seed = 1\n[[question]]\ndrill = '04'\nlevel = 7", "question 1: level is a number from 0"),
        ("seed = 1\nvariants = 0\n[[question]]\ndrill = '04'", "variants is a number from 1 to 26"),
        ("seed = 1\nvariant = 2\n[[question]]\ndrill = '04'", "unknown field 'variant'"),
        ("seed = 1\nquestion = 3", "no questions"),
        ("seed = 1\nquestion = [3]", "question 1: a question is a table"),
    ],
)
def test_a_wrong_exam_is_refused_with_its_place(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "exam.toml").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=re.escape(says)):
        read_exam(tmp_path / "exam.toml")


def test_homework_grows_harder_and_has_its_answers_on_a_page_of_their_own(tmp_path: Path) -> None:
    items = homework(["04", "05"], 5, 7)
    assert [item.question.level for item in items] == [*range(5), *range(5)]
    page = paper("Homework", items, True, True)
    assert page.count('class="item"') == 20
    assert 'class="answers after"' in page
    out = tmp_path / "hw.html"
    done = CliRunner().invoke(cli, ["course", "drill", "4", "--pages", str(out), "--no-answers"])
    assert done.exit_code == 0, done.output
    assert "Answers" not in out.read_text("utf-8")
    text = CliRunner().invoke(cli, ["course", "drill", "04", "--number", "2"]).output
    assert text.index("2. ") < text.index("Answers") < text.index("2a) ")
    for wrong in (["4", "--number", "0"], ["99"]):
        refused = CliRunner().invoke(cli, ["course", "drill", *wrong])
        assert refused.exit_code == 2
