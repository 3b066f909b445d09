"""Operations in columns read like the tuple that they stand for, whatever they hold."""

from __future__ import annotations

import tracemalloc

import pytest

from anonlab.formats.history import History, Op
from anonlab.formats.packed_ops import PackedOps
from anonlab.histories.generate import generate

ODD = (
    Op("mmap", "p", {"addr": "any", "pages": 3, "prot": "r", "shared": True}, 4),
    Op("write", "p", {"addr": (1 << 63) - 1, "value": -(1 << 63), "pages": 1}),
    Op("write", "p", {"addr": 1 << 63, "value": 1 << 200}, 1 << 40),
    Op("write", "p", {"addr": True, "value": 0}),
    Op("exit", "p", {}),
)
"""Words for numbers, numbers that fill a column or do not fit, True for 1, and nothing at all."""


@pytest.mark.parametrize("first", [0, 1, 3, 5])
def test_packed_operations_are_the_operations(first: int) -> None:
    ops = (*ODD, *generate(1, 300).ops)
    packed = PackedOps()
    for op in ops[first:]:
        packed.append(op)
    packed = packed.after(ops[:first])
    assert tuple(packed) == ops
    assert packed == ops
    assert len(packed) == len(ops)
    assert [op.line for op in packed] == [op.line for op in ops]
    assert [type(op.args.get("addr")) for op in packed] == [type(op.args.get("addr")) for op in ops]
    assert packed[-1] == ops[-1]
    assert packed[-len(ops)] == ops[0]
    assert packed[3:9:2] == ops[3:9:2]
    for wrong in (len(ops), -len(ops) - 1):
        with pytest.raises(IndexError):
            packed[wrong]
    assert History(packed) == History(ops)
    assert packed != ops[:-1]
    assert History(packed).dumps() == History(ops).dumps()


@pytest.mark.parametrize("pages", [1, 2, (1 << 32) - 1, 1 << 32, 1 << 35])
@pytest.mark.parametrize("value", [0, 8, 1 << 32])
def test_ranges_and_touches_are_the_operations_that_they_are_called(pages: int, value: int) -> None:
    packed = PackedOps()
    packed.add_range("mprotect", "p", 3, 0x1000, pages, (("prot", "r"),))
    packed.add_touch("write", "p", 4, 0x2000, pages, value)
    packed.add_touch("read", "p", 5, 0x3000, pages, None)
    some = {} if pages == 1 else {"pages": pages}
    assert tuple(packed) == (
        Op("mprotect", "p", {"addr": 0x1000, "pages": pages, "prot": "r"}),
        Op("write", "p", {"addr": 0x2000, "value": value, **some}),
        Op("read", "p", {"addr": 0x3000, **some}),
    )
    assert [op.line for op in packed] == [3, 4, 5]


def test_an_operation_takes_thirty_bytes() -> None:
    """28 in its columns, and a sixteenth that an array grows by in advance."""
    packed, noperations = PackedOps(), 20_000
    tracemalloc.start()
    for number in range(noperations):
        packed.add_range("munmap", f"p{number % 9}", number, number << 12, 1 + number % 16)
    bytes_now, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert bytes_now <= 30 * noperations
