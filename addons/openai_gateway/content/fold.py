"""Writes a text out plainly: escapes of JSON, URLs, HTML and mail undone, look-alikes made ASCII.

For finding only, never for sending. It undoes more than any one reader would (several rounds, all
kinds at once, whatever the context), so that a value which some reader would see is seen here.
Every step is linear and is asked for by a trigger. Each pattern begins with a fixed byte or set of
bytes: `re` looks for those alone, some twenty times as fast.
"""

import html
import re
import unicodedata
from typing import Final
from urllib.parse import unquote_to_bytes

# JSON in JSON in JSON …: each level is a round.
ROUNDS: Final = 5

ESCAPE: Final = re.compile(
    rb"\\(?=[uUx0-3])(?:(?P<units>u[0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4})*)|u\{(?P<braced>[0-9a-fA-F]{1,6})\}"
    rb"|U(?P<long>[0-9a-fA-F]{8})|(?P<bytes>x[0-9a-fA-F]{2}(?:\\x[0-9a-fA-F]{2})*)"
    rb"|(?P<octal>[0-3][0-7]{2}))"
)
PERCENT: Final = re.compile(rb"%(?:[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})")
PERCENT_U: Final = re.compile(rb"%u([0-9a-fA-F]{4})")
PERCENT_HEX: Final = re.compile(rb"%([0-9a-fA-F]{2})")
# `unquote_to_bytes` cuts the text at each %, also where hardly any is an escape.
RARE: Final = 64
# `bytes.replace` is slow where many stand alone, a pattern where many are doubled.
DOUBLED: Final = re.compile(rb"\\\\+")
FEW_DOUBLED: Final = 1000
ENTITY: Final = re.compile(rb"&(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[a-zA-Z0-9]{2,31};)")
QUOTED_PAIR: Final = re.compile(rb"=(?:([0-9a-fA-F]{2})|[ \t]{0,8}\r?\n)")
# Fullwidth, mathematical and enclosed forms of letters, digits and what escapes are made of (NFKC
# makes them ASCII), dashes, and tags. Not the punctuation of Chinese texts: it is too common.
_ALIKE: Final = (
    rb"(?:\xef\xbc[\x83\x85\x86\x8b\x8d\x8f-\x99\x9d\xa1-\xba\xbc\xbf]|\xef\xbd[\x81-\x9a]"
    rb"|\xf0\x9d[\x90-\x9f][\x80-\xbf]|\xe2\x80[\x90-\x95]|\xe2\x88\x92|\xe2[\x91-\x93][\x80-\xbf]|\xf3\xa0[\x80\x81][\x80-\xbf])"
)
ALIKE: Final = re.compile(_ALIKE + _ALIKE + b"*")
LEADS: Final = (b"\xe2", b"\xef", b"\xf0", b"\xf3")
DASHES: Final = dict.fromkeys([*range(0x2010, 0x2016), 0x2212], "-")
DASH_ONE: Final = {chr(code).encode(): b"-" for code in DASHES}
TAGS: Final = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
NOT_ASCII: Final = bytes(range(0x80, 0x100))


def fold(data: bytes) -> bytes:
    """The text with everything undone that hides a character. The same object if nothing does."""
    for _ in range(ROUNDS):
        before = data
        if not data.isascii():
            data = plain(data)
        if b"\\" in data:
            data = unescape(data)
        if b"%" in data and PERCENT.search(data):
            data = unpercent(data)
        if b"&" in data and ENTITY.search(data):
            data = unentity(data)
        if b"=" in data and QUOTED_PAIR.search(data) and is_mail(data):
            data = QUOTED_PAIR.sub(unquote_pair, data)
        if data is before or data == before:
            break
    return data.replace(b"\0", b"") if b"\0" in data else data


def unescape(data: bytes) -> bytes:
    r"""`\u0073`, `\u{73}`, `\U00000073`, `\x73`, `\163`; of many backslashes one stays."""
    if not ESCAPE.search(data):
        return data
    data, found = DOUBLED.subn(rb"\\", data, FEW_DOUBLED)
    while found == FEW_DOUBLED and b"\\\\" in data:
        data = data.replace(b"\\\\", b"\\")
    return ESCAPE.sub(from_escape, data)


def from_escape(found: re.Match[bytes]) -> bytes:
    kind, text = found.lastgroup, found[found.lastindex or 0]
    if kind == "units":
        units = bytes.fromhex(text.replace(b"\\u", b"")[1:].decode())
        return units.decode("utf-16-be", "ignore").encode("utf-8", "ignore")
    if kind == "bytes":
        return bytes.fromhex(text.replace(b"\\x", b"")[1:].decode())
    return bytes((int(text, 8),)) if kind == "octal" else from_point(int(text, 16))


def from_point(code: int) -> bytes:
    return chr(code).encode("utf-8", "ignore") if code <= 0x10FFFF else b""


def unpercent(data: bytes) -> bytes:
    """`%73` and `%u0073`."""
    if b"%u" in data:
        data = PERCENT_U.sub(lambda found: from_point(int(found[1], 16)), data)
    if data.count(b"%") > len(data) // RARE:
        return unquote_to_bytes(data)
    return PERCENT_HEX.sub(lambda found: bytes.fromhex(found[1].decode()), data)


def unentity(data: bytes) -> bytes:
    """`&#115;`, `&#x73;`, `&lowbar;`."""
    return ENTITY.sub(from_entity, data)


def from_entity(found: re.Match[bytes]) -> bytes:
    return html.unescape(found[0].decode()).encode("utf-8", "ignore")


def is_mail(data: bytes) -> bool:
    """Whether something in it says that it is quoted-printable (RFC 2045 §6.7, RFC 2047 §4.2)."""
    lower = data.lower()
    return b"quoted-printable" in lower or b"?q?" in lower


def unquote_pair(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode()) if found[1] else b""


def plain(data: bytes) -> bytes:
    """Look-alikes made ASCII, and what else is not ASCII taken out: the unseen is among it."""
    if any(lead in data for lead in LEADS):
        data = ALIKE.sub(normal, data)
    return data.translate(None, NOT_ASCII)


def normal(found: re.Match[bytes]) -> bytes:
    if found[0] in DASH_ONE:
        return b"-"
    text = found[0].decode("utf-8", "ignore").translate(DASHES).translate(TAGS)
    return unicodedata.normalize("NFKC", text).encode()
