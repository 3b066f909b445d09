"""What people think that is not so: where each belief is asked, and which scene shows what is so.

1 to 15 are ours, from teaching. 16 to 26 were found voiced, with the place. 27 and 28 are likely,
and were not found. The wrong option of the question says the belief in its own words; a test holds
each row against the banks, so that no row loses its question or its scene.
"""

from __future__ import annotations

from typing import NamedTuple


class Misconception(NamedTuple):
    """One belief.

    thought   the belief, in words that stand in the wrong option
    question  the name of the question, and `value` that of its wrong option
    voiced    where somebody says it; "" if we only expect it
    scene     the scene that shows what is so; "" if there is none, and then `reason` says why not
    """

    number: int
    thought: str
    question: str
    value: str
    scene: str = ""
    reason: str = ""
    voiced: str = ""


_M = Misconception
_NO_DISK = "the stage shows frames and entries, and no disk is read: there is nothing to see"
_ON_SLIDES = "no scene of a notebook shows it: the slides play the story of its question"
_NO_PROMISE = "the machine promises nothing: it has no strict overcommit to show"

MISCONCEPTIONS: tuple[Misconception, ...] = (
    _M(1, "fork copies the memory", "04 memory", "4", "04 fork"),
    _M(2, "read-only means that the program may not write", "05 read-only", "signal",
       "02 rights"),
    _M(3, "the child gets the copy", "05 the child", "c", "05 grandchild"),
    _M(4, "the page is copied once more", "05 once more", "1", "05 three writes"),
    _M(5, "exit of the parent frees the pages", "06 exit", "3", "06 ls"),
    _M(6, "execve inherits the memory", "06 execve", "6", "06 ls"),
    _M(7, "a page is touched when it is read", "03 touch", "3", "03 frames"),
    _M(8, "an entry that is not present is empty", "04 not present", "0", "04 swap"),
    _M(9, "mapcount tells who maps the page", "03 mapcount", "who", "08 swap out"),
    _M(10, "count and mapcount are one number", "08 one number", "0", "03 pin"),
    _M(11, "a page knows its entries", "08 knows", "8", "08 swap out"),
    _M(12, "an anon_vma belongs to a process", "08 belongs", "1", reason=_ON_SLIDES),
    _M(13, "a VMA on the list maps the page", "08 candidate", "2", "09 looks"),
    _M(14, "there is one right index after mremap", "07 index", "0x80", "07 anon_vma"),
    _M(15, "the page is taken out of the reverse map first", "08 first", "0", "08 swap out"),
    _M(16, "the first write copies everything", "05 one word", "8", "05 one of eight",
       voiced="geek-questions.imtqy.com/articles/1232187"),
    _M(17, "a write makes two copies", "05 two copies", "10", "05 one of eight",
       voiced="forum.html.it, thread 1501942"),
    _M(18, "the copy goes through the child", "05 grandchild", "2", "05 grandchild",
       voiced="fr.unixlinux.online/mx/1001043957.html"),
    _M(19, "two copies cannot have the same address", "05 address", "another", "05 three writes",
       voiced="cs.stackexchange.com/questions/57326"),
    _M(20, "the parent owns the page", "05 owner", "p", "12 leak mended",
       voiced="boohere.com/th/detail/238928"),
    _M(21, "the kernel must fetch the page from disk", "03 fault", "disk", reason=_NO_DISK,
       voiced="stackoverflow.com/questions/37825859"),
    _M(22, "after fork, all memory is copied on write", "05 shared memory", "7",
       "05 shared on purpose",
       voiced="github.com/asterinas/asterinas/issues/504"),
    _M(23, "a thread gets its copy when it writes", "05 thread", "1", "11 threads",
       voiced="geek-answers.imtqy.com/articles/1293245"),
    _M(24, "there was room at fork, so later writes cannot fail", "05 room", "copy",
       "05 no memory"),
    _M(25, "as long as memory is free, fork cannot fail", "06 overcommit", "3", reason=_NO_PROMISE,
       voiced="github.com/redis/redis/issues/4523"),
    _M(26, "fork duplicates the image of the process", "04 image", "image", "04 fork",
       voiced="gateoverflow.in/240260"),
    _M(27, "pages of zeros are memory like other pages", "03 zeros", "8", "03 frames"),
    _M(28, "execve frees the pages of the parent, too", "06 the parent", "0", "06 ls"),
)  # fmt: skip
