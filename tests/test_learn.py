"""`anonlab.learn`: one `check` for exercises and machines, and a magic that is there at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from anonlab import learn
from anonlab.kernel import Kernel


def test_check_of_a_machine_sees_what_is_broken() -> None:
    kernel = Kernel(frames=8, geometry=learn.LESSON)
    shell = kernel.spawn("shell")
    shell.write(shell.mmap(learn.PAGE_SIZE, at=0x30000), 7)
    learn.check(kernel)
    kernel.mem_map.mapcount[1] += 1
    with pytest.raises(AssertionError, match="mapcount"):
        learn.check(kernel)


@pytest.mark.parametrize("subject", [4, None, ["04a"]])
def test_check_of_anything_else_says_what_it_takes(subject: object) -> None:
    with pytest.raises(TypeError, match=r'check\("04a"\), or a machine, check\(kernel\); got '):
        learn.check(subject)  # type: ignore[arg-type]


def test_check_of_an_exercise_that_is_not_there_is_a_sentence() -> None:
    assert "there is no exercise '99z'" in repr(learn.check("99z"))


def test_one_line_makes_the_magic_known() -> None:
    program = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_cell('from anonlab.learn import *')\n"
        "print(shell.find_cell_magic('exercise') is not None, 'check' in shell.user_ns)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "True"], done.stderr
