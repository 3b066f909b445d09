"""Drills 06, 07 and 08: exit and execve, mremap, the walk and swap."""

from __future__ import annotations

from anonlab.course.asking.measures import places_in_vain, places_visited
from anonlab.course.drills.question import Part, number, yes_no
from anonlab.course.drills.stories import (
    BASE,
    Shape,
    Story,
    address,
    mapped,
    pfn_of,
    used,
)
from anonlab.histories.splitmix import SplitMix64
from anonlab.machine.words import is_swap


def _freed_part(story: Story, mistakes: dict[int, str]) -> Part:
    last = story.steps()[-1]
    return number(
        "How many frames does the last line give back?",
        used(last.before) - used(last.after),
        "A frame is free when nobody maps it any more.",
        mistakes,
    )


def _family(rng: SplitMix64) -> Story:
    story = Story(rng, rng.between(3, 6))
    story.write("p", *story.some())
    story.fork("c")
    story.write(rng.choice(("p", "c")), *story.some())
    return story


def exit_frees(rng: SplitMix64) -> Shape:
    """One of two exits."""
    story = _family(rng)
    who = rng.choice(("p", "c"))
    has = len(mapped(story.after(), who))
    story.say(f"{who} exit")
    return story.shape(
        "A process forks, one of the two writes, and one of them exits.",
        _freed_part(story, {has: f"That is all that {who} maps: what the other maps, too, stays."}),
    )


def munmap_frees(rng: SplitMix64) -> Shape:
    """A part is unmapped by one of two."""
    story = _family(rng)
    who = rng.choice(("p", "c"))
    start, length = story.some()
    story.say(f"{who} munmap {address(start)} {length}")
    other = "c" if who == "p" else "p"
    vpn = start + rng.below(length)
    state = story.after()
    return story.shape(
        "One of two processes unmaps a part of its memory.",
        _freed_part(
            story, {length: "Pages that nobody touched, or that the other has, free none."}
        ),
        yes_no(
            f"Does {other} still have a frame at {address(vpn)}?",
            pfn_of(state, other, vpn) > 0,
            "What one process unmaps, the other keeps.",
        ),
    )


def exec_frees(rng: SplitMix64) -> Shape:
    """execve in the child, with pages of arguments."""
    story = _family(rng)
    who, args = rng.choice(("p", "c")), rng.between(1, 3)
    has = len(mapped(story.after(), who))
    before = used(story.after())
    story.say(f"{who} execve ls args {args}")
    state = story.after()
    return story.shape(
        f"A child is forked, and {who} calls execve, which writes {args} new "
        f"{'page' if args == 1 else 'pages'} of arguments.",
        number(
            "How many frames are in use afterwards?",
            used(state),
            "The old memory goes, but for what the other maps, too; the arguments are new.",
            {
                before: "The new program has frames for its arguments, and old frames went.",
                before - has + args: "Frames that the other maps, too, do not go.",
            },
        ),
        number(
            f"How many pages of {who} have a frame?",
            len(mapped(state, who)),
            "Nothing of the old memory is inherited.",
            {has: "execve keeps nothing.", has + args: "execve keeps nothing of the old memory."},
        ),
    )


def last_one(rng: SplitMix64) -> Shape:
    """A family of three goes, one after the other."""
    story = _family(rng)
    story.fork("d", rng.choice(("p", "c")))
    if rng.chance(1, 2):
        story.write("d", *story.some())
    gone = rng.choice(("p", "c", "d"))
    story.say(f"{gone} exit")
    next_ = rng.choice([who for who in ("p", "c", "d") if who != gone])
    has = len(mapped(story.after(), next_))
    story.say(f"{next_} exit")
    return story.shape(
        "Two of three processes exit.",
        _freed_part(
            story, {has: f"{next_} maps so many; the last of the three may still have some."}
        ),
        number("How many frames are in use afterwards?", used(story.after()), "What the last one "
               "maps, and nothing else.", {0: "One process is still there."}),
    )  # fmt: skip


# 07


def _to(story: Story) -> int:
    return BASE + 0x10 * story.rng.between(1, 4) + story.rng.below(4)


def _copied(story: Story) -> int:
    """How many frames the last operation, an mremap, took: one for each page it copied."""
    last = story.steps()[-1]
    return used(last.after) - used(last.before)


def new_index(rng: SplitMix64) -> Shape:
    """A page that is alone moves: its index."""
    story = Story(rng, 6)
    story.write("p", BASE, 6)
    start, length = story.some()
    to = _to(story)
    story.say(f"p mremap {address(start)} {length} to {address(to)}")
    at = rng.below(length)
    state = story.after()
    return story.shape(
        "A process moves some of its pages, under the anon group.",
        number(
            f"Which index has the frame that p maps at {address(to + at)} afterwards?",
            state.index[pfn_of(state, "p", to + at)],
            "The one address of a page is where it is mapped now.",
            {start + at: "That is where the page was.", at: "The index is a page number."},
            in_hex=True,
        ),
    )


def shared_moves(rng: SplitMix64) -> Shape:
    """After a fork: how many pages are copied?"""
    story = Story(rng, rng.between(3, 6))
    story.write("p", *story.some())
    story.fork("c")
    written = story.some()
    who = rng.choice(("p", "c"))
    story.write(who, *written)
    start, length = story.some()
    story.say(f"{who} mremap {address(start)} {length} to {address(_to(story))}")
    return story.shape(
        "A process moves pages after a fork, under the anon group.",
        number(
            "How many pages does the last line copy?",
            _copied(story),
            "A page that only one process has moves as it is. A shared one has one address: who "
            "moves needs a copy.",
            {length: "Pages that nobody else has move without a copy; empty places have none."},
        ),
    )


def still_shared(rng: SplitMix64) -> Shape:
    """Do two processes share after a move?"""
    story = Story(rng, 3)
    story.write("p", BASE, 3)
    story.fork("c")
    if rng.chance(1, 2):
        story.write("c", *story.some())
    if rng.chance(1, 2):
        story.fork("d", rng.choice(("p", "c")))
    to = _to(story)
    story.say(f"c mremap {address(BASE)} 3 to {address(to)}")
    at = rng.below(3)
    state = story.after()
    pfn = pfn_of(state, "p", BASE + at)
    return story.shape(
        "A child moves all its pages, under the anon group.",
        number("How many pages does the last line copy?", _copied(story),
               "What the child has written is its own already and moves as it is.",
               {3: "What was written after the fork is not shared any more.",
                0: "A shared page cannot have two addresses."}),
        number(f"How many words map the frame that p has at {address(BASE + at)}?",
               state.mapcount[pfn], "The child has a copy, or had one already; a third process "
               "has what its parent had.", {2: "After the move the child has its own copy.",
                                            3: "After the move the child has its own copy."}),
    )  # fmt: skip


def pinned_moves(rng: SplitMix64) -> Shape:
    """A pin counts for the rule of the mail."""
    story = Story(rng, 4)
    story.write("p", BASE, 4)
    pinned = {BASE + rng.below(4) for _ in range(2)}
    for vpn in sorted(pinned):
        story.say(f"p pin {address(vpn)}")
    if rng.chance(1, 2):
        story.say(f"p unpin {address(min(pinned))}")
    start, length = story.some()
    story.say(f"p mremap {address(start)} {length} to {address(_to(story))}")
    return story.shape(
        "A device holds pages of a process without children. The rule is that of the mail: "
        "“page->count > 1”.",
        number(
            "How many pages does the last line copy?",
            _copied(story),
            "count has one for the word and one for each device: a pinned page is copied.",
            {0: "A pin is in count, and count decides.", length: "Only what a device holds."},
        ),
    )


# 08


def _walk_parts(story: Story) -> tuple[Part, Part]:
    text = "\n".join(story.lines) + "\n"
    looked, vain = int(places_visited(text)), int(places_in_vain(text))
    members = len(story.after().words)
    return (
        number(
            "At how many places does the walk for this page look?",
            looked,
            "The members of the group in order, until as many are found as map the page.",
            {
                looked
                - vain: "Those are the ones that map it: members that do not are asked, too.",
                members: "The walk ends when it has found everybody who maps the page.",
            },
        ),
        number(
            "How many of them do not map it?",
            vain,
            "Who wrote has another frame; who unmapped has none. Both stay in the group.",
        ),
    )


def walk_family(rng: SplitMix64) -> Shape:
    """The walk for a page of the writer, in a family."""
    story = Story(rng, 1)
    story.write("p", BASE)
    for child in ("a", "b", "c")[: rng.between(1, 3)]:
        story.fork(child)
    who = rng.choice(sorted(story.after().words))
    story.write(who, BASE)
    return story.shape(
        f"Look at the page that {who} has at {address(BASE)} after the last line, under the anon "
        "group.",
        *_walk_parts(story),
    )


def walk_left(rng: SplitMix64) -> Shape:
    """Members exit, call execve, or unmap before the walk."""
    story = Story(rng, 1)
    story.write("p", BASE)
    children = ("a", "b", "c")
    for child in children:
        story.fork(child)
    for who in children[: rng.between(1, 2)]:
        story.say(rng.choice((f"{who} exit", f"{who} execve ls args 1",
                              f"{who} munmap {address(BASE)} 1",
                              f"{who} write {address(BASE)} 5")))  # fmt: skip
    story.read("c", BASE)
    return story.shape(
        f"Look at the page that c has at {address(BASE)} after the last line, under the anon "
        "group.",
        *_walk_parts(story),
    )


def swap_entries(rng: SplitMix64) -> Shape:
    """Swap-out turns the words of all sharers into entries."""
    story = Story(rng, rng.between(2, 4))
    story.write("p", *story.some())
    story.fork("c")
    if rng.chance(1, 2):
        story.fork("d")
    written = story.some()
    story.write("c", *written)
    pages = mapped(story.after(), "p")
    vpn = rng.choice(pages)
    story.say(f"p swap_out {address(vpn)}")
    last = story.steps()[-1]
    entries = [
        sum(is_swap(word) for words in state.words.values() for word in words.values())
        for state in (last.before, last.after)
    ]
    return story.shape(
        "A page is sent to swap.",
        number(
            "How many words become swap entries?",
            entries[1] - entries[0],
            "Swap-out walks: every word that maps the frame gets the entry.",
            {1: "Everybody who maps the frame gets the entry, not p alone."},
        ),
        yes_no(
            f"Is the word of c at {address(vpn)} a swap entry?",
            bool(is_swap(last.after.words["c"].get(vpn, 0))),
            "Only if c still shared the frame with p.",
        ),
    )


def swapped_in(rng: SplitMix64) -> Shape:
    """A page comes back: count, mapcount."""
    story = Story(rng, 1)
    story.write("p", BASE)
    children = ("c", "d")[: rng.between(1, 2)]
    for child in children:
        story.fork(child)
    story.say(f"p swap_out {address(BASE)}")
    readers = [who for who in ("p", *children) if rng.chance(1, 2)] or ["p"]
    for who in readers:
        story.read(who, BASE)
    state = story.after()
    pfn = pfn_of(state, readers[0], BASE)
    mapcount, count = state.mapcount[pfn], state.count[pfn]
    return story.shape(
        f"A page was on swap. Look at the frame that {readers[0]} has at {address(BASE)} at the "
        "end.",
        number("What is its mapcount?", mapcount, "One for each who has read it back.",
               {1 + len(children): "Who has not read it back has still an entry, and no mapping."}),
        number("What is its count?", count,
               "One for each word that maps it, and one for the swap cache while it is there.",
               {mapcount: "The page is in the swap cache, too, while somebody has an entry."}),
    )  # fmt: skip


EXITS = (exit_frees, munmap_frees, exec_frees, last_one)
MOVES = (new_index, shared_moves, still_shared, pinned_moves)
WALKS = (walk_family, walk_left, swap_entries, swapped_in)
