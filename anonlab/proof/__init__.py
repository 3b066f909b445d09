"""How do we know that it is right? The scan of all page tables, and all that is held to it."""
