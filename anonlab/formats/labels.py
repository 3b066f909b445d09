"""The labels of steps: one catalogue, used by the kernel, the player, the text and the tests.

They are Python and not part of view/story/words.json, because designs say some of them in their own
words (`Rmap.words`) and own no pictures; a player is sent the templates that its story uses.

A label is `operation.substep`, or the bare operation for its last step. `title` is what people
read; `sentence` is a template (formats/templates.py) of `who` (process), `where` and `last` (hex
addresses of the first page, and of the last one of `n` neighbours), `n` (pages) and `what` (free
text that the kernel gives); `source` names what the step stands for: a line of Linus Torvalds's
mail of 13 March 2004 ("Re: anon_vma RFC2") or a kernel function.
"""

from __future__ import annotations

from typing import NamedTuple

from anonlab.formats.templates import fill


class Label(NamedTuple):
    """Words of a step: short title, sentence to fill in, and what it stands for."""

    title: str
    sentence: str
    source: str


MAIL = "mail of 13 March 2004"

LABELS: dict[str, Label] = {
    "start": Label("start", "The machine before the first operation.", ""),
    "spawn": Label(
        "spawn",
        "{who} starts with an empty address space in a new group.",
        f'{MAIL}: “an "execve()" creates a new "anon memory group"”',
    ),
    "file": Label(
        "file", "There is now a file {what} of {n} [page|pages].", "struct address_space"
    ),
    "truncate": Label(
        "truncate",
        "{what} has a new length; pages beyond its end are gone from every process.",
        "vmtruncate, unmap_mapping_range (2.6)",
    ),
    "fork.dup_mm": Label(
        "fork: duplicate the mm",
        "{who} gets an address space of its own. It is empty: the next parts of the fork fill it.",
        "dup_mm, mm_init",
    ),
    "fork.copy_vmas": Label(
        "fork: copy the VMAs",
        "{who} has the same VMAs as its parent; no page is mapped yet.",
        "dup_mmap",
    ),
    "fork.join_group": Label(
        "fork: join the group",
        "The reverse map learns that {who} may map the same pages. So it can find every page table "
        "that maps one of them.",
        f"{MAIL}: “adds the new mm to the mm list for that anon memory group”",
    ),
    "fork.share_ptes": Label(
        "fork: write-protect and share the PTEs",
        "{n} [page is|pages are] now mapped by parent and child; what is private is read-only on "
        "both sides, so that the next write by either stops in the kernel.",
        "copy_page_range, copy_one_pte",
    ),
    "fork": Label(
        "fork",
        "{who} runs now, as a copy of its parent: it reads the same at the same addresses.",
        "do_fork",
    ),
    "vfork": Label(
        "vfork",
        "{who} borrows its parent's address space: no new member of the group.",
        "CLONE_VFORK | CLONE_VM in do_fork",
    ),
    "clone_vm": Label(
        "clone_vm",
        "{who} shares its parent's address space: no new member of the group.",
        "CLONE_VM in copy_mm",
    ),
    "execve.new_mm": Label(
        "execve: new mm, new group",
        "{who} gets an empty address space in a new group.",
        f'{MAIL}: “an "execve()" creates a new "anon memory group"”',
    ),
    "execve.stack": Label(
        "execve: argument and stack pages",
        "{n} [page holds|pages hold] arguments and stack of {what}.",
        "setup_arg_pages, put_dirty_page (2.6)",
    ),
    "execve.drop_mm": Label(
        "execve: drop the old mm",
        "{who} leaves its old address space, which is gone with its last user.",
        f"{MAIL}: “and drops the old one”",
    ),
    "execve": Label("execve", "{who} runs the program {what} now.", "do_execve, exec_mmap"),
    "exit.unmap": Label(
        "exit: unmap everything",
        "{n} [page is|pages are] no longer mapped by {who}.",
        "exit_mmap",
    ),
    "exit.drop_mm": Label(
        "exit: leave the group",
        "{who} leaves its address space, which leaves its group with its last user.",
        "exit_mm, mmput",
    ),
    "exit": Label("exit", "{who} is gone.", "do_exit"),
    "mmap": Label(
        "mmap",
        "{who} may use {n} [page at|pages from] {where}; no frame is used yet. [It|Each] gets one "
        "at its first touch.",
        "do_mmap",
    ),
    "brk": Label("brk", "The heap of {who} ends at {what} now.", "do_brk"),
    "munmap.zap": Label(
        "munmap: clear the PTEs",
        "{n} [page is|pages are] no longer mapped by {who}.",
        "zap_page_range",
    ),
    "munmap": Label("munmap", "{who} gives up {n} [page at|pages from] {where}.", "do_munmap"),
    "mprotect": Label(
        "mprotect", "{who} sets {what} for {n} [page at|pages from] {where}.", "mprotect_fixup"
    ),
    "madvise": Label(
        "madvise",
        "{who} drops what it had from {where} on: {n} [page is|pages are] no longer mapped.",
        "madvise_dontneed",
    ),
    "mlock": Label("mlock", "{who} keeps {n} [page at|pages from] {where} in memory.", "do_mlock"),
    "munlock": Label(
        "munlock", "{who} lets {n} [page at|pages from] {where} be swapped out again.", "do_mlock"
    ),
    "pin": Label(
        "pin",
        "A device holds {n} [page|pages] of {who}: count rises, mapcount does not.",
        "get_user_pages",
    ),
    "unpin": Label("unpin", "The device lets go of {n} [page|pages] of {who}.", "put_page"),
    "fault.zero": Label(
        "fault: map the zero page",
        "{who} only reads {n} untouched [page|pages]: the zero page is mapped there.",
        "do_anonymous_page",
    ),
    "fault.anon": Label(
        "fault: first touch",
        "{n} new zero-filled [page gets its one address|pages get one address each] (index) and "
        "the group of {who} (mapping).",
        f"{MAIL}: “each anonymous page is associated with exactly _one_ virtual address”",
    ),
    "fault.file": Label(
        "fault: map file pages",
        "{n} [page|pages] of the file [is|are] now mapped by {who}.",
        f"{MAIL}: “look up page using the inode vma list”",
    ),
    "fault.file_copy": Label(
        "fault: private copy of a file page",
        "{who} writes to {n} [page|pages] of a private file mapping and gets [a copy, which is an "
        "anonymous page|copies, which are anonymous pages].",
        "do_no_page, write access to a private mapping (2.6)",
    ),
    "fault.swap_in": Label(
        "fault: swap in",
        "{n} [page|pages] of {who} [is|are] back from swap.",
        "do_swap_page",
    ),
    "fault.swap_in_clash": Label(
        "fault: swapped in at another address",
        "{n} [page is|pages are] still mapped at another address: {who} gets a copy[| of each].",
        "do_swap_page after 'rmap 11 mremap moves' (April 2004)",
    ),
    "fault.wp_reuse": Label(
        "fault: reuse",
        "No other page table maps [this page|these {n} pages]: {who} may write in place, without a "
        "copy.",
        "do_wp_page, can_share_swap_page (2.6)",
    ),
    "fault.wp_copy": Label(
        "fault: copy on write",
        "Others may still need [this page|these {n} pages] as [it is|they are]: {who} gets a "
        "copy[| of each] to write to.",
        "do_wp_page",
    ),
    "fault.stack": Label(
        "fault: grow the stack",
        "The stack of {who} grows down to {where}.",
        "expand_stack",
    ),
    "read": Label("read", "{who} reads {n} [page at|pages from] {where}.", "handle_mm_fault"),
    "write": Label(
        "write",
        "{who} writes [{what} at {where}|{n} pages from {where} to {last}: first and last get "
        "{what}].",
        "handle_mm_fault",
    ),
    "mremap.unmap": Label(
        "mremap: clear the destination",
        "Whatever was at the destination is unmapped.",
        "do_munmap in mremap_to",
    ),
    "mremap.copy": Label(
        "mremap: copy the shared pages",
        "{n} [page is|pages are] shared and cannot get a second address: {who} gets a copy[| of "
        "each].",
        f"{MAIL}: “if (PageAnonymous(page) && page->count > 1)” then “copy_page(page, newpage)”",
    ),
    "mremap.move": Label(
        "mremap: move the PTEs",
        "{n} [PTE|PTEs] of {who} moved to {where}; the index of anonymous pages follows.",
        f"{MAIL}: “page->index = address >> PAGE_SHIFT”",
    ),
    "mremap": Label("mremap", "{who} has its [page at|{n} pages from] {where} now.", "do_mremap"),
    "swap_out.add": Label(
        "swap-out: enter the swap cache",
        "The page gets a slot in swap; count rises by one.",
        "add_to_swap",
    ),
    "swap_out.unmap": Label(
        "swap-out: walk and unmap",
        "{n} [PTE|PTEs] that mapped the page [holds|hold] a swap entry now, or nothing if the page "
        "is a file's.",
        "try_to_unmap",
    ),
    "swap_out.write": Label(
        "swap-out: write and free",
        "The page is on swap and its frame is free.",
        "pageout, delete_from_swap_cache",
    ),
    "swap_out": Label(
        "swap_out",
        "The kernel puts pages of {who} from {where} on into swap, as it does when memory is "
        "short: {n} [frame is|frames are] free now.",
        "shrink_list",
    ),
    "reclaim": Label(
        "reclaim", "{n} [frame was|frames were] freed under memory pressure.", "try_to_free_pages"
    ),
    "swapoff": Label("swapoff", "Every swapped page is back in memory.", "try_to_unuse"),
}


def sentence(template: str, who: str, where: str, last: str, n: int, what: str) -> str:
    """Return the sentence of a label, filled in; singular where `n` is 1."""
    arguments = {"who": who, "where": where, "last": last, "n": n, "what": what}
    return fill(template, arguments)
