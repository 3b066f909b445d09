"""Drills 01 and 02: page tables, VMAs."""

from __future__ import annotations

from anonlab.course.drills.question import Part, choice, number, yes_no
from anonlab.course.drills.stories import BASE, Shape, Story, address
from anonlab.course.judging.families import ODD
from anonlab.course.judging.state import Area
from anonlab.histories.run import run
from anonlab.histories.splitmix import SplitMix64
from anonlab.machine.words import (
    LESSON,
    PAGE_SHIFT,
    PTE_PRESENT,
    PTE_SHIFT,
    X86_32,
    X86_64,
    Geometry,
)

_SPLIT = (
    "The low 12 bits are the offset; above them stand the indices, that of the lowest table last."
)


def lesson_slots(rng: SplitMix64) -> Shape:
    """Both slots and the offset of an address of five digits."""
    vpn, offset = rng.below(LESSON.npages), rng.below(4096)
    top, leaf = int(LESSON.index(vpn, 0)), int(LESSON.index(vpn, 1))
    why = "Each of the first two digits is a slot, three digits are the offset."
    return Shape(
        f"The lesson machine: two levels of four bits. A program uses address "
        f"0x{vpn << PAGE_SHIFT | offset:05x}.",
        (),
        (
            number("Which slot of the top table?", top, why,
                   {leaf: "That is the slot of the lower table: the top table's comes first."}),
            number("Which slot of the lower table?", leaf, why,
                   {top: "That is the slot of the top table: the lower table's comes second."}),
            number("Which offset in the page?", offset, why, in_hex=True),
        ),
    )  # fmt: skip


def lesson_address(rng: SplitMix64) -> Shape:
    """The address that two slots and an offset make."""
    vpn, offset = rng.below(LESSON.npages), rng.below(4096)
    top, leaf = int(LESSON.index(vpn, 0)), int(LESSON.index(vpn, 1))
    swapped = (leaf << LESSON.bits | top) << PAGE_SHIFT | offset
    return Shape(
        f"The lesson machine: slot {top} of the top table, slot {leaf} of the table below, offset "
        f"{offset:#x}.",
        (),
        (
            number("Which address is it?", vpn << PAGE_SHIFT | offset, _SPLIT,
                   {swapped: "The two slots are the other way round: the top table's stands first.",
                    offset: "That is the offset alone."}, in_hex=True),
        ),
    )  # fmt: skip


def _index_part(geometry: Geometry, addr: int, level: int) -> Part:
    """Ask for one index of an address."""
    vpn = addr >> PAGE_SHIFT
    mistakes = {
        int(geometry.index(vpn, other)): f"That is the slot at level {other}."
        for other in range(geometry.levels)
        if other != level
    }
    mistakes.setdefault(
        addr >> geometry.bits * (geometry.levels - 1 - level) & geometry.slots - 1,
        "You forgot the 12 bits of the offset, which lie below all indices.",
    )
    why = f"Shift {12 + geometry.bits * (geometry.levels - 1 - level)} bits away, and keep "
    what = f"Which slot of the table at level {level}?"
    return number(what, int(geometry.index(vpn, level)), f"{why}{geometry.bits}.", mistakes)


def odd_index(rng: SplitMix64) -> Shape:
    """Indices of a machine whose tables have another shape."""
    geometry = rng.choice((*ODD[:2], X86_32))
    addr = rng.below(geometry.npages << PAGE_SHIFT)
    first = rng.below(geometry.levels)
    return Shape(
        f"A machine with {geometry.levels} levels of {geometry.bits} bits; level 0 is the top. A "
        f"program uses address {addr:#x}.",
        (),
        (_index_part(geometry, addr, first),),
    )


def x86_index(rng: SplitMix64) -> Shape:
    """Two indices of an x86-64 address."""
    addr = rng.below(1 << 47)
    first = rng.below(3)
    return Shape(
        f"x86-64: four levels of nine bits; level 0 is the top. A program uses address {addr:#x}.",
        (),
        (_index_part(X86_64, addr, first), _index_part(X86_64, addr, first + 1)),
    )


def translate(rng: SplitMix64) -> Shape:
    """Follow an address through the tables of a machine that did something."""
    story = Story(rng, 6)
    for _ in range(2):
        story.write("p", *story.some())
    kernel = run("\n".join(story.lines)).kernel
    mm = kernel.processes["p"].mm
    assert mm is not None
    vpn = BASE + rng.below(6)
    addr = vpn << PAGE_SHIFT | rng.below(4096)
    word = int(kernel.tables.lookup(mm.pgd, vpn))
    lines = [f"the top table is row {mm.pgd}"]
    for row, words in enumerate(kernel.tables.words.tolist()):
        at = [f"slot {slot}: {word:#x}" for slot, word in enumerate(words) if word]
        if at:
            lines.append(f"row {row}   {', '.join(at)}")
    there = bool(word & PTE_PRESENT)
    physical = (word >> PTE_SHIFT << PAGE_SHIFT | addr & 0xFFF) if there else 0
    why = "Take the top table's row, its slot, the row above bit 12 of that word, and its slot."
    return Shape(
        f"The lesson machine, and all words of its page tables that are not 0. A program reads "
        f"address {addr:#x}.",
        tuple(lines),
        (
            yes_no("Is a frame mapped there?", there, why),
            number("Which physical address is it? 0 if there is none.", physical, why,
                   {word: "That is the whole word: only what is above bit 12 is the frame.",
                    addr: "That is the virtual address."}, in_hex=True),
        ),
    )  # fmt: skip


# 02


def _areas(story: Story) -> list[Area]:
    return story.after().areas["p"]


def _count_part(story: Story, nops: int) -> Part:
    """Ask for the number of VMAs."""
    areas = len(_areas(story))
    why = "A range in the middle of a VMA splits it; equal neighbours become one again."
    return number(
        "How many VMAs has p afterwards?",
        areas,
        why,
        {
            nops: "Not every call makes one VMA: it may split some, or shorten them.",
            1: "The pages that are left do not lie beside each other, or may not do the same.",
        },
    )


def hole(rng: SplitMix64) -> Shape:
    """munmap at the edge or in the middle."""
    pages = rng.between(4, 8)
    story = Story(rng, pages)
    start, length = story.some()
    length = min(length, pages - 2)
    story.say(f"p munmap {address(start)} {length}")
    return story.shape("A process maps memory and unmaps a part of it.", _count_part(story, 2))


def protect(rng: SplitMix64) -> Shape:
    """mprotect of a part, and whether a page may be written."""
    story = Story(rng, rng.between(4, 8))
    start, length = story.some()
    story.say(f"p mprotect {address(start)} {length} r")
    vpn = BASE + rng.below(story.pages)
    area = story.after().area("p", vpn)
    assert area is not None
    why = "What a program may do is said by its VMA, page by page."
    return story.shape(
        "A process takes the right to write away from a part of its memory.",
        _count_part(story, 2),
        yes_no(f"May p write at {address(vpn)}?", "w" in area.prot, why),
    )


def split_and_merge(rng: SplitMix64) -> Shape:
    """Several calls that split, and one that may merge."""
    story = Story(rng, 8)
    story.say(f"p mprotect {address(BASE + rng.between(1, 3))} {rng.between(1, 3)} r")
    start, length = story.some()
    story.say(f"p mprotect {address(start)} {min(length, 3)} {rng.choice(('r', 'rw'))}")
    if rng.chance(1, 2):
        story.say(f"p mmap {address(BASE + 8)} {rng.between(1, 4)}")
    else:
        story.say(f"p munmap {address(BASE + rng.below(8))} 1")
    areas = _areas(story)
    last = len(areas) - 1
    which = rng.below(last + 1)
    name = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")[which]
    return story.shape(
        "A process changes what it may do with its memory, and where it has some.",
        _count_part(story, len(story.lines) - 1),
        number(f"At which address does its {name} VMA begin?", areas[which].start << PAGE_SHIFT,
               "Write the VMAs down in the order of their addresses.", in_hex=True),
    )  # fmt: skip


def file_offset(rng: SplitMix64) -> Shape:
    """A mapping of a file is cut: where in the file does a VMA begin?"""
    story, pages, offset = Story(rng), rng.between(5, 8), rng.between(1, 4)
    cut = rng.between(1, pages - 2)
    story.say(
        "p = spawn",
        "lib = file 16",
        f"p mmap {address(BASE)} {pages} r file lib offset {offset}",
        f"p munmap {address(BASE + cut)} 1",
    )
    areas = _areas(story)
    merged = rng.chance(1, 2)
    if merged:
        story.say(f"p mmap {address(BASE + cut)} 1 r file lib offset {offset + cut}")
    areas = _areas(story)
    pgoff = areas[-1].pgoff
    why = "vm_pgoff counts pages from the start of the file: it moves on with the start of the VMA."
    return story.shape(
        "A process maps a part of a file and unmaps one page of it"
        + (", and maps that page again." if merged else "."),
        number("How many VMAs has p afterwards?", len(areas),
               "Neighbours of one file become one if their offsets fit, too.",
               {len(areas) + 1: "A page that is gone has no VMA.",
                3: "The page that came back fits between its neighbours: all three become one."}),
        number("Which pgoff, in pages, has its last VMA?", pgoff, why,
               {offset: "That is where the whole mapping began.",
                0: "A VMA that is cut off keeps its place in the file."}),
    )  # fmt: skip


def which_call(rng: SplitMix64) -> Shape:
    """What does a call do to the VMAs?"""
    story = Story(rng, 6)
    before = len(_areas(story))
    start, length = story.some()
    verb = rng.choice(("munmap", "mprotect"))
    story.say(f"p {verb} {address(start)} {length}" + (" r" if verb == "mprotect" else ""))
    after = len(_areas(story))
    truth = "more" if after > before else "fewer" if after < before else "same"
    return story.shape(
        "A process has one VMA and makes one more call.",
        choice("Has p more VMAs after the last line, fewer, or the same number?", truth,
               ("more", "fewer", "same"),
               "In the middle a call splits, at an edge it shortens, the whole VMA it takes or "
               "changes."),
    )  # fmt: skip


PAGE_TABLES = (lesson_slots, lesson_address, odd_index, translate, x86_index)
VMAS = (which_call, hole, protect, file_offset, split_and_merge)
