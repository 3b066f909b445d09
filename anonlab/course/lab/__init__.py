"""The lab worth a week: a machine that a student writes, beside the simulated kernel."""
