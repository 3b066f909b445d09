# %% [markdown]
# # 05 · Copy on write
#
# **In 75 minutes you can** decide copy or reuse for any history, say whose page is copied, and
# kill a mutant of the kernel on purpose.
#
# You need [04 · fork](04_fork.ipynb). Terms: [copy on write](glossary.md#copy-on-write),
# [reuse](glossary.md#reuse), [pin](glossary.md#pin). Exercises: 05a, 05b (10 points each).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. Which words lose W at fork?
# 2. What happens to a swap entry at fork?
# 3. Does a read of a shared page change anything?
#
# <details><summary>Answers</summary>
#
# 1. Present words of private memory, on both sides.
# 2. It is copied, and its slot is used by one more.
# 3. Only the A bit of the reader's word.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# Parent and child share a page with a 7. The child writes 9. Then the parent writes 5. Then the
# child writes again.

# %%
story = """
parent = spawn
parent mmap 0x30000 1
parent write 0x30000 7
child = fork parent
child write 0x30000 9
parent write 0x30000 5
child write 0x30000 6
"""
trace = record(story, title="three writes")

# %% [markdown]
# ## 3 · Predict
#
# For each of the three writes after the fork: **who has a new frame after it?** `"parent"`,
# `"child"` or `"nobody"`, or `"I do not know"`.

# %%
predict("05 first write", ...)

# %%
predict("05 second write", ...)

# %%
predict("05 third write", ...)

# %% [markdown]
# ## 4 · Run

# %%
play(trace, "05 second write")

# %%
ends = [step.snapshot for step in operations(trace)[-4:]]
first, second, third = (processes_with_new_frames(ends[n], ends[n + 1]) for n in range(3))
faults = [f"{s.text}: {s.title}" for s in trace.steps if s.label.startswith("fault.wp")]
reveal("05 first write", faults, truth=first, among=("parent", "child", "nobody"))

# %%
reveal("05 second write", [], truth=second, among=("parent", "child", "nobody"))

# %%
reveal("05 third write", [], truth=third, among=("parent", "child", "nobody"))

# %% [markdown]
# The first write copied, and the **writer** got the copy. The second found nobody else at the
# page: **reuse**, the word only got its W back. The third faulted not at all. Whoever writes
# first pays.

# %% [markdown]
# ## 5 · Investigate
#
# How does the kernel know that nobody else has the page? It looks at one number, and the choice
# of that number has a history. Up to Linux 2.6.12 it was `count`.

# %%
kernel = Kernel(design="anongroup", frames=16, swap=4, geometry=LESSON)
parent = kernel.spawn("parent")
parent.mmap(4096, at=0x30000)
parent.write(0x30000, 7)
parent.pin(0x30000)
child = parent.fork("child")
child.exit()
parent.page(0x30000)

# %% [markdown]
# Before the fork, a device has pinned the page. The child is gone. mapcount says that one process
# maps the page, count says that two hold it. What will the parent's next write do?

# %%
before = kernel.snapshot()
parent.write(0x30000, 8)
picture(kernel.snapshot(), previous=before)

# %% [markdown]
# With `count` the page was copied, and the device still has the *old* frame: what it reads or
# writes there, the program does not see any more. From 2005 the rule looked at mapcount and swap
# entries. In 2020 count came back. Since 2022 a mark on the page comes first. Where fork has taken
# the mark away, the count decides, and a page that nobody else has gets the mark again. The same
# story under each rule:


# %%
def after_exit(rule):
    kernel = Kernel(design=AnonGroup(cow_rule=rule), frames=16, swap=4, geometry=LESSON)
    parent = kernel.spawn("parent")
    parent.mmap(4096, at=0x30000)
    parent.write(0x30000, 7)
    pinned = parent.pin(0x30000)[0]
    parent.fork("child").exit()
    parent.write(0x30000, 8)
    return "keeps the frame" if parent.page(0x30000).pfn == pinned else "gets a copy"


# %%
rules = ("count", "mapcount_swapcount", "count_only", "exclusive")
{rule: after_exit(rule) for rule in rules}

# %% [markdown]
# 1. Why is a copy under `count` not simply *wrong* for a page without a pin?
# 2. When another sharer exits, is the page copied once more?
#
# <details><summary>Answers</summary>
#
# 1. What the program reads is right either way; the copy costs a frame, and it breaks whoever
#    holds the old frame by its number.
# 2. No: exit only takes a mapping away.
#
# </details>

# %% [markdown]
# **And the mail?** The writer of a copy stays in the group of the page that it no longer has. So a
# walk will look at it in vain: *"rmap skips any vm's where the page might have been COW'ed"*, says
# the mail of the design before it, and a group does not.

# %%
mail("05")

# %% [markdown]
# In Linux the decision is taken in `do_wp_page`: `can_share_swap_page` in 2.6,
# `wp_can_reuse_anon_folio` today (6.18).
#
# **Inverse question.** a and b shared a page. Now each has one of its own, with other contents, and
# both words are writable. Which writes led here? More than one answer may fit.

# %%
answer("05 inverse", ...)

# %% [markdown]
# ## 6 · Worked example
#
# | the frame | count | decision |
# |---|---|---|
# | zero page | any | copy |
# | own | 1 | reuse |
# | shared with one other | 2 | copy |
# | own, pinned by a device | 2 | copy, under `count` |

# %% [markdown]
# Decide for each row:

# %%
answer("05 table", ...)

# %% [markdown]
# For a range the decision is an array of bools, made of two comparisons: `|` is "or" for arrays.
# Frames are taken once for all copies, before anything changes, so that a lack of memory leaves
# everything as it was.

# %% [markdown]
# ## 7 · Modify: exercise 05a

# %% tags=["exercise"]
# %%exercise 05a

# %% [markdown]
# ## 8 · Make: exercise 05b

# %%
statement("05b")

# %% tags=["exercise"]
# %%exercise 05b

# %% [markdown]
# ## 9 · Bug museum
#
# M03: a page is never reused. Everything stays correct. So what sees it? Find out with a history
# in which somebody is alone with a page and writes.

# %%
history = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\np write 0x30000 8\n"
run_mutant("a page is never reused", history)

# %% [markdown]
# <details><summary>Why does it live here?</summary>The page was never write-protected, so the
# second write did not fault. After a fork and an exit of the child it is: then the write must
# find the page alone. What sees the mutant is page identity over time: a page that is somebody's
# alone keeps its frame.</details>

# %% [markdown]
# ## 10 · Exit ticket
#
# 1. A server forks a worker, the worker exits, the server writes all its memory. How many pages
#    are copied?
# 2. The same, but the server writes while the worker still lives. Who gets the copies?

# %%
predicted("05")

# %%
progress()

# %% [markdown]
# More questions of this notebook, as many as you like. Five right in a row, and the drill is done.

# %%
drill("05")

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. None: all are reused, one fault each.
# 2. The server: the writer, whoever it is.
#
# </details>
#
# **Next:** [06 · execve and exit](06_execve_and_exit.ipynb), or, on the core track, [08 · The
# walk](08_the_walk.ipynb).
