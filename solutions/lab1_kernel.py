"""lab1 · A kernel of one file

Write the memory of a small machine: fault handler, fork, exit, execve, mremap, and the reverse map
of the mail of 13 March 2004. You write one file of 100 to 200 lines. It is the work of a week,
about eight hours. Write one milestone after the other. You get the points of a milestone even if
later ones are missing. The simulated kernel is the judge. Your machine and the kernel do the same
random histories. After every call both are compared.

## The machine

The class is `Machine`. Memory has `nframes` frames. Frame 0 is the *zero page*: everybody may map
it, it holds 0, and nobody writes it. A page holds one number. A process has a name, such as "p1".
All memory is private and anonymous, and every page of it may be read and written. Addresses are
page numbers (`vpn`). A range is `npages` pages from `vpn` on.

A page-table word is `pfn << 12 | bits`. Only two bits are checked. `PRESENT` is on in every word.
`WRITE` says that this process may write to the frame without asking you. Other bits are your own.

A call that succeeds returns None, and `read` a list. A call that fails returns the name of the
error, such as "ENOMEM", and **has changed nothing**[^unchanged]. If one page of the range is not mapped, `read`
and `write` fail with "SIGSEGV" and do nothing[^whole]. Several errors may be possible. Then return the
error that the method's docstring names first.

`state()` shows the machine; the judge calls it after every call:

    {"words": {"p1": {0x20: 0x1003}},    every word that is there, by process and page number
     "pages": {1: (5, 0x20)},            for every frame that somebody maps, but not for the
                                         zero page: (group, page number)
     "groups": {5: ["p1"]},              the processes of every group; an empty one is gone
     "free": 62}                         how many frames nobody has

You may take any free frame, and give groups any numbers. `pages` and `groups` may be {} until
milestone 5. Every process is in `words`, also a process without pages.

## Milestones

1. **One process** (12 points)[^one]: `spawn`, `mmap`, `munmap`, `read`, `write`, `state`. A page takes no
   frame when it is mapped. A read of a page without a word makes a word with the zero page, without
   `WRITE`. A write gives the page a free frame, with `WRITE`, if it has no word, or if its word
   names the zero page.
2. **fork and copy on write** (16)[^fork]: the child gets every word of the parent, also those that name
   the zero page. No frame is copied. All these words lose `WRITE`, in both processes. Later a
   process writes to a word without `WRITE`. Then count the users of the frame. Is there one user?
   Its word gets `WRITE`, and the frame stays. Are there more? The writer gets a copy in a free
   frame, with `WRITE`. The others keep the frame and their words.
3. **exit and execve** (10)[^exit]: when the last user of a frame is gone, the frame is free. `execve`
   gives back all memory of the process. Then the process has one page, `vpn`, which holds
   `value`. It needs a frame that is free before the old memory goes. If there is none, `execve`
   fails.
4. **mremap** (14)[^mremap]: first unmap what is at the new range. Then move the words, with their bits. Then
   the old range is not mapped any more. Return "EFAULT" if a page of the old range is not mapped,
   and "EINVAL" if the two ranges overlap. A frame with more than one user cannot move. This process
   gets a copy of it. The frames for these copies must be free before you unmap anything.
5. **The reverse map** (14)[^reverse]: every frame that somebody maps belongs to one group and has one page
   number. `fork` adds the child to the group of its parent. `spawn` and `execve` start a new group.
   `exit` and `execve` leave the old group. To find who maps a frame, the judge looks at that page
   number in every process of its group. It must find everybody.
6. **Devices, and memory that runs out** (16)[^devices]: `pin` first makes the page writable, as a write does.
   Then a device is one more user of the frame. It stays a user until `unpin`, or until the process
   ends or calls `execve`. A pin belongs to the process and the page number of its call. This stays
   so if the page is moved or unmapped. `fork` does not share a frame that a device has. The parent
   keeps its word as it is. The child gets a copy, with `WRITE`. So `fork` may fail with "ENOMEM".
   In this milestone a machine has 5 to 7 frames.
7. **Tests of your own** (12): `tests()` returns texts such as

       spawn("a")
       mmap("a", 0x40, 3)
       write("a", 0x41, 1, 5)
       read("a", 0x40, 2) == [0, 5]

   A line is a call that must not fail, or a call and what it returns. The first line may be
   `machine(8)`, the number of frames. Without it there are 64. Three more calls look inside.
   `free()` says how many frames are free. `mappers("a", 0x41)` is the list that a walk finds for
   the page at 0x41 of a: (process, page number), sorted. `looks("a", 0x41)` says at how many places
   that walk looks. There are 18 faulty machines. Each has one mistake. A test must pass on the
   right machine. A test that fails on a faulty machine notices it. You get [=test_notices_6] points for 6 machines[^six],
   [=test_notices_12] more for 12[^twelve], and [=test_notices_all] more for all 18[^eighteen]. You are not told which are left.

**Costs** (6 points) are counted in random histories of milestones 1 to 5. Say that walks of the
mail's group look at N places. You get [=test_few_looks] points if your walks look at 2 N places or fewer. You get
[=test_fewest_looks] more for N places or fewer[^looks]. You get [=test_no_needless_copy] points if you never copy a page
that the kernel does not copy[^needless].

One way through the week is this. Milestone 1 is for the first day, 2 for the second, 3 and 4 for
the third, 5 and 6 for the fourth. Tests and costs are for the fifth. Read the mail again before
milestone 5. The arguments are numbers and names, so your calls cannot change them.
"""

EXERCISE = {
    "objectives": [
        "build the memory of a machine from its rules, in an order of your own",
        "let every call fail without a trace",
        "keep a reverse map right while processes fork, move, exit and share with devices",
        "test such a machine so that one wrong line is noticed",
    ],
    "minutes": 480,
    "public": {
        "test_one_process": 6,
        "test_fork": 8,
        "test_exit": 4,
        "test_mremap": 6,
        "test_reverse_map": 6,
        "test_devices_and_short_memory": 6,
        "test_notices_6": 4,
    },
    "hidden": {
        "test_one_process_again": 6,
        "test_fork_again": 8,
        "test_exit_again": 6,
        "test_mremap_again": 8,
        "test_reverse_map_again": 8,
        "test_short_memory_again": 10,
        "test_few_looks": 2,
        "test_fewest_looks": 2,
        "test_no_needless_copy": 2,
        "test_notices_12": 4,
        "test_notices_all": 4,
    },
    "families": ["alone", "forks", "exits", "moves", "all", "few frames"],
    "hints": [
        "What must the machine know? For each frame: its number, how many have it, its group and "
        "page number. For each process: which pages are mapped, its words, its group. Write these "
        "down as dicts and lists in __init__ before anything else. state() returns some of them.",
        "Two helpers carry nearly everything. One lets a word map a frame, and counts it. One "
        "takes a word away, counts, and gives the frame back if nobody has it. munmap, exit, "
        "execve, copy on write and mremap call them. Nothing else touches the counts.",
        "A third helper makes pages writable for a process. It finds which pages of the range need "
        "a new frame, and counts them. It returns the error if they do not fit. Only then it acts. "
        "write and pin are this helper and a line or two.",
        "Every call that can fail has three parts: what is needed (nothing changes), is it there "
        "(return the error), do it (nothing can fail). In fork the need is the number of pages "
        "that devices hold. In mremap it is the number of shared pages, and in execve it is 1.",
    ],
    "equivalent": {
        "__init__: 0 -> 1 (5)": "groups may have any numbers",
        "spawn: self.last_group += 1 -> self.last_group -= 1": "groups may have any numbers",
        "spawn: 1 -> 2": "groups may have any numbers",
        "mremap: 0 -> 1": "a missing word names no frame; neither does 1",
        "mremap: 12 -> 11": "no word of this machine has bit 11 set",
        "_touch: 0 -> 1": "a missing word has no WRITE; neither has 1",
        "_touch: 0 -> 1 (2)": "a missing word names no frame; neither does 1",
        "_touch: 0 -> 1 (4)": "PRESENT is switched on anyway",
        "_touch: 12 -> 11": "no word of this machine has bit 11 set",
        "_touch: changes vpns in place": "pin made the list for this call",
        "_map: 12 -> 11": "no word of this machine has bit 11 set",
        "_unmap: 0 -> 1": "a missing word names no frame; neither does 1",
        "_unmap: if pfn: self.maps[pfn] -= 1 if self.maps[pfn] == 0: del self.home[pfn] "
        "self._release(pfn) -> if True: self.maps[pfn] -= 1 if self.maps[pfn] == 0: del "
        "self.home[pfn] self._release(pfn)": "nobody asks how many map the zero page",
    },
    "promises": {
        "unchanged": (
            "Did you count what a call needs before it changes anything?",
            "test_short_memory_again",
        ),
        "whole": (
            "Did you ask whether every page of the range is mapped?",
            "test_one_process",
            "test_one_process_again",
        ),
        "one": ("Did you write into the zero page?", "test_one_process", "test_one_process_again"),
        "fork": ("Did you copy at fork?", "test_fork", "test_fork_again"),
        "exit": (
            "Did you give back every frame that nobody has any more, pins too?",
            "test_exit",
            "test_exit_again",
        ),
        "mremap": ("Did you move a shared page?", "test_mremap", "test_mremap_again"),
        "reverse": (
            "Did you give the moved pages their new page number?",
            "test_reverse_map",
            "test_reverse_map_again",
        ),
        "devices": (
            "Does a device hold the page?",
            "test_devices_and_short_memory",
            "test_short_memory_again",
        ),
        "six": ("fails on the right machine", "test_notices_6"),
        "twelve": ("there is no call", "test_notices_12"),
        "eighteen": ("your tests notice", "test_notices_all"),
        "looks": (
            "Is somebody in a group who left it by exit or execve?",
            "test_few_looks",
            "test_fewest_looks",
        ),
        "needless": (
            "Did you copy for a writer who is alone with the frame?",
            "test_no_needless_copy",
        ),
    },
    "commentary": """
        The kernel of this course does the same with arrays. Compare your fork with
        anonlab/kernel/fork.py, your helper for writable pages with anonlab/kernel/fault.py. Both
        classify, reserve, act.

        A group that lists nobody who has left, and one page number for each frame: that is all the
        reverse map costs here. mremap pays for it with copies. In other designs a list of places
        for each frame is right, too. Here the judge asks for (group, page number), as the mail
        has it.
    """,
}

PRESENT, WRITE = 1, 2


class Machine:
    """A small machine: frames, page tables, processes, and a reverse map."""

    # Milestone 1: one process

    def __init__(self, nframes):
        """Make a machine with `nframes` frames; frame 0 is the zero page, the others are free."""
        # <answer>
        self.value = [0] * nframes
        self.maps = [0] * nframes  # how many words map the frame
        self.held = [0] * nframes  # how many devices hold it
        self.home = {}  # pfn -> (group, index), while a word maps it
        self.unused = list(range(nframes - 1, 0, -1))
        self.mapped = {}  # who -> the page numbers of its memory
        self.words = {}  # who -> {vpn: word}
        self.group_of = {}  # who -> the number of its group
        self.groups = {}  # number -> [who, …]
        self.last_group = 0
        self.pins = {}  # (who, vpn) -> frames that devices hold, the last one last
        # </answer>

    def spawn(self, who):
        """Start a process without memory, in a new group of its own."""
        # <answer>
        self.last_group += 1
        self.groups[self.last_group] = []
        self._join(who, self.last_group)
        # </answer>

    def mmap(self, who, vpn, npages):
        """Give the process `npages` pages of memory from page `vpn` on; what was there goes."""
        # <answer>
        self.munmap(who, vpn, npages)
        self.mapped[who].update(range(vpn, vpn + npages))
        # </answer>

    def munmap(self, who, vpn, npages):
        """Take pages away. Pages of the range that are not mapped do not matter."""
        # <answer>
        for at in range(vpn, vpn + npages):
            self._unmap(who, at)
            self.mapped[who].discard(at)
        # </answer>

    def read(self, who, vpn, npages):
        """Return the list of the numbers in the pages; SIGSEGV."""
        # <answer>
        vpns = range(vpn, vpn + npages)
        if not self.mapped[who].issuperset(vpns):
            return "SIGSEGV"
        words = self.words[who]
        return [self.value[words.setdefault(at, PRESENT) >> 12] for at in vpns]
        # </answer>

    def write(self, who, vpn, npages, value):
        """Write `value` to the first page, `value + 1` to the next, and so on; SIGSEGV, ENOMEM."""
        # <answer>
        vpns = range(vpn, vpn + npages)
        if error := self._touch(who, vpns):
            return error
        for at in vpns:
            self.value[self.words[who][at] >> 12] = value + at - vpn
        return None
        # </answer>

    # Milestone 2: fork and copy on write

    def fork(self, who, child):
        """Start `child`, which has the same memory; ENOMEM."""
        # <answer>
        words = self.words[who]
        held = [at for at in words if self.held[words[at] >> 12]]
        if len(held) > len(self.unused):
            return "ENOMEM"
        self._join(child, self.group_of[who])
        self.mapped[child].update(self.mapped[who])
        for at in words:
            if at in held:
                self._copy(child, at, words[at])
            else:
                words[at] &= ~WRITE
                self._map(child, at, words[at])
        return None
        # </answer>

    # Milestone 3: exit and execve

    def exit(self, who):
        """End the process: its pages, its pins and its place in the group go."""
        # <answer>
        for at in list(self.words[who]):
            self._unmap(who, at)
        for pin in [pin for pin in self.pins if pin[0] == who]:
            while pin in self.pins:
                self._unpin(pin)
        group = self.group_of.pop(who)
        self.groups[group].remove(who)
        if not self.groups[group]:
            del self.groups[group]
        del self.mapped[who], self.words[who]
        # </answer>

    def execve(self, who, vpn, value):
        """Start a new program in this process: one page with `value` at `vpn`; ENOMEM."""
        # <answer>
        if not self.unused:
            return "ENOMEM"
        self.exit(who)
        self.spawn(who)
        self.mmap(who, vpn, 1)
        return self.write(who, vpn, 1, value)
        # </answer>

    # Milestone 4: mremap

    def mremap(self, who, vpn, npages, new):
        """Move pages to page `new`; EFAULT, EINVAL, ENOMEM."""
        # <answer>
        words, shift = self.words[who], new - vpn
        vpns = range(vpn, vpn + npages)
        if not self.mapped[who].issuperset(vpns):
            return "EFAULT"
        if abs(shift) < npages:
            return "EINVAL"
        shared = [at for at in vpns if self._is_shared(words.get(at, 0))]
        if len(shared) > len(self.unused):
            return "ENOMEM"
        self.mmap(who, new, npages)
        for at in shared:
            self._copy(who, at, words[at])
        for at in [at for at in vpns if at in words]:
            word = words[at + shift] = words.pop(at)
            if word >> 12:
                self.home[word >> 12] = self.group_of[who], at + shift
        self.mapped[who].difference_update(vpns)
        return None
        # </answer>

    # Milestone 6: devices, and memory that runs out

    def pin(self, who, vpn):
        """Let a device hold the page; SIGSEGV, ENOMEM."""
        # <answer>
        if error := self._touch(who, [vpn]):
            return error
        pfn = self.words[who][vpn] >> 12
        self.held[pfn] += 1
        self.pins.setdefault((who, vpn), []).append(pfn)
        return None
        # </answer>

    def unpin(self, who, vpn):
        """Remove the newest pin at `vpn` of this process; EINVAL."""
        # <answer>
        if (who, vpn) not in self.pins:
            return "EINVAL"
        return self._unpin((who, vpn))
        # </answer>

    # All milestones

    def state(self):
        """Return what the machine shows of itself."""
        # <answer>
        return {
            "words": self.words,
            "pages": self.home,
            "groups": self.groups,
            "free": len(self.unused),
        }

    # Let a new process without memory be in a group.
    def _join(self, who, group):
        self.mapped[who], self.words[who] = set(), {}
        self.group_of[who] = group
        self.groups[group].append(who)

    # Tell whether a word maps a frame that somebody else has, too.
    def _is_shared(self, word):
        pfn = word >> 12
        return self.maps[pfn] + self.held[pfn] > 1

    # Make pages writable for a process; return the error if that cannot be.
    def _touch(self, who, vpns):
        words = self.words[who]
        if not self.mapped[who].issuperset(vpns):
            return "SIGSEGV"
        todo = [at for at in vpns if not words.get(at, 0) & WRITE]
        new = [at for at in todo if words.get(at, 0) >> 12 == 0 or self._is_shared(words[at])]
        if len(new) > len(self.unused):
            return "ENOMEM"
        for at in todo:
            if at in new:
                self._copy(who, at, words.get(at, 0) | PRESENT | WRITE)
            else:
                words[at] |= WRITE
        return None

    # Map a new frame with the contents of that of `word`, and with its bits.
    def _copy(self, who, vpn, word):
        pfn = self.unused.pop()
        self.value[pfn] = self.value[word >> 12]
        self._unmap(who, vpn)
        self._map(who, vpn, pfn << 12 | word & 0xFFF)

    def _map(self, who, vpn, word):
        self.words[who][vpn] = word
        if word >> 12:
            self.maps[word >> 12] += 1
            self.home.setdefault(word >> 12, (self.group_of[who], vpn))

    def _unmap(self, who, vpn):
        pfn = self.words[who].pop(vpn, 0) >> 12
        if pfn:
            self.maps[pfn] -= 1
            if self.maps[pfn] == 0:
                del self.home[pfn]
            self._release(pfn)

    def _unpin(self, pin):
        pfn = self.pins[pin].pop()
        if not self.pins[pin]:
            del self.pins[pin]
        self.held[pfn] -= 1
        self._release(pfn)

    # Give a frame back if nobody has it.
    def _release(self, pfn):
        if self.maps[pfn] + self.held[pfn] == 0:
            self.unused.append(pfn)
        # </answer>


# Milestone 7: tests of your own


def tests():
    """Return a list of texts, each a test of such a machine."""
    # <answer>
    return [
        """
        spawn("p")
        mmap("p", 0x20, 1)
        read("p", 0x20, 1) == [0]
        write("p", 0x20, 1, 7)
        mmap("p", 0x20, 1)
        read("p", 0x20, 1) == [0]
        """,
        """
        spawn("p")
        mmap("p", 0x20, 1)
        write("p", 0x20, 1, 7)
        fork("p", "c")
        mappers("p", 0x20) == [("c", 0x20), ("p", 0x20)]
        exit("p")
        looks("c", 0x20) == 1
        """,
        """
        machine(2)
        spawn("p")
        mmap("p", 0x20, 1)
        write("p", 0x20, 1, 7)
        fork("p", "c")
        exit("c")
        write("p", 0x20, 1, 8)
        """,
        """
        machine(3)
        spawn("p")
        mmap("p", 0x20, 2)
        write("p", 0x20, 1, 7)
        fork("p", "c")
        write("p", 0x20, 2, 8) == "ENOMEM"
        free() == 1
        """,
        """
        spawn("p")
        mmap("p", 0x20, 1)
        write("p", 0x20, 1, 7)
        fork("p", "c")
        mremap("c", 0x20, 1, 0x30)
        read("c", 0x30, 1) == [7]
        mmap("c", 0x20, 1)
        read("c", 0x20, 1) == [0]
        mremap("c", 0x30, 1, 0x40)
        mappers("c", 0x40) == [("c", 0x40)]
        """,
        """
        machine(3)
        spawn("p")
        mmap("p", 0x20, 2)
        write("p", 0x20, 1, 7)
        fork("p", "c")
        mmap("c", 0x30, 1)
        write("c", 0x30, 1, 5)
        mremap("c", 0x20, 1, 0x30) == "ENOMEM"
        """,
        """
        spawn("p")
        mmap("p", 0x20, 1)
        write("p", 0x20, 1, 7)
        fork("p", "c")
        pin("c", 0x20)
        read("c", 0x20, 1) == [7]
        fork("c", "d")
        mappers("c", 0x20) == [("c", 0x20)]
        execve("p", 0x20, 5)
        looks("p", 0x20) == 1
        exit("c")
        exit("d")
        free() == 62
        """,
    ]
    # </answer>
