"""Logs as people have them: whatever stands around a call, the history is the same."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonlab.errors import FormatError
from anonlab.formats.history_text import format, format_op, parse  # noqa: A004  a pair
from anonlab.histories.strace.log import ImportedLog, read_strace
from anonlab.proof.replaying import replay

RW = "PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0"
PLAIN = f"""\
71 execve("/bin/sh", ["sh", "-c", "ls; true"], 0x7ffc0e146870 /* 9 vars */) = 0
71 brk(NULL)                         = 0x55798efaa000
71 mmap(NULL, 8192, {RW}) = 0x7f44b84ce000
71 read(3, "\\177ELF\\2\\1"..., 832)    = 832
71 vfork()                           = 72
72 execve("/bin/ls", ["ls"], 0x7ffc0e146870 /* 9 vars */) = 0
72 mmap(NULL, 4096, {RW}) = 0x7f1111100000
72 exit_group(0)                     = ?
72 +++ exited with 0 +++
71 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f44b82dfa10) = 73
73 munmap(0x7f44b84ce000, 8192)      = 0
73 +++ exited with 0 +++
71 --- SIGCHLD {{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=73}} ---
71 brk(0x55798efac000)               = 0x55798efac000
71 exit_group(0)                     = ?
71 +++ exited with 0 +++
"""
SAID = [
    "p71 = spawn", "p71 execve sh", "p71 mmap 0x7f44b84ce000 2", "p72 = vfork p71",
    "p72 execve ls", "p72 mmap 0x7f1111100000 1", "p72 exit", "p73 = fork p71",
    "p73 munmap 0x7f44b84ce000 2", "p73 exit", "p71 brk 0x555555556000", "p71 exit",
]  # fmt: skip
"""Written by hand from PLAIN."""


def said(found: ImportedLog) -> list[str]:
    """The operations, without those of the touch rule."""
    assert found.lines == found.used + sum(found.skipped.values())
    ops = enumerate(found.history.ops)
    return [format_op(op) for place, op in ops if place not in found.touches]


def each(change: Callable[[str], str]) -> str:
    return "".join(f"{change(line)}\n" for line in PLAIN.splitlines())


def numbers(line: str) -> tuple[str, str]:
    pid, _, rest = line.partition(" ")
    return pid, rest


def columns(form: str) -> str:
    """PLAIN with other columns: {p} is the process, {rest} the call."""
    return each(lambda line: form.format(p=numbers(line)[0], rest=numbers(line)[1]))


FORMS = {
    "[pid]": columns("[pid {p:>5}] {rest}"),
    "[pid], name (-Y)": columns("[pid {p}<a b>] {rest}"),
    "name (-Y)": columns("{p}<sh> {rest}"),
    "-r": columns("{p}      0.000123 {rest}"),
    "-t": columns("{p} 12:00:01 {rest}"),
    "-tt -r": columns("{p} 21:42:53.921660 (+     0.000339) {rest}"),
    "-ttt": columns("[pid {p}] 1795902174.110279 {rest}"),
    "-n -i": columns("{p} [  59] [00007fbd84a41ad7] {rest}"),
    "-i, unknown": columns("{p} [????????????????] {rest}"),
    "-T": each(lambda line: line + " <0.000012>"),
    "-Y in results": each(lambda line: re.sub(r"= (7[23])$", r"= \1<sh>", line)),
    "another PID namespace": each(
        lambda line: re.sub(r"= (7[23])$", r"= 3 /* \1 in strace's PID NS */", line)
    ),
    "byte order mark": "\ufeff" + PLAIN,
    "colours": each(lambda line: re.sub(r"(\w+)\(", "\x1b[1;34m\\1\x1b[0m(", line)),
    "Windows": PLAIN.replace("\n", "\r\n"),
    "quoted": each(lambda line: f"> {line}"),
    "quoted twice": each(lambda line: f">> {line}"),
    "a page of the web": PLAIN.replace('"', "&quot;").replace("<", "&lt;"),
    "quoted-printable": PLAIN.replace("= ", "=3D "),
    "quoted-printable, spaces": each(lambda line: line.replace(" ", "=C2=A0")),
    "syslog": each(lambda line: f"Nov 28 21:37:45 host run.sh[123]: {line}"),
    "RFC 5424": each(lambda line: f"2026-11-28T21:37:45.123+01:00 host strace: {line}"),
    "docker compose": each(lambda line: f"web-1  | {line}"),
    "kubernetes": each(lambda line: f"2026-11-28T21:37:45.123456789Z stderr F {line}"),
    "docker's file": each(lambda line: json.dumps({"log": line + "\n", "stream": "stderr"})),
    "buildkit": each(lambda line: f"#12 0.345 {line}"),
    "grep -n": each(lambda line: f"12:{line}"),
    "seconds since the boot": each(lambda line: f"[ 1234.567890] host strace[9]: {line}"),
    "journalctl -o json": each(lambda line: json.dumps({"_PID": "9", "MESSAGE": line})),
    "fluentd": each(lambda line: json.dumps({"stream": "stderr", "log": line + "\n"})),
    "a tracker of bugs": "{code:title=strace}\n" + PLAIN + "{code}\n",
    "spaces of the web": each(lambda line: line.replace(" ", "&nbsp;")),
    "spaces that do not break": each(lambda line: line.replace(" ", "\xa0")),
    "numbers of characters": PLAIN.replace('"', "&#34;").replace("(", "&#40;"),
    "halves on a page": PLAIN.replace("73 munmap(0x7f44b84ce000, 8192)", "73 munmap(0x7f44b84ce000,"
        " 8192 &lt;unfinished ...&gt;</code><br />\n73 &lt;... munmap resumed&gt;)"),
    "coloured page": each(lambda line: re.sub(r"(\w+)\(", r'<span class="nf">\1</span>(', line)),
    "a blog": PLAIN.replace('"', "\u201c").replace("...", "\u2026").replace("---", "\u2014"),
    "escaped Markdown": PLAIN.replace("_", "\\_").replace("|", "\\|"),
    "grep of FILE.PID": each(lambda line: "/tmp/log.{}:{}".format(*numbers(line))),
    "grep -n of FILE.PID": each(lambda line: "log.{}:12:{}".format(*numbers(line))),
    "old Macintosh": PLAIN.replace("\n", "\r"),
    "broken at 40 columns": each(lambda line: re.sub("(.{40})", r"\1\n", line).rstrip("\n")),
    "broken at 80 columns": each(lambda line: re.sub("(.{80})", r"\1\n", line)),
    "broken before the result": each(lambda line: line.replace(" = ", " \n= ")),
    "broken behind =": each(lambda line: line.replace(" = ", " =\n")),
    "words before": "Hello,\nit fails (see below) since the update:\n\n```\n" + PLAIN + "```\n",
    "-X verbose": PLAIN.replace("PROT_READ|PROT_WRITE", "0x3 /* PROT_READ|PROT_WRITE */")
    .replace("MAP_PRIVATE|MAP_ANONYMOUS", "0x22 /* MAP_PRIVATE|MAP_ANONYMOUS */")
    .replace("CLONE_CHILD_CLEARTID|SIGCHLD", "0x200000 /* CLONE_CHILD_CLEARTID */|17"),
    "-X raw": PLAIN.replace("PROT_READ|PROT_WRITE", "0x3")
    .replace("MAP_PRIVATE|MAP_ANONYMOUS", "0x22")
    .replace("CLONE_CHILD_CLEARTID|SIGCHLD", "0x200000|17"),
    "-e raw=all": PLAIN.replace("NULL", "0").replace(RW, "0x3, 0x22, 0xffffffff, 0")
    .replace("8192", "0x2000").replace("4096", "0x1000").replace("= 72", "= 0x48")
    .replace("child_stack=0, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=", "0x200011, 0, 0, ")
    .replace("= 73", "= 0x49"),
    "strace 4, halves": PLAIN.replace(
        f"72 mmap(NULL, 4096, {RW}) =",
        f"72 mmap(NULL, 4096, {RW} <unfinished ...>\n71 wait4(-1,  <unfinished ...>\n"
        "72 <... mmap resumed> )              =",
    ),
    "strace 6, halves": PLAIN.replace(
        "73 munmap(0x7f44b84ce000, 8192)", "73 munmap(0x7f44b84ce000, 8192 <unfinished ...>\n"
        "71 <... getpid resumed>) = 71\n73 <... munmap resumed>)",
    ),
    "-z, a child speaks first": PLAIN.replace("71 vfork()", "72 getpid() = 72\n71 vfork()"),
    "-k": PLAIN.replace("71 brk", " > /lib/libc.so.6(brk+0x23) [0x11a2b3]\n71 brk"),
    "broken at 72 columns": PLAIN.replace("MAP_PRIVATE|MAP_ANONYMOUS, -1, 0",
        "MAP_PRIVATE|MAP_ANONYMOUS,\n-1, 0"),
    "output inside a call": PLAIN.replace(
        f"{RW}) = 0x7f1111100000", f"{RW}warning: low on\nmemory\n) = 0x7f1111100000"
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_whatever_stands_around_a_call_the_history_is_the_same(form: str, tmp_path: Path):
    assert FORMS[form] != PLAIN
    path = tmp_path / "log"
    path.write_text(FORMS[form], "utf-8", newline="")
    assert said(read_strace(path)) == SAID
    assert replay(path).violations == []


def terminal(first: str = "[pid    71] ") -> str:
    """PLAIN as strace writes it to a terminal: numbers only while it follows more than one."""
    lines = PLAIN.splitlines()
    text = "".join(f"{numbers(line)[1]}\n" for line in lines[:4])
    text += "vfork(strace: Process 72 attached\n <unfinished ...>\n"
    text += "[pid    72] " + numbers(lines[5])[1].replace(") = 0", " <unfinished ...>") + "\n"
    text += f"{first}<... vfork resumed>)        = 72\n{first}wait4(-1,  <unfinished ...>\n"
    text += "[pid    72] <... execve resumed>)       = 0\n"
    text += "".join(f"[pid    72] {numbers(line)[1]}\n" for line in lines[6:9])
    text += "<... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 72\n"
    birth = numbers(lines[9])[1].replace("|SIGCHLD,", "|SIGCHLDstrace: Process 73 attached\n,")
    text += f"{birth}\n"
    text += "".join(f"[pid    73] {numbers(line)[1]}\n" for line in lines[10:12])
    return text + "".join(f"{numbers(line)[1]}\n" for line in lines[12:])


def test_on_a_terminal_births_are_cut_in_two_and_the_first_process_has_no_number():
    found = read_strace(terminal().splitlines())
    assert said(found) == SAID
    assert found.skipped["part of a call, joined with the rest"] == 2


@pytest.mark.parametrize(
    "front",
    [
        "Nov 28 21:37:45 ",
        "Nov 28 21:37:45 host strace[9]: ",
        "2026-11-28T21:37:45.1234567Z ",
        "2026-11-28T21:37:45.123456789Z stderr F ",
        "job\tstep\t2026-11-28T21:37:45.1Z ",
        "[pod/web-7d9/strace] ",
        "\x1b[36mweb-1  |\x1b[0m ",
    ],
)
def test_births_that_are_cut_in_two_may_have_something_in_front(front: str):
    lines = terminal().splitlines()
    dated = [f"{front.replace(':45', f':{n:02}')}{line}" for n, line in enumerate(lines)]
    assert said(read_strace(dated)) == SAID


def test_a_word_of_strace_may_stand_in_an_execve_to_a_machine_of_32_bits():
    found = read_strace(
        [
            'execve("/a", ["a"], 0x7f /* 23 vars */strace: [ Process PID=71 runs in 32 bit mode. ]',
            "strace: WARNING: Proper structure decoding for this personality is not supported",
            ") = 0",
            f"mmap2({RW.replace('PROT', 'NULL, 4096, PROT', 1)}) = 0xf09eb000",
        ]
    )
    assert said(found) == ["p0 = spawn", "p0 execve a", "p0 mmap 0xf09eb000 1"]


def test_what_the_last_process_says_on_a_terminal_has_no_number_either():
    """strace leaves the number out as soon as one process is left, whoever that is."""
    found = read_strace(
        [
            'execve("/bin/sh", ["sh"], 0x7f /* 2 vars */) = 0',
            "fork(strace: Process 72 attached",
            ") = 72",
            "[pid    71] exit_group(0) = ?",
            "[pid    72] getpid( <unfinished ...>",
            "[pid    71] +++ exited with 0 +++",
            "<... getpid resumed>) = 72",
            f"mmap(NULL, 4096, {RW}) = 0x7f1111100000",
        ]
    )
    assert said(found)[-2:] == ["p71 exit", "p72 mmap 0x7f1111100000 1"]


def test_a_process_that_strace_attached_to_has_the_number_of_the_message():
    found = read_strace(
        [
            "strace: Process 71 attached",
            f"mmap(NULL, 4096, {RW}) = 0x7f1111100000",
            "fork(strace: Process 72 attached",
            ") = 72",
            "[pid    72] exit_group(0) = ?",
            "[pid    72] +++ exited with 0 +++",
            "strace: Process 71 detached",
        ]
    )
    assert said(found)[0] == "p71 = spawn"
    assert said(found)[-2:] == ["p72 = fork p71", "p72 exit"]


def test_a_process_that_was_there_has_its_threads():
    found = read_strace(
        [
            "strace: Process 71 attached with 3 threads",
            "[pid 72] futex(0x7f, FUTEX_WAIT_PRIVATE, 0, NULL <unfinished ...>",
            f"[pid 71] mmap(NULL, 4096, {RW}) = 0x7f1111100000",
            "[pid 73] munmap(0x7f1111100000, 4096) = 0",
            "[pid 74] fork() = 75",
        ]
    )
    assert said(found) == [
        "p71 = spawn", "p72 = clone_vm p71", "p71 mmap 0x7f1111100000 1", "p73 = clone_vm p71",
        "p73 munmap 0x7f1111100000 1", "p74 = spawn", "p75 = fork p74",
    ]  # fmt: skip
    assert (found.setup, found.operations) == (4, 3)


def test_the_emulator_qemu_writes_logs_of_its_own():
    found = read_strace(
        [
            "71 mmap(NULL,8192,PROT_READ|PROT_WRITE,MAP_PRIVATE|MAP_ANONYMOUS,-1,0) = 0x4001a5d000",
            "71 clone(CLONE_VM|CLONE_THREAD,child_stack=0x40,tls=0x40,child_tidptr=0x40) = 72",
            "71 clone(CLONE_CHILD_SETTID|SIGCHLD,child_stack=0x0,tls=0x0,child_tidptr=0x40) = 73",
            "73 exit_group(0)",
        ]
    )
    assert said(found)[2:] == ["p72 = clone_vm p71", "p73 = fork p71", "p73 exit"]


def test_a_history_may_show_calls_in_its_comments(tmp_path: Path):
    path = tmp_path / "a.history"
    path.write_text(
        "# mmap(NULL, 4096, 3) = 0x30000\na = spawn\na mmap 0x30000 1 # brk(0) = 0x7f\n"
    )
    assert replay(path).operations == 2


def test_strace_4_tells_a_birth_in_three_lines_and_halves_without_commas():
    found = read_strace(
        [
            'execve("/bin/go", ["go"], [/* 50 vars */]) = 0',
            "vfork(Process 72 attached (waiting for parent)",
            "Process 72 resumed (parent 71 ready)",
            ")                                 = 72",
            "[pid    71] wait4(72, Process 71 suspended",
            " <unfinished ...>",
            " [pid    72] exit_group(0)               = ?",
            "Process 72 detached",
            "<... wait4 resumed> [{WIFEXITED(s)}], 0, NULL) = 72",
            "clone(Process 73 attached",
            "child_stack=0x7f81421bdfa8, flags=CLONE_VM|CLONE_FS|CLONE_THREAD) = 73",
            "[pid    73] sigaltstack({ss_sp=0xc20801a000} <unfinished ...>",
            f"[pid    71] mmap(NULL, 4096, {RW} <unfinished ...>",
            "[pid    73] <... sigaltstack resumed> , NULL) = 0",
            "[pid    71] <... mmap resumed> )        = 0x7f1111100000",
        ]
    )
    assert said(found) == [
        "p71 = spawn", "p71 execve go", "p72 = vfork p71", "p72 exit", "p73 = clone_vm p71",
        "p71 mmap 0x7f1111100000 1",
    ]  # fmt: skip


def test_in_strace_4_a_process_that_is_detached_is_gone():
    found = read_strace(
        [
            'execve("/bin/sh", ["sh"], [/* 50 vars */]) = 0',
            "fork(Process 72 attached",
            ") = 72",
            "[pid    71] exit_group(0)               = ?",
            "Process 71 detached",
            f"mmap(NULL, 4096, {RW}) = 0x7f1111100000",
        ]
    )
    assert said(found)[-2:] == ["p71 exit", "p72 mmap 0x7f1111100000 1"]


def test_the_offset_of_anonymous_memory_means_nothing():
    found = read_strace(
        [
            "1 mmap(0x5afefeed000, 24576, 0x3, 0x22, -1, 0xcafedeadbeef000) = 0x5afefeed000",
            "1 mprotect(0x5afefeed000, 24576, 0) = 0",
            "1 mremap(0x5afefeed000, 24576, 12288, 0) = 0x5afefeed000",
        ]
    )
    assert said(found)[1:] == [
        "p1 mmap 0x5afefeed000 6",
        "p1 mprotect 0x5afefeed000 6 none",
        "p1 mremap 0x5afefeed000 6 pages 3",
    ]


def test_mail_breaks_a_line_behind_the_number_of_the_process():
    found = read_strace(
        [
            ">  > 71 ",
            "> clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0} => {parent_tid=[72]}, 88) = 72",
            ">  > 72  mmap(NULL, 4096, PROT_READ|PROT_WRITE, ",
            "> MAP_PRIVATE|MAP_ANONYMOUS, -1, 0 <unfinished ...>",
            ">  > 72  <... mmap resumed>)               = 0x7f1111100000",
        ]
    )
    assert said(found) == ["p71 = spawn", "p72 = clone_vm p71", "p72 mmap 0x7f1111100000 1"]
    assert found.skipped == {
        "part of a call, joined with the rest": 2,
        "first half of a call, joined with the second": 1,
    }


def test_sysv_shared_memory_is_a_file_as_long_as_shmget_said():
    found = read_strace(
        [
            "1 shmget(IPC_PRIVATE, 10000, IPC_CREAT|0600) = 32769",
            "1 shmat(32769, NULL, 0) = 0x7f0000000000",
            "1 shmat(32769, NULL, SHM_RDONLY) = 0x7f0000100000",
            "1 shmdt(0x7f0000000000) = 0",
        ]
    )
    assert said(found) == [
        "sysv-32769 = file 3", "p1 = spawn",
        "p1 mmap 0x7f0000000000 3 file sysv-32769 shared",
        "p1 mmap 0x7f0000100000 3 r file sysv-32769 shared",
        "p1 munmap 0x7f0000000000 3",
    ]  # fmt: skip


def test_machines_of_32_bits_have_old_mmap_and_count_offsets_in_pages():
    lines = [
        'execve("./prog", ["./prog"], [/* 51 vars */]) = 0',
        "old_mmap(0xb342b000, 20439829, PROT_READ|PROT_WRITE|PROT_EXEC,"
        " MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0) = 0xb342b000",
        "mmap2(NULL, 1259900, PROT_READ|PROT_EXEC, MAP_PRIVATE, 3, 0) = 0xb7000000",
        "mmap2(0xb7130000, 12288, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED, 3, 0x130)"
        " = 0xb7130000",
        "_exit(0) = ?",
    ]
    expected = [
        "file-1259900 = file 308", "p0 = spawn", "p0 execve prog",
        "p0 mmap 0xb342b000 4991 rwx fixed", "p0 mmap 0xb7000000 308 rx file file-1259900",
        "p0 mmap 0xb7130000 3 file file-1259900 offset 304 fixed", "p0 exit",
    ]  # fmt: skip
    assert said(read_strace(lines)) == expected
    in_bytes = [line.replace("0x130)", "0x130000)") for line in lines]
    assert said(read_strace(in_bytes)) == expected


def test_musl_maps_a_guard_over_the_first_page_of_its_heap():
    found = read_strace(
        [
            'execve("./prog", ["./prog"], 0x7fa7d1a0 /* 14 vars */) = 0',
            "brk(NULL)                               = 0x2059000",
            "brk(0x205b000)                          = 0x205b000",
            "mmap2(0x2059000, 4096, PROT_NONE, MAP_PRIVATE|MAP_FIXED|MAP_ANON, -1, 0) = 0x2059000",
            "munmap(0x2059000, 4096)                 = 0",
        ]
    )
    assert said(found)[2:] == [
        "p0 brk 0x555555556000", "p0 mmap 0x555555554000 1 none fixed",
        "p0 munmap 0x555555554000 1",
    ]  # fmt: skip


def test_flags_that_are_numbers_mean_what_their_names_mean():
    found = read_strace(
        [
            '1 execve("/bin/a", ["a"], 0x7f) = 0',
            "1 mmap(NULL, 40960, 0x1, 0x2, 3, 0) = 0x7f0000000000",
            "1 mmap(0x7f0000004000, 8192, 0x3, 0x812, 3, 0x4000) = 0x7f0000004000",
            "1 mmap(NULL, 8192, 0, 0x21, -1, 0) = 0x7f0000100000",
            "1 mremap(0x7f0000100000, 8192, 8192, 0x3, 0x7f0000200000) = 0x7f0000200000",
            "1 mprotect(0x7f0000000000, 4096, 0x5) = 0",
            "1 madvise(0x7f0000000000, 4096, 0x4) = 0",
            "1 clone(child_stack=0x7f, flags=0x4111) = 2",
            "1 clone3({flags=0x3d0f00, stack=0x7f0}, 88) = 3",
        ]
    )
    assert said(found)[3:] == [
        "p1 mmap 0x7f0000000000 10 r file file-40960",
        "p1 mmap 0x7f0000004000 2 file file-40960 offset 4 fixed",
        "p1 mmap 0x7f0000100000 2 none shared",
        "p1 mremap 0x7f0000100000 2 to 0x7f0000200000",
        "p1 mprotect 0x7f0000000000 1 rx",
        "p1 madvise 0x7f0000000000 1 dontneed",
        "p2 = vfork p1",
        "p3 = clone_vm p1",
    ]


def test_an_excerpt_from_the_middle_keeps_its_births():
    found = read_strace(
        [
            "7 <... clone resumed>, child_tidptr=0x7f44b82dfa10) = 8",
            "7 <... clone3 resumed> => {parent_tid=[9]}, 88) = 9",
            "7 <... mmap resumed>) = 0x7f0000000000",
            "8 <... wait4 resumed>0x7f, 0, NULL) = 5",
        ]
    )
    assert said(found) == ["p7 = spawn", "p8 = fork p7", "p9 = clone_vm p7"]
    assert found.skipped == {"second half of a call without the first": 2}


def test_a_log_may_be_compressed_or_of_windows(tmp_path: Path):
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(PLAIN.encode()))
    assert said(read_strace(path)) == SAID
    assert replay(path).lines == 16
    path.write_bytes(PLAIN.replace("\n", "\r\n").encode("utf-16"))
    assert said(read_strace(path)) == SAID
    assert replay(path).lines == 16
    path.write_bytes(gzip.compress(PLAIN.encode())[:-20])
    with pytest.raises(FormatError, match="no whole gzip file"):
        replay(path)


@pytest.mark.parametrize("times", [True, False])
def test_the_files_of_ff_are_one_log(tmp_path: Path, times: bool):
    for number, line in enumerate(PLAIN.splitlines()):
        pid, rest = numbers(line)
        with (tmp_path / f"log.{pid}").open("a") as file:
            file.write(f"17959021{number:02}.110279 {rest}\n" if times else f"{rest}\n")
    assert said(read_strace(tmp_path / "log")) == SAID
    assert replay(tmp_path / "log").lines == 16


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("% time     seconds  usecs/call     calls    errors syscall\n", "strace -c"),
        ("     0.000 ( 0.005 ms): ls/12 brk() = 0x55d2cc11b000\n", "perf trace"),
        ('__libc_start_main(0x401136, 1, 0x7ffd) = 3\nputs("a") = 2\n', "ltrace"),
        ("[pid 12] malloc(32) = 0x55\n+++ exited (status 0) +++\n", "ltrace"),
        ("Attaching 1 probe...\n@[bash]: 12\n", "bpftrace"),
        ("55d2cc11b000-55d2cc13c000 rw-p 00000000 00:00 0    [heap]\n", "/proc/PID/maps"),
        ("type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=2\n", "auditd"),
        ("SYSCALL(args) \t\t = return\nmmap(0x0, 0x1000) \t\t = 0x10 0\n", "dtruss"),
    ],
)
def test_what_another_program_wrote_is_named_with_what_to_do(
    tmp_path: Path, lines: str, words: str
):
    path = tmp_path / "log"
    path.write_text(lines)
    with pytest.raises(FormatError, match=rf"looks like .*{words}.*record with: strace -f"):
        replay(path)


@pytest.mark.parametrize(
    "lines", ["1 openat(AT_FDCWD, 1) = 3\n1 exit_group(0) = ?\n", "+++ exited with 0 +++\n"]
)
def test_a_log_of_which_nothing_is_understood_is_refused(tmp_path: Path, lines: str):
    path = tmp_path / "log"
    path.write_text(lines)
    with pytest.raises(FormatError, match="record with"):
        replay(path)


def test_every_line_of_every_form_is_counted():
    for text in FORMS.values():
        found = read_strace(text.splitlines())
        assert found.lines == len(text.splitlines())
        kinds = Counter(moment.kind for moment in found.moments)
        assert kinds == {"execve": 2, "vfork": 1, "fork": 1, "exit": 3}


LINES = sorted({line for text in [*FORMS.values(), terminal()] for line in text.splitlines()})


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(LINES), max_size=60))
def test_lines_of_all_forms_in_any_order_are_accounted_for(lines: list[str]):
    try:
        found = read_strace(lines)
    except FormatError:
        return
    assert found.lines == len(lines) == found.used + sum(found.skipped.values())
    assert all(count > 0 for count in found.skipped.values())
    assert len(found.history.ops) == found.setup + found.operations + len(found.touches)
    assert parse(format(found.history)) == found.history
    assert found.shared[0] <= found.shared[1]


def test_a_mapping_that_a_message_of_strace_cuts_is_the_mapping() -> None:
    log = (
        '1 execve("/bin/a", ["a"], 0x7ffd5a /* 9 vars */) = 0\n',
        "1 mmap(NULL, strace: Process 2 attached\n",
        "8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000\n",
    )
    found = read_strace(log)
    assert "p1 mmap 0x7f0000000000 2" in [format_op(op) for op in found.history.ops]
    assert found.skipped == {"part of a call, joined with the rest": 1}


@pytest.mark.parametrize("nlines", [1, 2, 3, 5])
def test_a_log_says_the_same_however_many_lines_are_looked_at_at_a_time(
    nlines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = 'execve("/bin/a", ["a"], 0x7ffd5a /* 9 vars */) = 0\n'
    cut = (
        "1 clone(child_stack=NULL, flags=SIGCHLD, parent_tid=\n",
        "0) = 2\n",
        "2 exit_group(0) = ?\n",
    )
    fork = "clone(child_stack=NULL, flags=SIGCHLD) = "
    alone = f"{fork}2\n", "[pid 1] +++ exited with 0 +++\n", f"{fork}3\n", "[pid 3] getpid() = 3\n"
    logs = [f"1 {start}", *cut], [start, *alone]
    whole = [read_strace(log) for log in logs]
    monkeypatch.setattr("anonlab.histories.strace.log._EVERY", nlines)
    monkeypatch.setattr("anonlab.histories.strace.log._FEW", nlines)
    assert [read_strace(log) for log in logs] == whole
    births = [format_op(op) for found in whole for op in found.history.ops if op.verb == "fork"]
    assert births == ["p2 = fork p1", "p2 = fork p1", "p3 = fork p2"]
