"""Rules for all tests: which run where (support/lanes.py), what may be skipped (skips.py), and what
is built once for several files of them (whole_site.py)."""

from __future__ import annotations

pytest_plugins = ("lanes", "skips", "whole_site")

collect_ignore = ["grading/toy"]
"""A course of its own, for the tests of grading: its tests want a student."""


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Call a value by its argument where it is too long for a name, or no text at all."""
    too_long = isinstance(val, str) and len(val) > 100
    return argname if too_long or isinstance(val, bytes) else None
