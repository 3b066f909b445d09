"""Which id a student's variant was made for: any of the person's, as the variant's own file says.

The file came from the student, so it is believed only where the course's secret makes the same
seeds for an id of that person, or of a partner.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from anonlab.course.authoring.variants import read_variant, variant_seed
from anonlab.grading.intake.roster import Roster
from anonlab.grading.intake.submission import Submission

FILE = "variant.json"
MOST_BYTES = 10_000


def with_variant(
    submission: Submission, roster: Roster, secret: str, numbers: Iterable[str]
) -> Submission:
    """Return `submission` with the id that its variant was made for, and a doubt if its file says
    something else than what was handed out to any of these people.

    numbers  of the exercises that have variants; none, if there are no variants
    """
    data = submission.variant_file
    submission = replace(submission, variant_file=b"")
    wanted = list(numbers)
    if not data or not wanted or not submission.student:
        return submission
    seeds = _seeds(data)
    asked = [number for number in wanted if number in seeds]
    people = [roster.people[each] for each in (submission.student, *submission.partners)]
    for id_ in dict.fromkeys(id_ for person in people for id_ in (person.id, *person.ids)):
        if asked and all(seeds[each] == variant_seed(secret, id_, each) for each in asked):
            return replace(submission, variant="" if id_ == submission.student else id_)
    told = (
        f"{FILE} is not the variant of {submission.student}: what counts is what that variant asks"
    )
    return replace(submission, notes=(*submission.notes, told), doubts=(*submission.doubts, told))


def _seeds(data: bytes) -> dict[str, int]:
    """Return the seeds in a variant's file; none, if it is no such file."""
    try:
        return read_variant(data)[1]
    except ValueError:
        return {}
