"""Numbers with a type: dtype, int64 and its kin.

An int64 is a Python int here, where NumPy's is none; a bool_ is one, too.
"""

from __future__ import annotations

import builtins
import functools
import struct
import types
import typing

INTS = [(f"{sign}int{8 * size}", size) for size in (8, 4, 2, 1) for sign in ("", "u")]
CHARS = dict(zip([name for name, _ in INTS], "qQiIhHbB", strict=True))


class dtype:
    """A type of elements. `kind` is one of NumPy's letters: b, i, u, f, U (text), O (anything)."""

    __slots__ = ("char", "high", "item", "itemsize", "kind", "low", "name", "type")
    isnative = True  # it has no other byte order
    hasobject = False
    by_name: typing.ClassVar[dict] = {}

    def __new__(cls, what):
        if isinstance(what, dtype):
            return what
        if isinstance(what, str):
            what = what.lstrip("<=|")
        found = cls.by_name.get(what)
        if found is None:
            raise TypeError(f"data type {what!r} not understood")
        return found

    def __class_getitem__(cls, item):
        return types.GenericAlias(cls, item)

    @property
    def str(self):
        return ("|" if self.itemsize == 1 else "<") + self.kind + builtins.str(self.itemsize)

    def newbyteorder(self, order="S"):
        if order not in ("<", "="):
            raise NotImplementedError(f"the stand-in has no byte order {order!r}")
        return self

    def take(self, value):
        """Return what a Python value becomes as an element: OverflowError if it does not fit."""
        if self.kind in "iu":
            number = int(value)
            if not self.low <= number <= self.high:
                raise OverflowError(f"Python integer {value} out of bounds for {self.name}")
            return number
        return self.convert(value)

    def convert(self, value):
        """Return what an element of another type becomes: it is cut to the bits that there are."""
        if self.kind in "iu":
            return self.wrap(int(value))
        if self.kind == "b":
            return builtins.bool(value)
        return float(value) if self.kind == "f" else str_(value) if self.kind == "U" else value

    def wrap(self, number):
        if self.low <= number <= self.high:
            return number
        return ((number - self.low) & ((1 << 8 * self.itemsize) - 1)) + self.low

    def plain(self, value):
        """Return an element as a number of Python's."""
        return builtins.bool(value) if self.kind == "b" else value

    def pack(self, flat):
        return struct.pack(f"<{len(flat)}{self.char}", *flat)

    def __eq__(self, other):
        try:
            return self is dtype(other)
        except TypeError:
            return False

    def __hash__(self):
        return hash(self.name)

    def __repr__(self):
        return f"dtype('{self.name}')"

    def __str__(self):
        return self.name

    def __reduce__(self):
        return dtype, (self.name,)


class generic:
    shape = ()
    ndim = 0
    size = 1

    def __class_getitem__(cls, item):
        return types.GenericAlias(cls, item)

    @property
    def dtype(self):
        return dtype.by_name[type(self)]

    def item(self):
        return int(self)

    def tolist(self):
        return self.item()

    def any(self):
        return bool_(self)

    all = any

    def sum(self):
        return self if self.dtype.itemsize == 8 else int64(self)

    def astype(self, what, copy=True):
        to = dtype(what)
        return to.item(to.convert(self))


class number(generic):
    pass


class integer(number):
    pass


class signedinteger(integer):
    pass


class unsignedinteger(integer):
    pass


class floating(number):
    pass


def promoted(one, other):
    """Return the type of what comes of two, as numpy.result_type has it."""
    if one is other:
        return one
    kinds = one.kind + other.kind
    if "O" in kinds or "U" in kinds:
        return dtype("O" if "O" in kinds else "U")
    if "f" in kinds:
        return dtype("float64")
    if "b" in kinds:
        return other if one.kind == "b" else one
    if one.kind == other.kind:
        return one if one.itemsize > other.itemsize else other
    signed, unsigned = (one, other) if one.kind == "i" else (other, one)
    if signed.itemsize > unsigned.itemsize:
        return signed
    return dtype({1: "int16", 2: "int32", 4: "int64", 8: "float64"}[unsigned.itemsize])


def _operation(name):
    of_int = getattr(int, name)
    shift = name in ("__lshift__", "__rshift__")

    def operate(self, other):
        if not isinstance(other, int):
            return NotImplemented
        if shift and other >= 64:  # the whole word is shifted out
            return self.dtype.item(-1 if name == "__rshift__" and self < 0 else 0)
        if other == 0 and name in ("__floordiv__", "__mod__"):
            return self.dtype.item(0)
        mine = dtype.by_name[type(self)]
        to = mine if not isinstance(other, generic) else promoted(mine, other.dtype)
        result = of_int(self, other)
        return float64(result) if to.kind == "f" else to.item(to.wrap(result))

    return operate


def _comparison(name):
    of_int = getattr(int, name)

    def compare(self, other):
        result = of_int(self, other)
        return result if result is NotImplemented else bool_(result)

    return compare


class _Int(int):
    """What the integer types share."""

    def __new__(cls, value=0):
        to = dtype.by_name[cls]
        number = int(value)
        if not to.low <= number <= to.high:
            if not isinstance(value, generic):
                raise OverflowError(f"Python integer {value} out of bounds for {to.name}")
            number = to.wrap(number)
        return int.__new__(cls, number)

    def __repr__(self):
        return f"np.{type(self).__name__}({int(self)})"

    def __str__(self):
        return str(int(self))

    def __format__(self, form):
        return format(int(self), form)

    def __neg__(self):
        return self.dtype.item(self.dtype.wrap(-int(self)))

    def __abs__(self):
        return self.dtype.item(self.dtype.wrap(abs(int(self))))

    def __invert__(self):
        return self.dtype.item(self.dtype.wrap(~int(self)))

    def __truediv__(self, other):
        return float64(int(self) / other) if isinstance(other, (int, float)) else NotImplemented

    for _name in ("add", "sub", "mul", "floordiv", "mod", "and", "or", "xor", "lshift", "rshift"):
        locals()[f"__{_name}__"] = _operation(f"__{_name}__")
        locals()[f"__r{_name}__"] = _operation(f"__r{_name}__")
    for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
        locals()[f"__{_name}__"] = _comparison(f"__{_name}__")
    del _name
    __hash__ = int.__hash__


class float64(float, floating):
    def item(self):
        return float(self)

    def __repr__(self):
        return f"np.float64({float(self)!r})"


class bool_(int, generic):
    def __new__(cls, value=False):
        return TRUE if value else FALSE

    def item(self):
        return builtins.bool(self)

    def sum(self):
        return int64(int(self))

    def __repr__(self):
        return f"np.{self}_"

    def __str__(self):
        return "True" if self else "False"

    def __invert__(self):
        return bool_(not self)

    def __and__(self, other):
        if isinstance(other, (builtins.bool, bool_)):
            return bool_(int(self) & int(other))
        return int64(int(self) & other) if isinstance(other, int) else NotImplemented

    def __or__(self, other):
        if isinstance(other, (builtins.bool, bool_)):
            return bool_(int(self) | int(other))
        return int64(int(self) | other) if isinstance(other, int) else NotImplemented

    __rand__, __ror__ = __and__, __or__
    for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
        locals()[f"__{_name}__"] = _comparison(f"__{_name}__")
    del _name
    __hash__ = int.__hash__

    def __reduce__(self):
        return bool_, (builtins.bool(self),)


class str_(str, generic):
    def item(self):
        return str(self)


TRUE, FALSE = int.__new__(bool_, 1), int.__new__(bool_, 0)


def _define(name, kind, size, char, of, item):
    made = object.__new__(dtype)
    made.name, made.kind, made.itemsize, made.char, made.type = name, kind, size, char, of
    made.item = item
    made.low = -(1 << 8 * size - 1) if kind == "i" else 0
    made.high = made.low + (1 << 8 * size) - 1
    for alias in (name, of, char, f"{kind}{size}"):
        dtype.by_name[alias] = made


for _name, _size in INTS:
    _kind = unsignedinteger if _name.startswith("u") else signedinteger
    _type = types.new_class(_name, (_Int, _kind), {}, lambda body: body.update(__module__="numpy"))
    # An element is in bounds: int's own way is fast.
    _item = functools.partial(int.__new__, _type)
    _define(_name, "u" if _name.startswith("u") else "i", _size, CHARS[_name], _type, _item)
    globals()[_name] = _type
_define("float64", "f", 8, "d", float64, float64)
_define("bool", "b", 1, "?", bool_, lambda value: TRUE if value else FALSE)
_define("str", "U", 4, "U", str_, str_)
_define("object", "O", 8, "O", object, lambda value: value)
dtype.by_name.update({int: dtype("int64"), builtins.bool: dtype("bool"), float: dtype("float64")})
dtype.by_name.update({"bool_": dtype("bool"), str: dtype("U")})
int64 = intp = dtype("int64").type
