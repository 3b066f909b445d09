# %% [markdown]
# # 00 · Start here
#
# **In 30 minutes you can** read a page table, step through a program's life in the player, say
# what happens when two processes share a page and one of them writes, and use the tools of the
# course.
#
# You need no knowledge of kernels. Run each cell with <kbd>Shift</kbd>+<kbd>Enter</kbd>, from top
# to bottom.

# %%
from anonlab.learn import *

# %% [markdown]
# Every notebook begins with that line. It brings the machine (`Kernel`), what shows it (`record`,
# `picture`, `Player`) and the tools of the course (`predict`, `check`, `hint`).
# `help("anonlab.learn")` lists them all, by purpose.

# %% [markdown]
# ## The question
#
# In March 2004 the developers of Linux argued about one question: *given a page of memory, which
# programs use it?* The kernel must know, because before it can take a page away, it has to tell
# everybody who uses it. Linux could answer already; the quarrel was about the price. Linus Torvalds
# proposed an answer in one mail, the *anon memory group*. This kit lets you watch it work.
#
# **Linux never used the anon memory group.** Its sister `anonmm` was in Andrew Morton's test tree
# for five weeks. What Linux 2.6.7 got was `anon_vma` by Andrea Arcangeli. The course shows why.

# %% [markdown]
# ## Before you start: eight scenarios
#
# What do you think happens? **Nobody expects you to know**: these questions come before the course
# on purpose, and eight like them after it, so that you can see what has changed. They carry no
# points, and right answers come in the end. Five minutes are enough; `?` is a good answer.

# %%
baseline()

# %% [markdown]
# Write your eight letters in place of the dots, in quotation marks, and run the cell.

# %%
baseline(...)

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
# (`design="anongroup"` chooses the mail's answer; there are others, and a whole notebook about
# them.) A process called `shell` has asked for four pages with `mmap`, starting at address
# `0x30000`. Has it got any memory yet? Make a guess, then look.

# %%
before = kernel.snapshot()
picture(before)

# %% [markdown]
# The cards that matter now: what the shell *may* use and what *is* there, its page table; and the
# physical memory, frame by frame. A third card says how to read a slot. Leave the rest for later.
#
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
# `fork` must give the child all of the parent's memory: two written pages. The course never shows
# you anything before you have predicted it, for what one has predicted one sees better, right or
# wrong. **How many frames does `fork` take? And how many does the child's write of one page?** Two
# numbers in place of the dots, such as `"2, 0"`, or `"I do not know"`.

# %%
predict("00 frames", ...)

# %% [markdown]
# Now step through the player. It stops before the child's write and asks you to mark the cells that
# you think will change. There is no penalty for a wrong guess.

# %%
writes = [n for n, step in enumerate(trace.steps) if step.text == "child write 0x30000 9"]
player = Player(trace, predict=writes[:1], tabs=())
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
# Your prediction beside what happened, number by number:

# %%
counts = [frames_used(step.snapshot) for step in operations(trace)]
took = [counts[4] - counts[3], counts[5] - counts[4]]
reveal("00 frames", [f"fork took {took[0]}, the write {took[1]}"], truth=took)

# %% [markdown]
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
# address spaces, and looked up the page's one address in each. Whatever leads back from a frame to
# its users is a **reverse map**, and this one is the whole idea of the mail: *"each anonymous page
# is associated with exactly \_one\_ virtual address"*.

# %%
picture(kernel.snapshot())

# %% [markdown]
# ## Trust, but check
#
# A reverse map that forgets somebody is worse than none. So the kit never believes itself: `check`
# reads every page table of the machine, word by word, and compares. Where something is wrong it
# stops with an error; here it only says how many places it was led to, and how many were right.

# %%
check(kernel)

# %% [markdown]
# ## Your tools
#
# From the next notebook on you have these:
#
# | you write | and get |
# |---|---|
# | `predict("04 frames", 2)` | your prediction is kept, and shown beside what happens |
# | `answer("04 order")` | a question; with an answer after the comma it is judged |
# | `%%exercise 04a` | a cell of code, written to a file and checked |
# | `check("04a")`, `hint("04a")` | the checks again; the next hint |
# | `solution("04a")`, `reset("04a")` | another way, once yours passes; the template again |
# | `progress()` | what is done and what is open |

# %% [markdown]
# All of it is kept in `.anonlab/progress.jsonl` beside the notebooks, survives a restart, and stays
# on this machine. Try one question, of no points:

# %%
answer("00 digits", ...)

# %%
predicted("00")

# %%
progress()

# %% [markdown]
# ## What next
#
# * **[01 · Page tables](01_page_tables.ipynb)** begins the course. In a hurry? 01 to 05 and 08 are
#   its core.
# * **[00b · A real program](00b_a_real_program.ipynb)** shows what `ls / | wc -l` did to memory on
#   a real Linux machine.
# * Change the story above: let the shell write first, or let the child become another program
#   (write `child execve ls`). Run the cells again and predict before you step.
# * `anonlab doctor` in a terminal tells what works on your machine.
