# %% [markdown]
# # 10b · Then and now
#
# **In 15 minutes you can** see what you have learnt.
#
# This is the end of the course. It does not matter whether you did all of it, or the core (01 to 05
# and 08). In [00 · Start here](00_start_here.ipynb) you could answer eight scenarios. Here are
# eight of the same kind, with other programs and other numbers. They carry no points.

# %%
from anonlab.learn import *

# %% [markdown]
# ## Eight scenarios, again
#
# Think of each as a story. Who has which page, who maps it, and who writes? "I don't know" is still
# a good answer.

# %%
final()

# %% [markdown]
# ## Then and now
#
# The list shows what you thought then, what you think now, and what happens on the simulated
# kernel. Where do you still differ from it? Open this notebook again.

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
# The eighth scenario is about designs. Remember that the anon memory group was proposed in 2004,
# and that Linux did not take it.
#
# ## All your predictions
#
# Here are all of them, from the first notebook to the last. Beside each stands what happened. The
# number of right ones does not matter. Which of them surprised you most?

# %%
predicted("")

# %%
progress()

# %% [markdown]
# ## To hand in
#
# Open a terminal in the folder of the course. `anonlab export` puts your exercises and this log
# into one file. Nothing leaves your machine before you send it.
