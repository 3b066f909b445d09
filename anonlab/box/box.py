"""A box: one student's code in a process of its own, which can answer and nothing else.

The process is forked by a zygote (boxes.py), and closes itself in (walls.py) before it gets code.
"""

from __future__ import annotations

import base64
import os
import select
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import repeat
from types import TracebackType
from typing import Any

from anonlab.box.boxes import START_SECONDS, zygote
from anonlab.box.calls import NoBox
from anonlab.box.endings import RIGHT, BoxEnded, Clock
from anonlab.box.printed import Printed
from anonlab.box.usage import Schedule, Timer
from anonlab.box.walls import CPU_SECONDS
from anonlab.box.wire import (
    LONGEST_LINE,
    Broken,
    Raised,
    answered,
    is_answer,
    message,
    numbered,
    read_answer,
)

MOST_PRINTED = 64 << 20
WRITTEN = 1 << 16
"""Bytes that are written at once: what a pipe holds."""
GRACE = 1.0
"""Seconds in which a box that has closed its mouth may end by itself, so that it is known how."""


class Box:
    """A box for one student's `code`, which it does not have yet: the first question is `load`.

    raises  NoBox if it cannot be started
    """

    def __init__(self, code: bytes, clock: Clock) -> None:
        self.clock = clock
        self.number = 0
        self.ended: BoxEnded | None = None
        self._print = Printed()
        self._closed = False
        self._asked: deque[tuple[int, bytes]] = deque()  # without an answer: number, what is right
        self._first, self._passed_over = False, 0  # of a message; answers that nobody wants
        self._unsent = bytearray()
        self._got, self._begin = bytearray(), 0  # what was read, and where the next line begins
        self._zygote = zygote(code)
        asked, self._in = os.pipe()
        self._out, answers = os.pipe()
        self._err, printed = os.pipe()
        try:
            told = self._zygote.ask({"box": True}, (asked, answers, printed))
        except BaseException:
            self._close_pipes()
            raise
        finally:
            for descriptor in (asked, answers, printed):
                os.close(descriptor)
        self._pid = int(told["pid"])
        self._schedule = Schedule(f"/proc/{self._pid}/schedstat")
        self._own = Schedule("/proc/thread-self/schedstat")
        try:
            for descriptor in (self._in, self._out, self._err):
                os.set_blocking(descriptor, False)
            self._stand()
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Box:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def landlock(self) -> bool:
        """True if Landlock takes files away, beside the list of calls."""
        return self._zygote.landlock

    @property
    def printed(self) -> str:
        """What was printed in the box, cleaned and cut."""
        return self._print.text

    @property
    def printed_by_call(self) -> str:
        """What was printed since `begin_call`: few lines, and how many more there are."""
        self._read_all_printed()
        return self._print.of_call

    def begin_call(self) -> None:
        """Let what is printed from here on be of another call."""
        self._read_all_printed()
        self._print.begin_call()

    def _stand(self) -> None:
        """Wait until the walls stand: no line of the student's has run before."""
        try:
            told = read_answer(self._exchange(self._timer(START_SECONDS)), 0)
        except (BoxEnded, Broken, TimeoutError) as error:
            raise NoBox(f"the box does not stand ({error}): {self.printed[:500]}") from None
        if isinstance(told, Raised):
            raise NoBox(f"a wall of the box does not stand: {told.message}")

    def _timer(self, limit: float) -> Timer:
        return Timer(self._schedule, self._own, limit)

    def load(self, code: bytes, name: str) -> Any:
        """Let the box run a student's code, which came as the file `name`; return as `ask` does."""
        return self.ask("load", code=base64.b64encode(code).decode(), file=name)

    def ask(self, op: str, **parts: Any) -> Any:
        """Ask the worker, and return its answer, or Raised.

        raises  BoxEnded if there is none in time, or none that can be read
        """
        self._put(message(op, **parts))
        return self._next()

    def ask_each(self, op: str, questions: Sequence[dict[str, Any]]) -> Iterator[Any]:
        """Ask many questions at once, and yield the answers in their order; each may take as long
        as one that is asked alone. Answers that nobody takes are passed over.

        raises  as `ask` does, at the answer that it is about
        """
        return self.ask_known([(message(op, **parts), b"") for parts in questions])

    def ask_known(self, questions: Sequence[tuple[bytes, bytes]]) -> Iterator[Any]:
        """Ask many questions at once, each a message of wire.py with the answer that is right, as
        the worker writes it; yield RIGHT where it is that, else what `ask_each` does."""
        for asked, right in questions:
            self._put(asked, right)
        left = len(questions)
        try:
            while left:
                taken = self._right_at_hand()
                left -= taken
                yield from repeat(RIGHT, taken)
                left -= 1
                yield self._next()
        finally:
            self._passed_over += left

    def _put(self, asked: bytes, right: bytes = b"") -> None:
        """Put a question into the queue: it is written when an answer is waited for."""
        if self.ended is not None:
            raise self.ended
        if self._closed:
            raise RuntimeError("a box that was killed is not asked")
        self.number += 1
        self._first = self._first or not self._asked
        self._asked.append((self.number, right))
        self._unsent += numbered(self.number, asked)

    def _right_at_hand(self) -> int:
        """Take answers that came with an earlier one, as long as they are right to the letter;
        return how many. The last one that is waited for is not among them."""
        taken = 0
        while len(self._asked) > 1 and not (self._first or self._passed_over):
            number, right = self._asked[0]
            line = answered(number, right) + b"\n"
            if not right or not self._got.startswith(line, self._begin):
                break
            self._asked.popleft()
            self._begin += len(line)
            taken += 1
        return taken

    def _next(self) -> Any:
        """Return the next answer that is wanted."""
        while True:
            answer = self._answer(*self._asked.popleft())
            if not self._passed_over:
                return answer
            self._passed_over -= 1

    def _answer(self, number: int, right: bytes) -> Any:
        timer: Timer | None = None
        try:
            line = self._at_hand()
            if line is None:
                timer = self._timer(self.clock.limit)
                line = self._waited_for(timer)
            return RIGHT if right and is_answer(line, number, right) else read_answer(line, number)
        except TimeoutError:
            assert timer is not None
            late = self.clock.late(timer.limit)
            self.ended = BoxEnded("timeout", late, timer.kept_waiting, timer.starved)
        except Broken as error:
            self.ended = BoxEnded("protocol", str(error))
        except BoxEnded as ended:
            self.ended = ended
        finally:
            self.clock.left -= timer.used if timer is not None else 0
            if self.ended is not None:
                self.kill()
        raise self.ended

    def _at_hand(self) -> bytes | None:
        """Return the next line if it came with an earlier one, None if it must be waited for."""
        return None if self._first or not self._got else self._line()

    def _waited_for(self, timer: Timer) -> bytes:
        """Return the next line, as _exchange does."""
        if not timer.limit:
            raise BoxEnded("timeout", self.clock.late(0))
        if self._first:
            self._first = False
            self._nothing_unasked()
        return self._exchange(timer)

    def _nothing_unasked(self) -> None:
        """Refuse what was written before the question."""
        if self._got:
            raise BoxEnded("protocol", "more than one line came")
        with suppress(BlockingIOError):
            if os.read(self._out, 1):
                raise BoxEnded("protocol", "the box spoke without being asked")
            raise self._gone()

    def _exchange(self, timer: Timer) -> bytes:
        """Write what was asked, and return the next line that comes back, without its end.

        raises  TimeoutError when the time is used up, Broken for a wrong line, BoxEnded if the box
                is gone
        """
        poller = select.poll()
        poller.register(self._out, select.POLLIN)
        poller.register(self._err, select.POLLIN)
        if self._unsent:
            poller.register(self._in, select.POLLOUT)
        while (line := self._line()) is None:
            left = timer.deadline - time.monotonic()
            events = dict(poller.poll(max(left, 0) * 1000))
            if self._err in events and not self._read_printed():
                poller.unregister(self._err)
            if self._in in events and not self._write():
                poller.unregister(self._in)
            if self._out in events:
                self._read_answers()
            if time.monotonic() >= timer.deadline and timer.over():
                raise TimeoutError
        return line

    def _line(self) -> bytes | None:
        """Take a line from what was read, None if none is whole.

        raises  Broken if it is too long, or more than was asked for
        """
        end = self._got.find(b"\n", self._begin)
        if end < 0:
            if len(self._got) - self._begin > LONGEST_LINE:
                raise Broken(f"an answer of more than {LONGEST_LINE:,} bytes")
            return None
        line = bytes(self._got[self._begin : end])
        self._begin = end + 1
        if self._begin == len(self._got):
            self._got.clear()
            self._begin = 0
        elif not self._asked:
            raise Broken("more than one line came")
        return line

    def _read_answers(self) -> None:
        """Read what there is."""
        with suppress(BlockingIOError):
            chunk = os.read(self._out, 1 << 16)
            if not chunk:
                raise self._gone()
            if self._begin:
                del self._got[: self._begin]
                self._begin = 0
            self._got += chunk

    def _write(self) -> bool:
        """Write as much as goes; return whether there is more."""
        try:
            del self._unsent[: os.write(self._in, self._unsent[:WRITTEN])]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._unsent.clear()  # its end is seen where answers come from
        return bool(self._unsent)

    def _read_printed(self) -> bool:
        """Read printed text, so that whoever prints is never kept waiting; False at its end."""
        with suppress(BlockingIOError):
            chunk = os.read(self._err, 1 << 16)
            self._print.add(chunk)
            if self._print.much > MOST_PRINTED:
                raise BoxEnded("limit-output", f"more than {MOST_PRINTED >> 20} MiB were printed")
            return bool(chunk)
        return True

    def _read_all_printed(self) -> None:
        """Read what was printed so far: the worker writes it out before each answer."""
        with suppress(BoxEnded):
            while (
                not self._closed
                and select.select([self._err], [], [], 0)[0]
                and self._read_printed()
            ):
                pass

    def _gone(self) -> BoxEnded:
        """Return how the box came to its end: by itself, or by closing its mouth."""
        status = self._end(GRACE)
        code = os.waitstatus_to_exitcode(status) if status is not None else -signal.SIGKILL
        if code == -signal.SIGXCPU or (code == -signal.SIGKILL and self._cpu_is_used_up()):
            return BoxEnded("timeout", f"more than {CPU_SECONDS} s of CPU time")
        if code == -signal.SIGKILL:
            return BoxEnded("crash", "the box closed the way for its answers")
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        return BoxEnded("crash", f"it ended without an answer ({how})")

    def _cpu_is_used_up(self) -> bool:
        return self._schedule.read()[0] > CPU_SECONDS - 1

    def _end(self, grace: float) -> int | None:
        """End the process and wait for it; return how it ended, None if nobody knows."""
        if self._pid:
            pid, self._pid = self._pid, 0
            with suppress(NoBox):  # the zygote is gone: so are its boxes
                return int(self._zygote.ask({"end": pid, "grace": grace})["status"])
        return None

    def kill(self) -> None:
        """End the box; does nothing a second time."""
        if self._closed:
            return
        self._end(0)
        self._read_all_printed()
        self._closed = True
        self._schedule.close()
        self._own.close()
        self._close_pipes()

    def _close_pipes(self) -> None:
        for descriptor in (self._in, self._out, self._err):
            os.close(descriptor)
