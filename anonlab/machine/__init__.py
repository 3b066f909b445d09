"""What the hardware sees: words, frames, page tables, swap slots. It knows no process."""
