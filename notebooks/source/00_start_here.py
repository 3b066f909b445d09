# %% [markdown]
# # 00 · Start here
#
# **In 30 minutes you can** read a page table and step through the life of a program. You can say
# what happens when two processes share a page and one of them writes. You know the tools of the
# course.
#
# You need no knowledge of kernels. A kernel is the part of an operating system that hands out
# memory. Run the cell below: click into it and press
# <kbd>Shift</kbd>+<kbd>Enter</kbd>.

# %%
from anonlab.learn import *

scene("00 first look")

# %% [markdown]
# Two programs run on a small machine, the *shell* and its *child*. Each has a table on the left.
# The memory of the machine is on the right. An arrow says where a page of a program really is.
#
# Both arrows lead to frame 1: the two programs share one page. Press **Next →**. The child writes
# the number 9. Watch its arrow.
#
# Press **Next →** until the story ends. Press **← Previous** to see a step once more.

# %% [markdown]
# ## Which programs use frame 1?
#
# Here is the same moment again. This time you are asked before you see. "I don't know" is a good
# answer, too. You understand better what you have thought about first.

# %%
scene("00 who uses it")

# %% [markdown]
# ## The question of this course
#
# What the kernel did at the first write is called **copy on write**. At the second write it let the
# page be used again: **reuse**. Both times the machine stopped the program and called the kernel.
# Such a stop is a **fault**. This course is about another question.
#
# You went from the table to the memory, and back along an arrow. A real kernel has no arrows back.
# It has millions of frames. Nothing in a frame says who uses it.
#
# *Given a page of memory, which programs use it?* The kernel must know. Before it takes a page
# away, it has to tell everybody who uses it.

# %% [markdown]
# In March 2004 the developers of Linux argued about this question. Linux could answer it already.
# They argued about the price. Linus Torvalds proposed an answer in one mail, the *anon memory
# group*. This kit lets you watch it work.

# %% [markdown]
# **Linux never used the anon memory group.** It took anon_vma, another answer.
# The course shows why.

# %% [markdown]
# ## The words, one at a time
#
# Memory is cut into **pages** of 4096 bytes. A program names a place in them by a *virtual*
# **address**. The computer keeps pages in **frames**, and each frame has a number. Our machine has
# 16 frames. Its addresses have five hex digits.

# %%
kernel = Kernel(design="anongroup", frames=16, swap=0, geometry=LESSON)
shell = kernel.spawn("shell")
heap = shell.mmap(4 * PAGE_SIZE, at=0x30000)
hex(heap)

# %% [markdown]
# A process called `shell` has asked for four pages. The call for it is `mmap`. The pages begin at
# address `0x30000`. `geometry=LESSON` gives the short addresses, and `swap=0` means that pages
# cannot go to a disk.
#
# In the picture `mm 1` is the memory of the shell, as the shell sees it. The letters `rw-` say that
# it may read and write there. Frame 0 is always there; notebook 03 tells why. Has the shell got any
# memory yet? Make a guess, then look.

# %%
before = kernel.snapshot()
picture(before)

# %% [markdown]
# <details><summary>Has it?</summary>
#
# No. It got a *promise*. The line above the table says that it may use four pages. But no frame is
# used for them. Memory is handed out when somebody touches it.
#
# </details>
#
# The word `design="anongroup"` chooses the answer of the mail. Such an answer is called a *design*.
# There are others, and a notebook about them.

# %% [markdown]
# ## The first touch
#
# Now the shell writes the number 7 into its first page. One number stands for all 4096 bytes.

# %%
shell.write(heap, 7)
picture(kernel.snapshot(), previous=before)

# %% [markdown]
# Frame 1 holds 7 now. The address `0x30000` led to it digit by digit. The first digit, **3**, chose
# a slot of the top table. A slot is a place for one number. The next digit, **0**, chose a slot of
# the table below.
#
# In that slot stands a **page-table entry** (PTE). It says which frame it is, and what is allowed.

# %%
shell.page(heap)

# %% [markdown]
# That is what the kernel knows about the frame. `pfn` is its number. `index` is the one address of
# the page, without its last three digits. `mapping` is its **anon memory group**. The other
# numbers wait for notebook 03.
#
# From `index` and `mapping` the kernel can go *backwards*, from the frame to the page tables. Keep
# them in mind.

# %% [markdown]
# ## A whole story
#
# A **history** is a list of operations, one on each line. A line says who does what, where:
#
# | a line | in English |
# |---|---|
# | `machine lesson frames 16 swap 0` | The machine has 16 frames. |
# | `shell = spawn` | A process starts. Its name is shell. |
# | `shell mmap 0x30000 4` | shell asks for 4 pages from address 0x30000 on. |
# | `shell write 0x30000 7 2` | shell writes 2 pages from 0x30000 on. They hold 7 and 8 then. |
# | `child = fork shell` | shell gets a child with the same pages. |
# | `child exit` | child ends. |

# %%
story = """
machine lesson frames 16 swap 0
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
# `fork` must give the child all memory of the parent. That is two written pages. The course asks
# you before it shows you anything. A wrong guess costs nothing.

# %%
predict("00 frames", ...)

# %% [markdown]
# Now step through the story. It stops before the child writes. Mark the slots and the frames that
# will change. To mark one, click it.
#
# Three dots hide code that only makes a picture. Run such a cell like any other.

# %% jupyter={"source_hidden": true}
# This code shows the stage.
writes = [n for n, step in enumerate(trace.steps) if step.text == "child write 0x30000 9"]
player = Player(trace, predict=writes[:1], tabs=())
player

# %% [markdown]
# | key | what it does |
# |---|---|
# | <kbd>→</kbd> <kbd>←</kbd> | next step, previous step |
# | <kbd>Home</kbd> <kbd>End</kbd> | first step, last step |
# | <kbd>Tab</kbd>, then arrows | into the picture, from thing to thing |
# | <kbd>Enter</kbd> | choose the thing, or mark it |
# | <kbd>F</kbd> | large, for a lecture; <kbd>Esc</kbd> goes back |
# | <kbd>S</kbd> | save the step as a picture |
#
# Everything is in your browser: stepping never waits for Python.

# %% [markdown]
# ## What you saw
#
# Here you see your prediction, what happened, and why. The card above shows what happened, too.

# %% jupyter={"source_hidden": true}
# This code shows what happened.
counts = [frames_used(step.snapshot) for step in operations(trace)]
took = [counts[4] - counts[3], counts[5] - counts[4]]
users = "Frame 1 changed, too: two programs used it before the write, and one after it."
reveal("00 frames", [f"fork took {took[0]}, the write {took[1]}", users], truth=took)

# %% [markdown]
# ## Backwards
#
# Now the question of 2004. The shell and a new child share a page again. Who uses its frame?

# %%
child = shell.fork("child")
pfn = shell.page(heap).pfn
[(process.name, hex(address)) for process, address in kernel.mappers(pfn)]

# %% [markdown]
# Nobody kept a list of users for this frame. The kernel took the group of the page. The group lists
# two address spaces. Then the kernel looked up the one address of the page in each of them.
#
# What leads back from a frame to its users is a **reverse map**. This one is the whole idea of the
# mail: *"each anonymous page is associated with exactly \_one\_ virtual address"*. (*Anonymous*
# means that the page belongs to no file.)

# %%
picture(kernel.snapshot())

# %% [markdown]
# ## Trust, but check
#
# A reverse map that forgets somebody is worse than no map. So the kit checks itself. `check` reads
# every page table of the machine, entry by entry, and compares. If something is wrong, it stops
# with an error. Here it says at how many places it looked, and how many were right.

# %%
for pfn, (looked, right) in check(kernel).pages.items():
    print(f"frame {pfn}: looked at {looked} places, {right} right")

# %% [markdown]
# ## Your tools
#
# Every notebook begins with `from anonlab.learn import *`. It brings the machine, its pictures, and
# the tools of the course. `help("anonlab.learn")` lists them all.

# %% [markdown]
# From the next notebook on you have these:
#
# | you write | and get |
# |---|---|
# | `predict("00 frames", ...)` | a card; your prediction is kept, and shown beside what happens |
# | `answer("04 order", ...)` | a card with a question that is judged |
# | `%%exercise 04a` | a cell of code, written to a file and checked |
# | `check("04a")`, `hint("04a")` | the checks again; the next hint |
# | `solution("04a")`, `reset("04a")` | another way, once yours passes; the template again |
# | `progress()` | what is done and what is open |
#
# In place of the dots you may type an answer: `predict("00 frames", "5, 5")`.

# %% [markdown]
# All of it is kept in a file, `.anonlab/progress.jsonl`. It survives a restart, and it stays on
# this machine. `my_work()` saves your work as one file, and brings it back.
#
# Try one question. It carries no points.

# %%
answer("00 digits", ...)

# %%
predicted("00")

# %%
progress()

# %% [markdown]
# ## If you like: eight scenarios
#
# What do you think happens? **Nobody expects you to know.** These questions come before notebook
# 01. You have just seen some of it. You get eight more like them after the course. So you can see
# what has changed. They carry no points. The right answers come in the end.

# %%
baseline()

# %% [markdown]
# ## What next
#
# * **[01 · Page tables](01_page_tables.ipynb)** begins the course. If you are in a hurry, 01 to 05
#   and 08 are its core.
# * Change the story above. Let the shell write first, or let the child become another program. The
#   line for that is `child execve ls`. Predict before you step.
# * **[05b · A real program](05b_a_real_program.ipynb)** comes after five notebooks. It shows what
#   `ls / | wc -l` did to memory on a real Linux machine.
# * Type `anonlab doctor` in a terminal. It tells what works on your machine.
