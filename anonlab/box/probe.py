"""Is there a box on this machine, and does it hold? Asked before the first submission.

A real box runs a program that tries what must not work, call by call. What it says is compared with
what must hold. There is no way round: without a box there is no official grade.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from anonlab.box.box import Box
from anonlab.box.boxes import package_folder
from anonlab.box.calls import PACKAGE, NoBox, NoFilter, number_of
from anonlab.box.endings import BoxEnded, Clock
from anonlab.box.wire import Raised, arguments, clean

SECONDS = 60.0
PROGRAM = Path(__file__).with_name("inside.py")
WANTED = ("NumPy", "the library", "anonlab", "64 MiB of memory")
"""What must be possible in a box; all else that is tried must be refused."""
TRIED = """
    execve execveat clone3
    open openat openat2 creat stat lstat newfstatat statx access faccessat faccessat2 readlink
    readlinkat getdents64 getcwd chdir chroot mkdir mkdirat unlink unlinkat rename renameat2 link
    linkat symlink symlinkat truncate ftruncate fallocate chmod fchmodat chown utimensat setxattr
    inotify_init1 fanotify_init name_to_handle_at open_by_handle_at memfd_create memfd_secret
    socket socketpair connect bind listen sendto sendmsg recvfrom
    shmget shmat shmctl semget semop msgget msgsnd mq_open mq_unlink
    add_key request_key keyctl
    ptrace process_vm_readv process_vm_writev process_madvise pidfd_open pidfd_getfd kcmp
    kill tkill tgkill rt_sigqueueinfo pidfd_send_signal setsid setpgid
    setpriority sched_setaffinity sched_setscheduler sched_setattr ioprio_set prlimit64 setrlimit
    prctl seccomp landlock_create_ruleset personality unshare setns mount umount2 pivot_root
    setuid setgid setgroups capset
    io_uring_setup io_setup userfaultfd bpf perf_event_open
    pipe pipe2 dup dup3 fcntl flock ioctl eventfd2 timerfd_create signalfd4 epoll_create1 poll
    timer_create setitimer splice tee vmsplice sendfile copy_file_range
    mlock mlock2 mlockall remap_file_pages mbind migrate_pages move_pages
    init_module kexec_load syslog quotactl swapon acct settimeofday clock_settime sethostname
    mmap madvise futex
"""
"""System calls that are tried, the last three with arguments that are not for computing."""
DROP = "setpriv --reuid 1001 --regid 1001 --clear-groups --no-new-privs anonlab grade …"
PRACTICE = "--unsafe-in-process grades for practice"
_KERNEL = (
    "it needs seccomp, which Linux 3.17 and later have, and Docker's and Kubernetes's default "
    "profiles let through: grade there, in a virtual machine or in WSL2"
)


class Refused(Exception):
    """There is no box that holds: `reason` and `remedy`, one line each."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy)  # both, or it could not come from another process
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.reason}\n{self.remedy}"


class BoxFacts(NamedTuple):
    """What was found in a box: whether Landlock takes files away too, and what was tried."""

    landlock: bool
    refused: list[str]
    allowed: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return what `anonlab grade --check --json` prints."""
        return {"official": True, **self._asdict()}


def check_box(course: Path, private: Iterable[Path] = ()) -> BoxFacts:
    """Return what a box is like here, if official grading is possible.

    private  folders besides the course's own hidden ones that no box may see: the store, the
             folder of the submissions
    raises   Refused with the reason and the remedy
    """
    if not sys.platform.startswith("linux"):
        raise Refused(
            f"the box for student code needs Linux: this is {sys.platform}",
            f"grade in a Linux container, a virtual machine or WSL2; {PRACTICE}",
        )
    if os.geteuid() == 0:
        raise Refused(
            "as root a box has no limit of processes, and the judge could harm this machine",
            f"grade as an ordinary user: runuser -u NAME -- anonlab grade …, or {DROP}",
        )
    secret = [course / "solutions", course / "tests" / "exercises" / "hidden"]
    secret += [course / "tests" / "exercises" / "wrong", *private]
    _not_in_the_library(secret)
    return look_inside(path for path in secret if path.exists())


def _not_in_the_library(secret: list[Path]) -> None:
    """Refuse a private folder that lies where boxes have their modules from."""
    folder = package_folder()
    for path in secret:
        if path.resolve().is_relative_to(folder):
            raise Refused(
                f"{path} lies in {folder}, which student code can import",
                "move the course, the store and the submissions out of the package",
            )


def look_inside(secret: Iterable[Path] = ()) -> BoxFacts:
    """Run a program that looks around in a box; return what it found.

    raises  Refused if the box does not stand, or what must hold does not
    """
    code = PROGRAM.read_bytes()
    with tempfile.NamedTemporaryFile(prefix="anonlab-probe-") as canary:
        paths = [
            canary.name,
            *(str(each) for path in secret for each in sorted(path.glob("*"))[:3]),
        ]
        try:
            calls = {name: number for name in TRIED.split() if (number := number_of(name)) >= 0}
            with Box(code, Clock(SECONDS, SECONDS)) as box:
                landlock = box.landlock
                said = box.load(code, PROGRAM.name)
                if not isinstance(said, Raised):
                    said = box.ask("call", fn="look", args=arguments((calls, paths)))
        except NoFilter as error:
            raise Refused(
                f"{error}, without which no box can be made",
                f"install it: apt install {PACKAGE} (Debian, Ubuntu), dnf install libseccomp "
                "(Fedora), apk add libseccomp (Alpine)",
            ) from None
        except NoBox as error:
            raise Refused(f"no box can be started: {_line(str(error))}", _KERNEL) from None
        except BoxEnded as ended:
            raise Refused(f"the box does not hold: {_line(ended.message)}", _KERNEL) from None
    return _facts(said, landlock)


def _facts(said: Any, landlock: bool) -> BoxFacts:
    """Return what was found, if it is as it must be."""
    if not isinstance(said, dict) or set(said) != {"refused", "allowed"}:
        raise Refused(f"the box told nothing sensible: {_line(repr(said))}", _KERNEL)
    facts = BoxFacts(landlock, said["refused"], said["allowed"])
    if missing := [name for name in WANTED if name not in facts.allowed]:
        raise Refused(
            f"in the box there is no {', no '.join(missing)}",
            "install anonlab and NumPy for the Python that grades",
        )
    if wrong := [name for name in facts.allowed if name not in WANTED]:
        raise Refused(f"the box does not hold: it allows {', '.join(wrong)}", _KERNEL)
    return facts


def _line(text: str) -> str:
    return " ".join(clean(text).split())[:300]
