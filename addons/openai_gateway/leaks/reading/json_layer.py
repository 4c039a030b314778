r"""A JSON document as one text: its strings written out, everything else as it stands.

Most strings have no escape and stay where they are, so one scan reads a whole document, names and
numbers included, and those of equal names too. A string that is itself a document is taken out, to
be read by itself. Works on the text and never on the value: what is redacted is spliced in.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import orjson

from openai_gateway.leaks.reading.char_map import CharMap, Piece
from openai_gateway.leaks.reading.edits import Cut

# From here over up to 4096 plain strings to one that has an escape or may be a document, or is one
# too many. Possessive, and to be used with `match` only: from any other start it would read on to
# the end of the text again. An empty match is the end.
NEXT: Final = re.compile(
    rb'(?:[^"]*+"(?![ \t\r\n]*+[\[{])[^"\\]*+"){0,4096}+(?:[^"]*+"([^"\\]*+(?:\\.[^"\\]*+)*+)")?',
    re.DOTALL,
)
INSIDE: Final = re.compile(rb'"[ \t\r\n]*+[\[{]')
DOCUMENT: Final = re.compile(rb"[ \t\r\n]*+[\[{]")
ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}"
    rb'|["\\/bfnrt])'
)
SIGNS: Final = dict(zip(b"bfnrt", (b"\b", b"\f", b"\n", b"\r", b"\t"), strict=True))
CONTROL: Final = re.compile(rb"[\x00-\x1f]")
SHORT: Final = {b"\n": b"\\n", b"\r": b"\\r", b"\t": b"\\t"}


@dataclass(frozen=True, slots=True)
class Nested:
    """A string that is a document: what stands between its quotes from `start` on, and its text."""

    start: int
    raw: bytes = field(repr=False)
    text: bytes = field(repr=False)

    def back(self, cuts: Sequence[Cut]) -> list[Cut]:
        """Cuts of its text as cuts of the document around it."""
        if not cuts:
            return []
        placed = CharMap(self.raw, escapes(self.raw)).back(cuts, written)
        return [replace(cut, start=cut.start + self.start, end=cut.end + self.start)
                for cut in placed]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flat:
    """A document written out, and the documents in it."""

    map: CharMap = field(repr=False)
    nested: tuple[Nested, ...] = ()


def flatten(text: bytes, enter: Callable[[bytes], bool]) -> Flat:
    """The document; `enter` says whether a string that looks like a document is read as one."""
    pieces: list[Piece] = []
    nested: list[Nested] = []
    if b"\\" not in text and not INSIDE.search(text):
        return Flat(CharMap(text, pieces))
    for start, end in strings(text):
        raw = text[start:end]
        meant = unescaped(raw) if b"\\" in raw else raw
        if DOCUMENT.match(meant) and enter(meant):
            nested.append(Nested(start, raw, meant))
            pieces.append((start, end, b""))
        elif meant is not raw:
            # No quotes around what may hold quotes: the text ends where the line does.
            pieces.append((start - 1, end + 1, b" %s\n" % meant))
    return Flat(CharMap(text, pieces, quoted_escapes), tuple(nested))


def strings(text: bytes) -> Iterator[tuple[int, int]]:
    """Where strings stand that are to be looked at more closely, without their quotes."""
    at = 0
    while (found := NEXT.match(text, at)) and found[1] is not None:
        yield found.span(1)
        at = found.end()


def unescaped(raw: bytes) -> bytes:
    """What stands between two quotes, written out."""
    try:
        return str(orjson.loads(b'"%s"' % raw)).encode()
    except orjson.JSONDecodeError:
        # Half a surrogate pair, or a string that only looks like one of JSON.
        return CharMap(raw, escapes(raw)).text


def escapes(raw: bytes) -> Iterator[Piece]:
    for found in ESCAPE.finditer(raw):
        yield found.start(), found.end(), meaning(found[0])


def quoted_escapes(piece: bytes, size: int) -> Iterator[Piece]:  # noqa: ARG001 - as of every layer
    """The same of a string with its quotes."""
    yield 0, 1, b" "
    for start, end, meant in escapes(piece[1:-1]):
        yield start + 1, end + 1, meant
    yield len(piece) - 1, len(piece), b"\n"


def meaning(escape: bytes) -> bytes:
    if escape[1:2] != b"u":
        return SIGNS.get(escape[1], escape[1:2])
    units = bytes.fromhex(escape.replace(b"\\u", b"").decode())
    return units.decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")


def written(text: bytes) -> bytes:
    """A text as it stands between two quotes."""
    if b"\\" in text or b'"' in text:
        text = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return CONTROL.sub(lambda sign: SHORT.get(sign[0]) or b"\\u%04x" % ord(sign[0]), text)


def is_document(text: bytes) -> bool:
    """Whether it is one document, an object or a list."""
    return DOCUMENT.match(text) is not None and is_json(text)


def is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        # orjson has no half surrogate pairs, and no text that is not UTF-8.
        return b"\\u" in text and is_loose_json(text)
    return True


def is_loose_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def is_lines(text: bytes) -> bool:
    """Whether it is JSONL: each line is a document."""
    if DOCUMENT.match(text) is None or b"\n" not in text:
        return False
    return all(is_document(line) for line in text.splitlines() if line.strip())
