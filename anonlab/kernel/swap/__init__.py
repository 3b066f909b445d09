"""Memory and swap: pages leave (reclaim), come back (swap_in), and all at once (swapoff)."""
