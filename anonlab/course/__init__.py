"""The course: its notebooks, and what people need to give it."""
