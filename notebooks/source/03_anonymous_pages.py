# %% [markdown]
# # 03 · Anonymous pages
#
# **In 60 minutes you can** explain the first touch, the zero page, a page's index, mapcount and
# count, and say *why* a reverse map is needed.
#
# You need [02 · VMAs](02_vmas.ipynb). Terms: [anonymous page](glossary.md#anonymous-page), [zero
# page](glossary.md#zero-page), [index](glossary.md#index), [mapcount](glossary.md#mapcount),
# [count](glossary.md#count), [reverse map](glossary.md#reverse-map). Exercises: 03a, 03b (10
# points each).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. Which bit of a PTE is missing after a page was only read?
# 2. Where is it written that the program *may* write there?
# 3. What does `pgoff` of a file's VMA say?
#
# <details><summary>Answers</summary>
#
# 1. W: the page may not be written without a fault.
# 2. In the VMA.
# 3. Which page of the file stands at the VMA's start.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# A program asks for eight pages, reads three of them to see whether they are empty, and writes
# two. How much memory has it used?

# %%
story = """
p = spawn
p mmap 0x30000 8
p read 0x30000 3
p write 0x30000 7
p write 0x34000 8
"""
trace = record(story, title="looking and writing")

# %% [markdown]
# ## 3 · Predict
#
# **How many frames are used after the read, and after each write?** Frame 0, the zero page, is
# always there and does not count. Three numbers, such as `"3 4 5"`, or `"I do not know"`.

# %%
predict("03 frames", ...)

# %% [markdown]
# ## 4 · Run

# %%
play(trace, "03 frames")

# %%
used = [frames_used(step.snapshot) for step in trace.steps]
lines = [f"{s.text:24} {n} frames  {s.title}" for s, n in zip(trace.steps, used, strict=True)]
last = [frames_used(step.snapshot) for step in operations(trace)[-3:]]
reveal("03 frames", lines, truth=last)

# %% [markdown]
# Reading cost nothing: all three pages show the **zero page**, one frame for all zeros of all
# programs. The first write replaced it in one place. A page that belongs to no file is
# **anonymous**, and it becomes a page of its own only when somebody writes.

# %% [markdown]
# ## 5 · Investigate

# %%
kernel = Kernel(design="anongroup", frames=16, swap=4, geometry=LESSON)
p = kernel.spawn("p")
p.mmap(8 * 4096, at=0x30000)
p.write(0x31000, 7)
page = p.page(0x31000)
page

# %% [markdown]
# Each anonymous page knows two things. `index`: its address without the last three digits, `0x31`
# for `0x31000`. `mapping`: whom to ask, here a group. That is where the mail of 13 March 2004
# begins: *"exactly \_one\_ virtual address"*. Whoever shares a page has got it by `fork`, and so
# has it at the same address.

# %%
mail("03")

# %% [markdown]
# Why a **flag** too? `mapping` and `index` are used for pages of files as well: there they mean the
# file, and the place in it. One bit says which of the two it is. A page that was only read has
# none of this: it is the zero page, which is everywhere.

# %%
p.read(0x32000)
p.page(0x32000)

# %%
answer("03 index", ...)

# %% [markdown]
# `mapcount` counts the words that map the frame. `count` counts everybody who holds it: those
# words, and more. A device that writes into a page, such as a disk that reads, *pins* it: the
# frame must stay where it is until the device is done.

# %%
p.pin(0x31000)
p.page(0x31000)

# %% [markdown]
# 1. count is 2, mapcount is 1. Who holds the other reference?
# 2. What would happen to the device if the kernel gave the frame away when mapcount falls to 0?
# 3. Now the kernel wants frame 1. It knows mapcount 1. Does it know *where*?
#
# <details><summary>Answers</summary>
#
# 1. The device.
# 2. It would write into somebody else's memory.
# 3. No: a count says how many, never who.
#
# </details>

# %% [markdown]
# The kernel could read every page table. This is what `scan` does, and it needs no help from
# anybody.

# %%
truth = scan(kernel)
at = truth.pfns == page.pfn
[(int(mm), hex(int(vpn) << 12)) for mm, vpn in zip(truth.mms[at], truth.vpns[at], strict=True)]

# %% [markdown]
# It is right, and hopeless: a quarter of a million words for each gigabyte of each process, for
# *one* frame. A **reverse map** is whatever saves this work. In Linux (6.18) the question is
# asked by `rmap_walk` in `mm/rmap.c`.
#
# **Inverse question.** What changed is marked. Which operation was it?

# %%
answer("03 inverse", ...)

# %% [markdown]
# ## 6 · Worked example
#
# A touch of one page. **Look** at the word. **Decide**: a frame of its own, the zero page, or
# nothing? **Take** a frame if one is needed. **Store** the word. Here is a page that nobody has
# touched, of a file that is mapped privately: a read needs no frame of its own, the file has one.

# %%
write, of_file, free = False, 5, 9
frame = free if write else of_file
hex(frame * 4096 + 0x25)

# %% [markdown]
# On a range the decision becomes an array of bools, and frames are handed out to exactly the pages
# where it is true. `np.flatnonzero` of it says which.

# %% [markdown]
# ## 7 · Modify: exercise 03a

# %% tags=["exercise"]
# %%exercise 03a

# %% [markdown]
# ## 8 · Make: exercise 03b
#
# Find all mappers by hand, and count what it costs. Keep the number: notebook 08 finds them in a
# better way.

# %% tags=["exercise"]
# %%exercise 03b

# %% [markdown]
# ## 9 · Bug museum
#
# A mutant writes into the zero page: it takes it for a page of the program's own. Write the
# shortest history that kills it. Who would notice in a real system?

# %%
run_mutant("the zero page is written", "p = spawn\np mmap 0x30000 1\np write 0x30000 7\n")

# %% [markdown]
# <details><summary>What is missing?</summary>A read before the write: without it the page never
# showed the zero page. Everybody would notice: all untouched memory of all programs would read as
# 7.</details>

# %% [markdown]
# ## 10 · Exit ticket
#
# 1. A program allocates a gigabyte of zeros and only reads them. How much memory does it use?
# 2. mapcount of a frame is 3. What do you know about the processes that map it?

# %%
predicted("03")

# %%
progress()

# %% [markdown]
# More questions of this notebook, as many as you like. Five right in a row, and the drill is done.

# %%
drill("03")

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. Page tables, and one frame that it shares with everybody.
# 2. Their number, no more.
#
# </details>
#
# **Next:** [04 · fork](04_fork.ipynb).
