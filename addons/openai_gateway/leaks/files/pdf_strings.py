"""Takes strings out of a PDF's objects and pages (ISO 32000 §7.3.4, §9.4): one loop forward.

A page shows a word in pieces, moved nearer or further by numbers between them: pieces are joined
unless they are a blank apart.
"""

import re
from collections.abc import Iterator
from typing import Final

from openai_gateway.leaks.files.plain import as_text
from openai_gateway.leaks.reading.budget import Budget

# A string, of which most have no brackets and escapes in them; an operator that begins a new line;
# a move by a fifth of a letter's height and more.
_OPENING: Final = rb"\([^()\\]*+\)?|<[0-9a-fA-F \t\r\n\f\0]*+>"
OPENING: Final = re.compile(_OPENING)
TOKEN: Final = re.compile(_OPENING + rb"|T[*dDm]|ET|['\"]|-(?:[2-9]\d\d|\d{4})")
SPECIAL: Final = re.compile(rb"[()]|\\.", re.DOTALL)
LONGEST: Final = 64 * 1024
# So often it is asked whether there is time.
MANY: Final = 4096
ESCAPE: Final = re.compile(rb"\\(?:([0-7]{1,3})|(\r\n|[^0-7]))", re.DOTALL)
NAMED: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f",
                b"\n": b"", b"\r": b"", b"\r\n": b""}  # fmt: skip
BLANKS: Final = b" \t\r\n\f\0"


def strings(data: bytes, budget: Budget) -> bytes:
    """All strings of some objects, a line for each."""
    return b"\n".join(pieces(data, OPENING, budget))


def shown_text(content: bytes, budget: Budget) -> bytes:
    """What a page shows, as far as its fonts have the usual encodings."""
    return b"".join(pieces(content, TOKEN, budget))


def pieces(data: bytes, tokens: re.Pattern[bytes], budget: Budget) -> Iterator[bytes]:
    """Each string, and what stands for each other token."""
    at = 0
    for count in range(len(data)):
        found = tokens.search(data, at)
        if not found or (count % MANY == 0 and budget.is_late()):
            return
        mark, at = found[0], found.end()
        if mark[:1] == b"(":
            if mark[-1:] != b")":
                at = end_of(data, found.start() + 1)
            yield plain(data[found.start() + 1 : at].removesuffix(b")"))
        elif mark[:1] == b"<":
            yield from_hex(mark[1:-1])
        else:
            yield b" " if mark[:1] == b"-" else b"\n"


def end_of(data: bytes, start: int) -> int:
    """Where the string ends whose bracket opened before `start`; brackets in it pair up."""
    depth = 1
    for found in SPECIAL.finditer(data, start, start + LONGEST):
        depth += {b"(": 1, b")": -1}.get(found[0], 0)
        if not depth:
            return found.end()
    return min(start + LONGEST, len(data))


def plain(text: bytes) -> bytes:
    """A literal string without its escapes."""
    return unmarked(ESCAPE.sub(unescape, text) if b"\\" in text else text)


def unescape(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes((int(found[1], 8) & 0xFF,))
    return NAMED.get(found[2], found[2])


def from_hex(digits: bytes) -> bytes:
    digits = digits.translate(None, BLANKS)
    return unmarked(bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()))


def unmarked(text: bytes) -> bytes:
    """UTF-16 by its mark made UTF-8; codes of two bytes made one, where the first is zero."""
    return as_text(text) if text[:2] == b"\xfe\xff" else text.replace(b"\0", b"")
