"""What is no strace log is named as what it looks like, with what to record instead."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from anonlab.errors import FormatError
from anonlab.histories.strace.log import read_strace
from anonlab.proof.replaying import replay

TEXTS = {
    "truss": "mmap(0x0,4096,PROT_NONE,MAP_GUARD,-1,0x0) = 34 (0x22)\nfork() = 72 (0x48)\n",
    "truss ": "mmap(0x0, 4096, PROT_READ, MAP_PRIVATE, 3, 0) = 0xFF390000\nfork1() = 72\n",
    "truss  ": 'open("/var/ld/ld.config", O_RDONLY)  Err#2 ENOENT\nvfork() = 72\n',
    "dtruss": "munmap(0x10002A000, 0x1000)\t\t = 0 0\nfork()\t\t = 72 0\n",
    "perf trace": "  ? (  ):  ... [continued]: execve()) = 0\n 0.029 ( 0.002 ms): brk() = 0x55\n",
    "perf trace ": "     0.000 ls/12 fork()       = 72\n",
    "ltrace": "malloc(32) = 0x55d2cc11b2a0\nfork() = 72\nfree(0x55d2cc11b2a0) = <void>\n",
    "gVisor": "I1128 21:37:45.1 1 strace.go:605] [ 1: 1] ls X fork() = 2 (0x2) (5us)\n",
    "u-root": "[pid 40] E fork()\n[pid 40] X fork() = 0x2 (5us)\n",
    "the summary of ltrace -c": "% time     seconds  usecs/call     calls      function\n",
    "bpftrace": "Attached 2 probes\nmmap 71 8192\n",
    "bcc": "PID     TID     COMM            FUNC             -\n71 71 ls do_mmap\n",
    "execsnoop": "TIME     PCOMM            PID    PPID   RET ARGS\n21:37:45 ls 72 71 0 /bin/ls\n",
    "numa_maps": "55d2cc11b000 default heap anon=12 dirty=12 N0=12 kernelpagesize_kB=4\n",
    "pmap": "71:   ls\nAddress           Kbytes     RSS   Dirty Mode  Mapping\n",
    "info proc mappings": "process 71\n\n     Start Addr        End Addr       Size   Offset\n",
    "pwndbg or gef": "[ Legend:  Code | Heap | Stack ]\nStart  End  Offset  Perm Path\n",
    "macOS": "Process: ls [71]\n==== Non-writable regions for process 71\n",
    "auditd": "node=a type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=9\n",
    "auditd ": "[  123.4] audit: type=1300 audit(1364481363.243:24287): arch=c000003e\n",
    "ftrace": "      ls-71      [001] .....  1234.567890: sys_mmap(addr: 0, len: 2000, prot: 3)\n",
    "ftrace ": " 0)   1.234 us    |  do_mmap();\n",
    "perf": "ls  1234 12345.678901:     250000 cycles:u:\n\t7f44b84ce000 memcpy (/lib/libc.so.6)\n",
    "LTTng": "[21:37:45.12] (+?.?????) host syscall_entry_mmap: { cpu_id = 0 }, { len = 8 }\n",
    "ktrace": " 69374 100234 cat      CALL  mmap(0,0x21000,0x3<PROT_READ|PROT_WRITE>,0x1002)\n",
    "valgrind": "--71-- REDIR: 0x4 redirected\n",
    "Cygwin": "--- Process 71 created\n   34   12345 [main] ls 71 dofork: 72 = fork()\n",
    "Process Monitor": '"Time of Day","Process Name","PID","Operation","Path","Result"\n',
    "gdb": "#0  0x00007ffff7e3b0c0 in mmap64 () from /lib/libc.so.6\n",
    "core file": "  CORE                 0x00000150\tNT_PRSTATUS (prstatus structure)\n",
    "coredumpctl": "           PID: 71 (ls)\n        Signal: 11 (SEGV)\n",
    "a page of the web": "<!DOCTYPE html><html><body>hello</body></html>\n",
    "the source of a program": "#include <sys/mman.h>\nint main(void) { munmap(p, 4096); }\n",
}
"""By what the message says; a blank tells two of one program apart."""


@pytest.mark.parametrize("name", TEXTS)
def test_what_another_program_wrote_is_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(TEXTS[name])
    with pytest.raises(FormatError, match=f"looks like .*{name.strip()}.*record with: strace -f"):
        replay(path)


def test_a_log_may_show_what_a_program_wrote_of_another() -> None:
    """`strace cat /proc/self/maps`, and a debugger that strace follows, on one terminal."""
    log = [
        'execve("/bin/cat", ["cat"], 0x7f /* 9 vars */) = 0',
        "brk(NULL) = 0x55d2cc11b000",
        "getpid() = 71",
        "malloc(32) = 0x55d2cc11b2a0",
        "55d2cc11b000-55d2cc13c000 rw-p 00000000 00:00 0    [heap]",
        "exit_group(0) = ?",
    ]
    assert len(read_strace(log).moments) == 2


@pytest.mark.parametrize("text", ["hello, world\n", "# a history without operations\n"])
def test_what_nobody_knows_is_refused_with_both_things_that_would_be_right(
    text: str, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    path.write_text(text)
    with pytest.raises(FormatError, match="for a log of a program record with: strace -f"):
        replay(path)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"BZh91AY&SY", "packed by bzip2"),
        (b"\xfd7zXZ\0", "packed by xz"),
        (b"\x28\xb5\x2f\xfd\x04", "packed by zstd"),
        (b"PK\x03\x04\x14\0", "a zip archive"),
    ],
)
def test_what_is_packed_otherwise_is_named(head: bytes, name: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(head + b"abc" * 100)
    with pytest.raises(FormatError, match=f"log is {name}: unpack it"):
        replay(path)


def test_an_archive_of_logs_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.tgz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("log")
        member.size = 6
        archive.addfile(member, io.BytesIO(b"1 a()\n"))
    with pytest.raises(FormatError, match="is a tar archive: unpack it"):
        replay(path)
