"""The bill of forks: every copy is on it once, on the side that made it, as the kernel counted."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from project import ROOT

from anonlab.cli.verbs import cli
from anonlab.formats.history_text import parse
from anonlab.histories.bill import Bill
from anonlab.histories.bill_meter import bill_of
from anonlab.histories.generate import generate
from anonlab.machine.words import PG_ANON, PTE_PRESENT, PTE_SHIFT
from anonlab.proof.replaying import read
from anonlab.recording.recorder import operations, record
from anonlab.view.story.facts import read as facts_of

REDIS = ROOT / "anonlab" / "histories" / "data" / "redis_bgsave.strace.gz"
RDB_LAST_COW_SIZE = 14_528_512
"""What redis-server 7.0.15 itself said of that run: the child's Private_Dirty, from Linux 6.18."""


def billed(text: str) -> Bill:
    return bill_of(parse("machine lesson frames 64 swap 0\n" + text))


def sides(owed: Bill) -> list[tuple[str, int, int]]:
    return [(fork.child, *fork.copied.values()) for fork in owed.forks]


def words(snapshot, who: str) -> dict[int, int]:  # type: ignore[no-untyped-def]
    """Return the words of a process, by page."""
    spaces = facts_of(snapshot).spaces
    mm = next(each.mm for each in snapshot.processes if each.name == who)
    return spaces[mm].words if mm in spaces else {}


@pytest.mark.parametrize("seed", range(8))
def test_each_copy_of_an_anonymous_page_is_on_the_bill_once(seed: int) -> None:
    """By brute force: words of whole snapshots before and after each write."""
    history = generate(seed, 200, frames=400, swap=0)
    copies = 0
    before = None
    for step in operations(record(history)):
        op = history.ops[step.operation] if step.operation >= 0 else None
        if before is not None and op is not None and op.verb in ("write", "read", "mlock"):
            anon = {int(pfn) for pfn, flags in zip(before.pfn, before.flags, strict=True)
                    if flags & PG_ANON}  # fmt: skip
            old = words(before, op.who)
            copies += sum(
                bool(old.get(vpn, 0) & word & PTE_PRESENT)
                and old[vpn] >> PTE_SHIFT != word >> PTE_SHIFT
                and old[vpn] >> PTE_SHIFT in anon
                for vpn, word in words(step.snapshot, op.who).items()
            )
        before = step.snapshot
    owed = bill_of(history)
    assert owed.copied + owed.elsewhere == copies > 0


START = "p = spawn\np mmap 0x30000 4\np write 0x30000 1 4\n"


@pytest.mark.parametrize(
    ("story", "right"),
    [
        # The parent of two pays once, for the younger; the elder still shares with the younger.
        ("a = fork p\nb = fork p\np write 0x30000 9\na write 0x30000 9\nb write 0x30000 9\n",
         [("a", 0, 1), ("b", 1, 0)]),
        # After execve nobody shares.
        ("a = fork p\na write 0x31000 9\na execve ls\np write 0x30000 9 4\n", [("a", 0, 1)]),
        # A daemon: the child goes, its child shares on, and the parent pays for both.
        ("a = fork p\nb = fork a\na exit\np write 0x30000 9\nb write 0x31000 9\n",
         [("a", 1, 0), ("b", 0, 1)]),
        # A page that was moved is still the page that was shared.
        ("a = fork p\na mremap 0x30000 4 to 0x80000\na write 0x80000 9\n", None),
        # A thread writes for its process.
        ("a = fork p\nt = clone_vm p\nt write 0x30000 9\n", [("a", 1, 0)]),
        # Nobody wrote.
        ("a = fork p\na exit\n", [("a", 0, 0)]),
    ],
)  # fmt: skip
def test_who_pays(story: str, right: list[tuple[str, int, int]] | None) -> None:
    if right is None:  # under a design that leaves the page where it is
        owed = bill_of(parse("machine lesson frames 64 swap 0\n" + START + story),
                       ["anon_vma_chain", "anongroup"])  # fmt: skip
        assert sides(owed) == [("a", 0, 1)]
        assert owed.moved == {"anon_vma_chain": 0, "anongroup": 4}
        return
    assert sides(billed(START + story)) == right


def test_a_child_whose_execve_fails_shares_on() -> None:
    """Three frames are free, and execve wants four."""
    text = "machine lesson frames 8 swap 0\n" + START + "a = fork p\na execve ls args 4\n"
    owed = bill_of(parse(text + "p write 0x30000 9\na write 0x31000 9\n"))
    assert sides(owed) == [("a", 1, 1)]
    assert (owed.forks[0].ended, owed.forks[0].kept) == ("", 2)


def test_a_reserved_area_without_pages_costs_nothing() -> None:
    """A 64 TiB reservation, as sanitizers and runtimes make it: no array may be as long."""
    text = "machine x86_64 frames 64 swap 0\np = spawn\np mmap 0x10000000 17179869184\n"
    text += "p write 0x10000000 1 3\na = fork p\na write 0x10000000 9\na exit\n"
    (fork,) = bill_of(parse(text)).forks
    assert (fork.shared, fork.copied, fork.kept) == (3, {"parent": 0, "child": 1}, 2)


def test_pages_that_a_program_keeps_from_its_children_are_not_shared(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Linux copies no entry of them: a child of Python that kept 400 and 300 of 2,198 pages so had
    1,498 in its smaps_rollup, on Linux 6.18."""
    lines = [
        f"mmap(NULL, {npages << 12}, PROT_READ|PROT_WRITE, "
        f"MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE, -1, 0) = {at:#x}\n"
        for at, npages in ((0x7F0000000000, 4), (0x7F0000010000, 3), (0x7F0000020000, 5))
    ]
    lines += ["madvise(0x7f0000000000, 16384, MADV_DONTFORK) = 0\n"]
    lines += ["madvise(0x7f0000010000, 12288, MADV_WIPEONFORK) = 0\n", "fork() = 8\n"]
    log = tmp_path / "log"
    log.write_text("".join(f"7 {line}" for line in lines) + "8 exit_group(0) = ?\n", "utf-8")
    fork = bill_of(read(log, "anongroup").history).forks[0]
    assert (fork.shared, fork.kept, fork.private) == (5, 5, 0)


def test_what_a_child_has_in_the_end() -> None:
    """Four shared pages, the child copies one, the parent one, the child adds two of its own."""
    story = "a = fork p\na write 0x30000 9\np write 0x31000 9\na mmap 0x80000 2\n"
    owed = billed(START + story + "a write 0x80000 9 2\na exit\n")
    (fork,) = owed.forks
    assert (fork.shared, fork.new, fork.kept, fork.private) == (4, 2, 2, 4)
    assert fork.ended == "exit"
    assert owed.areas() == {"anonymous mappings": (1, 1)}


def test_redis_saves_in_the_background_and_the_bill_is_what_the_kernel_said() -> None:
    report = read(REDIS)
    owed = bill_of(report.history, touches=report.touches)
    (fork,) = owed.forks
    assert fork.shared * 4096 > 100e6
    assert fork.private * 4096 == RDB_LAST_COW_SIZE
    paid = (sum(fork.copied.values()) + fork.new) * 4096
    assert abs(paid - RDB_LAST_COW_SIZE) < 0.05 * RDB_LAST_COW_SIZE
    assert owed.touches == "recorded"


def test_the_command_says_whose_copies_they_are(tmp_path) -> None:  # type: ignore[no-untyped-def]
    log, chart = tmp_path / "server.txt", tmp_path / "server.svg"
    story = "p execve bash\n" + START.split("\n", 1)[1]
    story += "a = fork p\na write 0x30000 9\na execve ls\nb = fork p\np write 0x30000 9\n"
    log.write_text("p = spawn\n" + story, "utf-8")
    done = CliRunner().invoke(cli, ["replay", str(log), "--bill", "--chart", str(chart)])
    assert done.exit_code == 0, done.output
    assert "bash p → a" in done.output  # which program forked, and what became of the child
    assert "execve ls" in done.output
    assert "all 2 forks" in done.output
    assert log.read_text("utf-8") == "p = spawn\n" + story, "the text of the chart is not the log"
    text = chart.with_name("server.svg.txt").read_text("utf-8")
    assert "At operations since the first fork 0: fork a." in text
    assert "by children, by operations since the first fork: 0: 0, 1: 1." in text
    lonely = tmp_path / "lonely.history"
    lonely.write_text(START, "utf-8")
    done = CliRunner().invoke(cli, ["replay", str(lonely), "--bill"])
    assert "No process forked" in done.output
    lonely.write_text(START + "v = vfork p\nv execve sh\n", "utf-8")
    done = CliRunner().invoke(cli, ["replay", str(lonely), "--bill"])
    assert "copies nothing: 1 vfork." in done.output
