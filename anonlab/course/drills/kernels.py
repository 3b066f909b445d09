"""Drills 09 and 10: designs compared, what the running kernel shows."""

from __future__ import annotations

from anonlab.course.drills.question import choice, number, yes_no
from anonlab.course.drills.stories import BASE, Shape, Story, address, pfn_of, used
from anonlab.formats.history_text import parse
from anonlab.histories.run import make_kernel, run_on
from anonlab.histories.splitmix import SplitMix64
from anonlab.kernel.walk import walk
from anonlab.machine.words import is_swap

GROUP, CHAIN, PTES = "anongroup", "anon_vma_chain", "pte_chain"
_IDEAS = {
    GROUP: "every member of the group, at one address",
    CHAIN: "the VMAs that may have it, found in a tree",
    PTES: "a list of the words that map it",
}


def _probes(story: Story, design: str, who: str, vpn: int) -> int:
    """At how many places a design looks for the page that `who` has at `vpn`."""
    history = parse("\n".join(story.lines) + "\n")
    kernel = make_kernel(history, design)
    run_on(kernel, history)
    page = kernel.processes[who].page(vpn << 12)
    assert page is not None, "a question about a page that is not there"
    before = kernel.design.cost.probes
    walk(kernel, page.pfn)
    return kernel.design.cost.probes - before


def copies_by_design(rng: SplitMix64) -> Shape:
    """mremap after fork: who copies, and how much?"""
    story = Story(rng, rng.between(2, 5))
    story.write("p", BASE, story.pages)
    story.fork("c")
    if rng.chance(1, 2):
        story.write("c", BASE)
    start, length = story.some()
    story.say(f"c mremap {address(start)} {length} to {address(BASE + 0x20)}")
    design = rng.choice((GROUP, GROUP, CHAIN, PTES))
    last = story.steps(design)[-1]
    copies = used(last.after) - used(last.before)
    return story.shape(
        f"A child moves pages under {design} ({_IDEAS[design]}).",
        number(
            "How many pages does the last line copy?",
            copies,
            "Only a design that finds a page by one address must copy a shared page that moves.",
            {length: "What is the child's own moves as it is; and which design needs copies?",
             0: "The anon group has one address for each page."},
        ),
    )  # fmt: skip


def fork_chain_probes(rng: SplitMix64) -> Shape:
    """A page of the last child: which design looks where?"""
    story = Story(rng, 1)
    story.write("p", BASE)
    children = ("a", "b", "c", "d")[: rng.between(2, 4)]
    for child in children:
        story.fork(child)
    who = children[-1]
    story.write(who, BASE)
    design = rng.choice((GROUP, CHAIN, PTES))
    probes = _probes(story, design, who, BASE)
    return story.shape(
        f"The last child has a page of its own at {address(BASE)}. The design is {design} "
        f"({_IDEAS[design]}).",
        number(
            "At how many words does the walk for this page look?",
            probes,
            "The group asks its members in order. A chain of words, or a VMA with an anon_vma of "
            "its own, leads straight to it.",
            {
                len(children) + 1: "That is everybody. This design knows better.",
                1: "The group asks everybody who came before.",
            },
        ),
    )


def cheapest_walk(rng: SplitMix64) -> Shape:
    """Which of two designs looks at fewer places?"""
    story = Story(rng, 1)
    story.write("p", BASE)
    children = ("a", "b", "c")[: rng.between(1, 3)]
    for child in children:
        story.fork(child)
    who = rng.choice(("p", *children))
    if rng.chance(2, 3):
        story.write(who, BASE)
    counts = {design: _probes(story, design, who, BASE) for design in (GROUP, CHAIN)}
    truth = "equal"
    if counts[GROUP] != counts[CHAIN]:
        truth = "group" if counts[GROUP] < counts[CHAIN] else "chain"
    return story.shape(
        f"Look at the page that {who} has at {address(BASE)} at the end.",
        choice(
            f"Who looks at fewer words for it: the group ({GROUP}), the chain ({CHAIN}), or equal?",
            truth,
            ("group", "chain", "equal"),
            f"The group looks at {counts[GROUP]}, the chain at {counts[CHAIN]}. They differ where "
            "a page belongs to one process of many.",
        ),
    )


def exact_or_not(rng: SplitMix64) -> Shape:
    """Places in vain by design, in a family where some wrote."""
    story = Story(rng, 1)
    story.write("p", BASE)
    children = ("a", "b", "c")
    for child in children:
        story.fork(child)
    writers = [who for who in children if rng.chance(1, 2)]
    for who in writers:
        story.write(who, BASE)
    sharers = 4 - len(writers)
    design = rng.choice((GROUP, CHAIN, PTES))
    probes = _probes(story, design, "p", BASE)
    return story.shape(
        f"Some of a family have written. Look at the page of p at {address(BASE)}; the design is "
        f"{design} ({_IDEAS[design]}).",
        number("How many words map this page?", sharers,
               "p, and everybody who has not written.", {4: "Who wrote has another frame."}),
        number(
            "At how many words does the walk look?",
            probes,
            "Who wrote may be asked in vain, where a design knows only who may have the page. A "
            "walk ends when it has found as many as map the page.",
            {sharers: "This design asks some in vain, too."},
        ),
    )  # fmt: skip


# 10

_PRESENT, _SWAPPED, _EXCLUSIVE = 1 << 63, 1 << 62, 1 << 56
_BITS = (
    "Bit 63: present. Bit 62: swapped. Bit 56: mapped exclusively. Bits 0 to 54: the frame, or for "
    "a swapped page the device in the lowest 5 and the slot above them."
)


def _family(rng: SplitMix64, swap: bool) -> Story:
    story = Story(rng, 3)
    story.write("p", *story.some())
    if rng.chance(2, 3):
        story.fork("c")
        story.write(rng.choice(("p", "c")), *story.some())
    if swap and rng.chance(1, 2):
        story.say(f"p swap_out {address(BASE)} 3")
    return story


def _page_of_p(rng: SplitMix64) -> tuple[Story, int, int, bool]:
    """Return a story, a page of p, its frame (0 if it has none), and whether p alone has that."""
    story = _family(rng, False)
    state = story.after()
    vpn = BASE + rng.below(3)
    pfn = pfn_of(state, "p", vpn)
    return story, vpn, pfn, bool(pfn) and state.mapcount[pfn] == 1


def pagemap_word(rng: SplitMix64) -> Shape:
    """Read a pagemap word that belongs to a page of a story."""
    _, _, pfn, alone = _page_of_p(rng)
    word = _PRESENT | pfn | (_EXCLUSIVE if alone else 0) if pfn else 0
    high = f"pagemap says {word:#018x}"
    return Shape(
        f"A page of a process: {high}. {_BITS}",
        (),
        (
            choice("Is it a page, on swap, or nothing: page, swap, none?",
                   "page" if pfn else "none", ("page", "swap", "none"), "Bits 63 and 62 tell."),
            number("Which frame? 0 if none.", pfn, "The low 55 bits.", in_hex=True),
            yes_no("Does one process alone map it?", alone, "Bit 56 tells."),
        ),
    )  # fmt: skip


def exclusive_bit(rng: SplitMix64) -> Shape:
    """What will bit 56 be?"""
    story, vpn, pfn, alone = _page_of_p(rng)
    return story.shape(
        f"Linux does the same. Think of the pagemap word of p for {address(vpn)}.",
        yes_no("Is bit 63 (present) set?", bool(pfn), "It is there if p has touched the page."),
        yes_no(
            "Is bit 56 (mapped exclusively) set?",
            alone,
            "It is set if one word maps the frame: after a fork it is off until somebody writes.",
        ),
    )


def swapped_word(rng: SplitMix64) -> Shape:
    """Read a pagemap word of a page that may be on swap."""
    story = _family(rng, True)
    state = story.after()
    vpn = BASE + rng.below(3)
    word, device = state.words["p"].get(vpn, 0), rng.below(3)
    swapped, pfn = bool(is_swap(word)), pfn_of(state, "p", vpn)
    slot = rng.between(3, 4000) if swapped else 0
    shown = _SWAPPED | slot << 5 | device if swapped else _PRESENT | pfn if pfn else 0
    kind = "swap" if swapped else "page" if pfn else "none"
    return Shape(
        f"A page of a process: pagemap says {shown:#018x}. {_BITS}",
        (),
        (
            choice("Is it a page, on swap, or nothing: page, swap, none?", kind,
                   ("page", "swap", "none"), "Bits 63 and 62 tell."),
            number("Which slot on swap? 0 if it is not there.", slot,
                   "Shift the lowest 5 bits away, and leave bit 62 out.",
                   {slot << 5 | device: "The lowest 5 bits are the device."}, in_hex=True),
        ),
    )  # fmt: skip


def then_and_now(rng: SplitMix64) -> Shape:
    """Does today's kernel copy where that of 2004 would?"""
    story = Story(rng, 2)
    story.write("p", BASE, 2)
    if rng.chance(2, 3):
        story.fork("c")
    if rng.chance(1, 2):
        story.write("p", BASE)
    story.say(f"p mremap {address(BASE)} 2 to {address(BASE + 0x20)}")
    then, now = (story.after(design) for design in (GROUP, CHAIN))
    before = used(story.steps()[-1].before)
    return story.shape(
        "A process moves two pages.",
        number("How many pages would the design of 2004 (anongroup) copy?", used(then) - before,
               "Those that somebody else has, too.",
               {2: "Pages that are p's own move as they are."}),
        number("How many frames are in use afterwards under today's kernel (anon_vma_chain)?",
               used(now), "It copies none: a VMA keeps the offset by which its pages are found.",
               {used(then): "Today a page is found through its VMA, at any address."}),
    )  # fmt: skip


DESIGNS = (copies_by_design, fork_chain_probes, cheapest_walk, exact_or_not)
RUNNING = (exclusive_bit, pagemap_word, swapped_word, then_and_now)
