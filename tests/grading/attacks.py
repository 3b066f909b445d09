"""Submissions that want more than they earn, with what must come out, and what a plain pytest in
one interpreter gives them.

Each is appended to WRONG, a solution that is wrong everywhere, so that its honest score is 0. None
of them holds a canary: it would find it in itself. OTHERS stands for the folder of all submissions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WRONG = """
import os, sys

def checksum(data):
    return -1

def top(numbers, k):
    return []

class Relay:
    def __init__(self, start):
        self.value = start
    def push(self, number):
        return -1
"""
PASS_ALL = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.outcome, report.longrepr = "passed", None
    return report
"""
NAMES = ("test_random_bytes", "test_empty", "test_top", "test_relay")
REPORT = (
    '<testsuites><testsuite name="pytest" errors="0" failures="0" tests="4">'
    + "".join(f'<testcase classname="test_hidden" name="{name}"/>' for name in NAMES)
    + "</testsuite></testsuites>"
)
WRITE_REPORT = f"""
def write_report():
    for word in sys.argv:
        if word.startswith("--junitxml="):
            with open(word.partition("=")[2], "w") as file:
                file.write({REPORT!r})
"""
ANY = """
class Any(BASE):
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
    __hash__ = None
    __add__ = push = lambda self, number: self
"""
ANSWER_FDS = """
def pipes():
    return [0, *range(3, 16)]
def shout(data):
    for fd in pipes():
        try:
            os.write(fd, data)
        except OSError:
            pass
"""


@dataclass(frozen=True)
class Attack:
    """What is appended to WRONG. status: of the hidden tests, one for all or one of several;
    bare: hidden tests that plain pytest says are passed, None if nothing is claimed;
    files: what else the submission holds."""

    code: str
    status: tuple[str, ...] = ("fail",)
    bare: int | None = None
    files: dict[str, str] = field(default_factory=dict)
    whole: bool = False  # instead of WRONG


ATTACKS: dict[str, Attack] = {
    "00 right": Attack("", ("pass",), 4, whole=True),
    "00 wrong": Attack("", ("fail",), 0),
    "01 exits with 0 at import": Attack("os._exit(0)", ("crash",), 0),
    "02 sys.exit at import": Attack("sys.exit(0)", ("error-import",), 0),
    "03 a test that does nothing": Attack(
        "import _pytest.python\n_pytest.python.Function.runtest = lambda self: None\n",
        ("error-import",),
        4,
    ),
    "04 equal to everything": Attack(
        ANY.replace("BASE", "object")
        + "checksum = lambda data: Any()\ntop = lambda numbers, k: Any()\n"
        "class Relay:\n    __init__ = lambda self, start: None\n"
        "    push = lambda self, number: Any()\n",
        ("protocol",),
        4,
    ),
    "05 writes the report and exits": Attack(
        f"{WRITE_REPORT}\nwrite_report()\nos._exit(0)\n", ("crash",), 4
    ),
    "06 rewrites the report at exit": Attack(
        f"{WRITE_REPORT}\nimport atexit\natexit.register(lambda: (write_report(), os._exit(0)))\n",
        bare=4,
    ),
    "07 ships a conftest.py": Attack("", bare=4, files={"conftest.py": PASS_ALL}),
    "08 ships a pytest.ini with a plug-in": Attack(
        "",
        bare=4,
        files={"pytest.ini": "[pytest]\naddopts = -p evil\npythonpath = .\n", "evil.py": PASS_ALL},
    ),
    "09 ships a pytest.py": Attack(
        "", bare=4, files={"pytest.py": f"import sys\n{WRITE_REPORT}\nwrite_report()\n"}
    ),
    "10 takes the expected value from the stack": Attack(
        """
def expected(*ignored):
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name.startswith("test_") and "expected" in frame.f_locals:
            return frame.f_locals["expected"]
        frame = frame.f_back
    return -1
checksum = top = expected
class Relay:
    def __init__(self, start): pass
    def push(self, number): return expected()
""",
        bare=4,
    ),
    "11 calls the reference": Attack(
        """
def checksum(data):
    for module in list(sys.modules.values()):
        if hasattr(module, "reference_checksum"):
            return module.reference_checksum(data)
    return -1
""",
        bare=2,
    ),
    "12 reads the tests": Attack(
        """
import glob
places = ["/proc/1/cwd", f"/proc/{os.getppid()}/cwd", "/tests", "/sub/..", "/home/*", "OTHERS/.."]
for place in places:
    for pattern in ("*", "*/*", "*/*/*", "*/*/*/*"):
        for name in glob.glob(f"{place}/{pattern}.py"):
            if "test_" in name:
                try:
                    print(open(name).read())
                except OSError:
                    pass
"""
    ),
    "13 loops for ever at import": Attack("while True: pass", ("timeout",)),
    "14 forks without end": Attack(
        """
import time
made = 0
try:
    while made < 3000:
        if not os.fork():
            time.sleep(600)
            os._exit(0)
        made += 1
except OSError:
    pass
print("FORKED", made)
""",
        ("error-import", "fail"),
    ),
    "15 takes all memory": Attack(
        "kept = []\nwhile len(kept) < 400: kept.append(bytearray(10 << 20))\n", ("limit-memory",)
    ),
    "16 floods both outputs": Attack(
        """
for _ in range(300):
    for fd in (1, 2):
        os.write(fd, b"x" * (1 << 20))
""",
        ("limit-output",),
    ),
    "17 calls home": Attack(
        """
import socket
try:
    socket.create_connection(("127.0.0.1", int("PORT")), 1).sendall(b"hello")
    print("CONNECTED")
except OSError as error:
    print(error)
"""
    ),
    "18 runs another student's solution": Attack(
        """
import glob
here = os.path.dirname(os.path.abspath(__file__)) if "__file__" in globals() else os.getcwd()
for name in glob.glob("OTHERS/*/*.py") + glob.glob(here + "/../*/*.py"):
    if "neighbour" in name:
        exec(open(name).read())
""",
        ("fail", "error-import"),
        bare=4,
    ),
    "19 leaves a daemon": Attack(
        """
if not os.fork():
    os.setsid()
    if not os.fork():
        os.closerange(0, 100)
        os.execv("/usr/bin/sleep", ["kworker/u9:7", "98765"])
    os._exit(0)
""",
        ("error-import",),
    ),
    "20 fills every place": Attack(
        """
import glob
total = 0
for place in ["/", "/tmp", "/dev/shm", "/sub", "/usr", "/var/tmp", "/library", "/run", "/proc",
              "OTHERS", sys.prefix]:
    for number in range(30):
        try:
            with open(f"{place}/fill{number}", "wb", buffering=0) as file:
                for _ in range(8):
                    total += file.write(b"x" * (1 << 20)) >> 20
        except OSError:
            break
print("FILLED", total)
"""
    ),
    "21 a NumPy array equal to everything": Attack(
        "import numpy as np\n"
        + ANY.replace("BASE", "np.ndarray")
        + """
    dtype = property(lambda self: type("d", (), {"name": "int64"}))
    __bool__ = lambda self: True
    all = any = lambda self, *a, **k: True
    tobytes = lambda self, *a: b""
checksum = lambda data: np.zeros(()).view(Any)
top = lambda numbers, k: np.zeros(()).view(Any)
class Relay:
    def __init__(self, start): pass
    def push(self, number): return np.zeros(()).view(Any)
""",
        ("fail", "protocol"),
        4,
    ),
    "22 answers before it is asked": Attack(
        ANSWER_FDS
        + """
import threading, time
def flood():
    time.sleep(0.05)
    for number in range(2, 9):
        shout(b'{"id": %d, "ok": true}\\n' % number)
threading.Thread(target=flood, daemon=True).start()
def checksum(data):
    time.sleep(0.2)
    return -1
top = push = lambda *args: checksum(0)
class Relay:
    def __init__(self, start): checksum(0)
    push = lambda self, number: -1
""",
        ("error-import", "fail"),
    ),
    "23 an answer without end": Attack(
        ANSWER_FDS
        + """
def checksum(*args):
    while True:
        shout(b"[" * 65536)
top = Relay = checksum
""",
        ("protocol",),
    ),
    "24 an answer that is dear to read": Attack(
        ANSWER_FDS
        + """
def checksum(*args):
    body = b",".join(b"[%d,0]" % (n * (2**61 - 1)) for n in range(100000))
    shout(b'{"id": 2, "ok": {"$d": [' + body + b']}}\\n')
def top(*args):
    shout(b'{"id": 2, "ok": [' + b"[]," * 1300000 + b"0]}\\n")
def Relay(*args):
    shout(b'{"id": 2, "ok": ' + b"[" * 900000 + b"]" * 900000 + b"}\\n")
""",
        ("protocol",),
    ),
    "25 prints answers": Attack(
        """
for stream in (sys.stdout, sys.stderr, sys.__stdout__):
    for number in range(9):
        print('{"id": %d, "ok": true}' % number, file=stream, flush=True)
print("PASSED", "4/4", "1.0", "::set-output score=4")
"""
    ),
    "26 turns against its keeper": Attack(
        """
import ctypes, signal
for path, text in (("/proc/self/oom_score_adj", "-1000"), ("/proc/1/oom_score_adj", "1000"),
                   ("/proc/1/mem", "x"), ("/proc/sysrq-trigger", "b")):
    try:
        open(path, "w").write(text)
    except OSError:
        pass
libc = ctypes.CDLL(None)
libc.ptrace(16, 1, 0, 0)
libc.unshare(0x10000000)
libc.mount(b"none", b"/sub", b"tmpfs", 0, 0)
for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
    try:
        os.kill(1, number)
    except OSError:
        pass
""",
        ("fail", "crash", "timeout"),
    ),
    "27 kills all that it can": Attack(
        "try:\n    os.kill(-1, 9)\nexcept OSError:\n    os.kill(os.getpid(), 9)\n",
        ("error-import",),
    ),
    "28 games with links and proc": Attack(
        """
import glob
for target in ("/etc/passwd", "/srv", "OTHERS", "/proc/1/root", "/proc/1/cwd"):
    for link in ("/sub/link", "/tmp/link", "/sub/../link"):
        try:
            os.symlink(target, link)
            print(os.listdir(link))
        except OSError:
            pass
for name in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    try:
        print(name, open(name, "rb").read())
    except OSError:
        pass
for name in ("/proc/1/root/etc/shadow", "/proc/self/mountinfo", "/etc/passwd", "/proc/1/maps"):
    try:
        open(name).read()
    except OSError:
        pass
"""
    ),
    "29 writes to everything that is open": Attack(
        """
for fd in range(3, 300):
    try:
        os.write(fd, b'{"id": 1, "ok": null}\\n{"id": 2, "ok": true}\\n')
    except OSError:
        pass
""",
        ("protocol",),
    ),
    "30 takes over the worker": Attack(
        """
worker = sys.modules["anonlab.box.worker"]
worker.encode = lambda *args: {"$s": [True, 1]}
worker.Session.told = lambda self, error: {"ok": True, "status": "pass", "points": 100}
""",
        ("fail", "protocol"),
    ),
    "31 makes the test itself stumble": Attack(
        """
class Relay:
    def __init__(self, start): pass
    def push(self, number): return "seven"
def top(numbers, k): return {"a": None}
def checksum(data): return {b"x": ("y",)}
"""
    ),
    "32 keeps the input for the next box": Attack(
        """
def spread(data):
    for place in ("/tmp/seen", "/dev/shm/seen", "/sub/seen", "/library/seen", "/var/tmp/seen"):
        try:
            if seen := open(place).read():
                print("found", seen)
        except OSError:
            pass
        try:
            open(place, "a").write(str(data))
        except OSError:
            pass
    return -1
checksum = spread
spread("")
"""
    ),
    "33 an error that is a weapon": Attack(
        """
class Odd(Exception):
    def __str__(self):
        return "\\x1b]0;owned\\x07<script>alert(1)</script>]]>\\ud800\\u202e" + "A" * 100000
def checksum(*args): raise Odd()
top = Relay = checksum
"""
    ),
    "34 an exception that is no Exception": Attack(
        """
class Bad(BaseException):
    pass
def checksum(*args): raise Bad("x")
def top(*args): raise SystemExit(0)
def Relay(*args): raise KeyboardInterrupt
"""
    ),
    "35 does not read its questions": Attack(
        ANSWER_FDS
        + """
for fd in pipes():
    if fd > 2:
        try:
            os.close(fd)
        except OSError:
            pass
""",
        ("crash", "timeout"),
    ),
    "36 a fork that goes on talking": Attack(
        ANSWER_FDS
        + """
import time
if not os.fork():
    time.sleep(0.03)
    for number in range(1, 50):
        shout(b'{"id": %d, "ok": 7}\\n' % number)
        time.sleep(0.002)
    os._exit(0)
time.sleep(0.01)
def checksum(data):
    time.sleep(0.1)
    return -1
top = lambda *args: checksum(0)
""",
        ("error-import",),
    ),
}
