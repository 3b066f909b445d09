# %% [markdown]
# # 06 · execve and exit
#
# **In 45 minutes you can** take an address space apart, say who frees a shared page, and show why
# fork followed by execve is cheap.
#
# You need [05 · Copy on write](05_copy_on_write.ipynb). Terms: [execve](glossary.md#execve),
# [group](glossary.md#group), [count](glossary.md#count). Exercises: 06a, 06b (10 points each).

# %%
from anonlab.learn import *

# %% [markdown]
# ## 1 · Recall
#
# 1. When a sharer exits, is the page copied for the one who stays?
# 2. Which number decides whether a write copies or reuses?
# 3. What does fork do to a swap entry?
#
# <details><summary>Answers</summary>
#
# 1. No.
# 2. count, in the kernel of 2004.
# 3. It copies it, and counts one more user of the slot.
#
# </details>

# %% [markdown]
# ## 2 · Story
#
# You type `ls`. The shell forks, the child calls `execve`, `ls` runs and exits. For a moment the
# child had all of the shell's memory; it used next to none of it.

# %%
story = """
shell = spawn
shell mmap 0x30000 4
shell write 0x30000 7 4
child = fork shell
child write 0x30000 9
child execve ls
shell write 0x31000 8
child exit
"""
trace = record(story, title="typing ls")

# %% [markdown]
# ## 3 · Predict
#
# **How many frames are in use after the fork, after the child's write, after execve, after the
# shell's write, and at the end?** The zero page does not count. The arguments and the stack of `ls`
# take two. Five numbers, such as `"4 4 4 4 4"`, or `"I do not know"`.

# %%
predict("06 frames", ...)

# %% [markdown]
# ## 4 · Run

# %%
play(trace, "06 frames")

# %%
ends = operations(trace)[4:]
used = [frames_used(step.snapshot) for step in ends]
lines = [f"{step.text:24} {number} frames" for step, number in zip(ends, used, strict=True)]
reveal("06 frames", lines, truth=used)

# %% [markdown]
# fork took no frame, the child's write took one. execve gave that one back, and took two for the
# stack; the four pages of the shell stayed, because the **last mapping** frees a page. The
# shell's write after that found its page alone.

# %% [markdown]
# ## 5 · Investigate

# %%
moments = [step for step in operations(trace) if step.label in ("fork", "execve", "exit")]
for step in moments:
    groups = [node for node in step.snapshot.nodes if node.kind == "group"]
    print(step.text, [(node.label, dict(node.facts)["mms"]) for node in groups])

# %% [markdown]
# The mail: *"an "execve()" creates a new "anon memory group" and drops the old one"*. To *drop* is
# to leave: the shell is still in the old group. From then on no walk for a page of the shell looks
# at `ls`, and none for a page of `ls` looks at the shell.

# %%
mail("06")

# %%
for step in trace.steps:
    if step.label.startswith(("execve", "exit")):
        print(f"{step.title:32} {step.source}")

# %% [markdown]
# 1. Does execve inherit any anonymous page?
# 2. In which order do the pages, the VMAs and the membership of the group go at exit? Why not the
#    membership first?
# 3. Who frees a page that parent and child share, if the parent exits first?
#
# <details><summary>Answers</summary>
#
# 1. None: the new address space starts empty.
# 2. Pages, VMAs, membership: a mapped page must be found through its group as long as it is
#    mapped.
# 3. The child, or whoever has it last.
#
# </details>

# %% [markdown]
# **vfork** goes further: the child does not even get tables of its own. Threads live like that all
# the time, and so the mail is not afraid of servers with many of them: one address space, one
# member of the group, nothing shared that could be copied.

# %%
kernel = Kernel(design="anongroup", frames=16, swap=0, geometry=LESSON)
shell = kernel.spawn("shell")
shell.mmap(4 * 4096, at=0x30000)
shell.write_range(0x30000, [1, 2, 3, 4])
child = shell.vfork("child")
child.mm is shell.mm, shell.page(0x30000)

# %% [markdown]
# fork or vfork? Count what is copied, from the start of the story to its end.

# %%
answer("06 copies", ...)

# %% [markdown]
# Row c has a price: what the child wrote, the shell finds in its own memory. So a child of vfork
# should write nothing, and call execve at once.
#
# In Linux (6.18) an address space is taken apart in `exit_mmap`, and replaced in `exec_mmap`.
#
# **Inverse question.** Two processes shared three frames. Now no frame is shared, and none was
# copied. Which calls led here? More than one answer may fit.

# %%
answer("06 inverse", ...)

# %% [markdown]
# ## 6 · Worked example
#
# One word goes. **Look** at it: 0, entry, zero page, or frame. **Take** one off mapcount and
# count of the frame, or one off the slot's use. **Free** the frame if count is 0.

# Here a device lets go of frame 3, which one process maps: a device has no word, so mapcount stays.

# %%
count, mapcount = {3: 2}, {3: 1}
count[3] -= 1
{"free": count[3] == 0}

# %% [markdown]
# On arrays: `a[places] -= 1` takes one off at many places at once. With repeats it would count each
# of them once; a process maps a frame only once.

# %% [markdown]
# ## 7 · Modify: exercise 06a

# %% tags=["exercise"]
# %%exercise 06a

# %% [markdown]
# ## 8 · Make: exercise 06b

# %% tags=["exercise"]
# %%exercise 06b

# %% [markdown]
# ## 9 · Bug museum
#
# M10: execve stays in the old group. No answer is ever wrong: who maps a page is still found.
# What is wrong then, and which check sees it?

# %%
history = "p = spawn\np mmap 0x30000 1\np write 0x30000 7\np execve ls\n"
run_mutant("execve keeps the old group", history)

# %% [markdown]
# <details><summary>Which history kills it?</summary>There must be somebody else in the old group,
# with a page: fork before execve. Then a walk looks into an address space that no fork since its
# execve connects with the page: a false candidate that costs, and that a rule of the checks
# forbids.</details>

# %% [markdown]
# ## 10 · Exit ticket
#
# 1. A server with a gigabyte of memory starts a program with fork and execve. What is copied?
# 2. A child that never calls execve has written all its pages. Is it still looked at when one of
#    the server's pages is walked?

# %%
predicted("06")

# %%
progress()

# %% [markdown]
# More questions of this notebook, as many as you like. Five right in a row, and the drill is done.

# %%
drill("06")

# %% [markdown]
# <details><summary>Answers</summary>
#
# 1. Page tables, and whatever is written in between.
# 2. Yes: it is in the group, and each of its words names another frame.
#
# </details>
#
# **Next:** [07 · mremap](07_mremap.ipynb).
