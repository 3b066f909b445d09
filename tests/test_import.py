"""`import anonlab` loads NumPy and nothing heavier."""

from __future__ import annotations

import json
import subprocess
import sys

from project import ROOT

PROGRAM = """
import json, sys
import numpy
before = set(sys.modules)
import anonlab
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded() -> set[str]:
    """Modules that `import anonlab` loads after `import numpy`, in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_import_anonlab_loads_numpy_and_nothing_else_from_outside() -> None:
    outside = {name.split(".")[0] for name in loaded()} - sys.stdlib_module_names
    assert outside <= {"anonlab", "numpy"}


def test_import_anonlab_loads_the_core_only() -> None:
    edges = ("view", "linux", "course", "grading", "cli", "doctor", "verify")
    assert not {f"anonlab.{name}" for name in edges} & loaded()
