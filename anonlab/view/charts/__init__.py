"""Counts as pictures: lines, bars, what designs cost."""
