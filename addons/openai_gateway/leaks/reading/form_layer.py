"""Forms, queries and paths: percent-coded texts, in which a redaction is percent-coded too."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote_from_bytes

from openai_gateway.leaks.reading.char_map import CharMap, Piece
from openai_gateway.leaks.reading.escape_layer import within

PERCENT: Final = re.compile(rb"%[0-9a-fA-F]{2}(?:%[0-9a-fA-F]{2}){0,255}")
PERCENT_PLUS: Final = re.compile(rb"%[0-9a-fA-F]{2}(?:%[0-9a-fA-F]{2}){0,255}|\+")


@dataclass(frozen=True, slots=True)
class Field:
    """A name or a value of a form: where it begins in it, and what it means."""

    start: int
    is_name: bool
    name: bytes = field(repr=False)
    map: CharMap = field(repr=False)


def fields(form: bytes) -> Iterator[Field]:
    """Each name and each value in order; a name without a value is a name."""
    at = 0
    for pair in form.split(b"&"):
        name, _, value = pair.partition(b"=")
        named = unplussed(name)
        yield Field(at, True, named.text, named)
        if value:
            yield Field(at + len(name) + 1, False, named.text, unplussed(value))
        at += len(pair) + 1


def unplussed(text: bytes) -> CharMap:
    """A name or value written out, in which a plus is a blank."""
    return CharMap(text, pieces(PERCENT_PLUS, text), within)


def unquoted(text: bytes) -> CharMap:
    """A path written out."""
    return CharMap(text, pieces(PERCENT, text), within)


def pieces(pattern: re.Pattern[bytes], text: bytes) -> Iterator[Piece]:
    for found in pattern.finditer(text):
        code = found[0]
        meant = b" " if code == b"+" else bytes.fromhex(code.replace(b"%", b"").decode())
        yield found.start(), found.end(), meant


def quoted(text: bytes) -> bytes:
    """As it stands in a path, a query or a form."""
    return quote_from_bytes(text, safe="").encode()
