"""The zygote: a process that has loaded what students use, and forks boxes. It knows nothing else.

The judge starts it, with a clean environment, and talks to it through one socket (boxes.py). It
holds no test, no right answer, no file of a student; a box gets its student's code from the judge,
through a pipe that the zygote never reads. So between two students it is the same. It ends when the
judge does, and with it all boxes. Like its boxes, it shares their pages copy on write.
"""

from __future__ import annotations

import base64
import gc
import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any

from anonlab.box import library, walls
from anonlab.box.worker import Session, say, serve

QUESTIONS, ANSWERS = 3, 4
"""Where a box reads and writes; what it prints goes to 1 and 2."""
ABOVE = 64
"""More descriptors than a zygote has."""
GRACE_STEP = 0.002
PIPE = 1 << 16
"""Bytes that a box reads at once: what a pipe holds."""


def main() -> None:
    """Be the zygote; sys.argv: the number of the socket."""
    judge = socket.socket(fileno=int(sys.argv[1]))
    del sys.argv[1:]
    try:
        orders = json.loads(judge.recv(1 << 16))
        landlock = prepare(orders)
    except Exception as error:  # noqa: BLE001  whatever it is, the judge must hear of it
        judge.send(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        return
    program = walls.Filter(base64.b64decode(orders["filter"]), orders["seccomp"])
    judge.send(json.dumps({"landlock": landlock}).encode())
    boxes: set[int] = set()
    try:
        obey(judge, program, boxes)
    finally:
        for pid in boxes:
            end(pid, 0)
        os._exit(0)


def prepare(orders: dict[str, Any]) -> int:
    """Load all that boxes need, and give up what they must not have; return Landlock's version."""
    walls.own_keyring(orders["keyctl"])
    library.load(orders["seldom"])
    time.localtime()  # reads the time zone, while there are files
    walls.hide()
    walls.no_new_privileges()
    walls.limits()
    landlock = walls.no_files() if orders["landlock"] else 0
    gc.collect()
    walls.give_memory_back()  # fork copies an entry for each page: with those that are free, twice
    gc.freeze()  # what is here stays: no collection in a box touches, and so copies, it
    return landlock


def obey(judge: socket.socket, program: walls.Filter, boxes: set[int]) -> None:
    """Do what the judge asks for, until it is gone: {"box": true} with three descriptors, {"end":
    pid, "grace": seconds}, {"sweep": true}. Each has one answer."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(judge, 1 << 12, 3)
        if not data:
            return
        order: dict[str, Any] = json.loads(data)
        told: dict[str, Any]
        try:
            if "box" in order:
                pid = fork(judge, descriptors, program)
                boxes.add(pid)
                told = {"pid": pid}
            elif "end" in order:
                boxes.discard(order["end"])
                told = {"status": end(order["end"], order["grace"])}
            else:
                told = {"ended": len(boxes)}
                while boxes:
                    end(boxes.pop(), 0)
        except OSError as error:
            told = {"error": str(error)}
        for descriptor in descriptors:
            os.close(descriptor)
        judge.send(json.dumps(told).encode())


def end(pid: int, grace: float) -> int:
    """End a box and wait for it; return how it ended, as waitpid says it. Within `grace` seconds it
    may end by itself."""
    deadline = time.monotonic() + grace
    while grace:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return status
        if time.monotonic() > deadline:
            break
        time.sleep(GRACE_STEP)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def fork(judge: socket.socket, descriptors: list[int], program: walls.Filter) -> int:
    """Return the process of a new box."""
    zygote = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        judge.close()
        be_a_box(descriptors, zygote, program)
    except BaseException:  # noqa: BLE001  nothing of a box ever goes back into the zygote's loop
        os._exit(1)
    os._exit(0)


def be_a_box(descriptors: list[int], zygote: int, program: walls.Filter) -> None:
    """Put up the walls, say that they stand, and answer."""
    questions, answers, printed = (os.dup2(each, ABOVE + each) for each in descriptors)
    for descriptor, place in ((questions, QUESTIONS), (answers, ANSWERS), (printed, 1), (1, 2)):
        os.dup2(descriptor, place)
    os.closerange(ANSWERS + 1, 2 * ABOVE)
    asked = open(QUESTIONS, "rb", PIPE)  # noqa: SIM115
    session = Session()
    try:
        program.close_in(zygote)
    except OSError as error:
        say(ANSWERS, {"id": 0, "err": "NoWall", "msg": str(error)})
        return
    say(ANSWERS, {"id": 0, "ok": None})
    serve(session, asked, ANSWERS)
