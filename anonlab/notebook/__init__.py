"""What Jupyter gets: objects that show themselves, and the bench for trying things out."""
