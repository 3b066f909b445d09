"""Where a student's code runs: a process that can compute and answer, and nothing else."""
