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
error, such as "ENOMEM", and **has changed nothing**. If one page of the range is not mapped, `read`
and `write` fail with "SIGSEGV" and do nothing. Several errors may be possible. Then return the
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

1. **One process** (12 points): `spawn`, `mmap`, `munmap`, `read`, `write`, `state`. A page takes no
   frame when it is mapped. A read of a page without a word makes a word with the zero page, without
   `WRITE`. A write gives the page a free frame, with `WRITE`, if it has no word, or if its word
   names the zero page.
2. **fork and copy on write** (16): the child gets every word of the parent, also those that name
   the zero page. No frame is copied. All these words lose `WRITE`, in both processes. Later a
   process writes to a word without `WRITE`. Then count the users of the frame. Is there one user?
   Its word gets `WRITE`, and the frame stays. Are there more? The writer gets a copy in a free
   frame, with `WRITE`. The others keep the frame and their words.
3. **exit and execve** (10): when the last user of a frame is gone, the frame is free. `execve`
   gives back all memory of the process. Then the process has one page, `vpn`, which holds
   `value`. It needs a frame that is free before the old memory goes. If there is none, `execve`
   fails.
4. **mremap** (14): first unmap what is at the new range. Then move the words, with their bits. Then
   the old range is not mapped any more. Return "EFAULT" if a page of the old range is not mapped,
   and "EINVAL" if the two ranges overlap. A frame with more than one user cannot move. This process
   gets a copy of it. The frames for these copies must be free before you unmap anything.
5. **The reverse map** (14): every frame that somebody maps belongs to one group and has one page
   number. `fork` adds the child to the group of its parent. `spawn` and `execve` start a new group.
   `exit` and `execve` leave the old group. To find who maps a frame, the judge looks at that page
   number in every process of its group. It must find everybody.
6. **Devices, and memory that runs out** (16): `pin` first makes the page writable, as a write does.
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
   right machine. A test that fails on a faulty machine notices it. You get 4 points for 6 machines,
   4 more for 12, and 4 more for all 18. You are not told which are left.

**Costs** (6 points) are counted in random histories of milestones 1 to 5. Say that walks of the
mail's group look at N places. You get 2 points if your walks look at 2 N places or fewer. You get
2 more for N places or fewer. You get 2 points if you never copy a page
that the kernel does not copy.

One way through the week is this. Milestone 1 is for the first day, 2 for the second, 3 and 4 for
the third, 5 and 6 for the fourth. Tests and costs are for the fifth. Read the mail again before
milestone 5. The arguments are numbers and names, so your calls cannot change them.
"""

PRESENT, WRITE = 1, 2


class Machine:
    """A small machine: frames, page tables, processes, and a reverse map."""

    # Milestone 1: one process

    def __init__(self, nframes):
        """Make a machine with `nframes` frames; frame 0 is the zero page, the others are free."""
        raise NotImplementedError("lab1: your code goes here")

    def spawn(self, who):
        """Start a process without memory, in a new group of its own."""
        raise NotImplementedError("lab1: your code goes here")

    def mmap(self, who, vpn, npages):
        """Give the process `npages` pages of memory from page `vpn` on; what was there goes."""
        raise NotImplementedError("lab1: your code goes here")

    def munmap(self, who, vpn, npages):
        """Take pages away. Pages of the range that are not mapped do not matter."""
        raise NotImplementedError("lab1: your code goes here")

    def read(self, who, vpn, npages):
        """Return the list of the numbers in the pages; SIGSEGV."""
        raise NotImplementedError("lab1: your code goes here")

    def write(self, who, vpn, npages, value):
        """Write `value` to the first page, `value + 1` to the next, and so on; SIGSEGV, ENOMEM."""
        raise NotImplementedError("lab1: your code goes here")

    # Milestone 2: fork and copy on write

    def fork(self, who, child):
        """Start `child`, which has the same memory; ENOMEM."""
        raise NotImplementedError("lab1: your code goes here")

    # Milestone 3: exit and execve

    def exit(self, who):
        """End the process: its pages, its pins and its place in the group go."""
        raise NotImplementedError("lab1: your code goes here")

    def execve(self, who, vpn, value):
        """Start a new program in this process: one page with `value` at `vpn`; ENOMEM."""
        raise NotImplementedError("lab1: your code goes here")

    # Milestone 4: mremap

    def mremap(self, who, vpn, npages, new):
        """Move pages to page `new`; EFAULT, EINVAL, ENOMEM."""
        raise NotImplementedError("lab1: your code goes here")

    # Milestone 6: devices, and memory that runs out

    def pin(self, who, vpn):
        """Let a device hold the page; SIGSEGV, ENOMEM."""
        raise NotImplementedError("lab1: your code goes here")

    def unpin(self, who, vpn):
        """Remove the newest pin at `vpn` of this process; EINVAL."""
        raise NotImplementedError("lab1: your code goes here")

    # All milestones

    def state(self):
        """Return what the machine shows of itself."""
        raise NotImplementedError("lab1: your code goes here")


# Milestone 7: tests of your own


def tests():
    """Return a list of texts, each a test of such a machine."""
    raise NotImplementedError("lab1: your code goes here")
