"""The simulated kernel beside a running one, for lessons: every cell works on a kernel that may be
looked at, and on recordings where there is none.

source    what a kernel did with a history: the running one, or a recorded one, and why
steps     operation by operation: the same, a difference with the name of its rule, or none
rmaps     the kernel's own reverse map and the simulated anon_vma_chain, in one picture
"""
