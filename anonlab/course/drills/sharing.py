"""Drills 03, 04 and 05: anonymous pages, fork, copy on write."""

from __future__ import annotations

from anonlab.course.asking.measures import copied_in_all, decision, processes_with_new_frames
from anonlab.course.drills.question import Part, choice, number, yes_no
from anonlab.course.drills.stories import (
    BASE,
    Shape,
    Story,
    address,
    mapped,
    pfn_of,
    used,
    writable,
)
from anonlab.histories.splitmix import SplitMix64

_TOUCH = "Mapping takes no frame. Reading shows the zero page. The first write takes a frame."


def _frames_part(story: Story, mistakes: dict[int, str], why: str) -> Part:
    return number(
        "How many frames are in use afterwards? The zero page does not count.",
        used(story.after()),
        why,
        mistakes,
    )


def touch(rng: SplitMix64) -> Shape:
    """Reads and writes of one process: how many frames?"""
    story = Story(rng, rng.between(4, 8))
    read, written = story.some(), story.some()
    story.read("p", *read)
    story.write("p", *written)
    both = set(range(read[0], sum(read))) | set(range(written[0], sum(written)))
    return story.shape(
        "A process maps memory and touches a part of it.",
        _frames_part(
            story,
            {
                story.pages: "That is every page that is mapped: mapping alone takes no frame.",
                len(both): "That counts what was read, too: reading shows the zero page.",
            },
            _TOUCH,
        ),
    )


def zero_words(rng: SplitMix64) -> Shape:
    """How many words name the zero page?"""
    story = Story(rng, rng.between(5, 8))
    read, written = story.some(), story.some()
    first, then = rng.choice((("read", "write"), ("write", "read")))
    for what in (first, then):
        story.read("p", *read) if what == "read" else story.write("p", *written)
    state = story.after()
    zero = sum(pfn_of(state, "p", vpn) == 0 for vpn in state.words["p"])
    return story.shape(
        "A process reads and writes.",
        number(
            "How many words of p name the zero page afterwards?",
            zero,
            "A page that is written has a frame of its own, before a read or after it.",
            {read[1]: "Some of what was read has a frame of its own: it was written, too."},
        ),
        _frames_part(story, {story.pages: "Mapping alone takes no frame."}, _TOUCH),
    )


def index(rng: SplitMix64) -> Shape:
    """The index of a page in the middle of an area."""
    story = Story(rng)
    start, pages = 0x20 + rng.below(0x50), rng.between(4, 9)
    at = start + rng.between(1, pages - 1)
    story.say("p = spawn", f"p mmap {address(start)} {pages}")
    story.write("p", at)
    state = story.after()
    return story.shape(
        "A process writes to one page of its memory.",
        number(
            "Which index has the frame that it gets, under the anon group?",
            state.index[pfn_of(state, "p", at)],
            "The group keeps the page number: the address without its last three digits.",
            {
                at - start: "That is the place in the area. The group counts from address 0.",
                at << 12: "That is the address; index is the page number, 12 bits shorter.",
            },
            in_hex=True,
        ),
    )


def dropped(rng: SplitMix64) -> Shape:
    """madvise drops pages, and a read finds zeros."""
    story = Story(rng, rng.between(5, 8))
    story.write("p", BASE, story.pages)
    start, length = story.some()
    story.say(f"p madvise {address(start)} {length} dontneed")
    story.read("p", BASE, story.pages)
    state = story.after()
    vpn = BASE + rng.below(story.pages)
    return story.shape(
        "A process writes all its memory, gives some of it back, and reads all of it.",
        _frames_part(
            story,
            {story.pages: "What madvise dropped has no frame any more; a read takes none."},
            _TOUCH,
        ),
        yes_no(
            f"Does p read 0 at {address(vpn)}?",
            pfn_of(state, "p", vpn) == 0,
            "Dropped pages show the zero page; the others keep what was written.",
        ),
    )


def family_counts(rng: SplitMix64) -> Shape:
    """mapcount and count of a page after forks and a pin."""
    story = Story(rng, 2)
    story.write("p", BASE)
    children = rng.between(1, 3)
    pinned = rng.chance(1, 2)
    if pinned:
        story.say(f"p pin {address(BASE)}")
    for child in ("a", "b", "c")[:children]:
        story.fork(child)
    if rng.chance(1, 2):
        story.say("a exit")
    state = story.after()
    who = next(iter(state.words))
    pfn = pfn_of(state, who, BASE)
    mapcount, count = state.mapcount[pfn], state.count[pfn]
    return story.shape(
        f"A page is shared by a family. Look at the frame at {address(BASE)} of {who}.",
        number(
            "What is its mapcount?",
            mapcount,
            "One for each word that maps it: a pin is no word, and who exits has none.",
            {children + 1: "Somebody has exited: that word is gone.", count: "That is count."},
        ),
        number(
            "What is its count?",
            count,
            "mapcount, and one more for each pin.",
            {mapcount: "A device holds it, too: a pin counts here."},
        ),
    )


# 04


def fork_frames(rng: SplitMix64) -> Shape:
    """Frames after fork."""
    story = Story(rng, rng.between(4, 8))
    story.write("p", *story.some())
    frames = used(story.after())
    story.fork("c")
    return story.shape(
        "A process writes and forks.",
        _frames_part(
            story,
            {2 * frames: "fork copies no page: parent and child share every frame."},
            "fork copies words, not pages.",
        ),
    )


def fork_words(rng: SplitMix64) -> Shape:
    """Which words of parent and child are writable?"""
    story = Story(rng, 4)
    before, after = story.some(), story.some()
    story.write("p", *before)
    story.fork("c")
    who = rng.choice(("p", "c"))
    story.write(who, *after)
    state = story.after()
    vpn = BASE + rng.below(4)
    why = (
        "fork takes WRITE away on both sides. Who writes afterwards gets a copy, with WRITE, or "
        "has a new page."
    )
    of_parent = "fork took WRITE from the parent, too: it must not write into what the child sees."
    return story.shape(
        "A process writes and forks, and one of the two writes again.",
        yes_no(f"Is WRITE on in the word of p at {address(vpn)}? No word: no.",
               writable(state, "p", vpn), why, of_parent),
        yes_no(f"Is WRITE on in the word of c at {address(vpn)}? No word: no.",
               writable(state, "c", vpn), why),
        number("How many pages of c have a frame?", len(mapped(state, "c")),
               "What the parent had at fork, and what the child wrote itself.",
               {len(mapped(state, "p")): "That is the parent's number now."}),
    )  # fmt: skip


def fork_read_only(rng: SplitMix64) -> Shape:
    """How many words of the parent may not be written through after fork?"""
    story = Story(rng, rng.between(4, 7))
    story.write("p", *story.some())
    story.read("p", *story.some())
    story.fork("c")
    if rng.chance(1, 2):
        story.write(rng.choice(("p", "c")), *story.some())
    state = story.after()
    who = rng.choice(("p", "c"))
    words = state.words[who]
    read_only = sum(not writable(state, who, vpn) for vpn in words)
    return story.shape(
        "A process writes, reads and forks.",
        number(f"How many words has {who} in all? A word of the zero page is one.", len(words),
               "A page has a word once it was touched, also if it was only read; fork copies all."),
        number("How many of them have WRITE off?", read_only,
               "Every word that fork shared, until its process writes; and those of the zero page.",
               {len(words): "Who writes after the fork has WRITE again.",
                0: "fork takes WRITE away on both sides."}),
    )  # fmt: skip


def grandchildren(rng: SplitMix64) -> Shape:
    """A family of three or four."""
    story = Story(rng, rng.between(3, 6))
    story.write("p", *story.some())
    story.fork("c")
    story.write("p" if rng.chance(1, 2) else "c", *story.some())
    story.fork("d", rng.choice(("p", "c")))
    if rng.chance(1, 2):
        story.write("d", *story.some())
    state = story.after()
    vpns = mapped(state, "p")
    vpn = rng.choice(vpns or [BASE])
    pfn = pfn_of(state, "p", vpn)
    everybody = len(state.words)
    mapcount = state.mapcount[pfn] if pfn else 0
    return story.shape(
        "A family forks and writes.",
        _frames_part(
            story,
            {story.pages * everybody: "They share what nobody has written since the fork."},
            "A frame is taken at a first touch, and at a write to a page that others have.",
        ),
        number(
            f"How many words map the frame that p has at {address(vpn)}? 0 if it has none.",
            mapcount,
            "Those who were forked after the page came, and have not written it since.",
            {everybody: "Not everybody: who wrote has a frame of their own."},
        ),
    )


# 05


def _decision_part(story: Story) -> Part:
    return choice(
        "What does the last write do: copy, reuse, or nothing (no fault)?",
        decision("\n".join(story.lines) + "\n"),
        ("copy", "reuse", "nothing"),
        "WRITE is on: no fault. One reference: the page is reused. More: it is copied.",
        {
            "copy": "Nobody else has the frame: a copy would be for nothing.",
            "reuse": "Count who has the frame, a device too; and is WRITE not on already?",
            "nothing": "WRITE is off in this word, so the write faults.",
        },
    )


def cow_one(rng: SplitMix64) -> Shape:
    """One write after a fork: copy or reuse?"""
    story = Story(rng, 1)
    story.write("p", BASE)
    story.fork("c")
    if rng.chance(1, 2):
        story.write(rng.choice(("p", "c")), BASE)
    story.write(rng.choice(("p", "c")), BASE)
    return story.shape("Parent and child write to a page.", _decision_part(story))


def cow_left(rng: SplitMix64) -> Shape:
    """Somebody exits, pins or unmaps before the write."""
    story = Story(rng, 1)
    story.write("p", BASE)
    story.fork("c")
    story.say(rng.choice(("c exit", f"c munmap {address(BASE)} 1", f"p pin {address(BASE)}",
                          "d = fork c", f"c read {address(BASE)}")))  # fmt: skip
    story.write("p", BASE)
    who = processes_with_new_frames("\n".join(story.lines) + "\n")
    return story.shape(
        "Something happens between a fork and a write.",
        _decision_part(story),
        yes_no("Does p have another frame after the last line than before it?", who == "p",
               "Whoever writes gets the copy, if there is one.",
               "The writer gets the copy; the others keep the page."),
    )  # fmt: skip


def cow_many(rng: SplitMix64) -> Shape:
    """Copies over a whole story."""
    story = Story(rng, rng.between(3, 5))
    story.write("p", BASE, story.pages)
    story.fork("c")
    writes = 0
    for _ in range(rng.between(2, 4)):
        start, length = story.some()
        writes += length
        story.write(rng.choice(("p", "c")), start, length)
    copies = int(copied_in_all("\n".join(story.lines) + "\n"))
    return story.shape(
        "Parent and child write again and again.",
        number(
            "How many pages does copy on write copy in all?",
            copies,
            "A shared page is copied once: after that both are alone with theirs.",
            {
                writes: "Not every write copies: who is alone with the page writes in place.",
                2 * story.pages: "A page is copied for one of the two, not for both.",
            },
        ),
        _frames_part(story, {story.pages: "Each copy takes a frame."}, "Count first touches and "
                     "copies."),
    )  # fmt: skip


def cow_family(rng: SplitMix64) -> Shape:
    """Three processes, one page: who copies, who reuses?"""
    story = Story(rng, 1)
    story.write("p", BASE)
    story.fork("c")
    story.fork("d", rng.choice(("p", "c")))
    for _ in range(rng.between(1, 3)):
        story.write(rng.choice(("p", "c", "d")), BASE)
    if rng.chance(1, 2):
        story.say("d exit")
    story.write(rng.choice(("p", "c")), BASE)
    return story.shape(
        "Three processes have one page.",
        _decision_part(story),
        _frames_part(story, {3: "Count who still shares a frame."}, "One frame for each who wrote "
                     "while others had the page, and one for those who share it still."),
    )  # fmt: skip


ANON = (touch, index, zero_words, dropped, family_counts)
FORK = (fork_frames, fork_words, fork_read_only, grandchildren)
COW = (cow_one, cow_left, cow_many, cow_family)
