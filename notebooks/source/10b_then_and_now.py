# %% [markdown]
# # 10b · Then and now
#
# **In 15 minutes you can** see what has changed in your head.
#
# This is the end of the course, whether you did all of it or the core, 01 to 05 and 08. In [00 ·
# Start here](00_start_here.ipynb) you answered eight scenarios. Here are eight of the same kind,
# with other programs and other numbers. They carry no points.

# %%
from anonlab.learn import *

# %% [markdown]
# ## Eight scenarios, again
#
# Take each as a story: who has which page, who maps it, who writes? `?` is still a good answer.

# %%
final()

# %% [markdown]
# Write your eight letters in place of the dots, in quotation marks, and run the cell.

# %%
final(...)

# %% [markdown]
# ## Then and now
#
# What you thought, what you think, and what happens on the simulated kernel. Where you still differ
# from it: which notebook would you open again?

# %%
then_and_now()

# %% [markdown]
# | scenario | notebook |
# |---|---|
# | 1 fork | [04 · fork](04_fork.ipynb) |
# | 2 copy on write, 3 alone again | [05 · Copy on write](05_copy_on_write.ipynb) |
# | 4 the last one frees, 7 execve | [06 · execve and exit](06_execve_and_exit.ipynb) |
# | 5 touching | [03 · Anonymous pages](03_anonymous_pages.ipynb) |
# | 6 swap | [08 · The walk](08_the_walk.ipynb) |
# | 8 which design | [09 · Designs compared](09_designs_compared.ipynb) |

# %% [markdown]
# ## All your predictions
#
# From the first notebook to the last, beside what happened. It is not the number that counts: about
# which of them were you most surprised?

# %%
predicted("")

# %%
progress()

# %% [markdown]
# ## To hand in
#
# In a terminal, in the folder of the course, `anonlab export` puts your exercises and this log into
# one file. Nothing leaves your machine before you send it.
