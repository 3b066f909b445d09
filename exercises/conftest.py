"""Lets `pytest exercises` run the public tests. Generated: `anonlab course build`."""

from anonlab.course.judging.pytest_hooks import pytest_collect_file, seed, student  # noqa: F401
