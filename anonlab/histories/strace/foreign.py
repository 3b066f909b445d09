"""What a file is that is no strace log, told by how its lines begin."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

_LINES = 400
_CHARACTERS = 400
"""So many lines, and so many characters of each, show what a file is."""
_KINDS = (
    (r"% time +seconds +usecs/call +calls", "the summary of strace -c, which has no calls in it"),
    (r" *[\d.?]+ \( *(?:[\d.]+ ms)? *\): ", "the output of perf trace"),
    (r".*\b(?:__libc_start_main(?:@\S+)?\(|SYS_\w+\(|\w+@SYS\()", "the output of ltrace"),
    (r".*\+\+\+ exited \(status \d+\) \+\+\+", "the output of ltrace"),
    (r"Attaching \d+ probes?\.\.\.|@\w*(?:\[.*\])?: ?(?:\d|$)", "the output of bpftrace"),
    (r"[0-9a-f]{8,16}-[0-9a-f]{8,16} [r-][w-][x-][ps] ", "a list of mappings (/proc/PID/maps)"),
    (r"[0-9a-f]{8,16} +\d+K [r-][w-][x-][-s]-? ", "the output of pmap"),
    (r"SYSCALL\(args\)\s+= return", "the output of dtruss"),
    (r"type=(?:SYSCALL|EXECVE|PROCTITLE|MMAP) msg=audit\(", "the log of auditd"),
    (r"# tracer: ", "the output of ftrace"),
    (
        r".*\[\d{3}\]\s.*\d+\.\d+: +(?:syscalls:)?sys_(?:enter|exit)_?\w*",
        "the output of perf or ftrace",
    ),
    (r"\d+ \d\d:\d\d:\d\d\.\d+ \d+ \S+ \(\d+(?:\.\d+)?\) [<>] \w+", "the output of sysdig"),
    (r"==\d+== ", "the output of valgrind"),
    (r" *\d+[: ]+\S+: +(?:CALL|RET|NAMI) +", "the output of ktrace"),
    (r"PCOMM +PID +PPID +RET", "the output of execsnoop"),
)
_PATTERNS = tuple((re.compile(pattern), name) for pattern, name in _KINDS)


def looks_like(lines: Iterable[str]) -> str:
    """Return what other program wrote `lines`, as words; '' if nothing shows it."""
    for text in islice(lines, _LINES):
        for pattern, name in _PATTERNS:
            if pattern.match(text[:_CHARACTERS]):
                return name
    return ""
