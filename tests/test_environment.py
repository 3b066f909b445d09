"""environment.yml and pyproject.toml say the same; what that does not prove is that it solves."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from project import ROOT
from rattler import MatchSpec

CONDA_NAMES = {"graphviz": "python-graphviz"}
"""Names of PyPI that are others on conda-forge."""
CONDA_ONLY = {"graphviz", "pip"}
"""Conda packages that PyPI does not have or does not need."""
PIP_PART = ["--editable ."]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture
def environment() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))


EXTRAS = ("lab", "grade")
"""What a learner or a teacher gets with conda beside the core."""


def wanted(project: dict[str, Any]) -> dict[str, SpecifierSet]:
    """What pyproject.toml asks for, under conda's names."""
    found = {}
    extras = project["optional-dependencies"]
    for line in [*project["dependencies"], *(line for extra in EXTRAS for line in extras[extra])]:
        requirement = Requirement(line)
        here = requirement.marker is None or requirement.marker.evaluate({"sys_platform": "linux"})
        assert here, f"{line}: conda knows no markers, and makes no environment in a browser"
        found[CONDA_NAMES.get(requirement.name, requirement.name)] = requirement.specifier
    return found


def offered(environment: dict[str, Any]) -> dict[str, SpecifierSet]:
    """What environment.yml asks for, Python aside; raises on what conda would refuse."""
    found = {}
    for line in environment["dependencies"]:
        if isinstance(line, str):
            spec = MatchSpec(line, strict=True)
            if spec.name.normalized != "python":
                found[spec.name.normalized] = SpecifierSet(str(spec.version or ""))
        else:
            assert line == {"pip": PIP_PART}, f"the pip part is {line}, expected {PIP_PART}"
    return found


def differences(project: dict[str, Any], environment: dict[str, Any]) -> list[str]:
    """One sentence for each package on which the two files differ."""
    left, right = wanted(project), offered(environment)
    found = []
    for name in sorted({*left, *right} - CONDA_ONLY):
        if name not in right:
            found.append(f"{name} is in pyproject.toml only")
        elif name not in left:
            found.append(f"{name} is in environment.yml only")
        elif left[name] != right[name]:
            found.append(
                f"{name} is {left[name]} in pyproject.toml, {right[name]} in environment.yml"
            )
    return found


def test_both_files_ask_for_the_same(project: dict[str, Any], environment: dict[str, Any]) -> None:
    assert differences(project, environment) == []


def test_conda_only_packages_are_there(environment: dict[str, Any]) -> None:
    assert offered(environment).keys() >= CONDA_ONLY


def test_a_changed_bound_is_reported(project: dict[str, Any], environment: dict[str, Any]) -> None:
    lines = environment["dependencies"]
    lines[lines.index("numpy >=1.26,<3")] = "numpy >=1.26,<2"
    assert differences(project, environment) == [
        "numpy is <3,>=1.26 in pyproject.toml, <2,>=1.26 in environment.yml"
    ]


def python_of(environment: dict[str, Any]) -> str:
    """The Python that repo2docker takes from the file, '' if it sees none: it reads lines that are
    "python", "=" and a version, and nothing else (buildpacks/conda, PYTHON_REGEX)."""
    lines = [line for line in environment["dependencies"] if isinstance(line, str)]
    found = [match[1] for line in lines if (match := re.match(r"python\s*=+\s*([\d.]*)", line))]
    return found[0] if found else ""


def test_binder_builds_a_python_that_is_wanted_and_tested(
    project: dict[str, Any], environment: dict[str, Any]
) -> None:
    chosen = python_of(environment)
    assert SpecifierSet(project["requires-python"]).contains(chosen)
    assert f"Programming Language :: Python :: {chosen}" in project["classifiers"]
    assert not python_of({"dependencies": ["python >=3.11"]}), "the line of before"


def test_a_package_in_one_file_only_is_reported(
    project: dict[str, Any], environment: dict[str, Any]
) -> None:
    environment["dependencies"].remove("rich >=13.7")
    environment["dependencies"].append("requests >=2")
    assert differences(project, environment) == [
        "requests is in environment.yml only",
        "rich is in pyproject.toml only",
    ]


@pytest.mark.parametrize("line", ["numpy >=<2", "numpy==2.0==", "numpy=2.*", "foo[bar"])
def test_what_conda_refuses_is_refused(environment: dict[str, Any], line: str) -> None:
    environment["dependencies"].append(line)
    with pytest.raises(Exception, match=r"\w"):
        offered(environment)
