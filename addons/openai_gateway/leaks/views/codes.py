"""Reads texts that are spelled in numbers: codes in hex, decimal, octal and binary, dumps, base32.

One pass of RE2 tells whether a text has any run of digits long enough (it lets go of the
interpreter meanwhile); all else is done for such texts only, in one loop forward.
"""

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Final

import re2

from openai_gateway.content.runs import RUN, legible, runs, stretches

HEX: Final = string.hexdigits.encode()
LEAST: Final = 12
BYTEWISE: Final = re2.Options()
BYTEWISE.encoding = re2.Options.Encoding.LATIN1
BYTEWISE.never_capture = True
BYTEWISE.log_errors = False
# Digits of hex with nothing between that is not usual between codes: `0x`, `U+`, `chr(`. The point
# makes numbers that are no codes.
CODED: Final = re2.compile(
    rb"(?:[0-9a-fA-F](?:[^0-9A-Za-z.]|[xXuUoO]|[cC][hH][aA]?[rR]){0,8}){24}", BYTEWISE
)
# What stands before each code, and is taken out with the bracket that opens.
BEFORE: Final = (
    *(b"chr(", b"Chr(", b"CHR(", b"char(", b"CHAR(", b"Char("),
    *(b"0x", b"0X", b"0o", b"0O", b"U+", b"u+"),
)
BLANKED: Final = bytes(
    c if c in (string.ascii_letters + string.digits + ".").encode() else 32 for c in range(256)
)
# A matrix, and no codes.
SINGLES: Final = re.compile(rb" [0-9a-fA-F](?: [0-9a-fA-F](?![0-9a-fA-F])){15,}+")


def _with_blank(letters: bytes) -> bytes:
    return bytes(97 if c in letters + b" " else 32 for c in range(256))


IN_HEX, IN_DECIMAL, IN_OCTAL, IN_BITS = map(_with_blank, (HEX, HEX[:10], HEX[:8], HEX[:2]))
# Twelve codes of two digits and the blanks between; twelve of seven bits, with or without blanks.
STRETCH: Final = b"a" * (3 * LEAST - 1)
BITS: Final = b"a" * (8 * LEAST - 1)

_TEXT: Final = [*range(32, 127), 9, 10, 13]
DECIMAL: Final = {form: bytes((c,)) for c in _TEXT for form in (b"%d" % c, b"%03d" % c)}
OCTAL: Final = {form: bytes((c,)) for c in _TEXT for form in (b"%o" % c, b"%03o" % c, b"%04o" % c)}
SEVEN: Final = {f"{c:07b}".encode(): bytes((c,)) for c in _TEXT}

# The beginning of a line of xxd, hexdump, od -x and most others; the text beside it stands apart.
DUMP: Final = re.compile(rb"[ \t]{0,8}[0-9a-fA-F]{4,16}([:h]?)[ \t]{1,4}")
WIDEST: Final = 32
WIDEST_XXD: Final = 512

IN_BASE32: Final = tuple(
    bytes(97 if c in letters + b"234567" else 32 for c in range(256))
    for letters in (string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
)
AS_DIGITS: Final = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHIJKLMNOPQRSTUV"
)
NOT_TEXT: Final = bytes(c for c in range(256) if not (32 <= c < 127 or c in b"\t\r\n"))


def from_codes(text: bytes) -> Iterator[bytes]:
    """What runs of codes spell, and what dumps show: a view for each kind."""
    if not CODED.search(text):
        return
    found = list(coded(text))
    bits = list(within(found, IN_BITS, BITS))
    views = (
        spelled(within(found, IN_DECIMAL, STRETCH), DECIMAL),
        spelled(within(found, IN_OCTAL, STRETCH), OCTAL),
        spelled(bits, SEVEN),
        legible_lines(map(from_bits, bits)),
        legible_lines(data for stretch in found for data in from_hex(stretch)),
        legible_lines(from_dump(text)),
    )
    yield from filter(None, views)


def coded(text: bytes) -> Iterator[bytes]:
    """The stretches of nothing but digits of hex and single blanks."""
    for before in BEFORE:
        if before in text:
            text = text.replace(before, b"")
    text = b" ".join(text.translate(BLANKED).split())
    if text.count(b" ") * 5 > len(text) * 2:
        text = SINGLES.sub(b" .", text)
    yield from stretches(text, text.translate(IN_HEX), STRETCH)


def within(found: Iterable[bytes], classes: bytes, least: bytes) -> Iterator[bytes]:
    """The stretches of fewer digits in these."""
    for stretch in found:
        yield from stretches(stretch, stretch.translate(classes), least)


def spelled(found: Iterable[bytes], codes: Mapping[bytes, bytes]) -> bytes:
    """The runs of words that are codes of characters, a line for each."""
    words = (b"".join([codes.get(word, b"\0") for word in one.split()]) for one in found)
    return b"\n".join(run for run in b"\0".join(words).split(b"\0") if len(run) >= LEAST)


def from_bits(stretch: bytes) -> bytes:
    """Zeros and ones, eight to a byte however they are grouped."""
    bits = stretch.replace(b" ", b"")
    bits = bits[: len(bits) // 8 * 8]
    return int(bits or b"0", 2).to_bytes(len(bits) // 8)


def from_hex(stretch: bytes) -> Iterator[bytes]:
    """The bytes of words of even length; words of four may have theirs swapped."""
    words = stretch.split()
    if len(words) < 2:
        return
    for run in b"".join([word if len(word) % 2 == 0 else b"." for word in words]).split(b"."):
        if len(run) >= 2 * LEAST:
            whole = bytes.fromhex(run.decode())
            yield whole.replace(b"\0", b"")
            if len(words[1]) == 4:
                yield swapped(whole)


def swapped(whole: bytes) -> bytes:
    turned = bytearray(whole[: len(whole) // 2 * 2])
    turned[::2], turned[1::2] = turned[1::2], turned[::2]
    return bytes(turned)


def legible_lines(found: Iterable[bytes]) -> bytes:
    """What may be text of each, a line for each."""
    texts = (data if is_text(data) else legible(data) for data in found)
    return b"\n".join(text for text in texts if len(text) >= LEAST)


def is_text(data: bytes) -> bool:
    """Whether three of four bytes are of a text in ASCII."""
    return len(data.translate(None, NOT_TEXT)) * 4 >= len(data) * 3


def from_dump(text: bytes) -> Iterator[bytes]:
    """What the lines of a dump show, put together; words of two bytes also swapped."""
    whole = b"".join(map(dumped, text.split(b"\n")))
    data = bytes.fromhex(whole[: len(whole) // 2 * 2].decode())
    yield data
    yield swapped(data)


def dumped(line: bytes) -> bytes:
    """The digits of one line of a dump; nothing for another line."""
    found = DUMP.match(line)
    if not found:
        return b""
    is_xxd = found[1] == b":"
    rest = line[found.end() :].partition(b"|")[0].partition(b"   ")[0]
    if is_xxd:
        rest = rest.partition(b"  ")[0]
    words = takewhile(lambda word: len(word) % 2 == 0 and not word.strip(HEX), rest.split())
    return b"".join(words)[: WIDEST_XXD if is_xxd else WIDEST]


def from_base32(text: bytes) -> Iterator[bytes]:
    """Runs of base32, in upper or lower case, wrapped ones too."""
    for classes in IN_BASE32:
        marked = text.translate(classes)
        if RUN in marked:
            view = legible_lines(unbase32(run.upper()) for run in runs(text, marked))
            if view:
                yield view


def unbase32(run: bytes) -> bytes:
    """RFC 4648 §6, by way of a number in base 32: that is done in C, and linear."""
    bits = len(run) * 5
    return (int(run.translate(AS_DIGITS), 32) >> bits % 8).to_bytes(bits // 8)
