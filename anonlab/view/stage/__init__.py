"""One moment as a picture and as text: page tables, frames, what the design keeps."""
