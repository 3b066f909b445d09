"""Fixtures of several files."""

from __future__ import annotations

from small_course import one_grader, small  # noqa: F401
