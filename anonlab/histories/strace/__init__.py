"""A strace log becomes a history: lines and calls, processes, mappings."""
