"""Processes that work together: where a system lets them share nothing, the folder is named."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from anonlab.proof import workers


def test_where_no_memory_is_shared_the_error_names_the_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def closed(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(workers, "ProcessPoolExecutor", closed)
    with (
        pytest.raises(PermissionError, match="need this folder") as caught,
        workers.process_pool(2),
    ):
        pass
    assert caught.value.filename == "/dev/shm"


def test_another_trouble_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(workers, "ProcessPoolExecutor", full)
    with pytest.raises(OSError, match="Too many open files"), workers.process_pool(2):
        pass
