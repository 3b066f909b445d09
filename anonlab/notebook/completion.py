"""What can come next on a line of a history: whole lines to choose from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from anonlab.formats.history import ADVICES, PROTS, VERBS, Arg
from anonlab.formats.history_text import usage

MOST = 8
"""Lines that are offered; more could not be read while typing."""


def offers(
    line: str, names: Mapping[str, str], addresses: Mapping[str, Iterable[str]]
) -> list[str]:
    """Return lines that begin as `line` does and go one word further, the likely ones first.

    names      every name so far, with 'process' or 'file'
    addresses  for each process, places that it has, in hex
    """
    start, _, word = line.rpartition(" ")
    words = start.replace("=", " = ").split()
    found = [one for one in _next_words(words, names, addresses) if one.startswith(word)]
    lead = f"{start} " if start else ""
    return [lead + one for one in dict.fromkeys(found) if one != word][:MOST]


def hint(line: str) -> str:
    """Return how the verb on `line` is written, '' if there is none yet."""
    verb = next((one for one in line.replace("=", " = ").split()[:3] if one in VERBS), "")
    return usage(verb) if verb else ""


def _next_words(
    words: list[str], names: Mapping[str, str], addresses: Mapping[str, Iterable[str]]
) -> list[str]:
    """Return what may stand after `words`."""
    processes = [name for name, kind in names.items() if kind == "process"][::-1]
    forms = {form: [one for one, verb in VERBS.items() if verb.form == form]
             for form in ("who", "new", "machine")}  # fmt: skip
    if not words:
        return [*processes, *forms["machine"]]
    if len(words) == 1 and words[0] in names:
        common = [one for one in _USUAL if one in forms["who"]]
        return [*common, *forms["who"]]
    if len(words) == 1 and words[0] not in VERBS:
        return ["="]
    if len(words) == 2 and words[1] == "=":
        return ["fork", *forms["new"]]
    at = next((at for at, one in enumerate(words[:3]) if one in VERBS), None)
    if at is None:
        return []
    verb, given = VERBS[words[at]], words[at + 1 :]
    keywords = {arg.keyword: arg for arg in verb.args if arg.keyword}
    if given and given[-1] in keywords and keywords[given[-1]].kind != "flag":
        return _values(keywords[given[-1]], words[0], names, addresses)
    plain = [arg for arg in verb.args if not arg.keyword]
    used = len(given) - sum(1 + (keywords[one].kind != "flag") for one in given if one in keywords)
    rest = [one for one in keywords if one not in given]
    if used < len(plain):
        return [*_values(plain[used], words[0], names, addresses), *(rest if used else ())]
    return rest


_USUAL = ("write", "read", "mmap", "mremap", "munmap", "swap_out", "exit")


def _values(
    arg: Arg, who: str, names: Mapping[str, str], addresses: Mapping[str, Iterable[str]]
) -> list[str]:
    if arg.kind in ("addr", "where"):
        return [*addresses.get(who, ()), *(["any"] if arg.kind == "where" else ())]
    if arg.kind == "name" and arg.name in ("parent", "file"):
        kind = "file" if arg.name == "file" else "process"
        return [name for name, what in names.items() if what == kind][::-1]
    return list({"prot": PROTS, "advice": ADVICES}.get(arg.kind, ()))
