# %% [markdown]
# # 03 · Anonymous pages
#
# **In 60 minutes you can** say what happens at the first touch of a page. You can explain the zero
# page, and the index, the mapcount and the count of a page. You can say *why* a reverse map is
# needed.
#
# You need [02 · VMAs](02_vmas.ipynb). Terms: [anonymous page](glossary.md#anonymous-page),
# [zero page](glossary.md#zero-page), [index](glossary.md#index),
# [mapcount](glossary.md#mapcount), [count](glossary.md#count),
# [reverse map](glossary.md#reverse-map). Exercises: 03a, 03b (10 points each).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. A program has read a [page](glossary.md#page), but not written it. Which right is missing in
#    its [page-table entry](glossary.md#pte)?
# 2. Where does the kernel look to see whether the program *may* write there?
# 3. What does the [pgoff](glossary.md#pgoff) of a file's [VMA](glossary.md#vma) say?
#
# <details><summary>Answers</summary>
#
# 1. W is missing. A write makes a [fault](glossary.md#fault).
# 2. It looks at the VMA.
# 3. It says which page of the file stands at the start of the VMA.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# A program asks for eight pages. It reads three of them to see whether they are empty. Then it
# writes two. How much memory has it used?

# %% [markdown]
# ## 3 · Predict and run
#
# [Frame](glossary.md#frame) 0 is always there. It does not count as memory that is used.

# %%
scene("03 frames")

# %% [markdown]
# ## 4 · Investigate
#
# A page that belongs to no file is called **anonymous**. Here is what the kernel knows about one.

# %%
kernel = Kernel(design="anongroup", frames=16, swap=4, geometry=LESSON)
p = kernel.spawn("p")
p.mmap(8 * PAGE_SIZE, at=0x30000)
p.write(0x31000, 7)
page = p.page(0x31000)
page

# %% [markdown]
# Two things lead back to the users of the page. Its `index` is its address without the last three
# digits: `0x31` for `0x31000`. Its `mapping` says whom to ask. Here that is a
# [group](glossary.md#group).
#
# The mail of 13 March 2004 begins with this: *"exactly \_one\_ virtual address"*. Whoever shares a
# page has got it by [fork](glossary.md#fork). So he has it at the same address. The first two rows
# below are about other answers, which come in notebook 09.

# %%
mail("03")

# %% [markdown]
# Why does the mail need a **flag**, too? Pages of files have a `mapping` and an `index` as well.
# There they name the file, and the place in the file. One bit says which of the two is meant.
#
# A page that was only read has none of this. It shows the zero page, and so do many others. The
# index 0 below is no address.

# %%
p.read(0x32000)
p.page(0x32000)

# %%
answer("03 index", ...)

# %% [markdown]
# Two more numbers belong to a frame. `mapcount` counts the page-table entries that name it. `count`
# counts everybody who holds it. The zero page is not counted: its mapcount stays 0.
#
# A [device](glossary.md#device) can hold a frame. Think of a disk that writes into memory what it
# has read. The frame must stay where it is until the disk is done. So the frame is
# [pinned](glossary.md#pin).

# %%
scene("03 pin")

# %% [markdown]
# 1. Suppose the kernel gave a frame away as soon as its mapcount is 0. What could the device do
#    then?
# 2. The kernel wants frame 1 back. It knows that the mapcount is 1. Does it know *which* entry that
#    is?
#
# <details><summary>Answers</summary>
#
# 1. It could write into memory that belongs to somebody else by then.
# 2. No. A count says how many, and never who.
#
# </details>

# %% [markdown]
# The kernel could read every [page table](glossary.md#page-table) to find out. Our function `scan`
# does so. It needs no help from anybody. A `vpn` is the number of a page: its address without the
# last three digits.

# %%
truth = scan(kernel)
at = truth.pfns == page.pfn
truth.mms[at], [hex(vpn) for vpn in truth.vpns[at]]

# %% [markdown]
# It found address space 1 and page `0x31`. The scan is right, and it is hopeless. A gigabyte has a
# quarter of a million pages. So the scan reads that many entries for each gigabyte of each process.
# All this is for *one* frame.
#
# A **reverse map** is whatever saves this work. In Linux (6.18) the function that asks it is
# `rmap_walk` in `mm/rmap.c`.

# %% [markdown]
# **Inverse question.** What has changed is marked in the picture. Which operation was it?

# %%
answer("03 inverse", ...)

# %% [markdown]
# ## 5 · Worked example
#
# A touch of one page has four steps. **Look** at the entry. **Decide** what the page needs: a frame
# of its own, the zero page, or nothing. **Take** a frame if one is needed. **Store** the new entry.
#
# Here is another case. A page of a file is mapped privately, and nobody has touched it. A read
# needs no new frame, since the file has one. The letters are P, U and A, which make 0x25.

# %%
write, file_frame, free_frame = False, 5, 9
frame = free_frame if write else file_frame
hex(frame * 4096 + 0x25)

# %% [markdown]
# On a range, the decision becomes an array of yes and no. Frames are handed out to those pages
# where it says yes. `np.flatnonzero` tells which pages these are.

# %% [markdown]
# ## 6 · Modify: exercise 03a

# %% tags=["exercise"]
# %%exercise 03a

# %% [markdown]
# ## 7 · Make: exercise 03b
#
# Find by hand all entries that name a frame, and count what it costs. Notebook 08 finds them in a
# better way.

# %% tags=["exercise"]
# %%exercise 03b

# %% [markdown]
# ## 8 · Bug museum
#
# A mutant takes the zero page for a page of the program, and writes into it. The history below does
# not show the bug. Write the shortest one that does. Who would notice it in a real system?

# %%
run_mutant("the zero page is written", "p = spawn\np mmap 0x30000 1\np write 0x30000 7\n")

# %% [markdown]
# <details><summary>What is missing?</summary>
#
# A read before the write is missing. Without it, the page never shows the zero page.
#
# Everybody would notice. Memory that a program has only read would hold 7, in all programs.
#
# </details>

# %% [markdown]
# ## 9 · Exit ticket
#
# 1. A program asks for a gigabyte and only reads it. How many frames does it use for its
#    pages?
# 2. The mapcount of a frame is 3. What do you know about the processes that use it?
#
# <details><summary>Answers to the exit ticket</summary>
#
# 1. It uses one frame, and shares it with everybody: the zero page. In Linux the page tables take
#    frames, too.
# 2. You know that three entries name it. A page without a file has one address, so these are the
#    entries of three address spaces. You do not know which.
#
# </details>

# %%
predicted("03")

# %%
progress()

# %% [markdown]
# Here are more questions of this notebook, as many as you like. After five right answers in a row
# the drill is done.

# %%
drill("03")

# %% [markdown]
# **Next:** [04 · fork](04_fork.ipynb).

# %% [markdown]
# **What people say.** Each question has an answer that many people give, and that is wrong.

# %%
beliefs("03")
