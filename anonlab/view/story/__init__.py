"""What is told of a trace: its steps as numbers, its words, its text."""
