"""A whole trace to step through, in a notebook and as a page."""
