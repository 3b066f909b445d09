"""A stand-in for NumPy in plain Python: as much of it as anonlab uses, and no more.

NumPy for browsers comes from Pyodide's distribution, and there is none where no network is. There the
tests of the browser (test_lite.py) take this in its place; nobody else does. test_stand_in.py holds
it to NumPy.

It is slow. What it cannot do, it refuses; NumPy's warnings are not here.
"""

from __future__ import annotations

import bisect
import builtins
import itertools
import math
import struct

from .arrays import (
    B1,
    F8,
    I8,
    add,
    array,
    as_array,
    as_dtype,
    as_shape,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    broadcast,
    broadcast_to,
    equal,
    floor_divide,
    greater,
    greater_equal,
    left_shift,
    less,
    less_equal,
    logical_and,
    logical_or,
    maximum,
    minimum,
    multiply,
    ndarray,
    new,
    nonzero,
    not_equal,
    places,
    promoted,
    reduced,
    remainder,
    right_shift,
    subtract,
    true_divide,
    ufunc,
    where_,
)
from .scalars import (
    bool_,
    dtype,
    float64,
    floating,
    generic,
    int8,
    int16,
    int32,
    int64,
    integer,
    intp,
    number,
    signedinteger,
    str_,
    uint8,
    uint16,
    uint32,
    uint64,
    unsignedinteger,
)

__version__ = "2.0.0+shim"
newaxis = None
object_ = object
bool = bool_
asarray = ascontiguousarray = as_array


def full(shape, value, dtype=None):
    kind = array(value).dtype if dtype is None else as_dtype(dtype)
    shape = as_shape(shape)
    if isinstance(value, (ndarray, list, tuple, range)):
        return broadcast_to(array(value, kind), shape)
    element = (kind.convert if isinstance(value, generic) else kind.take)(value)
    return new([element] * math.prod(shape), shape, kind)


def zeros(shape, dtype=float):
    return full(shape, 0, dtype)


def ones(shape, dtype=float):
    return full(shape, 1, dtype)


empty = zeros


def zeros_like(a, dtype=None):
    return full(a.shape, 0, dtype or a.dtype)


def ones_like(a, dtype=None):
    return full(a.shape, 1, dtype or a.dtype)


def full_like(a, value, dtype=None):
    return full(a.shape, value, dtype or a.dtype)


def arange(*bounds, dtype=int64):
    flat = list(range(*map(int, bounds)))
    return array(flat, dtype)


def linspace(start, stop, n, dtype=float):
    n = int(n)
    step = (stop - start) / (n - 1) if n > 1 else 0.0
    flat = [at * step + start for at in range(n)]
    if n > 1:
        flat[-1] = float(stop)
    return array(flat, float).astype(dtype)


def fromiter(values, dtype, count=-1):
    flat = list(values) if count < 0 else list(itertools.islice(values, count))
    if len(flat) < count:
        raise ValueError(f"iterator too short: Expected {count} but iterator had only {len(flat)}")
    return array(flat, dtype)


def frombuffer(data, dtype=float):
    kind, data = as_dtype(dtype), bytes(data)
    n, rest = divmod_(len(data), kind.itemsize)
    if rest:
        raise ValueError("buffer size must be a multiple of element size")
    out = new(list(struct.unpack(f"<{n}{kind.char}", data)), (n,), kind)
    out.base = data
    out.setflags(write=False)
    return out


divmod_ = builtins.divmod


def divmod(a, b):
    return floor_divide(a, b), remainder(a, b)


def flatnonzero(a):
    return nonzero(asarray(a).reshape(-1))[0]


def count_nonzero(a, axis=None):
    a = asarray(a)
    found = reduced(a, axis, lambda flat: builtins.sum(1 for each in flat if each), I8)
    return int(found) if axis is None else found


def where(condition, *both):
    return where_(asarray(condition), *both) if both else nonzero(asarray(condition))


def extract(condition, arr):
    return asarray(arr).reshape(-1)[asarray(condition).astype(bool_).reshape(-1)]


def atleast_1d(a):
    a = asarray(a)
    return a if a.ndim else a.reshape(1)


def concatenate(arrays, axis=0):
    arrays = [asarray(each) for each in arrays]
    if not arrays:
        raise ValueError("need at least one array to concatenate")
    first = arrays[0]
    if first.ndim == 0:
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    if axis == 1 and first.ndim == 2:
        return concatenate([each.T for each in arrays]).T.copy()
    if axis:
        raise NotImplementedError("the stand-in joins along the first axis, or the second of two")
    if builtins.any(each.shape[1:] != first.shape[1:] for each in arrays):
        raise ValueError(
            "all the input array dimensions except for the concatenation axis must match exactly"
        )
    kind = first.dtype
    for each in arrays:
        kind = promoted(kind, each.dtype)
    flat = [element for each in arrays for element in each.astype(kind, copy=False)._flat()]
    return new(flat, (builtins.sum(len(each) for each in arrays), *first.shape[1:]), kind)


def append(a, values):
    return concatenate([asarray(a).reshape(-1), asarray(values).reshape(-1)])


def column_stack(columns):
    return concatenate([asarray(each).reshape(-1, 1) for each in columns], axis=1)


def stack(arrays):
    return array([asarray(each) for each in arrays])


def pad(a, width):
    widths = width if isinstance(width[0], tuple) else (width,) * a.ndim
    out = zeros(tuple(before + n + after for n, (before, after) in zip(a.shape, widths)), a.dtype)
    out[tuple(slice(before, before + n) for n, (before, _) in zip(a.shape, widths))] = a
    return out


def bincount(a, minlength=0):
    a = asarray(a)
    if a.ndim != 1:
        raise ValueError(
            "object of too small depth for desired array"
            if not a.ndim
            else "object too deep for desired array"
        )
    if a.dtype.kind not in "biu":
        raise TypeError(
            f"Cannot cast array data from {a.dtype!r} to dtype('int64') according to the rule 'safe'"
        )
    flat = a._flat()
    if builtins.any(each < 0 for each in flat):
        raise ValueError("'list' argument must have no negative elements")
    out = [0] * builtins.max([minlength, *(each + 1 for each in flat)])
    for each in flat:
        out[each] += 1
    return new(out, (len(out),), I8)


def unique(a, return_index=False, return_inverse=False, return_counts=False):
    a = asarray(a)
    first, counts = {}, {}
    for at, each in enumerate(a._flat()):
        first.setdefault(each, at)
        counts[each] = counts.get(each, 0) + 1
    keys = sorted(first)
    rank = {key: at for at, key in enumerate(keys)}
    out = [new(keys, (len(keys),), a.dtype)]
    if return_index:
        out.append(array([first[key] for key in keys], int64))
    if return_inverse:
        out.append(array([rank[each] for each in a._flat()], int64).reshape(a.shape))
    if return_counts:
        out.append(array([counts[key] for key in keys], int64))
    return out[0] if len(out) == 1 else tuple(out)


def union1d(a, b):
    return unique(append(a, b))


def isin(a, values):
    a, found = asarray(a), set(asarray(values)._flat())
    return new([each in found for each in a._flat()], a.shape, B1)


def searchsorted(a, values, side="left"):
    flat = list(asarray(a)._flat())
    find = bisect.bisect_left if side == "left" else bisect.bisect_right
    values = asarray(values)
    found = [find(flat, each) for each in values._flat()]
    return new(found, values.shape, I8) if values.ndim else int64(found[0])


def sort(a):
    a = asarray(a)
    if a.ndim == 2:
        return array([sort(row) for row in a]).astype(a.dtype) if len(a) else a.copy()
    return new(sorted(a._flat()), a.shape, a.dtype)


def argsort(a, kind=None):
    flat = list(asarray(a)._flat())
    return array(sorted(range(len(flat)), key=flat.__getitem__), int64)


def lexsort(keys):
    lists = [list(asarray(each)._flat()) for each in keys]
    order = sorted(range(len(lists[0])), key=lambda at: tuple(each[at] for each in reversed(lists)))
    return array(order, int64)


def repeat(a, counts):
    a, counts = asarray(a), asarray(counts)
    times = broadcast(counts, (a.size,))
    if builtins.any(n < 0 for n in times):
        raise ValueError("repeats may not contain negative values.")
    flat = [each for each, n in zip(a._flat(), times) for _ in range(n)]
    return new(flat, (len(flat),), a.dtype)


def tile(a, n):
    a = asarray(a)
    if a.ndim > 1:
        raise NotImplementedError("the stand-in lays out arrays of one axis only")
    flat = list(a._flat()) * builtins.max(0, int(n))
    return new(flat, (len(flat),), a.dtype)


def roll(a, n):
    flat = list(a._flat())
    n %= len(flat) or 1
    return new(flat[-n:] + flat[:-n] if n else flat, a.shape, a.dtype)


def cumsum(a, dtype=None):
    a = asarray(a)
    kind = a.sum().dtype if dtype is None else as_dtype(dtype)
    flat = [kind.convert(each) for each in itertools.accumulate(a._flat())]
    return new(flat, (len(flat),), kind)


def diff(a):
    return a[1:] - a[:-1]


def array_equal(a, b):
    a, b = asarray(a), asarray(b)
    return a.shape == b.shape and list(a._flat()) == list(b._flat())


def shares_memory(a, b):
    """Whether they have an element in common."""
    if a._buf is not b._buf:
        return False
    mine = {*places(a._at, a.shape, a._steps)}
    return not mine.isdisjoint(places(b._at, b.shape, b._steps))


def logical_not(a):
    return ~asarray(a).astype(bool_)


def invert(a):
    return ~a


bitwise_not = invert


def any(a, axis=None):
    return asarray(a).any(axis)


def all(a, axis=None):
    return asarray(a).all(axis)


def sum(a, axis=None):
    return asarray(a).sum(axis)


def max(a, axis=None):
    return asarray(a).max(axis)


def min(a, axis=None):
    return asarray(a).min(axis)


class errstate:
    """It warns of nothing anyhow."""

    def __init__(self, **how):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *wrong):
        return False


class iinfo:
    def __init__(self, what):
        self.dtype = dtype(what)
        self.min, self.max = self.dtype.low, self.dtype.high


def _method(function):
    return lambda self, *given, **named: function(self, *given, **named)


for _function in (argsort, cumsum, nonzero, repeat, searchsorted):
    setattr(ndarray, _function.__name__, _method(_function))

from . import typing  # noqa: E402  it is asked for as numpy.typing
