"""A box: one student's file in a process of its own, which can answer and nothing else.

bubblewrap gives it name spaces without network, other processes or files; prlimit inside sets the
limits. It is started, asked and killed on one thread, because --die-with-parent follows the thread.
"""

from __future__ import annotations

import marshal
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from anonlab.box.wire import LONGEST_LINE, Broken, clean, question, read_answer

WORKER = Path(__file__).with_name("worker.py")
BOTH_ENDS = Path(__file__).with_name("both_ends.py")
ITS_IMPORT = "from anonlab.box.both_ends import changed_text, decode, encode, unchanged\n"
FIRST = (
    "import marshal, sys\nfor c in marshal.loads(sys.stdin.buffer.read(int(sys.argv[3]))): exec(c)"
)
"""What Python runs in the box: the worker, which comes compiled before the first question.
Compiling it in each box would be a sixth of a box's start."""
LIBRARY = "/library"
"""Where the box has anonlab itself, without tests and solutions, as students have it."""
START_SECONDS = 30.0
"""A box that does not stand after this time is trouble of the grader, not of the student."""
KEPT = 64 << 10
"""Bytes of printed text that are kept."""
MOST_PRINTED = 64 << 20
MEMORY, FILE, PROCESSES, DESCRIPTORS, CPU = 1 << 30, 32 << 20, 16, 128, 20
"""Limits of one box: bytes, bytes of one file, processes, open files, CPU seconds."""
TMP, SHM = 64 << 20, 16 << 20
"""Bytes that can be written to /tmp and /dev/shm."""
ROOTS = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
BOUND_IF_THERE = ("/etc/ld.so.cache", "/etc/alternatives")
"""The dynamic linker's list and links to the distribution's BLAS: nothing personal."""
BUSY = 0.8
"""A call that used more than this share of its time on the CPU was not kept waiting."""


class BoxEnded(BaseException):
    """The box is gone; `status` says why, `message` is for people.

    No `except Exception` of a test catches it: there is nobody to ask any more.
    """

    def __init__(self, status: str, message: str, waited: bool = False) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.waited = waited
        """True for a time-out in which the box used little CPU: perhaps the machine was busy."""


class NoBox(Exception):
    """The box did not stand: trouble of the grader."""


@dataclass
class Clock:
    """Seconds that one call may take, and that an exercise of a submission has left for all."""

    call_seconds: float
    left: float


@cache
def interpreter_folders() -> list[str]:
    """Return the folders that Python needs besides /usr, the outer ones first."""
    found = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
    found += [os.path.realpath(path) for path in found]
    found += [str(Path(os.path.realpath(sys.executable)).parent.parent)]
    kept: list[str] = []
    for path in sorted(set(found)):
        if not any(Path(path).is_relative_to(outer) for outer in ("/usr", *kept)):
            kept.append(path)
    return kept


def package_folder() -> str:
    """Return the folder of anonlab itself."""
    return str(Path(__file__).resolve().parents[1])


def bound_folders() -> list[str]:
    """Return every folder of this machine that a box can read."""
    return ["/usr", *(f"/{name}" for name in ROOTS), *interpreter_folders(), package_folder()]


@cache
def worker_code() -> bytes:
    """Return the worker, compiled, as FIRST reads it."""
    worker = WORKER.read_text("utf-8")
    assert worker.count(ITS_IMPORT) == 1, "worker.py imports what both ends do, in one line"
    sources = (BOTH_ENDS.read_text("utf-8"), worker.replace(ITS_IMPORT, ""))
    codes = [compile(text, "worker.py", "exec", dont_inherit=True) for text in sources]
    return marshal.dumps(codes)


def worker_command(file: Path) -> list[str]:
    """Return the command of a box in which the worker has `file`, once it has read itself."""
    return [*command(file, ["-c", FIRST]), str(len(worker_code()))]


def program_command(file: Path, program: Path) -> list[str]:
    """Return the command that runs a program of ours in a box that has `file`."""
    return command(file, ["/w.py"], ["--ro-bind", str(program), "/w.py"])


def command(file: Path, run: list[str], more: Sequence[str] = ()) -> list[str]:
    """Return the command that lets Python `run` something in a box in which /sub holds a copy of
    `file` alone; its arguments are that copy and the folders of modules.

    more  options of bwrap
    The order counts: what lies below /tmp is bound after /tmp, and the root is closed last.
    """
    sub = f"/sub/{file.name}"
    binds = [["--ro-bind", path, path] for path in interpreter_folders()]
    return [
        *(shutil.which("bwrap") or "bwrap", "--unshare-all", "--unshare-user", "--disable-userns"),
        *("--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--uid", "65534", "--gid", "65534", "--hostname", "box"),
        *("--ro-bind", "/usr", "/usr", *_roots()),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", str(SHM), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"),
        *("--size", str(TMP), "--tmpfs", "/tmp"),
        *(word for bind in binds for word in bind),
        *("--ro-bind", package_folder(), f"{LIBRARY}/anonlab"),
        *("--ro-bind", str(file), sub, *more),
        *("--remount-ro", "/"),
        *("--clearenv", "--setenv", "PATH", "/usr/bin", "--setenv", "HOME", "/tmp"),
        *("--setenv", "LC_ALL", "C.UTF-8", "--setenv", "PYTHONHASHSEED", "0"),
        *("--setenv", "OPENBLAS_NUM_THREADS", "1", "--setenv", "MPLBACKEND", "Agg"),
        *("--chdir", "/tmp", "prlimit", f"--nproc={PROCESSES}", f"--as={MEMORY}"),
        *(f"--fsize={FILE}", f"--nofile={DESCRIPTORS}", f"--cpu={CPU}", "--core=0", "--"),
        # -S -P and an environment made above are -I, but for PYTHONHASHSEED: a set of the student's
        # has the same order when the same thing is graded again. Without site it starts sooner.
        *(sys.executable, "-S", "-P", "-B", *run, sub, os.pathsep.join(module_folders())),
    ]


@cache
def module_folders() -> list[str]:
    """Return where the box finds NumPy and anonlab: what `site` would add, and the library."""
    outer = ["/usr", *interpreter_folders()]
    return [
        *(
            path
            for path in sys.path
            if path.endswith(("site-packages", "dist-packages"))
            and any(Path(path).is_relative_to(folder) for folder in outer)
        ),
        LIBRARY,
    ]


@cache
def _roots() -> list[str]:
    """Return the options that give the box /bin, /lib and the like, as this machine has them."""
    found = []
    for name in ROOTS:
        path = Path("/", name)
        if path.is_symlink():
            found += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            found += ["--ro-bind", str(path), str(path)]
    for name in BOUND_IF_THERE:
        found += ["--ro-bind-try", name, name]
    return found


class Box:
    """A box around one student's file.

    raises  NoBox if it cannot be started
    """

    def __init__(self, file: Path, clock: Clock) -> None:
        self.clock = clock
        self.number = 0
        self.ended: BoxEnded | None = None
        self._printed = bytearray()
        self._much = 0  # bytes that were printed
        self._closed = False
        self._thread = threading.get_ident()
        try:
            self._process = subprocess.Popen(
                worker_command(file),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env={"PATH": os.environ.get("PATH", os.defpath)},
            )
        except OSError as error:
            raise NoBox(f"bwrap cannot be started: {error}") from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._in, self._out, self._err = (
            pipe.fileno()
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr)
        )
        for descriptor in (self._in, self._out, self._err):
            os.set_blocking(descriptor, False)
        self._stand()

    @property
    def printed(self) -> str:
        """What was printed in the box, cleaned and cut."""
        cut = "\n… (cut)" if self._much > len(self._printed) else ""
        return clean(self._printed.decode("utf-8", "replace")) + cut

    def _stand(self) -> None:
        """Wait until the worker says that it is there: no line of the student's has run before."""
        try:
            line = self._exchange(worker_code(), time.monotonic() + START_SECONDS)
            read_answer(line, 0)
        except (BoxEnded, Broken) as error:
            self.kill()
            raise NoBox(
                f"the box does not stand ({error}); it said: {self.printed[:500]}"
            ) from None

    def ask(self, op: str, **parts: Any) -> Any:
        """Ask the worker, and return its answer, or Raised.

        raises  BoxEnded if there is none in time, or none that can be read; RuntimeError from
                another thread than the one that started the box
        """
        if threading.get_ident() != self._thread:
            raise RuntimeError("a box is used on the thread that started it")
        if self.ended is not None:
            raise self.ended
        if self._closed:
            raise RuntimeError("a box that was killed is not asked")
        self.number += 1
        begin = time.monotonic()
        try:
            return self._answer(begin, question(self.number, op, **parts))
        except BoxEnded as ended:
            self.ended = ended
            raise
        finally:
            self.clock.left -= time.monotonic() - begin
            if self.ended is not None:
                self.kill()

    def _answer(self, begin: float, data: bytes) -> Any:
        if self.clock.left <= 0:
            raise BoxEnded("timeout", self._late(0))
        self._nothing_unasked()
        limit = min(self.clock.call_seconds, self.clock.left)
        try:
            return read_answer(self._exchange(data, begin + limit), self.number)
        except TimeoutError:
            waited = self._cpu_seconds() < BUSY * limit
            raise BoxEnded("timeout", self._late(limit), waited) from None
        except Broken as error:
            raise BoxEnded("protocol", str(error)) from None

    def _late(self, limit: float) -> str:
        if limit < self.clock.call_seconds:
            return "the time for all calls together is used up"
        return f"no answer after {limit:g} s: is there a loop that never ends?"

    def _nothing_unasked(self) -> None:
        """Refuse what was written before the question."""
        with suppress(BlockingIOError):
            if os.read(self._out, 1):
                raise BoxEnded("protocol", "the box spoke without being asked")
            raise self._gone()

    def _exchange(self, data: bytes, deadline: float) -> bytes:
        """Write `data`, and return the one line that comes back, without its end.

        raises  TimeoutError after `deadline`, Broken for a wrong line, BoxEnded if the box is gone
        """
        poller = select.poll()
        poller.register(self._out, select.POLLIN)
        poller.register(self._err, select.POLLIN)
        if data:
            poller.register(self._in, select.POLLOUT)
        line = bytearray()
        while True:
            left = deadline - time.monotonic()
            events = dict(poller.poll(max(left, 0) * 1000))
            if not events or left <= 0:
                raise TimeoutError
            if self._err in events and not self._read_printed():
                poller.unregister(self._err)
            if self._in in events:
                data = self._write(data)
                if not data:
                    poller.unregister(self._in)
            if self._out in events and self._read_answer(line):
                return bytes(line[:-1])

    def _read_answer(self, line: bytearray) -> bool:
        """Read what there is of the answer; return whether it is whole."""
        with suppress(BlockingIOError):
            chunk = os.read(self._out, 1 << 16)
            if not chunk:
                raise self._gone()
            line += chunk
            if b"\n" in chunk:
                if line.index(b"\n") != len(line) - 1:
                    raise Broken("more than one line came")
                return True
            if len(line) > LONGEST_LINE:
                raise Broken(f"an answer of more than {LONGEST_LINE:,} bytes")
        return False

    def _write(self, data: bytes) -> bytes:
        """Write as much as goes; return the rest."""
        try:
            return data[os.write(self._in, data) :]
        except BlockingIOError:
            return data
        except BrokenPipeError:
            return b""  # its end is seen where answers come from

    def _read_printed(self) -> bool:
        """Read printed text, so that whoever prints is never kept waiting; False at its end."""
        with suppress(BlockingIOError):
            chunk = os.read(self._err, 1 << 16)
            self._much += len(chunk)
            self._printed += chunk[: KEPT - len(self._printed)]
            if self._much > MOST_PRINTED:
                raise BoxEnded("limit-output", f"more than {MOST_PRINTED >> 20} MiB were printed")
            return bool(chunk)
        return True

    def _gone(self) -> BoxEnded:
        """Return how the box came to its end: by itself, or by closing its mouth."""
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return BoxEnded("crash", "the box closed the way for its answers")
        if code - 128 == 24:  # SIGXCPU
            return BoxEnded("timeout", f"more than {CPU} s of CPU time")
        how = f"signal {code - 128}" if code > 128 else f"exit status {code}"
        return BoxEnded("crash", f"it ended without an answer ({how})")

    def _cpu_seconds(self) -> float:
        """Return the CPU time that the processes of the box have used."""
        ticks, todo = 0, [self._process.pid]
        while todo:
            pid = todo.pop()
            with suppress(OSError, ValueError, IndexError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(map(int, fields[11:15]))
            todo += self._children(pid)
        return ticks / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _children(pid: int) -> list[int]:
        try:
            return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
        except OSError:
            return []

    def _end_processes(self) -> None:
        """Kill the init of the box, and all with it; bwrap reaps it: perhaps nobody else would."""
        for first in self._children(self._process.pid):
            with suppress(OSError):
                os.kill(first, signal.SIGKILL)
        ended = os.pidfd_open(self._process.pid)
        if not select.select([ended], [], [], 1.0)[0]:
            self._process.kill()
        os.close(ended)
        self._process.wait()

    def kill(self) -> None:
        """End the box and all that is in it; does nothing a second time."""
        if self._closed:
            return
        self._closed = True
        if self._process.poll() is None:
            self._end_processes()
        with suppress(BoxEnded):
            while select.select([self._err], [], [], 0)[0] and self._read_printed():
                pass
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()
