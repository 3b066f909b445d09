"""A student's code in a process of its own, where no box stands: without the kernel's walls.

What a box refuses, Python itself refuses there as far as it can (alone.py); so honest code hears
the same sentences. It needs nothing of a system but processes and pipes, and is for the learner's
own machine: nobody is graded with it.
"""

from __future__ import annotations

import base64
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from anonlab.box.boxes import ENVIRONMENT, module_folders
from anonlab.box.calls import NoBox
from anonlab.box.endings import BoxEnded, Clock
from anonlab.box.printed import Printed
from anonlab.box.wire import LONGEST_LINE, Broken, Raised, message, numbered, read_answer

PROGRAM = "import sys; sys.path += sys.argv[1:]; from anonlab.box.alone import main; main()"
START_SECONDS = 60.0
CPU_SECONDS = 20
"""As in walls.py, which not every system can import."""
MOMENT = 0.05
"""Seconds in which what was printed before an answer has come, too."""
KEPT_BY_SYSTEM = ("SYSTEMROOT", "TEMP", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Variables without which Python does not start on some systems."""


class Child:
    """A process for one student's code, which is asked as a box is (endings.Process).

    raises  NoBox if it cannot be started
    """

    def __init__(self, code: bytes, clock: Clock) -> None:
        self.clock = clock
        self.number = 0
        self.ended: BoxEnded | None = None
        self._print = Printed()
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        kept = {name: os.environ[name] for name in KEPT_BY_SYSTEM if name in os.environ}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-P", "-B", "-c", PROGRAM, *module_folders()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**kept, **ENVIRONMENT, "PYTHONUTF8": "1"},
                start_new_session=True,
            )
        except OSError as error:
            raise NoBox(f"Python cannot be started: {error}") from None
        self._threads = [
            threading.Thread(target=read, daemon=True) for read in (self._answers, self._text)
        ]
        for thread in self._threads:
            thread.start()
        try:
            told = read_answer(self._line(START_SECONDS), 0)
        except (Broken, BoxEnded, queue.Empty) as error:
            self.kill()
            raise NoBox(f"Python does not start ({error}): {self.printed[-500:]}") from None
        if isinstance(told, Raised):
            self.kill()
            raise NoBox(told.message)

    def _answers(self) -> None:
        """Be a thread: read lines; an empty one is the end."""
        assert self._process.stdout is not None
        while line := self._process.stdout.readline(LONGEST_LINE + 2):
            self._lines.put(line)
        self._lines.put(b"")

    def _text(self) -> None:
        """Be a thread: read what is printed."""
        assert self._process.stderr is not None
        while chunk := os.read(self._process.stderr.fileno(), 1 << 16):
            self._print.add(chunk)

    @property
    def printed(self) -> str:
        """What was printed, cleaned and cut."""
        return self._print.text

    @property
    def printed_by_call(self) -> str:
        """What was printed since `begin_call`: few lines, and how many more there are."""
        time.sleep(MOMENT)
        return self._print.of_call

    def begin_call(self) -> None:
        """Let what is printed from here on be of another call."""
        self._print.begin_call()

    def load(self, code: bytes, name: str) -> Any:
        """Let the process run a student's code, which came as the file `name`; return as `ask`."""
        return self.ask("load", code=base64.b64encode(code).decode(), file=name)

    def ask(self, op: str, **parts: Any) -> Any:
        """Ask, and return the answer, or Raised.

        raises  BoxEnded if there is none in time, or none that can be read
        """
        return self._asked(message(op, **parts))

    def _asked(self, asked: bytes) -> Any:
        if self.ended is not None:
            raise self.ended
        self.number += 1
        begun, limit = time.monotonic(), self.clock.limit
        try:
            self._write(numbered(self.number, asked))
            return read_answer(self._line(limit), self.number)
        except queue.Empty:
            self.ended = BoxEnded("timeout", self.clock.late(limit))
        except Broken as error:
            self.ended = BoxEnded("protocol", str(error))
        except BoxEnded as ended:
            self.ended = ended
        finally:
            self.clock.left -= time.monotonic() - begun
        self.kill()
        raise self.ended

    def ask_each(self, op: str, questions: Sequence[dict[str, Any]]) -> Iterator[Any]:
        """Yield the answers to many questions, which are asked one by one."""
        for parts in questions:
            yield self.ask(op, **parts)

    def ask_known(self, questions: Sequence[tuple[bytes, bytes]]) -> Iterator[Any]:
        """Yield the answers to many messages of wire.py."""
        for asked, _ in questions:
            yield self._asked(asked)

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # it is gone: that is seen where answers come from
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def _line(self, seconds: float) -> bytes:
        """Return the next line, without its end.

        raises  queue.Empty when the time is over, BoxEnded if there is nobody any more
        """
        line = self._lines.get(timeout=seconds)
        if line:
            return line.removesuffix(b"\n")
        code = self._process.wait()
        if code == -getattr(signal, "SIGXCPU", 0) < 0:
            raise BoxEnded("timeout", f"more than {CPU_SECONDS} s of CPU time")
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        raise BoxEnded("crash", f"it ended without an answer ({how})")

    def kill(self) -> None:
        """End the process; does nothing a second time."""
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(1)  # longer only if a process of the student's holds the pipe
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
