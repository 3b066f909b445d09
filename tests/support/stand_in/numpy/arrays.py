"""ndarray, its indices, and the functions that work element by element."""

from __future__ import annotations

import builtins
import itertools
import math
import operator
import types

from .scalars import bool_, dtype, float64, generic, promoted

I8, B1, F8, OBJECT, TEXT = (dtype(each) for each in ("int64", "bool", "float64", "O", "U"))


class flagsobj:
    def __init__(self, array):
        self._array = array

    @property
    def writeable(self):
        return self._array._writeable

    @writeable.setter
    def writeable(self, value):
        self._array.setflags(write=value)

    @property
    def c_contiguous(self):
        return self._array._steps == c_steps(self._array.shape)


class ndarray:
    """An array: a list, where it begins in it, and how many elements each axis steps on."""

    __slots__ = ("_at", "_buf", "_steps", "_writeable", "base", "dtype", "shape")
    __array_priority__ = 1
    __hash__ = None

    def __class_getitem__(cls, item):
        return types.GenericAlias(cls, item)

    def __new__(cls, shape, dtype=float, buffer=None, offset=0, strides=None):
        kind, shape = as_dtype(dtype), as_shape(shape)
        if buffer is None:
            return new([kind.take(0)] * math.prod(shape), shape, kind)
        size = kind.itemsize
        steps = c_steps(shape) if strides is None else [each // size for each in strides]
        last = offset // size + sum((n - 1) * step for n, step in zip(shape, steps))
        if last >= buffer.size:
            raise ValueError(
                "strides is incompatible with shape of requested array and size of buffer"
            )
        return view_of(buffer, buffer._at + offset // size, shape, steps)

    # what it is

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        return math.prod(self.shape)

    @property
    def itemsize(self):
        return self.dtype.itemsize

    @property
    def nbytes(self):
        return self.size * self.itemsize

    @property
    def strides(self):
        return tuple(step * self.itemsize for step in self._steps)

    @property
    def flags(self):
        return flagsobj(self)

    @property
    def __array_interface__(self):
        place = id(self._buf) + self._at * self.itemsize
        return {"shape": self.shape, "typestr": self.dtype.str, "data": (place, not self._writeable),
                "strides": None, "version": 3}  # fmt: skip

    def setflags(self, write=True):
        owner = self.base
        if write and (isinstance(owner, bytes) or (owner is not None and not owner._writeable)):
            raise ValueError("cannot set WRITEABLE flag to True of this array")
        self._writeable = builtins.bool(write)

    @property
    def T(self):
        return view_of(self, self._at, self.shape[::-1], self._steps[::-1])

    def transpose(self):
        return self.T

    # its elements

    def _flat(self):
        """Return the elements in order, as a list."""
        buf, at = self._buf, self._at
        if len(self.shape) == 1:
            n, step = self.shape[0], self._steps[0]
            if step > 0:
                return buf[at : at + n * step : step] if n else []
        return [buf[place] for place in places(at, self.shape, self._steps)]

    def __len__(self):
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self):
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        if len(self.shape) == 1:
            return map(self.dtype.item, self._flat())
        return iter([self[at] for at in range(self.shape[0])])

    def __contains__(self, value):
        return builtins.bool((self == value).any())

    def tolist(self):
        flat = list(map(self.dtype.plain, self._flat()))

        def nested(flat, shape):
            if len(shape) < 2:
                return flat if shape else flat[0]
            step = math.prod(shape[1:])
            return [nested(flat[at * step : (at + 1) * step], shape[1:]) for at in range(shape[0])]

        return nested(flat, self.shape)

    def item(self, *at):
        if not at and self.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return self.dtype.plain(self._flat()[at[0] if at else 0])

    def __bool__(self):
        if self.size != 1:
            raise ValueError(
                "The truth value of an array with more than one element is ambiguous. "
                "Use a.any() or a.all()"
            )
        return builtins.bool(self._flat()[0])

    def __index__(self):
        if self.shape or self.dtype.kind not in "iu":
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return self.item()

    def __int__(self):
        return int(self.item())

    def __float__(self):
        return float(self.item())

    def __repr__(self):
        kind = "" if self.dtype in (I8, B1, F8) else f", dtype={self.dtype}"
        return f"array({self.tolist()}{kind})"

    def __str__(self):
        if self.ndim != 1:
            return str(self.tolist())
        return "[" + " ".join(map(str if self.dtype.kind != "U" else repr, self.tolist())) + "]"

    # others like it

    def copy(self):
        return new(list(self._flat()), self.shape, self.dtype)

    __copy__ = copy

    def __deepcopy__(self, memo):
        return self.copy()

    def __reduce__(self):
        return _unpickled, (list(self._flat()), self.shape, self.dtype)

    def astype(self, what, copy=True):
        to = as_dtype(what)
        if to is self.dtype:
            return self.copy() if copy else self
        return new(list(map(to.convert, self._flat())), self.shape, to)

    def reshape(self, *shape):
        shape = as_shape(shape[0] if len(shape) == 1 else shape)
        wanted = math.prod(shape)
        if -1 in shape:
            rest = -wanted
            wanted = self.size if rest and self.size % rest == 0 else -1
            shape = tuple(self.size // rest if n == -1 and rest else n for n in shape)
        if wanted != self.size:
            raise ValueError(f"cannot reshape array of size {self.size} into shape {shape}")
        if self._steps == c_steps(self.shape):
            return view_of(self, self._at, shape, c_steps(shape))
        return new(list(self._flat()), shape, self.dtype)

    def ravel(self):
        return self.reshape(-1)

    def flatten(self):
        return self.copy().reshape(-1)

    def view(self):
        return view_of(self, self._at, self.shape, self._steps)

    def fill(self, value):
        self[...] = value

    def tobytes(self):
        return self.dtype.pack(self._flat())

    def sort(self):
        self[...] = new(sorted(self._flat()), self.shape, self.dtype)

    # indices

    def __getitem__(self, key):
        if type(key) is int and len(self.shape) == 1:
            (n,) = self.shape
            if not -n <= key < n:
                raise IndexError(f"index {key} is out of bounds for axis 0 with size {n}")
            return self.dtype.item(self._buf[self._at + (key % n) * self._steps[0]])
        where, shape, steps = chosen(self, key)
        if steps is None:
            taken = [self._buf[place] for place in where]
            return new(taken, shape, self.dtype) if shape else self.dtype.item(taken[0])
        if (
            shape
            or (isinstance(key, tuple) and builtins.any(each is Ellipsis for each in key))
            or key is Ellipsis
        ):
            return view_of(self, where, shape, steps)
        return self.dtype.item(self._buf[where])

    def __setitem__(self, key, value):
        if not self._writeable:
            raise ValueError("assignment destination is read-only")
        where, shape, steps = chosen(self, key)
        if steps is not None:
            where = places(where, shape, steps)
        buf, to = self._buf, self.dtype
        if isinstance(value, (ndarray, list, tuple, range)):
            given = as_array(value, None if isinstance(value, ndarray) else to)
            while given.ndim > len(shape) and given.shape[0] == 1:
                given = given[0] if given.ndim > 1 else given.reshape(())
            flat = broadcast(given, shape)
            elements = list(flat if given.dtype is to else map(to.convert, flat))
        else:
            element = (to.convert if isinstance(value, generic) else to.take)(value)
            elements = [element] * len(where)
        if isinstance(where, range) and where.step > 0:
            buf[where.start : where.stop : where.step] = elements
            return
        for place, element in zip(where, elements):
            buf[place] = element

    # what many become

    def any(self, axis=None):
        return reduced(self, axis, lambda flat: builtins.any(flat), B1)

    def all(self, axis=None):
        return reduced(self, axis, lambda flat: builtins.all(flat), B1)

    def sum(self, axis=None):
        to = (
            self.dtype
            if self.dtype.kind == "f"
            else promoted(self.dtype, I8 if self.dtype.kind != "u" else dtype("uint64"))
        )
        return reduced(self, axis, lambda flat: to.convert(builtins.sum(flat)), to)

    def max(self, axis=None, initial=None):
        return reduced(self, axis, _extreme(builtins.max, initial), self.dtype)

    def min(self, axis=None, initial=None):
        return reduced(self, axis, _extreme(builtins.min, initial), self.dtype)

    def argmax(self, axis=None):
        return reduced(self, axis, lambda flat: flat.index(builtins.max(flat)), I8)

    def argmin(self, axis=None):
        return reduced(self, axis, lambda flat: flat.index(builtins.min(flat)), I8)

    def mean(self):
        return float64(builtins.sum(self._flat()) / self.size)

    # operators; those of two are below

    def __neg__(self):
        if self.dtype.kind == "b":
            raise TypeError("The numpy boolean negative, the `-` operator, is not supported")
        return new(
            [self.dtype.wrap(-each) if self.dtype.kind != "f" else -each for each in self._flat()],
            self.shape,
            self.dtype,
        )

    def __abs__(self):
        return where_(self < 0, -self, self) if self.dtype.kind != "b" else self.copy()

    def __invert__(self):
        if self.dtype.kind == "b":
            return new([not each for each in self._flat()], self.shape, B1)
        return new([self.dtype.wrap(~each) for each in self._flat()], self.shape, self.dtype)


as_dtype = dtype  # a parameter often has the other name


def new(flat, shape, kind):
    """Return an array of its own."""
    return _made(flat, 0, shape, c_steps(shape), kind, None, True)


def view_of(array, at, shape, steps):
    """Return a view: it sees what is written to `array`, and the other way round."""
    owner = array if array.base is None or isinstance(array.base, bytes) else array.base
    return _made(array._buf, at, shape, steps, array.dtype, owner, array._writeable)


def _made(buf, at, shape, steps, kind, base, writeable):
    self = object.__new__(ndarray)
    self._buf, self._at, self.shape, self._steps = buf, at, tuple(shape), tuple(steps)
    self.dtype, self.base, self._writeable = kind, base, writeable
    return self


def _unpickled(flat, shape, kind):
    return new(flat, shape, kind)


def as_shape(shape):
    return (
        tuple(map(operator.index, shape))
        if isinstance(shape, (tuple, list))
        else (operator.index(shape),)
    )


def c_steps(shape):
    """Return how many elements each axis steps on, the last one 1."""
    steps, step = [], 1
    for n in reversed(shape):
        steps.append(step)
        step *= n
    return tuple(reversed(steps))


def places(at, shape, steps):
    """Return where the elements are in the list, in order."""
    if not shape:
        return [at]
    if len(shape) == 1:
        n, step = shape[0], steps[0]
        return range(at, at + n * step, step) if step else [at] * n
    inner = places(0, shape[1:], steps[1:])
    return [at + row * steps[0] + place for row in range(shape[0]) for place in inner]


def chosen(array, key):
    """Return what an index names: (place, shape, steps) of a view, or (places, shape, None)."""
    keys = [
        each if each.__class__ in (int, slice) else _one_key(each)
        for each in (key if isinstance(key, tuple) else (key,))
    ]
    used, has_arrays = 0, False
    for each in keys:
        if isinstance(each, ndarray):
            has_arrays = True
            used += each.ndim if each.dtype.kind == "b" else 1
        elif each is not None and each is not Ellipsis:
            used += 1
    if used > array.ndim:
        raise IndexError(
            f"too many indices for array: array is {array.ndim}-dimensional, "
            f"but {used} were indexed"
        )
    rest = [slice(None)] * (array.ndim - used)
    at = next((at for at, each in enumerate(keys) if each is Ellipsis), len(keys))
    keys[at : at + 1] = rest
    if has_arrays:
        return _taken(array, keys)
    start, shape, steps, axis = array._at, [], [], 0
    for each in keys:
        if each is None:
            shape.append(1)
            steps.append(0)
            continue
        n, step = array.shape[axis], array._steps[axis]
        if isinstance(each, slice):
            first, _, by = each.indices(n)
            length = len(range(*each.indices(n)))
            start += first * step if length else 0
            shape.append(length)
            steps.append(step * by)
        else:
            start += _in_bounds(operator.index(each), n, axis) * step
        axis += 1
    return start, tuple(shape), tuple(steps)


def _one_key(key):
    if isinstance(key, (list, range)):
        key = as_array(key) if len(key) else new([], (0,), I8)
    if isinstance(key, (builtins.bool, bool_)):
        raise NotImplementedError("the stand-in takes no single bool as an index")
    if isinstance(key, float) or (isinstance(key, ndarray) and key.dtype.kind not in "biu"):
        raise IndexError("arrays used as indices must be of integer (or boolean) type")
    return key


def _is_mask(key):
    return isinstance(key, ndarray) and key.dtype.kind == "b"


def _in_bounds(at, n, axis):
    if not -n <= at < n:
        raise IndexError(f"index {at} is out of bounds for axis {axis} with size {n}")
    return at % n


def _taken(array, keys):
    """Return the places that arrays of positions, and masks, name."""
    dims, arrays, groups, axis, before = [], [], [], 0, None
    for each in keys:
        is_array = not (each is None or isinstance(each, slice))
        if is_array and before is not True:
            groups.append(len(dims))
        before = is_array
        if each is None:
            dims.append((1, 0, 0))
        elif isinstance(each, slice):
            first, _, by = each.indices(array.shape[axis])
            length = len(range(*each.indices(array.shape[axis])))
            dims.append((length, first * array._steps[axis], by * array._steps[axis]))
            axis += 1
        elif _is_mask(each):
            if each.shape != array.shape[axis : axis + each.ndim]:
                wrong = next(at for at, n in enumerate(each.shape) if n != array.shape[axis + at])
                raise IndexError(
                    f"boolean index did not match indexed array along axis {axis + wrong}; size of "
                    f"axis is {array.shape[axis + wrong]} but size of corresponding boolean axis is "
                    f"{each.shape[wrong]}"
                )
            for positions in nonzero(each):
                arrays.append((axis, positions))
                axis += 1
        else:
            arrays.append(
                (axis, each if isinstance(each, ndarray) else as_array(operator.index(each)))
            )
            axis += 1
    # Positions that stand together give their axes where they stand; others give them first.
    first = groups[0] if len(groups) == 1 else 0
    try:
        shape = shapes_together([positions.shape for _, positions in arrays])
    except ValueError:
        raise IndexError(
            "shape mismatch: indexing arrays could not be broadcast together with shapes "
            + " ".join(str(positions.shape) for _, positions in arrays)
        ) from None
    total = [array._at] * math.prod(shape)
    for axis, positions in arrays:
        n, step = array.shape[axis], array._steps[axis]
        given = positions._flat()
        if given and not -n <= builtins.min(given) <= builtins.max(given) < n:
            for position in given:
                _in_bounds(position, n, axis)
        flat = broadcast(positions, shape)
        if len(arrays) == 1 and given and builtins.min(given) >= 0:
            total = [array._at + position * step for position in flat]
            break
        for at, position in enumerate(flat):
            total[at] += (position % n if position < 0 else position) * step
    outer, inner = _grid(dims[:first]), _grid(dims[first:])
    if outer != [0] or inner != [0]:
        total = [o + place + i for o in outer for place in total for i in inner]
    sizes = [n for n, _, _ in dims]
    return total, (*sizes[:first], *shape, *sizes[first:]), None


def _grid(dims):
    out = [0]
    for n, start, step in dims:
        out = [place + start + at * step for place in out for at in range(n)]
    return out


def shapes_together(shapes):
    """Return the shape that arrays of these shapes have together."""
    out = ()
    for shape in shapes:
        both = []
        for one, other in itertools.zip_longest(reversed(out), reversed(shape), fillvalue=1):
            if one != other and 1 not in (one, other):
                raise ValueError(
                    f"operands could not be broadcast together with shapes {out} {shape}"
                )
            both.append(one if other == 1 else other)
        out = tuple(reversed(both))
    return out


def broadcast(array, shape):
    """Return the elements of an array as if it had `shape`."""
    if array.shape == shape:
        return array._flat()
    missing = len(shape) - array.ndim
    own = (1,) * missing + array.shape
    if missing < 0 or builtins.any(mine not in (n, 1) for mine, n in zip(own, shape)):
        raise ValueError(
            f"could not broadcast input array from shape {array.shape} into shape {shape}"
        )
    if array.size == 1:
        return [array._buf[array._at]] * math.prod(shape)
    steps = (0,) * missing + array._steps
    by = tuple(0 if mine == 1 else step for mine, step in zip(own, steps))
    return [array._buf[place] for place in places(array._at, shape, by)]


def broadcast_to(array, shape):
    flat = broadcast(as_array(array), as_shape(shape))
    return new(list(flat), as_shape(shape), as_array(array).dtype)


def reduced(array, axis, become, kind):
    """Return what `become` makes of all elements, or of those along one axis."""
    if axis is None:
        return kind.item(become(list(array._flat())))
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(f"axis {axis} is out of bounds for array of dimension {array.ndim}")
    rest = [at for at in range(array.ndim) if at != axis % array.ndim]
    shape = tuple(array.shape[at] for at in rest)
    n, step, buf = array.shape[axis], array._steps[axis], array._buf
    starts = places(array._at, shape, tuple(array._steps[at] for at in rest))
    out = new(
        [become([buf[start + at * step] for at in range(n)]) for start in starts], shape, kind
    )
    return out if shape else kind.item(out._flat()[0])


def _extreme(choose, initial):
    return lambda flat: choose(flat if initial is None else [*flat, initial])


# Arrays from what Python has.


def kind_of(flat):
    """Return the type that numbers and texts of Python's have together."""
    kind = None
    for each in flat:
        one = each.dtype if isinstance(each, generic) else _python_kind(each)
        kind = one if kind is None else promoted(kind, one)
    return F8 if kind is None else kind


def _python_kind(value):
    if isinstance(value, builtins.bool):
        return B1
    if isinstance(value, int):
        unsigned = dtype("uint64")
        return (
            I8 if I8.low <= value <= I8.high else unsigned if 0 < value <= unsigned.high else OBJECT
        )
    return F8 if isinstance(value, float) else TEXT if isinstance(value, str) else OBJECT


def array(x, dtype=None, copy=True):
    kind = None if dtype is None else as_dtype(dtype)
    if isinstance(x, ndarray):
        return x.copy() if kind is None else x.astype(kind)
    if not isinstance(x, (list, tuple, range)):
        kind = kind or kind_of([x])
        return new([(kind.convert if isinstance(x, generic) else kind.take)(x)], (), kind)
    x = list(x)
    if builtins.any(
        isinstance(each, (list, tuple, range)) or (isinstance(each, ndarray) and each.shape)
        for each in x
    ):
        _same_shape(x)
        rows = [array(each, kind) for each in x]
        kinds = [row.dtype for row in rows if row.size] or [row.dtype for row in rows]
        for each in kinds if kind is None else ():
            kind = each if kind is None else promoted(kind, each)
        return new([kind.convert(each) for row in rows for each in row._flat()],
                   (len(x), *rows[0].shape), kind)  # fmt: skip
    x = [each.dtype.item(each.item()) if isinstance(each, ndarray) else each for each in x]
    kind = kind or kind_of(x)
    return new([(kind.convert if isinstance(each, generic) else kind.take)(each) for each in x],
               (len(x),), kind)  # fmt: skip


def _same_shape(x):
    """Return the shape of lists in lists; ValueError if they are of different lengths."""
    if isinstance(x, (ndarray, generic)) or not isinstance(x, (list, tuple, range)):
        return getattr(x, "shape", ())
    shapes = [_same_shape(each) for each in x]
    if builtins.any(each != shapes[0] for each in shapes):
        raise ValueError(
            "setting an array element with a sequence. The requested array has an inhomogeneous "
            f"shape after 1 dimensions. The detected shape was ({len(x)},) + inhomogeneous part."
        )
    return (len(x), *(shapes[0] if shapes else ()))


def as_array(x, dtype=None):
    if isinstance(x, ndarray) and (dtype is None or as_dtype(dtype) is x.dtype):
        return x
    return array(x, dtype)


def nonzero(a):
    if not a.ndim:
        raise ValueError("Calling nonzero on 0d arrays is not allowed.")
    found = [at for at, each in enumerate(a._flat()) if each]
    if a.ndim == 1:
        return (new(found, (len(found),), I8),)
    steps = c_steps(a.shape)
    return tuple(
        new([at // step % n for at in found], (len(found),), I8) for n, step in zip(a.shape, steps)
    )


def where_(condition, a, b):
    kind = _kind_together(a, b)
    shape = shapes_together([as_array(each).shape for each in (condition, a, b)])
    flats = [broadcast(as_array(each), shape) for each in (condition, a, b)]
    flat = [one if take else other for take, one, other in zip(*flats)]
    flat = flat if _kind(a) is _kind(b) is kind else list(map(kind.convert, flat))
    return new(flat, shape, kind)


# Functions that work element by element.


def _kind(x):
    return x.dtype if isinstance(x, (ndarray, generic)) else _python_kind(x)


def _kind_together(a, b):
    """Return the type of the result: a number of Python's takes that of what stands beside it."""
    weak_a, weak_b = (not isinstance(each, (ndarray, generic)) for each in (a, b))
    kinds = _kind(a), _kind(b)
    order = "biuf"
    if weak_a != weak_b:
        weak, strong = kinds if weak_a else kinds[::-1]
        value = a if weak_a else b
        same = weak.kind == strong.kind or {weak.kind, strong.kind} <= {"i", "u"}
        if strong.kind in "iu" and same:
            strong.take(value)  # OverflowError, if it does not fit
        if same or (strong.kind in order and order.find(weak.kind) < order.find(strong.kind)):
            return strong
    return promoted(*kinds)


class ufunc:
    """A function of two arrays. `rule` says what becomes of the type: arithmetic, bits, compare."""

    def __init__(self, name, function, rule="arithmetic", on_bools=None):
        self.__name__, self._function, self._rule, self._on_bools = name, function, rule, on_bools

    def __repr__(self):
        return f"<ufunc '{self.__name__}'>"

    def __call__(self, a, b, out=None):
        a, b = (array(each) if isinstance(each, (list, tuple, range)) else each for each in (a, b))
        if not isinstance(a, (ndarray, int, float)) or not isinstance(b, (ndarray, int, float)):
            return NotImplemented
        function, kind = self._function, None
        if self._rule != "compare":
            kind = _kind_together(a, b)
            if kind.kind == "b":
                function = self._on_bools
                if function is None:
                    raise TypeError(f"ufunc '{self.__name__}' is not here for two arrays of bool")
            elif self._rule == "divide":
                kind = F8
            elif self._rule == "bits" and kind.kind == "f":
                raise TypeError(f"ufunc '{self.__name__}' not supported for the input types")
        r, shape = self._elements(function, a, b)
        if kind is None:
            kind, r = B1, list(map(builtins.bool, r)) if self._function in LOGICAL else r
        elif kind.kind == "f":
            r = list(map(float, r))
        elif kind.kind != "b":
            low, high = kind.low, kind.high
            if r and not low <= builtins.min(r) <= builtins.max(r) <= high:
                r = list(map(kind.wrap, r))
        if out is not None:
            out[...] = new(r, shape, kind)
            return out
        return new(r, shape, kind) if shape else kind.item(r[0])

    @staticmethod
    def _elements(function, a, b):
        if isinstance(a, ndarray) and isinstance(b, ndarray):
            shape = a.shape if a.shape == b.shape else shapes_together([a.shape, b.shape])
            return list(map(function, broadcast(a, shape), broadcast(b, shape))), shape
        if isinstance(a, ndarray):
            b = b.item() if isinstance(b, generic) else b
            return [function(each, b) for each in a._flat()], a.shape
        a = a.item() if isinstance(a, generic) else a
        if isinstance(b, ndarray):
            return [function(a, each) for each in b._flat()], b.shape
        return [function(a, b.item() if isinstance(b, generic) else b)], ()

    def at(self, a, key, values):
        """Do it in place, once for each index, also for one that is there twice."""
        if not a._writeable:
            raise ValueError("assignment destination is read-only")
        where, shape, steps = chosen(a, key)
        where = where if steps is None else places(where, shape, steps)
        for place, value in zip(where, broadcast(as_array(values), shape)):
            a._buf[place] = a.dtype.wrap(self._function(a._buf[place], value))


def _shifted_right(a, b):
    return a >> b if 0 <= b < 64 else (-1 if a < 0 else 0)


add = ufunc("add", operator.add, on_bools=lambda a, b: a or b)
subtract = ufunc("subtract", operator.sub)
multiply = ufunc("multiply", operator.mul, on_bools=lambda a, b: a and b)
floor_divide = ufunc("floor_divide", lambda a, b: a // b if b else 0)
remainder = ufunc("remainder", lambda a, b: a % b if b else 0)
true_divide = ufunc("divide", lambda a, b: a / b if b else math.nan, "divide", lambda a, b: a / b)
bitwise_and = ufunc("bitwise_and", operator.and_, "bits", operator.and_)
bitwise_or = ufunc("bitwise_or", operator.or_, "bits", operator.or_)
bitwise_xor = ufunc("bitwise_xor", operator.xor, "bits", operator.xor)
left_shift = ufunc("left_shift", lambda a, b: a << b if 0 <= b < 64 else 0, "bits")
right_shift = ufunc("right_shift", _shifted_right, "bits")
maximum = ufunc("maximum", lambda a, b: a if a >= b else b, on_bools=lambda a, b: a or b)
minimum = ufunc("minimum", lambda a, b: a if a <= b else b, on_bools=lambda a, b: a and b)
equal, not_equal, less, less_equal, greater, greater_equal = (
    ufunc(name, function, "compare")
    for name, function in [
        ("equal", operator.eq), ("not_equal", operator.ne), ("less", operator.lt),
        ("less_equal", operator.le), ("greater", operator.gt), ("greater_equal", operator.ge),
    ]
)  # fmt: skip
LOGICAL = [lambda a, b: a and b, lambda a, b: a or b]
logical_and, logical_or = (
    ufunc(name, function, "compare")
    for name, function in zip(["logical_and", "logical_or"], LOGICAL)
)


def _operators(name, function):
    def forward(self, other):
        return function(self, other)

    def backward(self, other):
        return function(other, self)

    def in_place(self, other):
        kind = _kind_together(self, other) if not isinstance(other, (list, tuple)) else self.dtype
        order = "biuf"
        if order.find(kind.kind) > order.find(self.dtype.kind) and kind.kind != "u":
            raise TypeError(
                f"Cannot cast ufunc '{function.__name__}' output from {kind!r} to {self.dtype!r} "
                "with casting rule 'same_kind'"
            )
        return function(self, other, out=self)

    setattr(ndarray, f"__{name}__", forward)
    setattr(ndarray, f"__r{name}__", backward)
    setattr(ndarray, f"__i{name}__", in_place)


for _name, _function in {
    "add": add, "sub": subtract, "mul": multiply, "floordiv": floor_divide, "mod": remainder,
    "truediv": true_divide, "and": bitwise_and, "or": bitwise_or, "xor": bitwise_xor,
    "lshift": left_shift, "rshift": right_shift,
}.items():  # fmt: skip
    _operators(_name, _function)


def _compared(name, function):
    def compare(self, other):
        result = function(self, other)
        if result is NotImplemented and name in ("eq", "ne"):  # with None, say
            return new([name == "ne"] * self.size, self.shape, B1)
        return result

    setattr(ndarray, f"__{name}__", compare)


for _name, _function in {
    "eq": equal, "ne": not_equal, "lt": less, "le": less_equal, "gt": greater, "ge": greater_equal,
}.items():  # fmt: skip
    _compared(_name, _function)
