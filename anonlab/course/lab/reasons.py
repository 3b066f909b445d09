"""What may be behind a difference between a student's machine and the right one, as a question."""

from __future__ import annotations

from anonlab.course.lab.histories import Moment
from anonlab.formats.history import History

ANY = ""
REASONS: tuple[tuple[str, str, str, str], ...] = (
    # kind of difference · function · the answer that is right, as text · what is asked
    ("half", ANY, ANY, "Did you count what a call needs before it changes anything?"),
    ("answer", "write", "'ENOMEM'", "Did you count the frames that a whole range needs first?"),
    ("answer", "fork", "'ENOMEM'", "Did you count the copies of pages that devices hold?"),
    ("answer", "mremap", "'ENOMEM'", "Did you count the copies before anything moves?"),
    (
        "answer",
        "execve",
        "'ENOMEM'",
        "Did you give the old memory back first? The new page must fit beside it.",
    ),
    ("answer", ANY, "'ENOMEM'", "Did you look whether a frame is free?"),
    ("answer", ANY, "'SIGSEGV'", "Did you ask whether every page of the range is mapped?"),
    ("answer", "mremap", "'EFAULT'", "Did you ask whether every page of the source is mapped?"),
    ("answer", "mremap", "'EINVAL'", "Did you compare the two ranges? They may not overlap."),
    ("answer", "unpin", "'EINVAL'", "Did a device hold a page that was taken there?"),
    (
        "refused EINVAL",
        "unpin",
        ANY,
        "Did you forget who holds what? A pin stays where it was taken.",
    ),
    (
        "refused SIGSEGV",
        ANY,
        ANY,
        "Did you take a word without WRITE, or none, for a page that may not be touched? The "
        "handler mends it.",
    ),
    ("refused ENOMEM", "execve", ANY, "Is there a frame that you lost? One is enough here."),
    (
        "refused ENOMEM",
        ANY,
        ANY,
        "Did you ask for more frames than are needed? A page that is the writer's alone needs "
        "none.",
    ),
    (
        "answer",
        "read",
        ANY,
        "Whose write is that? A page that others have is copied, with what is in it, before it is "
        "written.",
    ),
    ("WRITE off", "fork", ANY, "Did you switch WRITE off on both sides?"),
    (
        "WRITE on",
        "fork",
        ANY,
        "Does a device hold the page? Then the child gets a copy and the parent keeps its word.",
    ),
    ("WRITE off", "read", ANY, "Did a read take a page of its own? The zero page is enough."),
    ("WRITE off", "mremap", ANY, "Did you keep the bits of a word that moves?"),
    ("WRITE on", "mremap", ANY, "Did you keep the bits of a word that moves?"),
    ("WRITE on", ANY, ANY, "Did you let the writer write? Its word has WRITE on afterwards."),
    ("zero", "read", ANY, "Did a read take a page of its own? The zero page is enough."),
    ("frame", "write", ANY, "Did you write into the zero page? It is everybody's."),
    ("frame", "pin", ANY, "Did you pin the zero page? A device writes: it needs a page."),
    ("together", "write", ANY, "Did you count who maps the frame? A shared one is copied."),
    ("together", "pin", ANY, "Did you copy a shared page before a device takes it?"),
    (
        "together",
        "fork",
        ANY,
        "Does a device hold the page? Then the child gets a copy at once.",
    ),
    (
        "together",
        "mremap",
        ANY,
        "Did you move a shared page? It has one address: this process needs a copy of it.",
    ),
    ("apart", "fork", ANY, "Did you copy at fork? Parent and child share until somebody writes."),
    ("apart", "write", ANY, "Did you copy pages that nobody wrote?"),
    ("missing", "fork", ANY, "Did you copy every word of the parent, the zero page's as well?"),
    ("missing", "mremap", ANY, "Did you lose a word on its way?"),
    ("left", "mremap", ANY, "Did you clear the old words, and what was at the destination?"),
    ("left", ANY, ANY, "Did you clear the words of what is unmapped?"),
    ("processes", ANY, ANY, "Did you add the process, or take it away?"),
    ("leak", "exit", ANY, "Did you give back every frame that nobody has any more, pins too?"),
    (
        "leak",
        ANY,
        ANY,
        "Did you give back every frame that nobody has any more? And is a frame taken that is not "
        "needed?",
    ),
    (
        "freed",
        ANY,
        ANY,
        "Did you give a frame back that somebody still has: another process, or a device?",
    ),
    ("dead", ANY, ANY, "Did you leave the group at exit?"),
    ("empty", ANY, ANY, "Did you drop the group with its last member?"),
    (
        "stale",
        ANY,
        ANY,
        "Did you take a frame out when its last mapping went? And the zero page is in no group.",
    ),
    ("no group", ANY, ANY, "Did you write (group, page number) for every frame that is mapped?"),
    ("missed", "fork", ANY, "Did the child join the group of its parent?"),
    ("missed", "mremap", ANY, "Did you give the moved pages their new page number?"),
    (
        "missed",
        "execve",
        ANY,
        "Did you keep the old group after execve, or lose it for those who stay?",
    ),
    ("missed", ANY, ANY, "Which (group, page number) did the frame get when it was new?"),
    ("state", ANY, ANY, "Is everything in state() plain: dicts, lists, numbers, names?"),
)


def reason(kind: str, moment: Moment, history: History) -> str:
    """Return the first question that fits a difference; '' if none does."""
    for wanted, function, result, text in REASONS:
        if (
            wanted == kind
            and function in ("", moment.call.function)
            and result in ("", repr(moment.result))
        ):
            return text
    return ""
