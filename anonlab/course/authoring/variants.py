"""Variants: each student's own numbers, which the instructor can work out again.

    key   = HMAC-SHA256(secret, student id "|" exercise number)
    seed  = the first 8 bytes of the key, big-endian

The seed chooses which of the exercise's families of histories comes first, and all numbers in them
(families.py). It depends on nothing else: not on the version, nor on the order of exercises.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from anonlab.course.authoring.exercises import Course
from anonlab.formats.json_text import parse_json
from anonlab.histories.splitmix import SplitMix64

SECRET_VARIABLE = "ANONLAB_SECRET"
LEAST_SECRET, LEAST_DIFFERENT = 16, 6
"""Characters of a secret, and how many of them differ. Who has a variant.json can try all secrets
that are shorter."""
MAKE_ONE = "python3 -c 'import secrets; print(secrets.token_hex(16))'"


def check_secret(secret: str, where: str) -> str:
    """Return a secret that is long enough; `where` says where it came from.

    raises  ValueError with the way to make one
    """
    if len(secret.strip()) < LEAST_SECRET or len({*secret}) < LEAST_DIFFERENT:
        raise ValueError(
            f"the secret in {where} can be guessed: it needs {LEAST_SECRET} characters, of which "
            f"{LEAST_DIFFERENT} differ. Make one, and keep it: {MAKE_ONE}"
        )
    return secret


def variant_seed(secret: str, student: str, number: str) -> int:
    """Return the seed of `student` for exercise `number`.

    raises  ValueError without a secret or a student: such a variant could be worked out by anybody
    """
    if not secret or not student.strip():
        raise ValueError(
            f"a variant needs a student's id and the course's secret (--secret, {SECRET_VARIABLE})"
        )
    key = hmac.new(secret.encode(), f"{student.strip()}|{number}".encode(), hashlib.sha256)
    return int.from_bytes(key.digest()[:8])


def variant(course: Course, secret: str, student: str) -> dict[str, Any]:
    """Return the variant of `student` as plain data: seeds, and the family that comes first.

    raises  ValueError without a student, or with a secret that can be guessed
    """
    if secret:
        check_secret(secret, SECRET_VARIABLE)
    seeds = {number: variant_seed(secret, student, number) for number in course.exercises}
    first = {
        number: each.families[SplitMix64(seeds[number]).below(len(each.families))]
        for number, each in course.exercises.items()
    }
    return {"student": student.strip(), "seeds": seeds, "families": first}


def read_variant(data: bytes) -> tuple[str, dict[str, int]]:
    """Return whose variant the bytes of a variant.json are, "" if it does not say, and its seeds by
    exercise.

    raises  ValueError if it is none; the message says what is wrong
    """
    try:
        plain = parse_json(data.decode("utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error!s:.100}") from None
    student = plain.get("student", "") if isinstance(plain, dict) else None
    seeds = plain.get("seeds") if isinstance(plain, dict) else None
    if not isinstance(student, str) or not isinstance(seeds, dict) or not _are_seeds(seeds):
        raise ValueError('it has no {"student": "ID", "seeds": {"04a": NUMBER, …}}')
    return student, seeds


def _are_seeds(seeds: dict[str, Any]) -> bool:
    return all(type(seed) is int and 0 <= seed < 1 << 64 for seed in seeds.values())


def write_variant(course: Course, secret: str, student: str) -> Path:
    """Write the variant of `student` into the course's folder, for hand-out; return the file."""
    path = course.root / "exercises" / "variant.json"
    path.write_text(json.dumps(variant(course, secret, student), indent=1) + "\n", "utf-8")
    return path
