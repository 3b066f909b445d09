"""How a mutant is made: a piece of a function's source, and what stands there instead.

The changed code goes into the function itself, so that everybody who imported it runs the mutant.
"""

from __future__ import annotations
import __future__

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any, NamedTuple


class Mutant(NamedTuple):
    """`old` stands exactly once in the source of `function`; the mutant says `new` there.

    design  the design under which it is looked for
    """

    function: Callable[..., Any]
    old: str
    new: str
    design: str = "anongroup"


@contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """Let `mutant` take the place of the original inside the block.

    raises  AssertionError if the code has changed so that the mutant does not fit any more
    """
    function = mutant.function
    assert isinstance(function, FunctionType), f"{function!r} is no function of ours"
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(mutant.old) == 1, (
        f"{mutant.old!r} stands {source.count(mutant.old)} times in {function.__qualname__}: "
        "it stands there once, so take a longer piece; 0 times: the mutant must follow the code"
    )
    flags = __future__.annotations.compiler_flag
    changed = source.replace(mutant.old, mutant.new)
    made: dict[str, Any] = {}
    exec(compile(changed, f"<mutant of {function.__qualname__}>", "exec", flags), made)
    original = function.__code__
    function.__code__ = made[function.__name__].__code__
    try:
        yield
    finally:
        function.__code__ = original
