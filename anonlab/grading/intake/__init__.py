"""From what was handed in to accepted files: archives, notebooks, names, the roster."""
