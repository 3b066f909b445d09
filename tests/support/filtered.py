"""A program: run a command under a filter of system calls, as containers and old kernels have it.

    python filtered.py KIND COMMAND…     KIND is one of KINDS, or several joined by a comma

It is no part of what is tested: it asks libseccomp by itself, and refuses from outside.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys

NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET."""
KINDS = {
    # What Docker's default profile refuses to a process without capabilities, as far as it matters.
    "container": {
        errno.EPERM: "unshare setns mount umount2 pivot_root chroot keyctl add_key request_key bpf "
        "perf_event_open userfaultfd fanotify_init open_by_handle_at move_mount open_tree fsopen "
        "fsmount fsconfig io_uring_setup io_uring_enter kexec_load init_module swapon quotactl "
        "acct settimeofday personality",
        errno.ENOSYS: "clone3",
    },
    "no Landlock": {
        errno.ENOSYS: "landlock_create_ruleset landlock_add_rule landlock_restrict_self"
    },
    "no seccomp": {errno.EINVAL: "seccomp"},
}
ALLOW, REFUSE, MASKED_EQUAL, PR_SET_SECCOMP = 0x7FFF0000, 0x00050000, 7, 22


class Comparison(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


def close_in(kinds: list[str]) -> None:
    """Put this process, and all that it starts, under the filter."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(ALLOW)))

    def refuse(name: str, number: int, *comparisons: Comparison) -> None:
        call = library.seccomp_syscall_resolve_name(name.encode())
        few = (Comparison * len(comparisons))(*comparisons)
        answer = ctypes.c_uint32(REFUSE | number)
        if call >= 0:
            assert not library.seccomp_rule_add_array(context, answer, call, len(few), few), name

    for kind in kinds:
        for number, names in KINDS[kind].items():
            for name in names.split():
                refuse(name, number)
        if kind == "container":
            for flag in NAMESPACES:
                refuse("clone", errno.EPERM, Comparison(0, MASKED_EQUAL, flag, flag))
    assert not library.seccomp_load(context)


def main() -> None:
    """Run the command."""
    close_in(sys.argv[1].split(","))
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
