# %% [markdown]
# # 00 · Start here
#
# **In 20 minutes you can** read a page table, step through a program's life in the player, and say
# what happens when two processes share a page and one of them writes.
#
# You need no knowledge of kernels. Run each cell with <kbd>Shift</kbd>+<kbd>Enter</kbd>, from top
# to bottom.

# %%
from anonlab import LESSON, PAGE_SIZE, Kernel, check, operations, record
from anonlab.view.picture import picture
from anonlab.view.player import Player

# %% [markdown]
# ## The question
#
# In March 2004 the developers of Linux argued about one question: *given a page of memory, which
# programs use it?* The kernel must know, because before it can take a page away, it has to tell
# everybody who uses it. Linus Torvalds answered in one mail. This kit lets you watch his answer
# work.

# %% [markdown]
# ## A machine small enough to draw
#
# Memory is cut into **pages** of 4096 bytes. A program uses *virtual* addresses; the computer keeps
# its pages in **frames**, which are numbered. Our lesson machine has 16 frames and addresses of
# five hex digits.

# %%
kernel = Kernel(design="anongroup", frames=16, swap=0, geometry=LESSON)
shell = kernel.spawn("shell")
heap = shell.mmap(4 * PAGE_SIZE, at=0x30000)
hex(heap)

# %% [markdown]
# A process called `shell` has asked for four pages, starting at address `0x30000`. Has it got any
# memory yet? Make a guess, then look.

# %%
before = kernel.snapshot()
picture(before)

# %% [markdown]
# It got a *promise*: the line of the address space says that it may use `0x30000` to `0x33fff`. But
# the page table is empty and no frame is used, only frame 0, the **zero page**, which is always
# there. Memory is handed out when somebody touches it.

# %% [markdown]
# ## The first touch
#
# Now the shell writes the number 7 into its first page. (One number stands for all 4096 bytes.)

# %%
shell.write(heap, 7)
picture(kernel.snapshot(), previous=before)

# %% [markdown]
# Frame 1 now holds 7. The address `0x30000` led to it digit by digit: **3** chose a slot in the top
# table, the next digit, **0**, a slot in the table below. The word in that slot is a **page table
# entry** (PTE): it holds the frame's number and what is allowed.

# %%
shell.page(heap)

# %% [markdown]
# That is what the kernel knows about the frame. `index` is the one address of the page, without its
# last three digits; `mapping` is its **anon memory group**. From these two the kernel can go
# *backwards*, from the frame to the page tables. Keep them in mind.

# %% [markdown]
# ## A whole story in the player
#
# A history is a list of operations, one per line. Here the shell starts a child with `fork`, which
# gives the child a copy of everything. Then both of them write.

# %%
story = """
shell = spawn
shell mmap 0x30000 4
shell write 0x30000 7 2
child = fork shell
child write 0x30000 9
shell write 0x30000 5
child exit
"""
trace = record(story, title="fork, then write")
[step.text for step in operations(trace)]

# %% [markdown]
# ## Predict
#
# `fork` must give the child all of the parent's memory. **What do you think it copies?** The pages,
# or something smaller? And when the child then writes 9 to the first page, what happens to the
# shell's 7?
#
# Step through the player below. It stops before the child's write and asks you: mark the cells that
# you think will change, then go on. There is no penalty; *I do not know* is a fine answer.

# %%
writes = [n for n, step in enumerate(trace.steps) if step.text == "child write 0x30000 9"]
player = Player(trace, predict=writes[:1])
player

# %% [markdown]
# | key | what it does |
# |---|---|
# | <kbd>→</kbd> <kbd>←</kbd> | next step, previous step |
# | <kbd>Home</kbd> <kbd>End</kbd> | first step, last step |
# | <kbd>Space</kbd> | play, pause |
# | <kbd>P</kbd> | predict: mark cells with the arrows and <kbd>Enter</kbd> |
# | <kbd>T</kbd> | the picture as text, and back |
# | <kbd>Enter</kbd> | choose a thing in the picture (<kbd>Tab</kbd>, arrows) |
# | <kbd>W</kbd> | search for the chosen page, probe by probe |
# | <kbd>Esc</kbd> | stop marking; again: leave the player |
#
# Click into the player first. All frames are in your browser: stepping never waits for Python.

# %% [markdown]
# ## What you saw
#
# `fork` copied **no page at all**. It copied page table entries, and took the permission to write
# out of *both* tables. The write of the child then failed, in a good way: the kernel saw that the
# page is shared, copied it for the **writer**, and let it go on. This is *copy on write*.
#
# When the shell wrote next, nobody else used its page any more, so nothing was copied.

# %%
copies = [step.sentence for step in trace.steps if step.label.startswith("fault.wp")]
copies

# %% [markdown]
# ## Backwards
#
# Now the question of 2004. The shell and a new child share a page again. Who uses its frame?

# %%
child = shell.fork("child")
pfn = shell.page(heap).pfn
[(process.name, hex(address)) for process, address in kernel.mappers(pfn)]

# %% [markdown]
# Nobody kept a list of users for this frame. The kernel took the page's group, which lists the two
# address spaces, and looked up the page's one address in each. That is the whole idea of the mail:
# *"each anonymous page is associated with exactly \_one\_ virtual address"*.

# %%
picture(kernel.snapshot())

# %% [markdown]
# ## Trust, but check
#
# A reverse map that forgets somebody is worse than none. So the kit never believes itself: `check`
# reads every page table of the machine, word by word, and compares. It says nothing when all is
# well.

# %%
check(kernel)

# %% [markdown]
# ## What next
#
# * **00b · A real program** shows what `ls / | wc -l` did to memory on a real Linux machine.
# * Change the story above: let the shell write first, or let the child call `execve` (write
#   `child execve ls`). Run the cells again and predict before you step.
# * `anonlab doctor` in a terminal tells what works on your machine.
