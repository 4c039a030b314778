r"""Escapes of any kind in a text: `\u0073`, `\x73`, `\163`, `%73`, `&#115;`, `=73` of mail.

All kinds at once, whatever the context, as any of them may be undone by the next reader. Each
pattern begins with a fixed byte, so that `re` goes from one such byte to the next, and takes many
escapes in a row as one piece, of at most 256.
"""

import html
import re
from collections.abc import Iterator
from typing import Final

from openai_gateway.leaks.reading.budget import Budget
from openai_gateway.leaks.reading.char_map import CharMap, Piece

_HEX4: Final = rb"[0-9a-fA-F]{4}"
# `(?<!\\\\)`: only at the first of many backslashes, or a text of nothing else took for ever.
BACKSLASH: Final = re.compile(
    rb"\\(?<!\\\\)\\*+(?:(?P<units>u" + _HEX4 + rb"(?:\\++u" + _HEX4 + rb"){0,255})"
    rb"|(?P<bytes>x[0-9a-fA-F]{2}(?:\\++x[0-9a-fA-F]{2}){0,255})"
    rb"|(?P<octal>[0-3][0-7]{2}(?:\\++[0-3][0-7]{2}){0,255})"
    rb"|(?P<point>u\{[0-9a-fA-F]{1,6}\}|U[0-9a-fA-F]{8})|(?P<sign>[\"'/nrt]))"
)
PERCENT: Final = re.compile(
    rb"%(?:(?P<bytes>[0-9a-fA-F]{2}(?:%[0-9a-fA-F]{2}){0,255})|(?P<units>u" + _HEX4 + rb"))"
)
ENTITY: Final = re.compile(
    rb"&(?P<entity>#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[a-zA-Z][a-zA-Z0-9]{1,30};)"
)
QUOTED: Final = re.compile(rb"=(?:(?P<bytes>[0-9a-fA-F]{2})|(?P<soft>[ \t]{0,8}\r?\n))")

# One character each; a pair of surrogates is one.
UNIT: Final = re.compile(
    rb"\\++u[dD][89abAB][0-9a-fA-F]{2}\\++u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\++(?:u" + _HEX4 + rb"|x[0-9a-fA-F]{2}|[0-3][0-7]{2})|%[0-9a-fA-F]{2}"
)
SIGNS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
NOT_HEX: Final = bytes(set(range(256)) - set(b"0123456789abcdefABCDEF"))
TRIGGERS: Final = ((b"\\", BACKSLASH), (b"%", PERCENT), (b"&", ENTITY))
# After so many escapes it is asked whether there is time for more.
MANY: Final = 4096


def escapes(text: bytes, budget: Budget) -> CharMap | None:
    """The text with its escapes undone once; None where it has none."""
    found = sorted(piece for sign, pattern in TRIGGERS if sign in text
                   for piece in timely(pieces(pattern, text), budget))  # fmt: skip
    return CharMap(text, found, within) if found else None


def quoted_printable(text: bytes, budget: Budget) -> CharMap:
    """A text that a head says to be in quoted-printable (RFC 2045 §6.7)."""
    return CharMap(text, timely(pieces(QUOTED, text), budget))


def timely(found: Iterator[Piece], budget: Budget) -> Iterator[Piece]:
    """As many as there is time for; the rest stays as it is, and the budget says so."""
    for count, piece in enumerate(found, 1):
        yield piece
        if count % MANY == 0 and budget.is_late():
            return


def pieces(pattern: re.Pattern[bytes], text: bytes) -> Iterator[Piece]:
    for found in pattern.finditer(text):
        meant = meaning(found.lastgroup or "", found[found.lastindex or 0])
        if meant is not None:
            yield found.start(), found.end(), meant


def within(piece: bytes, size: int) -> list[Piece]:
    """The single escapes of one piece; what they mean is known by its size alone."""
    units = list(UNIT.finditer(piece))
    if len(units) < 2:
        return [(0, len(piece), bytes(size))]
    return [(unit.start(), unit.end(), bytes(size_of(unit[0]))) for unit in units]


def size_of(unit: bytes) -> int:
    """How many bytes one escape means."""
    return len(from_units(unit)) if b"u" in unit else 1


def meaning(kind: str, code: bytes) -> bytes | None:
    """What the code of one piece means; None where it means nothing."""
    if kind == "units":
        return from_units(code)
    if kind == "bytes":
        return bytes.fromhex(code.translate(None, NOT_HEX).decode())
    if kind == "octal":
        return bytes(int(one, 8) for one in re.split(rb"\\+", code))
    if kind == "point":
        return from_point(int(code.strip(b"uU{}"), 16))
    if kind == "entity":
        return from_entity(b"&" + code)
    return SIGNS.get(code, code) if kind == "sign" else b""


def from_units(code: bytes) -> bytes:
    """UTF-16 units in hex; half a pair stays a character of its own, which UTF-8 has none for."""
    units = bytes.fromhex(code.translate(None, NOT_HEX).decode())
    return units.decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")


def from_point(code: int) -> bytes | None:
    return chr(code).encode("utf-8", "surrogatepass") if code <= 0x10FFFF else None


def from_entity(entity: bytes) -> bytes | None:
    meant = html.unescape(entity.decode()).encode("utf-8", "ignore")
    return None if meant == entity else meant
