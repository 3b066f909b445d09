"""Families of a thousand children are counted in `make test`, not in the quick lane."""

from __future__ import annotations

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark them."""
    if getattr(item, "callspec", None) and item.callspec.params.get("n") == 1000:
        item.add_marker(pytest.mark.slow(share=1))
