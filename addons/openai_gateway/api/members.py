"""Where the members of a JSON object lie in its text: what is spliced into a body or taken out of
an event must leave every other byte as it was written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import orjson

# A whole string, or one of the signs that give a JSON text its shape. Possessive: a text of
# megabytes between two quotes is passed in one step.
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]:,]', re.DOTALL)
_DEPTH: Final = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}
_BLANK: Final = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Member:
    """One member: from `start` (its name's quote) to `end` (behind its value)."""

    name: str
    start: int
    value: int
    end: int


def members(data: bytes, at: int) -> Iterator[Member]:
    """The members of the object whose `{` is at `at`, in order, those of one name twice included.

    The text must be valid JSON there; of any other text it gives what it can.
    """
    depth, colon = 0, 0
    name: re.Match[bytes] | None = None
    text: re.Match[bytes] | None = None
    for found in _TOKEN.finditer(data, at):
        sign = found[0]
        if depth == 1 and sign in (b",", b"}"):
            if name:
                yield _member(data, name, colon, found.start())
            name = None
        elif depth == 1 and sign == b":" and name is None:
            name, colon = text, found.end()
        depth += _DEPTH.get(sign, 0)
        if depth < 1:
            return
        text = found if sign[:1] == b'"' else text


def _member(data: bytes, name: re.Match[bytes], colon: int, end: int) -> Member:
    value = colon
    while value < end and data[value] in _BLANK:
        value += 1
    while end > value and data[end - 1] in _BLANK:
        end -= 1
    return Member(_text(name[0]), name.start(), value, end)


def _text(token: bytes) -> str:
    try:
        return str(orjson.loads(token))
    except orjson.JSONDecodeError:
        return ""


def end_of_value(data: bytes, at: int) -> int:
    """Where the string, object or list that begins at `at` ends; `at` where it does not."""
    depth = 0
    for found in _TOKEN.finditer(data, at):
        depth += _DEPTH.get(found[0], 0)
        if depth < 1:
            return found.end()
    return at


def without(data: bytes, member: Member) -> bytes:
    """The text without this member, and without the one comma that it no longer needs."""
    start, end = member.start, member.end
    before = data[:start].rstrip(_BLANK)
    if before.endswith(b","):
        return before[:-1] + data[end:]
    after = data[end:].lstrip(_BLANK)
    return data[:start] + (after[1:].lstrip(_BLANK) if after.startswith(b",") else data[end:])
