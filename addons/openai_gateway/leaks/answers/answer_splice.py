"""Where strings lie in the JSON of an event, and how they are replaced with every other byte left
as it was: an answer is never written again."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

import orjson

from openai_gateway.leaks.reading.edits import Edit

type Path = tuple[str | int, ...]

_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# A whole string, or one of the signs that give a JSON text its shape.
_SIGN: Final = re.compile(_STRING + rb"|[{}\[\]:,]", re.DOTALL)
# A string, of which the last may be cut off, or else a word: a number, or none of JSON's.
_VALUE: Final = re.compile(_STRING[:-1] + rb'(?:(")|\\?\Z)|[^\s"{}\[\]:,]++', re.DOTALL)
_LITERAL: Final = re.compile(rb"-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null")
_JSON: Final = re.compile(rb'\s*+(?:\{\s*+["}]|\[\s*+["\[{\]])')
_BEGUN: Final = re.compile(rb"\s*+[{\[]?\s*+")

_OPEN: Final = b"{["
_BEGIN: Final = re.compile(rb"[{\[]")
# The members that deltas have their text in; each may be searched for by its name.
_NAMED: Final = {
    name: re.compile(rb'(?<!\\)"%b"[ \t]*+:[ \t]*+(%b)' % (name.encode(), _STRING), re.DOTALL)
    for name in ("arguments", "content", "delta", "input", "reasoning", "reasoning_content",
                 "refusal", "text", "transcript", "value")
}  # fmt: skip


def walk(raw: bytes, at: int = 0) -> Iterator[tuple[list[str | int], int, int]]:
    """(path, start, end) of each string, and of each object and list at its end.

    The path is the walk's own list: copy what is to be kept.
    """
    path: list[str | int] = []
    begun: list[int] = []
    named = False  # whether the next string is a name
    for found in _SIGN.finditer(raw, at):
        start, sign = found.start(), raw[found.start()]
        if sign == 0x22:
            if named:
                path[-1] = _text(found[0])
            else:
                yield path, start, found.end()
        elif sign in _OPEN:
            begun.append(start)
            named = sign == 0x7B
            path.append("" if named else 0)
        elif sign == 0x2C:
            named = bool(path) and isinstance(path[-1], str)
            if path and not named:
                path[-1] = int(path[-1]) + 1
        elif sign == 0x3A:
            named = False
        elif path:
            named = False
            path.pop()
            yield path, begun.pop(), found.end()


def begins_json(text: bytes) -> bool | None:
    """Whether a text begins as an object or a list does; None where that cannot be told yet."""
    return None if _BEGUN.fullmatch(text) else _JSON.match(text) is not None


def begin(raw: bytes) -> int:
    """Where the JSON of an event begins."""
    found = _BEGIN.search(raw)
    return found.start() if found else len(raw)


def _text(token: bytes) -> str:
    if b"\\" not in token:
        return token[1:-1].decode("utf-8", "replace")
    try:
        return str(orjson.loads(token))
    except orjson.JSONDecodeError:
        return ""


def spans(raw: bytes, wanted: Collection[Path]) -> list[tuple[Path, int, int]]:
    """Where the strings, objects and lists of these paths lie, those of equal names too."""
    depths = {len(path) for path in wanted}
    found = []
    for steps, start, end in walk(raw, begin(raw)):
        if len(steps) in depths and (path := tuple(steps)) in wanted:
            found.append((path, start, end))
    return sorted(found, key=lambda span: span[1])


def span(raw: bytes, path: Path, text: str) -> tuple[int, int] | None:
    """Where the one string of this name lies; None where the name stands several times."""
    pattern = _NAMED.get(str(path[-1]))
    found = pattern.search(raw) if pattern else None
    if found is None or (pattern and pattern.search(raw, found.end())):
        return None
    return found.span(1) if orjson.loads(found[1]) == text else None


def path_at(raw: bytes, at: int) -> Path:
    """The path of the string that holds this place; the empty one where none does."""
    for steps, start, end in walk(raw, begin(raw)):
        if start <= at < end:
            return tuple(steps)
        if start > at:
            break
    return ()


def written(text: bytes, ascii_only: bool) -> bytes:
    """A JSON string; in an event that is ASCII it is so too."""
    value = text.decode("utf-8", "replace")
    return json.dumps(value).encode() if ascii_only else orjson.dumps(value)


def in_json(text: bytes, edits: Sequence[Edit], *, in_string: bool = False) -> list[Edit]:
    """The edits as a piece of JSON can bear them: within each string and word that they reach
    into, and of a number a string is made. `in_string`: the piece begins inside of a string."""
    shift = 1 if in_string else 0
    whole = b'"' + text if in_string else text
    made: list[Edit] = []
    waiting = iter(edits)
    edit = next(waiting, None)
    for token in _VALUE.finditer(whole):
        end = token.end() - shift
        while edit and edit.start < end:
            within = _within(token, shift, edit)
            if within.start < within.end and (not made or made[-1].end <= within.start):
                made.append(within)
            if edit.end > end:
                break
            edit = next(waiting, None)
        if not edit:
            break
    return made


def _within(token: re.Match[bytes], shift: int, edit: Edit) -> Edit:
    start, end = token.start() - shift, token.end() - shift
    if token[0].startswith(b'"'):
        start, end = start + 1, end - 1 if token[1] else end
    elif edit.end > start and _LITERAL.fullmatch(token[0]):
        return Edit(start, end, b'"%b"' % edit.new)
    return Edit(max(start, edit.start), min(end, edit.end), edit.new)


def without_odds(raw: bytes) -> bytes:
    """The text without log probabilities: they spell out, token by token, what was taken out."""
    if b'"logprobs"' not in raw:
        return raw
    pieces: list[bytes] = []
    at = 0
    found = [(start, end) for path, start, end in walk(raw, begin(raw))
             if path and path[-1] == "logprobs" and raw[start] in _OPEN]  # fmt: skip
    for start, end in sorted(found):
        if start >= at:
            pieces += (raw[at:start], b"[]" if raw[start] == 0x5B else b"null")
            at = end
    return b"".join((*pieces, raw[at:]))
