"""Writes a request's model, and what goes with it, in place: every other byte stays as it was."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import orjson

from openai_gateway.api.members import Member, end_of_value, members

type Splice = tuple[int, int, bytes]

SIGNS: Final = (b"{", b"[", b",", b":", b'"')


@dataclass(frozen=True, slots=True)
class Edit:
    """A change to the object at `path`, which is there: one field of it, by its name."""

    path: tuple[str, ...]
    name: str
    value: object

    def below(self, path: tuple[str, ...]) -> Self:
        """The same where that object lies in another one."""
        return replace(self, path=path + self.path)


class Put(Edit):
    """Another value for a field that is there."""

    __slots__ = ()


class Add(Edit):
    """A field more, that is not there."""

    __slots__ = ()


class Rename(Edit):
    """A field under another name, which is `value`; its own value stays as it is."""

    __slots__ = ()


def spliced(data: bytes, edits: Sequence[Edit]) -> bytes:
    """The JSON text with these edits. A name that stands twice is edited twice."""
    found = sorted(splice for edit in edits for splice in _splices(data, edit))
    whole = memoryview(data)  # copied once: it may be tens of megabytes
    pieces: list[bytes | memoryview] = []
    at = 0
    for start, end, new in found:
        pieces += (whole[at:start], new)
        at = end
    return b"".join((*pieces, whole[at:]))


def told(parsed: dict[str, object], edits: Sequence[Edit]) -> dict[str, object]:
    """The same edits to what the text was read as."""
    made = parsed
    for edit in edits:
        made = _edited(made, edit, edit.path)
    return made


def _edited(parsed: dict[str, object], edit: Edit, path: tuple[str, ...]) -> dict[str, object]:
    """A copy as far as it differs: what was read before is not changed."""
    if path:
        inner = parsed[path[0]]
        below = _edited(inner, edit, path[1:]) if isinstance(inner, dict) else inner
        return {**parsed, path[0]: below}
    if isinstance(edit, Rename):
        return {str(edit.value) if name == edit.name else name: parsed[name] for name in parsed}
    return {**parsed, edit.name: edit.value}


def signs(data: bytes) -> int:
    """How many steps a look through the text takes."""
    return sum(data.count(sign) for sign in SIGNS)


def _splices(data: bytes, edit: Edit) -> Iterator[Splice]:
    for at in _objects(data, data.find(b"{"), edit.path):
        if isinstance(edit, Add):
            comma = b"," if next(members(data, at), None) else b""
            yield at + 1, at + 1, orjson.dumps({edit.name: edit.value})[1:-1] + comma
            continue
        for member in _named(data, at, edit.name):
            renames = isinstance(edit, Rename)
            start = member.start if renames else member.value
            end = end_of_value(data, member.start) if renames else member.end
            yield start, end, orjson.dumps(edit.value)


def _named(data: bytes, at: int, name: str) -> Iterator[Member]:
    return (member for member in members(data, at) if member.name == name)


def _objects(data: bytes, at: int, path: tuple[str, ...]) -> Iterator[int]:
    """Where the objects of that path begin."""
    if not path:
        yield at
        return
    for member in _named(data, at, path[0]):
        if data.startswith(b"{", member.value):
            yield from _objects(data, member.value, path[1:])
