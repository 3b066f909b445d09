# %% [markdown]
# # 06 · execve and exit
#
# **In 45 minutes you can** take an address space apart, and say who frees a
# shared page. You can show why fork followed by
# execve is cheap.
#
# You need [05 · Copy on write](05_copy_on_write.ipynb). Exercises: 06a, 06b (10 points each).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. Two processes share a page, and one of them exits. Is the page copied for the other?
# 2. Somebody writes to a shared page. Which number decides whether it is copied?
# 3. What does fork do with an entry that names a slot on swap?
#
# <details><summary>Answers</summary>
#
# 1. No.
# 2. In the kernel of 2004 it is the [count](glossary.md#count) of the page.
# 3. It copies the entry, and counts one more user of the slot.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# You type `ls` in a shell. The shell forks. The child calls execve and becomes the program `ls`.
# `ls` prints its list and exits.
#
# For a moment the child had all of the shell's memory. It used almost none of it. What did that
# cost?

# %% [markdown]
# ## 3 · Predict and run
#
# The story begins when the child has written to one page. This page was copied for it by
# copy on write. It still shares three pages with the shell.

# %%
scene("06 ls")

# %% [markdown]
# ## 4 · Investigate
#
# The mail says what execve does to the group. It *"creates a new "anon memory
# group" and drops the old one"*. To drop means to leave. The shell is still in the old group.
#
# From then on the kernel never looks at `ls` for a page of the shell. And it never looks at the
# shell for a page of `ls`.

# %%
mail("06")

# %% [markdown]
# Go back in the scene, and step through execve and exit once more. Read the line over the picture.
#
# 1. Does the new program inherit any anonymous page?
# 2. At exit, the pages go, and the address space leaves its group. In which order? Why not the
#    other order?
# 3. Parent and child share a page. The parent exits first. Who frees the page?
#
# <details><summary>Answers</summary>
#
# 1. No. The new address space starts empty.
# 2. First the pages go, and then the membership. As long as a page is mapped, the kernel must be
#    able to find it through the group.
# 3. The child does, or whoever has the page last.
#
# </details>

# %% [markdown]
# ### vfork and threads
#
# There is a call that goes further than fork. With **vfork** the child does not even get
# page tables of its own.

# %%
scene("06 vfork")

# %% [markdown]
# Threads live in this way all the time. A server with a thousand threads has one address space. So
# its group has one member. That is why the mail does not fear servers with threads.
#
# Here is the same in code. Parent and child have one address space, `mm`.

# %%
kernel = Kernel(design="anongroup", frames=16, swap=0, geometry=LESSON)
shell = kernel.spawn("shell")
child = shell.vfork("child")
{"one address space": child.mm is shell.mm}

# %% [markdown]
# fork or vfork? Count the pages that are copied in each story, from its beginning to its end.

# %%
answer("06 copies", ...)

# %% [markdown]
# Linux 6.18 takes an address space apart in `exit_mmap`. It replaces one in `exec_mmap`.
#
# **Inverse question.** Two processes shared three frames. Now they share none,
# and no page was copied. Which calls led to this? More than one answer may fit.

# %%
answer("06 inverse", ...)

# %% [markdown]
# ## 5 · Worked example
#
# One page-table entry goes. The kernel takes three steps.
#
# 1. **Look.** The entry is 0, a swap entry, the
#    zero page, or a frame.
# 2. **Subtract 1.** For a frame, mapcount and count fall by 1. For a swap entry, the slot has one
#    user less.
# 3. **Free** the frame if its count is 0.
#
# Exercises call the number in a slot a [word](glossary.md#word).

# %% [markdown]
# Here is a case that looks like it. A device lets go of frame 3. The device has no entry, so only
# count falls. One process still maps the frame. Is it free?

# %%
count, mapcount = {3: 2}, {3: 1}
count[3] -= 1
{"free": count[3] == 0}

# %% [markdown]
# With arrays, `a[places] -= 1` subtracts 1 at many places at once. There is a trap: if a place is
# in the list twice, it still loses only 1. Here it does not matter, because a process maps a frame
# only once.

# %% [markdown]
# ## 6 · Modify: exercise 06a

# %% tags=["exercise"]
# %%exercise 06a

# %% [markdown]
# ## 7 · Make: exercise 06b

# %% tags=["exercise"]
# %%exercise 06b

# %% [markdown]
# ## 8 · Bug museum
#
# Bug M10 is in execve: the new address space stays in the old group. No answer becomes wrong. The
# kernel still finds everybody who maps a page. What is wrong then? And why does the story below not
# show it?

# %%
history = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\np execve ls\n"
run_mutant("execve keeps the old group", history)

# %% [markdown]
# <details><summary>Which story shows the bug?</summary>
#
# Somebody else must be in the old group and have a page there. So the process must fork before it
# calls execve.
#
# Then the kernel looks at an address space that cannot have the page. This costs time, and a rule
# of the checks forbids it.
#
# </details>

# %% [markdown]
# ## 9 · Exit ticket
#
# 1. A server with a gigabyte of memory starts a program with fork and execve. What is copied?
# 2. A child never calls execve, and has written to all its pages. The kernel looks for a page of
#    the parent. Does it look at the child?

# %%
predicted("06")

# %%
progress()

# %% [markdown]
# The drill has more questions of this kind. It ends when five in a row are right.

# %%
drill("06")

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. The page tables are copied, and each page that is written before the execve.
# 2. Yes. The child is in the group, though each of its entries names another frame.
#
# </details>
#
# **Next:** [07 · mremap](07_mremap.ipynb).

# %% [markdown]
# **What people say.** Each question has an answer that many people give, and that is wrong.

# %%
beliefs("06")
