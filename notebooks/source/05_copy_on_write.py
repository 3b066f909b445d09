# %% [markdown]
# # 05 · Copy on write
#
# **In 75 minutes you can** say for any history whether a page is copied, and for whom. You can kill
# a mutant of the kernel on purpose.
#
# You need [04 · fork](04_fork.ipynb). Terms: [copy on write](glossary.md#copy-on-write),
# [reuse](glossary.md#reuse), [pin](glossary.md#pin). Exercises: 05a, 05b (10 points each).

# %%
import numpy as np

from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. Which [page-table entries](glossary.md#pte) lose the right to write at
#    [fork](glossary.md#fork)?
# 2. What does fork do with the entry of a [page](glossary.md#page) in [swap](glossary.md#swap)?
# 3. Somebody reads a shared page. Does anything change?
#
# <details><summary>Answers</summary>
#
# 1. The present entries of private memory lose it, on both sides.
# 2. It copies the entry, and it counts one more user of the slot.
# 3. The machine sets ACCESSED (letter A) in the entry of the reader. Nothing else changes.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# A parent and its child share a page. It holds the number 7. The child writes 9. Then the parent
# writes 5. Then the child writes again. What does each of these writes cost?

# %% [markdown]
# ## 3 · Predict and run

# %%
scene("05 three writes")

# %% [markdown]
# ## 4 · Investigate
#
# Parent and child often share many pages. What does one write cost then?

# %%
scene("05 one of eight")

# %% [markdown]
# A family may have more than two members. Here p forks c, and c forks g. Does it matter that c is
# between p and g?

# %%
scene("05 grandchild")

# %% [markdown]
# How does the kernel know that nobody else has the page? It looks at a number of the
# [frame](glossary.md#frame). Up to Linux 2.6.12 this number was the [count](glossary.md#count).
#
# The count counts devices, too. A device can *pin* a frame and use it by its number. Such
# a [pin](glossary.md#pin) counts like an entry. Try it.

# %%
scene("05 pin")

# %% [markdown]
# The rule has changed three times since then. In all rows below, a page is copied if the answer is
# no.
#
# | until or since | name here | what the kernel asks at a write |
# |---|---|---|
# | until 2005 | `count` | Is the count 1? The [swap cache](glossary.md#swap-cache) is left out. |
# | 2005 | `mapcount_swapcount` | Is the [mapcount](glossary.md#mapcount) plus its swap entries 1? |
# | 2020 | `count_only` | Is the count 1? The swap cache is one of the users now. |
# | 2022 | `exclusive` | Does the page have the mark? If not: is the count 1? |

# %% [markdown]
# The mark is called [exclusive](glossary.md#exclusive). fork takes it away. A page gets it again
# when a write finds no other user.
#
# The next cell runs the story of the pin under each rule. Who has a new frame after the last write?

# %%
story = """
parent = spawn
parent mmap 0x30000 1
parent write 0x30000 7
parent pin 0x30000
child = fork parent
child exit
parent write 0x30000 8
"""

# %%
for rule in ("count", "mapcount_swapcount", "count_only", "exclusive"):
    trace = record(story, AnonGroup(cow_rule=rule))
    before, after = [step.snapshot for step in operations(trace)[-2:]]
    print(f"{rule:20} {processes_with_new_frames(before, after)}")

# %% [markdown]
# 1. Think of a page without a pin, and of the rule `count`. Sometimes it makes a copy that nobody
#    needs. Does the program then read a wrong number?
# 2. Under `exclusive` nobody has a new frame at the last write. Look at the step before: what must
#    fork have done with the page that had a pin?
#
# <details><summary>Answers</summary>
#
# 1. No. It reads the same number from its copy. A copy costs a frame and some time. Only a device
#    that uses the old frame by its number would be harmed.
# 2. The page had a pin. So fork copied it for the child at once. The page of the parent kept its
#    mark and the right to write.
#
# </details>

# %% [markdown]
# You know many cases now. What does the kernel do in these?

# %%
answer("05 table", ...)

# %% [markdown]
# All this was about *private* memory. `mmap` can also make memory that is shared on purpose. In
# Linux the flag for it is MAP_SHARED. The kernel keeps such pages like those of a file. Here this
# file is called `shmem1`. What is different there?

# %%
scene("05 shared on purpose")

# %% [markdown]
# Copies need memory, too. When does a program learn that there is too little of it?

# %%
scene("05 no memory")

# %% [markdown]
# **And the mail?** A writer that has got a copy does not have the old page any more. But it stays
# in the [group](glossary.md#group) of that page. A walk of the reverse map asks each member of the
# group for the page. It asks this writer in vain.
#
# The mail compares this with the reverse map that Linux had then: a list for each page, called
# rmap. That one *"skips any vm's where the page might have been COW'ed"*. (A *vm* is an address
# space, and *COW'ed* means copied on write.) A group does not.

# %%
mail("05")

# %% [markdown]
# In Linux the function `do_wp_page` decides. In 2.6 it asks `can_share_swap_page`. Today (6.18) it
# asks `wp_can_reuse_anon_folio`.
#
# **Inverse question.** a and b shared frame 1. Now each has a frame of its own. The contents
# differ, and both entries are writable. First look who has frame 1 now. Which writes led here? More
# than one answer may fit.

# %%
answer("05 inverse", ...)

# %% [markdown]
# ## 5 · Worked example
#
# Who holds a frame without an entry? For one page: **look** at both numbers, and **decide**. If the
# count is larger than the mapcount, somebody else holds the frame.
#
# For many pages the decision is an array of yes and no. `np.flatnonzero` says where the yes stands.

# %%
counts, mapcounts = np.array([1, 2, 3, 2]), np.array([1, 1, 3, 2])
np.flatnonzero(counts > mapcounts)

# %% [markdown]
# Two such arrays can be joined: `|` means "or". Our machine **takes** the frames for all copies of
# a range at once, before it changes anything. If there are too few, everything stays as it was.
#
# A real program writes one page after the other, and each page has a fault of its own. There the
# first pages are copied, and the fault that finds no frame comes later.

# %% [markdown]
# ## 6 · Modify: exercise 05a

# %% tags=["exercise"]
# %%exercise 05a

# %% [markdown]
# ## 7 · Make: exercise 05b
#
# The [glossary](glossary.md) has a table of all operations that a history may have.

# %%
statement("05b")

# %% tags=["exercise"]
# %%exercise 05b

# %% [markdown]
# ## 8 · Bug museum
#
# Mutant M03 never writes in place: it copies at every fault. All contents stay right. So which
# check can see it? Change the history until somebody is alone with a page and writes.

# %%
history = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\np write 0x30000 8\n"
run_mutant("a page is never reused", history)

# %% [markdown]
# <details><summary>Why does this history not find the bug?</summary>
#
# Nobody took the right to write away. So the second write makes no [fault](glossary.md#fault). Fork
# takes the right away. When the child has exited, the parent is alone, and its write makes a fault.
#
# One check sees this mutant: a page that belongs to one program alone must keep its frame.
#
# </details>

# %% [markdown]
# ## 9 · Exit ticket
#
# 1. A server forks a worker. The worker exits. Then the server writes all its memory. How many
#    pages are copied?
# 2. Now the server writes while the worker still lives. Who gets the copies?
#
# <details><summary>Answers to the exit ticket</summary>
#
# 1. None is copied. All are reused. On Linux each page takes one fault.
# 2. The server gets them. The copy always goes to the writer.
#
# </details>

# %%
predicted("05")

# %%
progress()

# %% [markdown]
# Here are more questions of this notebook, as many as you like. After five right answers in a row
# the drill is done.

# %%
drill("05")

# %% [markdown]
# **Next:** [06 · execve and exit](06_execve_and_exit.ipynb). On the core track it is
# [08 · The walk](08_the_walk.ipynb).

# %% [markdown]
# **What people say.** Each question has an answer that many people give, and that is wrong.

# %%
beliefs("05")
