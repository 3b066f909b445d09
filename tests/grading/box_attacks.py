"""Submissions that go for the box itself, for other boxes, for the judge and for the machine.

Like those of attacks.py, each is appended to a solution that is wrong everywhere: it earns 0, and
takes nothing from anybody. `SYS_name` stands for the number of a system call. They are bounded, so
that they do no harm where a wall is missing.
"""

from __future__ import annotations

import re

from attacks import Attack

from anonlab.box.calls import number_of

CALL = """
import ctypes, time
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
def call(number, *args):
    return _libc.syscall(ctypes.c_long(number), *[
        ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args])
"""
SPREAD = """
def checksum(*args):
    attack(repr(args).encode()[:200])
    return -1
def top(*args):
    attack(repr(args).encode()[:200])
    return []
try:
    attack(b"import")
except OSError as error:
    print(type(error).__name__)
"""
"""`attack(data)` is tried when the file is loaded, and with the inputs of hidden tests."""
ENDED = ("fail", "error-import", "crash", "timeout", "protocol", "limit-memory")


def calls(body: str) -> Attack:
    """An attack whose function `attack` is this."""
    indented = body.strip("\n").replace("\n", "\n    ")
    return Attack(f"{CALL}\ndef attack(data):\n    {indented}\n{SPREAD}", ENDED)


def answers(body: str) -> Attack:
    """An attack whose answers are this: `say(bytes)` writes behind the number of the question."""
    head = (
        "import time\nnumber = [1]\ndef say(data, end=b'}\\n'):\n    number[0] += 1\n"
        '    data = b\'{"id":%d,"ok":\' % number[0] + data + end\n'
        "    while data: data = data[os.write(4, data[:65536]):]\n    time.sleep(9)\n"
    )
    return Attack(f"{head}{body}\ntop = Relay = checksum\n", ("protocol", "timeout", "fail"))


BOX_ATTACKS: dict[str, Attack] = {
    "40 leases on what others open": calls("""
import fcntl, glob, signal
for folder in sys.path + [os.path.dirname(os.__file__)]:
    for name in glob.glob(folder + "/*.py") + glob.glob(folder + "/numpy/*.py"):
        fd = os.open(name, os.O_RDONLY)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
for fd in range(8):
    call(SYS_fcntl, fd, 1024, 1)
"""),
    "41 the session keyring as a letter box": calls("""
key = call(SYS_keyctl, 10, -3, b"user", b"note", 0)
if key > 0: print("FOUND", key)
print("KEY", call(SYS_add_key, b"user", b"note", data, len(data), -3) > 0)
"""),
    "42 memory that no limit counts": calls("""
for at in range(96):
    fd = call(SYS_memfd_create, b"m", 0)
    if fd < 0: break
    os.posix_fallocate(fd, 0, 32 << 20)
print("MEMFDS", at)
"""),
    "43 children that spin": calls("""
for _ in range(16):
    if not os.fork():
        until = time.time() + 20
        while time.time() < until: pass
        os._exit(0)
"""),
    "44 threads that spin": calls("""
import threading
def spin():
    until = time.time() + 20
    while time.time() < until: pass
for _ in range(16): threading.Thread(target=spin, daemon=True).start()
"""),
    "45 locks on what others open": calls("""
import fcntl
for fd in range(8):
    call(SYS_flock, fd, 2 | 4)
    call(SYS_fcntl, fd, 6, ctypes.create_string_buffer(64))
fcntl.flock(os.open(os.__file__, os.O_RDONLY), fcntl.LOCK_EX)
"""),
    "46 shared memory that stays": calls("""
print("SHM", call(SYS_shmget, 0xA170, 4096, 0o1666) >= 0)
"""),
    "47 message queues that stay": calls("""
print("MSG", call(SYS_msgget, 0xA170, 0o1666) >= 0, call(SYS_mq_open, b"a17", 0o102, 0o666, 0) >= 0)
"""),
    "48 semaphores that stay": calls("print('SEM', call(SYS_semget, 0xA170, 1, 0o1666) >= 0)"),
    "49 pipes full of memory": calls("""
made = []
for _ in range(4000):
    made.append(os.pipe())
"""),
    "50 sockets between boxes": calls("""
import socket
for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, 40, 38, 16, 17):
    for kind in (1, 2, 3, 5):
        if call(SYS_socket, family, kind, 0) >= 0: print("SOCKET", family, kind)
if call(SYS_socketpair, 1, 1, 0, ctypes.create_string_buffer(8)) >= 0: print("SOCKET pair")
"""),
    "51 signals to the judge": calls("""
for pid in {os.getppid(), os.getppid() - 1, os.getppid() + 1, 1, 0, -1}:
    for signal in (19, 15, 9):
        call(SYS_kill, pid, signal)
        call(SYS_tkill, pid, signal)
os.kill(os.getppid(), 9)
"""),
    "52 priorities": calls("""
call(SYS_setpriority, 0, 0, -20)
call(SYS_sched_setscheduler, 0, 1, ctypes.create_string_buffer(b"\\x01\\0\\0\\0", 4))
os.sched_setaffinity(os.getppid(), {0})
"""),
    "53 limits of others": calls("""
import resource
for pid in (os.getppid(), 0):
    call(SYS_prlimit64, pid, 9, ctypes.create_string_buffer(16), 0)
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
"""),
    "54 the zygote's memory": calls("""
call(SYS_ptrace, 16, os.getppid(), 0, 0)
buffer = ctypes.create_string_buffer(64)
if call(SYS_process_vm_readv, os.getppid(), buffer, 1, buffer, 1, 0) >= 0: print("READ")
open(f"/proc/{os.getppid()}/mem", "rb").read(1)
"""),
    "55 a ring of other calls": calls("""
if call(SYS_io_uring_setup, 8, ctypes.create_string_buffer(120)) >= 0: print("RING")
if call(SYS_io_setup, 8, ctypes.create_string_buffer(8)) >= 0: print("AIO")
"""),
    "56 instruments of the kernel": calls("""
for number in (SYS_userfaultfd, SYS_bpf, SYS_perf_event_open, SYS_fanotify_init, SYS_inotify_init1):
    if call(number, 0, ctypes.create_string_buffer(128), 0, 0, 0) >= 0: print("OPEN", number)
"""),
    "57 name spaces and mounts": calls("""
for flag in (0x10000000, 0x20000, 0x40000000, 0x8000000):
    if call(SYS_unshare, flag) == 0: print("UNSHARED", flag)
if call(SYS_mount, b"none", b"/tmp", b"tmpfs", 0, 0) == 0: print("MOUNTED")
if call(SYS_chroot, b"/tmp") == 0: print("ROOT")
"""),
    "58 timers and signals of its own": calls("""
import signal
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
"""),
    "59 memory that cannot be swapped": calls("""
print("LOCKED", call(SYS_mlockall, 3) == 0)
import mmap
for flags in (0x22 | 0x2000, 0x22 | 0x40000):
    if call(SYS_mmap, 0, 2 << 20, 3, flags, -1, 0) > 0: print("HUGE", flags)
"""),
    "60 many page tables": calls("""
import mmap
kept = []
try:
    while len(kept) < 4000:
        kept.append(mmap.mmap(-1, 2 << 20))
        kept[-1][0] = 1
except (OSError, ValueError):
    pass
print("TABLES", len(kept))
kept.clear()
"""),
    "61 many mappings": calls("""
base = call(SYS_mmap, 0, 512 << 20, 1, 0x4022, -1, 0)
for at in range(0, 130000, 2):
    if call(SYS_mprotect, base + at * 4096, 4096, 3): break
"""),
    "62 merging of pages": calls("""
base = call(SYS_mmap, 0, 1 << 20, 3, 0x22, -1, 0)
if call(SYS_madvise, base, 1 << 20, 12) == 0: print("MERGED")
"""),
    "63 a lock that another task holds": calls("""
word = ctypes.c_uint32(os.getppid())
if call(SYS_futex, ctypes.byref(word), 6, 0, 0, 0, 0) == 0: print("LOCKED")
"""),
    "64 numbers of another architecture": calls("""
print("X32", call(0x40000000 + 39) > 0)
"""),
    "65 the door for 32 bits": calls("""
import mmap, platform
if platform.machine() == "x86_64":
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(b"\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3")  # getpid, as i386 asks for it
    place = ctypes.addressof(ctypes.c_char.from_buffer(page))
    print("I386", ctypes.CFUNCTYPE(ctypes.c_int)(place)())
"""),
    "66 marks in the times of files": calls("""
for name in ("os.py", "abc.py", "io.py"):
    path = os.path.join(os.path.dirname(os.__file__), name)
    print("SEEN", os.stat(path).st_atime_ns)
    os.utime(path)
"""),
    "67 takes the walls down": calls("""
print("DOWN", call(SYS_prctl, 38, 0, 0, 0, 0) == 0, call(SYS_prctl, 1, 0, 0, 0, 0) == 0,
      call(SYS_prctl, 4, 1, 0, 0, 0) == 0, call(SYS_seccomp, 1, 0, 0) == 0)
"""),
    "68 a program in its place": calls("os.execv('/bin/true', ['true'])"),
    "69 dies at once": Attack("os.write(4, b'{\"id\":1,')\nos._exit(0)", ("crash", "protocol")),
    "70 dies in every answer": Attack(
        'def checksum(*a):\n    os.write(4, b\'{"id":2,"ok":\')\n    os._exit(3)\n'
        "top = Relay = checksum\n",
        ("crash",),
    ),
    "71 closes its mouth and stays": Attack("os.close(4)\nwhile True: pass", ("crash",)),
    "72 an answer byte by byte": Attack(
        "import time\ndef checksum(*a):\n    while True:\n        os.write(4, b' ')\n"
        "        time.sleep(0.01)\ntop = Relay = checksum\n",
        ("timeout",),
    ),
    "73 seems to be starved": Attack(
        "def checksum(*a):\n    while True: os.sched_yield()\ntop = Relay = checksum\n",
        ("timeout",),
    ),
    "74 a text that is dear to count": answers(
        "def checksum(*a): say(b'\"' + b'\\\\\\\\\\\\\"' * 20000 + b',' * 1000001, b'\\n')"
    ),
    "75 arrays without elements": answers(
        'def checksum(*a): say(b\'{"$a":["int64",[1000,1000,0],""]}\')'
    ),
    "76 arrays of many dimensions": answers(
        "def checksum(*a): say(b'{\"$a\":[\"int8\",[' + b','.join([b'1'] * 64) + b'],\"AA==\"]}')"
    ),
    "77 long numbers": answers(
        "def checksum(*a): say(b'[' + b','.join([b'9' * 4200] * 900) + b']')"
    ),
    "78 a longer number": answers("def checksum(*a): say(b'9' * 3000000)"),
    "79 keys that collide": answers(
        "def checksum(*a): say(b'{\"$s\":[' + b','.join(b'%d' % (n * (2**61 - 1)) "
        "for n in range(9999)) + b']}')"
    ),
    "80 a text of half characters": answers(
        "def checksum(*a): say(b'\"' + b'\\\\ud800' * 9 + b'\"')"
    ),
    "81 arrays without elements, as NumPy has them": Attack(
        "import numpy as np\ndef checksum(*a): return np.zeros((1000, 1000, 0), int)\n"
        "top = checksum\n",
        ("fail", "protocol"),
    ),
    "82 numbers that a test may shift by": Attack(
        "def checksum(*a): return 1 << 14000\ndef top(*a): return [1 << 14000] * 9000\n"
        "class Relay:\n    def __init__(self, start): pass\n    push = checksum\n",
        ("fail", "protocol", "timeout"),
    ),
    "83 a regular expression of its own": Attack(
        "import re\ndef checksum(*a): return re.match('(a*)*b', 'a' * 40)\n"
        "top = Relay = checksum\n",
        ("timeout",),
    ),
    "84 falls through its stack": Attack(
        "sys.setrecursionlimit(10**9)\ndef checksum(*a): return checksum(*a)\n"
        "def top(*a):\n    x = []\n    for _ in range(10**6): x = [x]\n    return repr(x)\n",
        ("crash", "fail", "limit-memory"),
    ),
    "85 hostile to whoever looks at it": Attack(
        "class Odd:\n    def __getattribute__(self, name): raise KeyboardInterrupt\n"
        "    __class__ = property(lambda self: os._exit(0))\n"
        "def checksum(*a): return Odd()\ntop = checksum\n",
        ("fail", "protocol", "crash"),
    ),
    "86 takes over json": Attack(
        'import json\njson.dumps = lambda *a, **k: \'{"id":1,"ok":null}\'\n'
        "json.loads = lambda *a: {'id': 1, 'op': 'load'}\n",
        ("protocol", "fail"),
    ),
    "87 one array that fills all": Attack(
        "import numpy as np\ndef checksum(*a): return int(np.ones(1 << 28, np.int64).sum())\n"
        "top = Relay = checksum\n",
        ("limit-memory", "fail"),
    ),
    "88 prints while it sleeps": Attack(
        "import time\ndef checksum(*a):\n    for _ in range(100):\n"
        "        print('x' * 9999, flush=True); time.sleep(0.1)\ntop = Relay = checksum\n",
        ("timeout",),
    ),
}


def with_numbers(code: str) -> str:
    """Put the numbers of this machine's system calls in their place."""
    return re.sub(r"SYS_(\w+)", lambda found: str(number_of(found[1])), code)
