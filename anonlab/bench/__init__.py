"""How fast the simulator is, beside the Linux kernel that runs below it: `anonlab bench`.

simulator  what the simulated machine takes for the yardstick's steps, walks, faults, import
report     both sides in one run, held against the project's budgets

The kernel's half is a C program, `anonlab/linux/yardstick.c`.
"""
