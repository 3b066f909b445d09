"""Drills: endless questions from seeds, each with its truth and explanations, as plain data."""
