"""Partners: who hands in together, from a table with a column of groups and one of students."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from anonlab.errors import FormatError
from anonlab.grading.intake.roster import Roster
from anonlab.grading.intake.tables import IDS, read_table

COLUMNS = ("group", "group_name", "group name", "team", "group_id")
"""Headers of the column of groups: ours, and those of systems."""


@dataclass(frozen=True)
class Groups:
    """Students by the name of their group; nobody is in two."""

    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _of: dict[str, str] = field(default_factory=dict)

    def of(self, student: str) -> tuple[str, ...]:
        """Return all members of the group of `student`; () if there is none."""
        return self.members.get(self._of.get(student, ""), ())

    def called(self, *names: str) -> tuple[str, ...]:
        """Return the members of the only group that one of `names` is called like, or begins with;
        () if there is none."""
        for name in names:
            lower = name.casefold()
            fits = [each for each in self.members
                    if lower.startswith(each.casefold())
                    and lower[len(each) :][:1] in ("", *"_-. ")]  # fmt: skip
            if len(fits) == 1:
                return self.members[fits[0]]
        return ()


def read_groups(path: Path, roster: Roster) -> Groups:
    """Return the groups in a CSV with a column `group` and one of ids; FormatError with the line
    for an id that nobody has, and for a student in two groups. A row without a group is alone."""
    table = read_table(path)
    group_ = table.column(COLUMNS)
    id_ = table.column([each for each in IDS if each not in COLUMNS])
    if group_ is None or id_ is None:
        raise FormatError(f"groups ({path}): the columns are group,student_id", 1)
    members: dict[str, tuple[str, ...]] = {}
    of: dict[str, str] = {}
    for line, row in table.filled():
        group, name = row[group_].strip(), row[id_].strip()
        if not group:
            continue
        student = roster.find(name)
        if not student:
            raise FormatError(f"groups ({path}): {roster.why_not(name)}", line)
        if of.get(student, group) != group:
            raise FormatError(f"groups ({path}): {name} is in {of[student]!r} and {group!r}", line)
        of[student] = group
        members[group] = tuple(dict.fromkeys((*members.get(group, ()), student)))
    return Groups(members, of)
