"""A stand-in for NumPy in plain Python: as much of it as anonlab uses, and no more.

NumPy for browsers comes from Pyodide's distribution, and there is none where no network is. There the
tests of the browser (test_lite.py) take this in its place; nobody else does.
It is slow and has integers of 64 bits only. Errors of NumPy and its smaller types are not here.
"""

from __future__ import annotations

import builtins
import itertools
import operator
import struct
import types
import typing

__version__ = "2.0.0+shim"
newaxis = None
_any, _all, _sum, _max, _min, _abs = (
    builtins.any,
    builtins.all,
    builtins.sum,
    builtins.max,
    builtins.min,
    builtins.abs,
)


class generic:
    shape = ()
    ndim = 0
    size = 1

    def __class_getitem__(cls, item):
        return types.GenericAlias(cls, item)

    def item(self):
        return self._plain(self)

    def tolist(self):
        return self._plain(self)

    def any(self):
        return bool_(bool(self))

    def all(self):
        return bool_(bool(self))

    def sum(self):
        return int64(self)

    def astype(self, t, copy=True):
        return dtype(t).type(self)

    @property
    def dtype(self):
        return _DT[type(self).__name__]


class number(generic):
    pass


class integer(number):
    pass


class signedinteger(integer):
    pass


class floating(number):
    pass


class int64(int, signedinteger):
    _plain = int

    def __repr__(self):
        return f"np.int64({int(self)})"

    def __str__(self):
        return str(int(self))

    def __format__(self, s):
        return format(int(self), s)

    def _w(name):
        f = getattr(int, name)

        def g(self, other):
            if isinstance(other, ndarray):
                return NotImplemented
            r = f(self, other)
            return r if r is NotImplemented or isinstance(r, tuple) else int64(r)

        return g

    for _n in "add radd sub rsub mul rmul floordiv rfloordiv mod rmod and rand or ror xor rxor lshift rlshift rshift rrshift".split():
        locals()[f"__{_n}__"] = _w(f"__{_n}__")
    del _n, _w

    def __neg__(self):
        return int64(-int(self))

    def __invert__(self):
        return int64(~int(self))

    def _c(name):
        f = getattr(int, name)

        def g(self, other):
            if isinstance(other, ndarray):
                return NotImplemented
            r = f(self, other)
            return r if r is NotImplemented else bool_(r)

        return g

    for _n in "eq ne lt le gt ge".split():
        locals()[f"__{_n}__"] = _c(f"__{_n}__")
    del _n, _c
    __hash__ = int.__hash__


class int32(int64):
    pass


class int16(int64):
    pass


class int8(int64):
    pass


class uint8(int64):
    pass


class uint16(int64):
    pass


class uint32(int64):
    pass


class uint64(int64):
    pass


intp = int64


class float64(float, floating):
    _plain = float


class bool_(int, generic):
    _plain = bool

    def __new__(cls, v=False):
        return int.__new__(cls, 1 if v else 0)

    def __repr__(self):
        return f"np.{bool(self)}"

    def __str__(self):
        return str(bool(self))

    def __invert__(self):
        return bool_(not self)

    def __and__(self, o):
        return (
            NotImplemented
            if isinstance(o, ndarray)
            else bool_(int(self) & int(o))
            if isinstance(o, (bool, bool_))
            else int64(int(self) & o)
        )

    def __or__(self, o):
        return (
            NotImplemented
            if isinstance(o, ndarray)
            else bool_(int(self) | int(o))
            if isinstance(o, (bool, bool_))
            else int64(int(self) | o)
        )

    __rand__, __ror__ = __and__, __or__
    __hash__ = int.__hash__


object_ = object
bool = bool_


class dtype:
    def __new__(cls, t):
        if isinstance(t, dtype):
            return t
        if t is int or t is int64 or t in ("int64", "<i8", "=i8", "i8", "q"):
            return _DT["int64"]
        if t is builtins.bool or t is bool_ or t in ("bool", "?", "|b1"):
            return _DT["bool_"]
        if t is float or t is float64 or t in ("float64", "<f8"):
            return _DT["float64"]
        if isinstance(t, type) and t.__name__ in _DT:
            return _DT[t.__name__]
        if isinstance(t, str) and t.lstrip("<>=|") in _STR:
            return _DT[_STR[t.lstrip("<>=|")]]
        raise TypeError(f"data type {t!r} not understood")

    def __class_getitem__(cls, item):
        return types.GenericAlias(cls, item)

    isnative = True  # it has no other byte order

    def newbyteorder(self, o="S"):
        return self

    def __eq__(self, o):
        try:
            return self.name == dtype(o).name
        except TypeError:
            return False

    def __hash__(self):
        return hash(self.name)

    def __repr__(self):
        return f"dtype('{self.name}')"

    def __str__(self):
        return self.name


def _mk(name, t, code, kind, size):
    d = object.__new__(dtype)
    d.name = "bool" if name == "bool_" else name
    d.type = t
    d.char = code
    d.kind = kind
    d.itemsize = size
    d.str = {"b": "|b1"}.get(kind, f"<{kind}{size}")
    d.hasobject = False
    return d


_DT = {
    n: _mk(n, t, c, k, s)
    for n, t, c, k, s in [
        ("int64", int64, "q", "i", 8),
        ("int32", int32, "i", "i", 4),
        ("int16", int16, "h", "i", 2),
        ("int8", int8, "b", "i", 1),
        ("uint8", uint8, "B", "u", 1),
        ("uint16", uint16, "H", "u", 2),
        ("uint32", uint32, "I", "u", 4),
        ("uint64", uint64, "Q", "u", 8),
        ("bool_", bool_, "?", "b", 1),
        ("float64", float64, "d", "f", 8),
    ]
}
_STR = {
    "i4": "int32",
    "i2": "int16",
    "i1": "int8",
    "u1": "uint8",
    "u2": "uint16",
    "u4": "uint32",
    "u8": "uint64",
    "b1": "bool_",
    "int32": "int32",
    "uint64": "uint64",
    "uint8": "uint8",
    "f8": "float64",
}
I8, B1, F8 = _DT["int64"], _DT["bool_"], _DT["float64"]


def _prod(shape):
    n = 1
    for s in shape:
        n *= s
    return n


def _cstr(shape):
    out, n = [], 1
    for s in reversed(shape):
        out.append(n)
        n *= s
    return tuple(reversed(out))


def _positions(off, shape, strides):
    if not shape:
        return [off]
    if len(shape) == 1:
        n, s = shape[0], strides[0]
        return range(off, off + n * s, s) if s else [off] * n
    out = []
    for i in range(shape[0]):
        out.extend(_positions(off + i * strides[0], shape[1:], strides[1:]))
    return out


class flagsobj:
    pass


class ndarray:
    __slots__ = ("buf", "dtype", "off", "shape", "strides_", "wr")
    __array_priority__ = 1

    def __class_getitem__(cls, item):
        return types.GenericAlias(cls, item)

    def __new__(cls, buf, off, shape, strides, dt, wr=True):
        self = object.__new__(cls)
        self.buf, self.off, self.shape, self.strides_, self.dtype, self.wr = (
            buf,
            off,
            tuple(shape),
            tuple(strides),
            dt,
            wr,
        )
        return self

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        return _prod(self.shape)

    @property
    def nbytes(self):
        return self.size * self.dtype.itemsize

    @property
    def itemsize(self):
        return self.dtype.itemsize

    @property
    def flags(self):
        f = flagsobj()
        f.writeable = self.wr
        f.c_contiguous = True
        return f

    def setflags(self, write=True):
        self.wr = write

    @property
    def T(self):
        return ndarray(
            self.buf, self.off, self.shape[::-1], self.strides_[::-1], self.dtype, self.wr
        )

    def transpose(self):
        return self.T

    def pos(self):
        return _positions(self.off, self.shape, self.strides_)

    def flat(self):
        if len(self.shape) == 1:
            n, s = self.shape[0], self.strides_[0]
            if s > 0:
                return self.buf[self.off : self.off + n * s : s] if n else []
        b = self.buf
        return [b[p] for p in self.pos()]

    def __len__(self):
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self):
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        if len(self.shape) == 1:
            t = self.dtype.type
            return iter([t(v) for v in self.flat()])
        return iter([self[i] for i in range(self.shape[0])])

    def tolist(self):
        conv = self.dtype.type._plain

        def nest(flat, shape):
            if not shape:
                return conv(flat[0])
            if len(shape) == 1:
                return [conv(v) for v in flat]
            step = _prod(shape[1:])
            return [nest(flat[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]

        return nest(list(self.flat()), self.shape)

    def item(self, *a):
        f = self.flat()
        return (
            self.dtype.type._plain(f[a[0]] if a else f[0])
            if a or len(f) == 1
            else _raise(ValueError("can only convert an array of size 1"))
        )

    def __bool__(self):
        if self.size != 1:
            raise ValueError(
                "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()"
            )
        return builtins.bool(self.flat()[0])

    def __int__(self):
        return int(self.item())

    def __index__(self):
        return int(self.item())

    def __repr__(self):
        return f"array({self.tolist()})"

    def __str__(self):
        return (
            "[" + " ".join(map(str, self.tolist())) + "]" if self.ndim == 1 else str(self.tolist())
        )

    def copy(self):
        return _new(list(self.flat()), self.shape, self.dtype)

    __copy__ = copy

    def __deepcopy__(self, memo):
        return self.copy()

    def astype(self, t, copy=True):
        d = dtype(t)
        if d == self.dtype and not copy:
            return self
        if d.kind == "b":
            return _new([v != 0 for v in self.flat()], self.shape, d)
        return _new([d.type._plain(v) for v in self.flat()], self.shape, d)

    def reshape(self, *shape):
        if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
            shape = tuple(shape[0])
        n = self.size
        if -1 in shape:
            k = _prod([s for s in shape if s != -1])
            shape = tuple(n // k if s == -1 else s for s in shape)
        if _prod(shape) != n:
            raise ValueError(f"cannot reshape array of size {n} into shape {shape}")
        if self.strides_ == _cstr(self.shape):
            return ndarray(self.buf, self.off, shape, _cstr(shape), self.dtype, self.wr)
        return _new(list(self.flat()), shape, self.dtype)

    def ravel(self):
        return self.reshape(-1)

    def flatten(self):
        return self.copy().reshape(-1)

    def view(self, t=None):
        return ndarray(self.buf, self.off, self.shape, self.strides_, self.dtype, self.wr)

    def fill(self, v):
        self[...] = v

    def tobytes(self):
        return b"".join(struct.pack("<" + self.dtype.char, v) for v in self.flat())

    def sort(self):
        self[...] = sorted(self.flat())

    # indexing
    def _index(self, key):
        if not isinstance(key, tuple):
            key = (key,)
        keys = []
        for k in key:
            if isinstance(k, (list, range)):
                k = array(k)
            if isinstance(k, ndarray) and k.ndim == 0 and k.dtype.kind != "b":
                k = int(k)
            keys.append(k)
        used = _sum(
            (k.ndim if k.dtype.kind == "b" else 1)
            if isinstance(k, ndarray)
            else 0
            if k is None or k is Ellipsis
            else 1
            for k in keys
        )
        for i, k in enumerate(keys):
            if k is Ellipsis:
                keys[i : i + 1] = [slice(None)] * (self.ndim - used)
                break
        else:
            keys += [slice(None)] * (self.ndim - used)
        if used > self.ndim:
            raise IndexError(
                f"too many indices for array: array is {self.ndim}-dimensional, but {used} were indexed"
            )
        adv = _any(isinstance(k, ndarray) for k in keys)
        if not adv:
            off, shape, strides, ax = self.off, [], [], 0
            for k in keys:
                if k is None:
                    shape.append(1)
                    strides.append(0)
                    continue
                n, s = self.shape[ax], self.strides_[ax]
                ax += 1
                if isinstance(k, slice):
                    a, b, c = k.indices(n)
                    m = len(range(a, b, c))
                    off += a * s if m else 0
                    shape.append(m)
                    strides.append(s * c)
                else:
                    i = operator.index(k)
                    if not -n <= i < n:
                        raise IndexError(
                            f"index {i} is out of bounds for axis {ax - 1} with size {n}"
                        )
                    off += (i % n) * s
            return "view", off, tuple(shape), tuple(strides)
        dims, ax, first, arrs = [], 0, None, []
        for k in keys:
            if isinstance(k, ndarray) and k.dtype.kind == "b":
                if k.shape != self.shape[ax : ax + k.ndim]:
                    raise IndexError(
                        f"boolean index did not match indexed array along axis {ax}; size of axis is {self.shape[ax]} but size of corresponding boolean axis is {k.shape[0]}"
                    )
                for z in nonzero(k):
                    arrs.append((ax, z))
                    first = len(dims) if first is None else first
                    ax += 1
            elif isinstance(k, ndarray):
                arrs.append((ax, k))
                first = len(dims) if first is None else first
                ax += 1
            elif isinstance(k, slice):
                a, b, c = k.indices(self.shape[ax])
                dims.append((len(range(a, b, c)), a * self.strides_[ax], c * self.strides_[ax]))
                ax += 1
            elif k is None:
                dims.append((1, 0, 0))
            else:
                arrs.append((ax, array(operator.index(k))))
                first = len(dims) if first is None else first
                ax += 1
        bshape = _bshape([a.shape for _, a in arrs])
        total = [0] * _prod(bshape)
        for axis, a in arrs:
            n, s = self.shape[axis], self.strides_[axis]
            for j, i in enumerate(_bflat(a, bshape)):
                if not -n <= i < n:
                    raise IndexError(f"index {i} is out of bounds for axis {axis} with size {n}")
                total[j] += (i % n if i < 0 else i) * s
        pre, post = dims[:first], dims[first:]
        pp, qq = _grid(pre), _grid(post)
        if pp == [0] and qq == [0]:
            o = self.off
            pos = [o + t for t in total]
        else:
            pos = [self.off + p + t + q for p in pp for t in total for q in qq]
        return "take", pos, tuple(d[0] for d in pre) + bshape + tuple(d[0] for d in post), None

    def __getitem__(self, key):
        if type(key) is int and len(self.shape) == 1:
            n = self.shape[0]
            if not -n <= key < n:
                raise IndexError(f"index {key} is out of bounds for axis 0 with size {n}")
            return self.dtype.type(self.buf[self.off + (key % n) * self.strides_[0]])
        how, a, shape, strides = self._index(key)
        if how == "view":
            if not shape and not (isinstance(key, tuple) and Ellipsis in key):
                return self.dtype.type(self.buf[a])
            return ndarray(self.buf, a, shape, strides, self.dtype, self.wr)
        b = self.buf
        if not shape:
            return self.dtype.type(b[a[0]])
        return _new([b[p] for p in a], shape, self.dtype)

    def __setitem__(self, key, value):
        if not self.wr:
            raise ValueError("assignment destination is read-only")
        how, a, shape, strides = self._index(key)
        pos = _positions(a, shape, strides) if how == "view" else a
        conv = (lambda v: v != 0) if self.dtype.kind == "b" else self.dtype.type._plain
        b = self.buf
        if isinstance(value, (ndarray, list, tuple, range)):
            v = asarray(value)
            flat = _bflat(v, shape)
            for p, x in zip(pos, [conv(x) for x in flat]):
                b[p] = x
        else:
            x = conv(value)
            for p in pos:
                b[p] = x

    # reductions
    def any(self, axis=None):
        return bool_(_any(self.flat())) if axis is None else _reduce(self, axis, _any, B1)

    def all(self, axis=None):
        return bool_(_all(self.flat())) if axis is None else _reduce(self, axis, _all, B1)

    def sum(self, axis=None):
        return (
            (I8 if self.dtype.kind != "f" else F8).type(_sum(self.flat()))
            if axis is None
            else _reduce(self, axis, _sum, I8)
        )

    def max(self, axis=None, initial=None):
        return (
            self.dtype.type(_max([*self.flat(), *([] if initial is None else [initial])]))
            if axis is None
            else _reduce(self, axis, _max, self.dtype)
        )

    def min(self, axis=None, initial=None):
        return (
            self.dtype.type(_min([*self.flat(), *([] if initial is None else [initial])]))
            if axis is None
            else _reduce(self, axis, _min, self.dtype)
        )

    def argmax(self, axis=None):
        if axis is not None:
            return _reduce(self, axis, lambda c: c.index(_max(c)), I8)
        f = list(self.flat())
        return int64(f.index(_max(f)))

    def argmin(self):
        f = list(self.flat())
        return int64(f.index(_min(f)))

    def cumsum(self):
        return cumsum(self)

    def nonzero(self):
        return nonzero(self)

    def mean(self):
        return float64(_sum(self.flat()) / self.size)

    def argsort(self, kind=None):
        return argsort(self)

    def repeat(self, n):
        return repeat(self, n)

    def searchsorted(self, v, side="left"):
        return searchsorted(self, v, side)

    # operators
    def __neg__(self):
        return _new([-v for v in self.flat()], self.shape, self.dtype)

    def __abs__(self):
        return _new([_abs(v) for v in self.flat()], self.shape, self.dtype)

    def __invert__(self):
        return _new(
            [not v for v in self.flat()] if self.dtype.kind == "b" else [~v for v in self.flat()],
            self.shape,
            self.dtype,
        )

    __hash__ = None


def _raise(e):
    raise e


def _grid(dims):
    out = [0]
    for n, a, s in dims:
        out = [o + a + i * s for o in out for i in range(n)]
    return out


def _new(flat, shape, dt):
    return ndarray(flat, 0, shape, _cstr(shape), dt)


def _bshape(shapes):
    out = ()
    for s in shapes:
        n = _max(len(out), len(s))
        a = (1,) * (n - len(out)) + tuple(out)
        b = (1,) * (n - len(s)) + tuple(s)
        r = []
        for x, y in zip(a, b):
            if x == y or y == 1:
                r.append(x)
            elif x == 1:
                r.append(y)
            else:
                raise ValueError(f"operands could not be broadcast together with shapes {out} {s}")
        out = tuple(r)
    return out


def _bflat(a, shape):
    if a.shape == shape:
        return a.flat()
    if a.size == 1 and len(a.shape) <= len(shape):
        return [a.flat()[0]] * _prod(shape)
    n = len(shape)
    s = (1,) * (n - a.ndim) + a.shape
    st = (0,) * (n - a.ndim) + a.strides_
    while len(s) > n and s[0] == 1:
        s, st = s[1:], st[1:]
    if len(s) != n or _any(x != y and x != 1 for x, y in zip(s, shape)):
        raise ValueError(f"could not broadcast input array from shape {a.shape} into shape {shape}")
    b = a.buf
    return [
        b[p] for p in _positions(a.off, shape, tuple(0 if x == 1 else t for x, t in zip(s, st)))
    ]


def _reduce(a, axis, f, dt):
    axis %= a.ndim
    rest = [i for i in range(a.ndim) if i != axis]
    shape = tuple(a.shape[i] for i in rest)
    bases = _positions(a.off, shape, tuple(a.strides_[i] for i in rest))
    n, s, b = a.shape[axis], a.strides_[axis], a.buf
    return _new([f([b[p + k * s] for k in range(n)]) for p in bases], shape, dt)


def _dt_of(x):
    if isinstance(x, ndarray):
        return x.dtype
    if isinstance(x, (builtins.bool, bool_)):
        return B1
    if isinstance(x, float):
        return F8
    return I8


def _shift(f):
    def g(a, b):
        return f(a, b) if 0 <= b < 64 else 0

    return g


def _wrap(v):
    return (
        v
        if -0x8000000000000000 <= v <= 0x7FFFFFFFFFFFFFFF
        else ((v + 0x8000000000000000) & 0xFFFFFFFFFFFFFFFF) - 0x8000000000000000
    )


def _binary(f, cmp=False, bitwise=False, div=False):
    def op(a, b, out=None):
        if not isinstance(a, (ndarray, int, float)) and not isinstance(a, (list, tuple)):
            return NotImplemented
        if isinstance(b, (list, tuple)):
            b = array(b)
        if isinstance(a, (list, tuple)):
            a = array(a)
        if not isinstance(b, (ndarray, int, float)):
            return NotImplemented
        da, db = _dt_of(a), _dt_of(b)
        dt = (
            B1
            if cmp or (bitwise and da.kind == db.kind == "b")
            else F8
            if div or "f" in (da.kind, db.kind)
            else (da if da.kind != "b" else db if db.kind != "b" else I8)
        )
        if dt.itemsize != 8 and dt.kind in "iu":
            dt = I8
        if isinstance(a, ndarray) and isinstance(b, ndarray):
            shape = a.shape if a.shape == b.shape else _bshape([a.shape, b.shape])
            fa, fb = _bflat(a, shape), _bflat(b, shape)
            r = [f(x, y) for x, y in zip(fa, fb)]
        elif isinstance(a, ndarray):
            shape = a.shape
            b = int(b) if isinstance(b, int) else b
            r = [f(x, b) for x in a.flat()]
        elif isinstance(b, ndarray):
            shape = b.shape
            a = int(a) if isinstance(a, int) else a
            r = [f(a, y) for y in b.flat()]
        else:
            return dt.type(f(a, b))
        if dt is B1:
            r = [x != 0 for x in r] if not cmp else r
        elif dt.kind == "i":
            r = [_wrap(x) for x in r]
        if out is not None:
            out[...] = _new(r, shape, dt)
            return out
        return _new(r, shape, dt) if shape else dt.type(r[0])

    op.at = lambda a, idx, v: _at(f, a, idx, v)
    return op


def _at(f, a, idx, v):
    _, pos, shape, _s = a._index(asarray(idx))
    vals = _bflat(asarray(v), shape)
    b = a.buf
    for p, x in zip(pos, vals):
        b[p] = f(b[p], x)


add = _binary(operator.add)
subtract = _binary(operator.sub)
multiply = _binary(operator.mul)
floor_divide = _binary(lambda a, b: a // b if b else 0)
remainder = _binary(lambda a, b: a % b if b else 0)
true_divide = _binary(operator.truediv, div=True)
bitwise_and = _binary(operator.and_, bitwise=True)
bitwise_or = _binary(operator.or_, bitwise=True)
bitwise_xor = _binary(operator.xor, bitwise=True)
left_shift = _binary(lambda a, b: int(a) << b if 0 <= b < 64 else 0)
right_shift = _binary(lambda a, b: a >> b if b < 64 else a >> 63)
equal = _binary(operator.eq, cmp=True)
not_equal = _binary(operator.ne, cmp=True)
less = _binary(operator.lt, cmp=True)
less_equal = _binary(operator.le, cmp=True)
greater = _binary(operator.gt, cmp=True)
greater_equal = _binary(operator.ge, cmp=True)
maximum = _binary(lambda a, b: a if a >= b else b)
minimum = _binary(lambda a, b: a if a <= b else b)
power = _binary(operator.pow)
logical_and = _binary(lambda a, b: builtins.bool(a and b), cmp=True)
logical_or = _binary(lambda a, b: builtins.bool(a or b), cmp=True)
for _n, _f in dict(
    add=add,
    sub=subtract,
    mul=multiply,
    floordiv=floor_divide,
    mod=remainder,
    truediv=true_divide,
    lshift=left_shift,
    rshift=right_shift,
    pow=power,
    **{"and": bitwise_and, "or": bitwise_or, "xor": bitwise_xor},
).items():
    setattr(ndarray, f"__{_n}__", lambda s, o, f=_f: f(s, o))
    setattr(ndarray, f"__r{_n}__", lambda s, o, f=_f: f(o, s))

    def _ip(s, o, f=_f):
        r = f(s, o)
        if r is NotImplemented:
            return r
        if s.dtype.kind == "b" and r.dtype.kind != "b":
            raise TypeError("Cannot cast ufunc output")
        s[...] = r
        return s

    setattr(ndarray, f"__i{_n}__", _ip)
for _n, _f in dict(
    eq=equal, ne=not_equal, lt=less, le=less_equal, gt=greater, ge=greater_equal
).items():
    setattr(ndarray, f"__{_n}__", lambda s, o, f=_f: f(s, o))


def logical_not(a):
    return ~asarray(a).astype(bool_)


invert = bitwise_not = lambda a: ~a


def _infer(flat):
    if not flat:
        return F8
    if _all(isinstance(v, (builtins.bool, bool_)) for v in flat):
        return B1
    return F8 if _any(isinstance(v, float) for v in flat) else I8


def array(x, dtype=None, copy=True, ndmin=0):
    dt = None if dtype is None else globals()["dtype"](dtype)
    if isinstance(x, ndarray):
        return x.copy() if dt is None or dt == x.dtype else x.astype(dt)
    if isinstance(x, (int, float)):
        flat, shape = [x], ()
    else:
        x = [v for v in x]
        if x and isinstance(x[0], (list, tuple, ndarray, range)):
            rows = [array(v, dt) for v in x]
            sub = rows[0].shape
            if _any(r.shape != sub for r in rows):
                raise ValueError(
                    "setting an array element with a sequence. The requested array has an inhomogeneous shape"
                )
            flat = [v for r in rows for v in r.flat()]
            shape = (len(x),) + sub
            dt = dt or rows[0].dtype
        else:
            if _any(not isinstance(v, (int, float)) for v in x):
                raise TypeError("shim: only numbers")
            flat, shape = x, (len(x),)
    dt = dt or _infer(flat)
    return _new(
        [v != 0 for v in flat] if dt.kind == "b" else [dt.type._plain(v) for v in flat], shape, dt
    )


def asarray(x, dtype=None):
    return (
        x
        if isinstance(x, ndarray) and (dtype is None or globals()["dtype"](dtype) == x.dtype)
        else array(x, dtype)
    )


ascontiguousarray = asarray


def _sh(s):
    return (s,) if isinstance(s, int) else tuple(s)


def full(shape, v, dtype=None):
    shape = tuple(map(int, _sh(shape)))
    dt = _dt_of(v) if dtype is None else globals()["dtype"](dtype)
    return _new([(v != 0) if dt.kind == "b" else dt.type._plain(v)] * _prod(shape), shape, dt)


def zeros(shape, dtype=float):
    return full(shape, 0, dtype)


def ones(shape, dtype=float):
    return full(shape, 1, dtype)


empty = zeros


def zeros_like(a, dtype=None):
    return full(a.shape, 0, dtype or a.dtype)


def ones_like(a, dtype=None):
    return full(a.shape, 1, dtype or a.dtype)


def full_like(a, v, dtype=None):
    return full(a.shape, v, dtype or a.dtype)


def arange(*a, dtype=None):
    f = list(range(*map(int, a)))
    return _new(f, (len(f),), I8)


def fromiter(it, dtype, count=-1):
    f = list(it)
    return array(f, dtype) if f else zeros(0, dtype)


def frombuffer(b, dtype=float):
    d = globals()["dtype"](dtype)
    n = len(b) // d.itemsize
    r = _new(list(struct.unpack(f"<{n}{d.char}", b)), (n,), d)
    r.wr = False
    return r


def nonzero(a):
    if a.ndim == 1:
        f = [i for i, v in enumerate(a.flat()) if v]
        return (_new(f, (len(f),), I8),)
    outs = [[] for _ in a.shape]
    for idx, v in zip(itertools.product(*map(range, a.shape)), a.flat()):
        if v:
            for o, i in zip(outs, idx):
                o.append(i)
    return tuple(_new(o, (len(o),), I8) for o in outs)


def flatnonzero(a):
    f = [i for i, v in enumerate(asarray(a).flat()) if v]
    return _new(f, (len(f),), I8)


def count_nonzero(a, axis=None):
    if axis is not None:
        return _reduce(asarray(a), axis, lambda c: _sum(1 for v in c if v), I8)
    return _sum(1 for v in asarray(a).flat() if v)


def where(c, a=None, b=None):
    if a is None:
        return nonzero(c)
    da, db = _dt_of(a), _dt_of(b)
    a, b, c = asarray(a), asarray(b), asarray(c)
    shape = _bshape([c.shape, a.shape, b.shape])
    dt = B1 if da.kind == db.kind == "b" else F8 if "f" in da.kind + db.kind else I8
    r = [x if k else y for k, x, y in zip(_bflat(c, shape), _bflat(a, shape), _bflat(b, shape))]
    return _new(r, shape, dt)


def concatenate(arrs, axis=0):
    arrs = [asarray(a) for a in arrs]
    if not arrs:
        raise ValueError("need at least one array to concatenate")
    kinds = {a.dtype.kind for a in arrs if a.size} or {a.dtype.kind for a in arrs}
    dt = B1 if kinds == {"b"} else F8 if kinds == {"f"} else I8
    if arrs[0].ndim > 1 and axis == 1:
        return concatenate([a.T for a in arrs]).T
    return _new(
        [v for a in arrs for v in a.flat()],
        (_sum(a.shape[0] for a in arrs),) + arrs[0].shape[1:],
        dt,
    )


def append(a, v):
    return concatenate([asarray(a).reshape(-1), asarray(v).reshape(-1)])


def column_stack(cols):
    return (
        array([list(r) for r in zip(*[asarray(c).flat() for c in cols])])
        if len(cols[0])
        else zeros((0, len(cols)), int64)
    )


def stack(arrs):
    return array([asarray(a) for a in arrs])


def bincount(a, weights=None, minlength=0):
    f = asarray(a).flat()
    out = [0] * _max([minlength, *(v + 1 for v in f)])
    for v in f:
        out[v] += 1
    return _new(out, (len(out),), I8)


def unique(a, return_index=False, return_counts=False, return_inverse=False):
    a = asarray(a)
    f = list(a.flat())
    first, counts = {}, {}
    for i, v in enumerate(f):
        first.setdefault(v, i)
        counts[v] = counts.get(v, 0) + 1
    keys = sorted(first)
    out = [_new(keys, (len(keys),), a.dtype)]
    if return_index:
        out.append(_new([first[k] for k in keys], (len(keys),), I8))
    if return_inverse:
        at = {k: i for i, k in enumerate(keys)}
        out.append(_new([at[v] for v in f], (len(f),), I8))
    if return_counts:
        out.append(_new([counts[k] for k in keys], (len(keys),), I8))
    return out[0] if len(out) == 1 else tuple(out)


def searchsorted(a, v, side="left"):
    import bisect

    f, g = list(asarray(a).flat()), bisect.bisect_left if side == "left" else bisect.bisect_right
    if not isinstance(v, (ndarray, list, tuple)):
        return int64(g(f, v))
    v = asarray(v)
    return _new([g(f, x) for x in v.flat()], v.shape, I8)


def sort(a):
    a = asarray(a)
    return _new(sorted(a.flat()), a.shape, a.dtype)


def argsort(a, kind=None):
    f = list(asarray(a).flat())
    return _new(sorted(range(len(f)), key=f.__getitem__), (len(f),), I8)


def lexsort(keys):
    ks = [list(asarray(k).flat()) for k in keys]
    n = len(ks[0])
    return _new(sorted(range(n), key=lambda i: tuple(k[i] for k in reversed(ks))), (n,), I8)


def repeat(a, n):
    f = list(asarray(a).flat())
    c = _bflat(asarray(n), (len(f),))
    r = [v for v, k in zip(f, c) for _ in range(k)]
    return _new(r, (len(r),), asarray(a).dtype)


def tile(a, n):
    f = list(asarray(a).flat()) * int(n)
    return _new(f, (len(f),), asarray(a).dtype)


def roll(a, n):
    f = list(a.flat())
    n %= len(f) or 1
    f = f[-n:] + f[:-n] if n else f
    return _new(f, a.shape, a.dtype)


def cumsum(a):
    f = list(itertools.accumulate(int(v) for v in asarray(a).flat()))
    return _new(f, (len(f),), I8)


def diff(a):
    f = list(a.flat())
    return _new([y - x for x, y in zip(f, f[1:])], (_max(0, len(f) - 1),), a.dtype)


def union1d(a, b):
    return unique(append(a, b))


def linspace(a, b, n, dtype=float):
    return array([a + (b - a) * i / (n - 1) if n > 1 else a for i in range(n)], dtype)


def divmod(a, b):
    return floor_divide(a, b), remainder(a, b)


def isin(a, b):
    a = asarray(a)
    s = set(asarray(b).flat())
    return _new([v in s for v in a.flat()], a.shape, B1)


def array_equal(a, b):
    a, b = asarray(a), asarray(b)
    return a.shape == b.shape and list(a.flat()) == list(b.flat())


def pad(a, width):
    w = width if isinstance(width[0], tuple) else (width,)
    out = zeros(tuple(l + n + r for n, (l, r) in zip(a.shape, w)), a.dtype)
    out[tuple(slice(l, l + n) for n, (l, r) in zip(a.shape, w))] = a
    return out


def any(a, axis=None):
    return asarray(a).any(axis)


def all(a, axis=None):
    return asarray(a).all(axis)


def sum(a, axis=None):
    return asarray(a).sum(axis)


def max(a):
    return asarray(a).max()


def min(a):
    return asarray(a).min()


def errstate(**k):
    import contextlib

    return contextlib.nullcontext()


class _iinfo:
    def __init__(self, t):
        d = dtype(t)
        n = 8 * d.itemsize
        self.max, self.min = (
            ((1 << n - 1) - 1, -(1 << n - 1)) if d.kind == "i" else ((1 << n) - 1, 0)
        )


iinfo = _iinfo
from numpy import typing  # noqa
