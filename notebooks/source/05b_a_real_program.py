# %% [markdown]
# # 05b · A real program
#
# **In 25 minutes you can** say what a shell pipeline does to memory: who forks, what is shared and
# for how long, and what `execve` throws away.
#
# You need 00 to 05: page tables, fork and copy on write. The program is `bash -c 'ls / | wc -l'`. A
# real Linux machine ran it, and we kept the list of its system calls.

# %%
from collections import Counter

from anonlab.learn import *

# %% [markdown]
# ## The log
#
# `strace -f -e trace=memory,process` writes down every call that concerns memory or processes. The
# number in front of each line is the process.

# %%
lines = strace_log("bash_pipeline").read_text().splitlines()
print(*(line[:98] for line in lines[:6]), sep="\n")

# %% [markdown]
# The log does not say which pages the program *touched*, only what it asked for. The kit adds
# touches by a stated rule (`help("anonlab.histories.strace.log")` prints it) and counts every line
# that it could not use. Nothing is dropped in silence.

# %%
imported = read_strace(strace_log("bash_pipeline"))
{"lines": imported.lines, "used": imported.used, "left out": imported.skipped}

# %% [markdown]
# ## Who is who
#
# Three processes take part. Which system calls made them, and which program did each become? Guess
# from the command line first: `bash -c 'ls / | wc -l'`.

# %%
for moment in imported.moments:
    print(f"{moment.name:7} {moment.kind:7} {moment.what}")

# %% [markdown]
# bash forks **twice**, once for each side of the pipe. Each child then calls `execve` and becomes
# another program: one `wc`, the other `ls`. (The name after *fork* is the parent.)

# %% [markdown]
# ## Replay
#
# Now the same calls run on the simulated kernel, with 4-level page tables as on x86-64, and after
# every operation everything is checked against a scan of all page tables.

# %%
report = replay(strace_log("bash_pipeline"), timeline=True)
report.to_json()

# %% [markdown]
# ## Predict
#
# Draw three lines in your head, from the first call to the last: how many address spaces (**mms**)
# there are, how many **groups**, and how many anonymous pages are **shared** between address
# spaces. When does each line go up? When does it go down?

# %%
points = report.points
series = {
    "shared pages": [point.shared for point in points],
    "mms": [point.mms for point in points],
    "groups": [point.groups for point in points],
}
marks = {m.operation: f"{m.kind} {m.what}"[:12] for m in imported.moments if m.kind != "exit"}
chart(series, "bash -c 'ls / | wc -l'", "operation", marks)

# %% [markdown]
# Sharing begins with a `fork` and is over soon after: **`execve` ends it**. The child gave up all
# the pages that fork had so carefully shared, often without having written more than one. This is
# why Linux does not copy at fork: most of the copies would be thrown away at once.

# %% [markdown]
# ## Which groups did `execve` drop?
#
# In the mail, `execve` *"creates a new 'anon memory group' and drops the old one"*. Drops means:
# leaves. Does the old group disappear?

# %%
trace = record(imported.history, title="bash -c 'ls / | wc -l'")
moments = [s for s in operations(trace) if s.label in ("fork", "execve", "exit")]
for step in moments:
    living = [node for node in step.snapshot.nodes if node.kind == "group"]
    members = ", ".join(f"{node.label}: {dict(node.facts)['mms']} mms" for node in living)
    print(f"{step.process:7} {step.label:7} -> {members or 'no group'}")

# %% [markdown]
# The group of bash never disappeared: bash was still in it. A group goes when its *last* member
# leaves. Only the very first `execve`, where a lone process became bash, dropped a whole group.

# %% [markdown]
# ## When did sharing stop, page by page?
#
# Sharing of a page ends in one of two ways: somebody writes and gets a copy, or somebody leaves.
# Count them.

# %%
Counter(step.title for step in trace.steps if step.label in ("fault.wp_copy", "exit.unmap"))

# %%
for step in trace.steps:
    if step.label in ("fork.share_ptes", "fault.wp_copy", "fault.wp_reuse", "exit.unmap"):
        print(f"{step.operation:3} {step.sentence}")

# %% [markdown]
# Look at the writes after the forks. The child wrote its stack and got a **copy**; then bash wrote
# the same page and found itself alone: **reuse**. Whoever writes first pays.

# %% [markdown]
# ## Step through it
#
# From the first `fork` to the first `execve`, step by step. Predict before you press <kbd>→</kbd>:
# at the second `fork`, how many mms does the group have? At `execve`, which pages leave the board,
# and which stay?

# %%
first = imported.moments[1].operation
chosen = [step for step in trace.steps if first <= step.operation <= first + 6]
before = [step for step in operations(trace) if step.operation == first - 1]
player = Player(Trace("bash -c 'ls / | wc -l', from fork to execve", (*before, *chosen)))
player

# %% [markdown]
# ## One moment, still
#
# Just after the second fork, three address spaces are in one group. A page that all of them share
# has one address, so a walk looks at three places, and finds it in all three.

# %%
second = [step for step in operations(trace) if step.label == "fork"][1]
picture(second.snapshot)

# %% [markdown]
# ## Exit ticket
#
# 1. A server forks 1000 children and none of them calls `execve`. How many mms must a walk visit to
#    find all users of one page?
# 2. A child has written *all* of its pages. Is it still in the group? Does it have to be?
#
# Keep your answers: notebooks to come will measure them.

# %% [markdown]
# ## Your own program
#
# On Linux, record any program with
# `strace -f -e trace=memory,process -o my.log COMMAND` and run `anonlab replay my.log --html
# my.html` in a terminal. Then open `my.html`: it is the player, and needs no network.
