"""A line as strace wrote it: what terminals, mail, pages of the web and containers made of it is
taken off."""

from __future__ import annotations

import json
import re
from html import unescape

JSON_LOG = '{"log":'
"""So a line of docker's log file begins."""
_MESSAGES = ("log", "message", "MESSAGE", "msg")
"""Names under which containers, shippers of logs and journalctl keep what a program wrote."""
_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)")
_PRINTABLE = re.compile(r"=([0-9A-F]{2})")
_SPAN = re.compile(r"<span\b[^<>]*>|</span>")
_TAG = re.compile(r"<br ?/?>\s*|</(?:a|code|div|font|li|p|pre|td|tr)>\s*")
_TAGS = 8
"""So many tags may end a line."""
_ESCAPED = re.compile(r"&(?:lt|gt|amp|quot|apos|nbsp|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
_MARKS = ("\ufeff", "\xef\xbb\xbf")
_TYPOGRAPHY = {
    "\xa0": " ", "\u2009": " ", "\u202f": " ", "\u201c": '"', "\u201d": '"', "\u201e": '"',
    "\u2018": "'", "\u2019": "'", "\u2026": "...", "\u2013": "-", "\u2014": "---",
}  # fmt: skip
"""What word processors and blogs make of spaces, quotation marks, dots and hyphens."""
_AS_READ = {mark.encode().decode("latin-1"): plain for mark, plain in _TYPOGRAPHY.items()}
"""The same in the bytes of UTF-8: files are read one character per byte."""
_TYPED = re.compile("|".join([*_AS_READ, *_TYPOGRAPHY]))


def plain(text: str) -> str:
    """Return a line without colours, byte order mark and the escapes of web pages and mail."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if text.startswith(_MARKS):
        text = text.removeprefix(_MARKS[0]).removeprefix(_MARKS[1])
    if text.startswith("{"):
        text = json_message(text) or text
    if "=3D" in text or "=C2=A0" in text:  # mail, quoted-printable
        text = _PRINTABLE.sub(lambda found: chr(int(found[1], 16)), text)
    if not text.isascii():
        text = _TYPED.sub(_typed, text)
    if "\\_" in text:  # Markdown
        text = text.replace("\\_", "_").replace("\\|", "|")
    if "<span" in text:
        text = _SPAN.sub("", text)
    if "<br" in text or "</" in text:
        text = _without_tags(text)
    return _unescaped(text) if "&" in text and _ESCAPED.search(text) else text


def _without_tags(text: str) -> str:
    """Return a line without the tags at its end."""
    for _ in range(_TAGS):
        place = text.rfind("<")
        if place < 0 or not _TAG.fullmatch(text, place):
            break
        text = text[:place].rstrip()
    return text


def _typed(match: re.Match[str]) -> str:
    """Return what was typed where a page shows something finer."""
    return _AS_READ.get(match[0]) or _TYPOGRAPHY[match[0]]


def _unescaped(text: str) -> str:
    """Return a line of a web page as it was; as it is, if it has a number that Python refuses."""
    try:
        return unescape(text).replace("\xa0", " ")
    except ValueError:
        return text


def json_message(text: str) -> str:
    """Return what a line of a JSON log says, '' if it is none."""
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    found = (entry.get(name) for name in _MESSAGES) if isinstance(entry, dict) else ()
    return next((message.rstrip() for message in found if isinstance(message, str)), "")
