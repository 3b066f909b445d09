# %% [markdown]
# # 05b · A real program
#
# **In 25 minutes you can** say what a shell pipeline does to memory. You can say who forks, and how
# long the processes share pages. You can say what `execve` throws away.
#
# You need notebooks 00 to 05. Terms: [fork](glossary.md#fork),
# [copy on write](glossary.md#copy-on-write), [execve](glossary.md#execve). The program is
# `bash -c 'ls / | wc -l'`. A real Linux machine ran it, and we kept the list of its system calls.

# %%
from collections import Counter

from anonlab.learn import *

# %% [markdown]
# ## The log
#
# The command `strace -f -e trace=memory,process` writes down every call that concerns memory or
# processes. Each line begins with the number of the process.

# %%
lines = strace_log("bash_pipeline").read_text().splitlines()
print(*(line[:98] for line in lines[:6]), sep="\n")

# %% [markdown]
# The log says what the program asked for. It does not say which [pages](glossary.md#page) the
# program touched. So the kit adds touches, by a rule that it states. To read the rule, run
# `help("anonlab.histories.strace.log")`.
#
# It counts every line that it could not use. Nothing is left out in silence.

# %%
imported = read_strace(strace_log("bash_pipeline"))
{"lines": imported.lines, "used": imported.used, "left out": imported.skipped}

# %% [markdown]
# ## Who is who
#
# Three processes take part. Look at the command once more: `bash -c 'ls / | wc -l'`. Who makes
# whom? Which program does each of them become? Guess first, then run the cell.

# %%
for moment in imported.moments:
    print(f"{moment.name:7} {moment.kind:7} {moment.what}")

# %% [markdown]
# A line with *fork* names the child, and then its parent. A line with *execve* names the program
# that the process becomes.

# %% [markdown]
# ## From fork to execve
#
# The stage shows the part from the first fork to the first execve of a child. The
# [page tables](glossary.md#page-table) have four levels here, as on x86-64. So runs of pages are
# folded. Click a run to open it.
#
# The button **Last** stops at every question.

# %%
scene("05b pipeline")

# %% [markdown]
# ## The whole run
#
# Now all calls run on the simulated kernel. After every operation everything is checked against a
# scan of all page tables.

# %%
report = replay(strace_log("bash_pipeline"), timeline=True)
report.to_json()

# %% [markdown]
# Here is the run as three lines. They count the [address spaces](glossary.md#mm) (*mms*), the
# [groups](glossary.md#group), and the pages that address spaces share. Find the two forks, and find
# what ends the sharing.

# %% jupyter={"source_hidden": true}
# This code draws the three lines.
points = report.points
series = {
    "shared pages": [point.shared for point in points],
    "mms": [point.mms for point in points],
    "groups": [point.groups for point in points],
}
marks = {m.operation: f"{m.kind} {m.what}"[:12] for m in imported.moments if m.kind != "exit"}
chart(series, "bash -c 'ls / | wc -l'", "operation", marks)

# %% [markdown]
# <details><summary>What ends it, and why does it matter?</summary>
#
# Each execve of a child ends the sharing of that child. It gives up all pages that fork had shared.
# Until then it has written only one of them.
#
# This is why fork does not copy pages. Most of the copies would be thrown away at once.
#
# </details>

# %% [markdown]
# ## When did sharing stop, page by page?
#
# A page can stop being shared in two ways. Somebody writes and gets a copy, or somebody leaves.
# Which of the two is more frequent here?

# %%
trace = record(imported.history, title="bash -c 'ls / | wc -l'")
Counter(step.title for step in trace.steps if step.label in ("fault.wp_copy", "exit.unmap"))

# %%
for step in trace.steps:
    if step.label in ("fork.share_ptes", "fault.wp_copy", "fault.wp_reuse", "exit.unmap"):
        print(f"{step.operation:3} {step.sentence}")

# %% [markdown]
# Look at the writes after each fork. The child wrote its stack first and got a copy. Then bash
# wrote the same page and found itself alone. Its page was [reused](glossary.md#reuse).

# %% [markdown]
# ## One moment, still
#
# This is the moment after the second fork. Three address spaces are in one group. Choose a page
# that all of them share. It has one address. So a walk looks at three places, and finds it in all
# three.

# %% jupyter={"source_hidden": true}
# This code draws the moment.
second = [step for step in operations(trace) if step.label == "fork"][1]
picture(second.snapshot)

# %% [markdown]
# ## Exit ticket
#
# 1. A server forks 1000 children. None of them calls execve. How many address spaces must a walk
#    visit to find all users of one page?
# 2. A child has written *all* of its pages. Is it still in the group? Does it have to be?
#
# Keep your answers. Notebooks 08 and 09 measure them.

# %%
predicted("05b")

# %% [markdown]
# ## Your own program
#
# On Linux you can record any program. The first line writes the log, and the second makes a page of
# it:
#
# ```
# strace -f -e trace=memory,process -o my.log COMMAND
# anonlab replay my.log --html my.html
# ```
#
# Then open `my.html` in a browser. It is the stage, and it needs no network.
