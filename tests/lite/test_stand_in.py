"""The stand-in for NumPy: it has what the course uses, and it answers as NumPy does."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lite_site import STAND_IN
from project import ROOT

COURSE = ("anonlab", "notebooks/source", "solutions", "tests/exercises/public")
"""What runs in the browser; solutions are what learners write."""
TYPES = {"bool_", "dtype", "floating", "generic", "int64", "integer", "ndarray"}
TYPES |= {"uint8", "uint32", "uint64"}
OTHERS = {"__version__"}
STEADY = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


def load_stand_in() -> ModuleType:
    """Return the stand-in beside the real NumPy, under another name."""
    name, place = "stand_in_for_numpy", STAND_IN / "numpy"
    spec = importlib.util.spec_from_file_location(
        name, place / "__init__.py", submodule_search_locations=[str(place)]
    )
    assert spec
    assert spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


plain = load_stand_in()


# What the course uses.


def sources() -> Iterator[ast.AST]:
    """The syntax trees of the course."""
    for folder in COURSE:
        for path in (ROOT / folder).rglob("*.py"):
            yield ast.parse(path.read_text("utf-8"))


def is_numpy(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "numpy")


def used() -> tuple[set[str], set[str]]:
    """Return the names `np.…` of the course, and all names that stand behind a dot."""
    ours, behind_a_dot = set(), set()
    for tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                (ours if is_numpy(node.value) else behind_a_dot).add(node.attr)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("numpy"):
                assert node.module == "numpy.typing", "the list is of np.… only"
                assert [each.name for each in node.names] == ["NDArray"]
    return ours, behind_a_dot


OF_OTHER_THINGS = {
    *("byteswap", "compress", "data", "dot", "dump", "dumps", "partition", "prod", "put", "real"),
    *("resize", "take", "trace"),
}
"""Names behind a dot that arrays have as well, where no array stands before the dot."""


def test_it_has_every_name_that_the_course_uses() -> None:
    ours, behind_a_dot = used()
    assert ours >= {"searchsorted", "bincount", "int64"}, "the search finds nothing"
    functions = ours - TYPES - OTHERS
    assert {name for name in functions if name not in FORMS} == set(), "held to NumPy below"
    assert {name for name in ours if not hasattr(plain, name)} == set()
    of_arrays = {name for name in behind_a_dot if hasattr(numpy.ndarray, name)} - OF_OTHER_THINGS
    assert {name for name in of_arrays if not hasattr(plain.ndarray, name)} == set()


# It answers as NumPy. A form's parameters name what it is given (see `tables`).

FORMS: dict[str, tuple[Callable[..., Any], ...]] = {
    "add": (lambda np, a, at, i: np.add.at(a, at, i), lambda np, a, b: np.add(a, b)),
    "append": (lambda np, a, i: np.append(a[1:], i), lambda np, a, m: np.append(a, m)),
    "arange": (
        lambda np, s: np.arange(3, s),
        lambda np, s: np.arange(s, -3, -1, dtype=np.int64),
        lambda np, s: np.arange(s) * s,
    ),
    "argsort": (lambda np, small: np.argsort(small, kind="stable"),),
    "array": (
        lambda np, anything: np.array(anything),
        lambda np, anything: np.array(anything, dtype=np.int64),
        lambda np, anything: np.array(anything, np.bool_),
        lambda np, a, b: np.array((a, b)),
        lambda np, t: np.array(t.tolist(), dtype=np.int64).reshape(-1, 2).T,
    ),
    "array_equal": (lambda np, a, b: np.array_equal(a, b), lambda np, a: np.array_equal(a, a + 0)),
    "asarray": (lambda np, a: np.asarray(a) is a, lambda np, anything: np.asarray(anything)),
    "atleast_1d": (lambda np, a: np.atleast_1d(a), lambda np, s: np.atleast_1d(s)),
    "bincount": (
        lambda np, small, s: np.bincount(small, minlength=s),
        lambda np, a: np.bincount(a & 0xFF),
        lambda np, small: np.bincount(-small),
    ),
    "column_stack": (lambda np, a, b: np.column_stack([a, b]).reshape(-1),),
    "concatenate": (
        lambda np, a, small: np.concatenate([a, small, a[:0]]),
        lambda np, t: np.concatenate([t, t], axis=1),
        lambda np, a, m: np.concatenate([a, m]),
        lambda np, i, a: np.concatenate([[i], a[a != i]]),
        lambda np, a: np.concatenate([]),
    ),
    "count_nonzero": (
        lambda np, a: int(np.count_nonzero(a)),
        lambda np, m: bool(np.count_nonzero(m) == m.size),
    ),
    "cumsum": (
        lambda np, a: np.cumsum(a),
        lambda np, m: np.cumsum(m),
        lambda np, small: np.cumsum(small * 90, dtype=np.uint8) & 1,
    ),
    "divmod": (lambda np, a, s: np.divmod(a, s), lambda np, a, b: np.divmod(a, b)),
    "empty": (lambda np, s: np.empty(s, dtype=np.int64).shape,),
    "extract": (
        lambda np, a: np.extract(a == 0, a),
        lambda np, s, i: np.extract(s == 0, i),
    ),
    "flatnonzero": (
        lambda np, t: np.flatnonzero(t),
        lambda np, m: np.flatnonzero(m).tolist(),
    ),
    "frombuffer": (
        lambda np, raw: np.frombuffer(raw, np.uint8),
        lambda np, raw: np.frombuffer(raw, np.uint32),
        lambda np, raw: np.frombuffer(raw + b"1", np.dtype("int64").newbyteorder("<")),
    ),
    "fromiter": (lambda np, a, s: np.fromiter(a.tolist(), dtype=np.int64, count=s),),
    "full": (lambda np, a, i: np.full(a.shape, i), lambda np, s, i: np.full(s, i, np.int64)),
    "full_like": (lambda np, a, i: np.full_like(a, i), lambda np, m, i: np.full_like(m, i)),
    "isin": (lambda np, small, at: np.isin(small, at), lambda np, t, small: np.isin(t, small)),
    "linspace": (lambda np, s: np.linspace(0, s, min(s + 1, 7)).astype(np.int64),),
    "maximum": (lambda np, a, b: np.maximum(a, b), lambda np, a: np.maximum(-a, 0)),
    "minimum": (lambda np, a, i: np.minimum(a, i), lambda np, m: np.minimum(m, ~m)),
    "nonzero": (lambda np, t: np.nonzero(t), lambda np, m: m.nonzero()[0]),
    "not_equal": (
        lambda np, a, m: (np.not_equal(a[1:], a[:-1], out=m[1:]), m),
        lambda np, a, b: np.not_equal(a, b),
    ),
    "ones": (lambda np, s: np.ones(s, dtype=np.bool_), lambda np, t: np.ones(t.shape)),
    "ones_like": (lambda np, m: np.ones_like(m), lambda np, t: np.ones_like(t)),
    "pad": (
        lambda np, a, s: np.pad(a, (0, s)),
        lambda np, t, s: np.pad(t, ((0, s), (0, 0))),
    ),
    "repeat": (
        lambda np, a, small: np.repeat(a, small),
        lambda np, a, s: np.repeat(a, s),
        lambda np, a, b: np.repeat(a[:3], -1),
    ),
    "roll": (lambda np, a, i: np.roll(a, -int(i)),),
    "searchsorted": (
        lambda np, small, at: np.searchsorted(np.sort(small), at),
        lambda np, small, s: np.searchsorted(np.sort(small), s, side="right") - 1,
    ),
    "sort": (lambda np, a: np.sort(a), lambda np, t: np.sort(t)),
    "subtract": (lambda np, a, at: np.subtract.at(a, at, 1), lambda np, m: np.subtract(m, m)),
    "tile": (lambda np, a, s: np.tile(a, s),),
    "union1d": (lambda np, a, small: np.union1d(a, small),),
    "unique": (
        lambda np, small: np.unique(small, return_index=True),
        lambda np, small: np.unique(small, return_counts=True),
        lambda np, m: np.unique(m),
    ),
    "where": (
        lambda np, m, a, b: np.where(m, a, b),
        lambda np, m, a: np.where(m, a, 0),
        lambda np, m: np.where(m, True, m),
        lambda np, t: np.where(t),
    ),
    "zeros": (lambda np, t: np.zeros(t.shape), lambda np, s: np.zeros((2, s), dtype=np.bool_)),
    "zeros_like": (lambda np, m: np.zeros_like(m), lambda np, t: np.zeros_like(t)),
    # What has no name behind `np`.
    "arithmetic": (
        lambda np, a, b: (a + b, a - b, a * b, -a, abs(a)),
        lambda np, a, b: (a // b, a % b),
        lambda np, a, i: (a + i, i - a, a * i, a // i, a % i),
        lambda np, m, i: (m + i, m * i, i - m),
        lambda np, m: m + m,
        lambda np, m: m - m,
        lambda np, m: -m,
        lambda np, a, b: a / (abs(b) + 1),
        lambda np, t, small: t + small[:2],
    ),
    "bits": (
        lambda np, a, b: (a & b, a | b, a ^ b, ~a),
        lambda np, m: (m & m, m | ~m, m ^ m, m & 1),
        lambda np, a, s: (a << s, a >> s, 1 << np.array([s, 70]), -1 >> np.array([s, 70])),
        lambda np, a, m: (a & m, m | a),
        lambda np, a: a.astype(np.uint8) << 3,
        lambda np, a: a.astype(np.uint8) & 0x1FF,
    ),
    "comparisons": (
        lambda np, a, b: (a == b, a != b, a < b, a <= b, a > b, a >= b),
        lambda np, a, i: (a == i, i < a, a != None),  # noqa: E711
        lambda np, a, s: a[:s] == a[:2],
    ),
    "in place": (
        lambda np, a, b, i: (a.__iadd__(b), a.__isub__(i), a.__iand__(b), a.__ior__(i)),
        lambda np, m, a: m.__iadd__(a),
        lambda np, t: t[:, :1].__imul__(2),
    ),
    "numbers": (
        lambda np, a: [(x + 1, x - x, -x, ~x, x << 1, x >> 1, x & 6, x * 3) for x in a],
        lambda np, a, b: [(x + y, x * y, x < y, x // y, x % y) for x, y in zip(a, b, strict=False)],
        lambda np, m, a: [(x & True, ~x, x | y > 0, x == 1) for x, y in zip(m, a, strict=False)],
        lambda np, i: (np.int64(i), np.bool_(i), np.int64(i).item(), str(np.int64(i)), np.uint8(i)),
        lambda np, a, m: (repr(a[0]), repr(m[0]), f"{a[0]:#x}", int(a[0]), bool(m[0])),
        lambda np, a: (a.astype(np.uint8).sum(), [x + 1 for x in a.astype(np.uint32) & 7]),
    ),
    "what many become": (
        lambda np, t: (t.sum(), t.sum(axis=0), t.any(axis=1), t.all(), t.any()),
        lambda np, m: (m.sum(), m.any(), m.all(), m.mean() if m.size else 0),
        lambda np, t: (t.max(), t.min(axis=1), t.argmax(axis=1), t.argmin()),
        lambda np, a: a.max(initial=3),
        lambda np, a: (a.max(), a.argmax()),
        lambda np, t: t.sum(axis=2),
    ),
    "forms": (
        lambda np, t: (t.T, t.ravel(), t.reshape(-1), t.T.reshape(-1), t.tolist(), t.ndim),
        lambda np, t, s: t.reshape(s, -1),
        lambda np, a: (a.astype(np.uint32).tobytes(), a.astype(np.bool_), a.astype(float)),
        lambda np, a: (a.itemsize, a.nbytes, a.dtype.name, a.dtype.str, a.dtype.kind, str(a.dtype)),
        lambda np, a: (bool(a), int(a[:1].reshape(())), a.item()),
        lambda np, a: (len(a), list(a), 3 in a, a.copy() is a, a.astype(np.int64, copy=False) is a),
        lambda np, a, i: (a.fill(i), a),
    ),
    "views": (
        lambda np, t, i: (t[0].__setitem__(0, i), t.T.__setitem__(1, i), t),
        lambda np, t, i: (t[:, 0].base is t, t.base is None, t[1:].strides, t.T.strides),
        lambda np, t: np.ndarray((1,), t.dtype, t, 16, (8,)) if len(t) else None,
        lambda np, a: (setattr(a.flags, "writeable", False), a.__setitem__(0, 1)),
        lambda np, a: (a.setflags(write=False), a[1:].flags.writeable, a[1:].setflags(write=True)),
        lambda np, raw: np.frombuffer(raw, np.uint8).setflags(write=True),
        lambda np, t: t[1:].__array_interface__["data"][0] - t.__array_interface__["data"][0],
    ),
}

WORDS = st.one_of(
    st.integers(-3, 9),
    st.sampled_from([-(1 << 63), (1 << 63) - 1, 1 << 40, 0xFF, 0x100, -(1 << 62)]),
)
ANYTHING = st.one_of(
    WORDS, st.booleans(), st.none(), st.text("a7", max_size=2), st.sampled_from([1.5, -0.0]),
    st.sampled_from([1 << 63, 1 << 64, -(1 << 63) - 1]),
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """What forms are given, by parameter, as lists and numbers of Python's."""
    n = draw(st.integers(0, 6))
    rows = draw(st.integers(0, 3))
    many = lambda of, size: draw(st.lists(of, min_size=size, max_size=size))  # noqa: E731
    return {
        "a": many(WORDS, n), "b": many(WORDS, n), "m": many(st.booleans(), n),
        "at": many(st.integers(-n, n - 1), draw(st.integers(0, 6))) if n else [],
        "small": many(st.integers(0, 5), n), "t": [many(WORDS, 2) for _ in range(rows)],
        "i": draw(WORDS), "s": draw(st.integers(0, 70 if n == 3 else 7)),
        "raw": bytes(many(st.integers(0, 255), 4 * n)),
        "anything": draw(st.one_of(ANYTHING, st.lists(ANYTHING, max_size=3),
                                   st.lists(st.lists(ANYTHING, max_size=2), max_size=3))),
    }  # fmt: skip


def given_to(np: Any, name: str, value: Any) -> Any:
    """Return one of `tables` as `np` has it."""
    if name in ("i", "s", "raw", "anything"):
        return value
    made = np.array(value, dtype=np.bool_ if name == "m" else np.int64)
    return made.reshape(-1, 2) if name == "t" else made


def said(np: Any, value: Any) -> Any:
    """Return an answer as Python's own things, with its type and its shape."""
    if isinstance(value, np.ndarray):
        return (value.dtype.name.rstrip("0123456789") if value.dtype.kind == "U"
                else value.dtype.name, value.shape, repr(value.tolist()))  # fmt: skip
    if isinstance(value, np.generic):
        return value.dtype.name, repr(value.item())
    if isinstance(value, tuple | list):
        return [said(np, each) for each in value]
    return repr(value)


def answer(np: Any, form: Callable[..., Any], table: dict[str, Any]) -> Any:
    """Return what `form` gives under `np`, and what its arrays are then; or the error's kind."""
    names = list(inspect.signature(form).parameters)[1:]
    arrays = [given_to(np, name, table[name]) for name in names]
    with np.errstate(all="ignore"):
        try:
            return said(np, [form(np, *arrays), arrays])
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            kinds = (TypeError, ValueError, IndexError, OverflowError)
            return next(kind for kind in kinds if isinstance(error, kind)).__name__


EMPTY = {"a": [], "b": [], "m": [], "at": [], "small": [], "t": [], "i": 0, "s": 0, "raw": b"",
         "anything": []}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_it_answers_as_numpy(name: str) -> None:
    @settings(STEADY, max_examples=60)
    @given(tables())
    @example(EMPTY)
    def agrees(table: dict[str, Any]) -> None:
        for at, form in enumerate(FORMS[name]):
            assert answer(plain, form, table) == answer(numpy, form, table), f"form {at}"

    agrees()


KEYS = st.one_of(
    st.integers(-4, 3), st.slices(3), st.just(...), st.none(),
    st.lists(st.integers(-3, 2), max_size=3), st.lists(st.booleans(), min_size=3, max_size=3),
)  # fmt: skip


@STEADY
@given(st.lists(KEYS, min_size=1, max_size=3), st.booleans(), st.integers(-5, 5))
def test_an_index_reads_and_writes_the_same_places_as_numpys(
    keys: list[Any], transposed: bool, value: int
) -> None:
    def outcome(np: Any) -> Any:
        array = np.arange(27).reshape(3, 3, 3)
        array = array.T if transposed else array
        key = tuple(np.array(each, dtype=bool if each and isinstance(each[0], bool) else int)
                    if isinstance(each, list) else each for each in keys)  # fmt: skip
        try:
            found = said(np, array[key if len(key) > 1 else key[0]])
            array[key] = value
            return found, array.tolist()
        except (IndexError, ValueError) as error:
            return type(error).__name__

    if sum(each is ... for each in keys) < 2:
        assert outcome(plain) == outcome(numpy)


# The tests of machine and kernel, under it.

FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("machine", "kernel")
    for path in (ROOT / "tests" / folder).glob("test_*.py")
)
LONG = {"tests/kernel/test_cow_rules.py": 0, "tests/kernel/test_running_out.py": 0}
"""Shares of those that take more than half a minute: they are in `make proofs` only."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow(share=LONG.get(name, 1 / 4))) for name in FILES],
)
def test_the_tests_of_machine_and_kernel_pass_under_it(name: str) -> None:
    away = ("PYTEST_", "ANONLAB_CI")  # tests are left out: under_stand_in says which
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(away)}
    paths = os.pathsep.join(map(str, (STAND_IN, ROOT / "tests" / "support")))
    options = ["-q", "-n", "0", "-p", "under_stand_in", "-p", "no:cacheprovider", "--tb=short"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, name],
        cwd=ROOT,
        env={**inherited, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
