"""Reads texts that are spelled in numbers: codes in hex, decimal, octal and binary, dumps, base32.

One translation and one search tell whether a text has any run of digits long enough; all else is
done for such texts only, word by word, in one loop forward.
"""

import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby, takewhile
from typing import Final

from openai_gateway.content.runs import RUN, legible, runs, stretches

HEX: Final = string.hexdigits.encode()
# Beside digits only what may stand between codes: the point makes numbers that are none.
_APART: Final = bytes(c for c in range(128) if not chr(c).isalnum() and c not in b".")
GATE: Final = bytes(97 if c in HEX else 32 for c in range(256))
# `0x`, `U+`, `0o` as well.
LEFT_OUT: Final = _APART + b"xXuUoO"
LEAST: Final = 12
CODED: Final = b"a" * (2 * LEAST)
CALLS: Final = (b"chr", b"Chr", b"CHR", b"char", b"CHAR", b"Char")
PREFIX: Final = re.compile(rb"0[xXoO](?=[0-9a-fA-F])|[uU]\+(?=[0-9a-fA-F])|[xX](?=[0-9a-fA-F]{2})")
BLANKED: Final = bytes(32 if c in _APART else c for c in range(256))
HEX_OR_BLANK: Final = bytes(97 if c in HEX + b" " else 32 for c in range(256))
STRETCH: Final = b"a" * (3 * LEAST - 1)

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


def has_codes(text: bytes) -> bool:
    """Whether enough digits of hex follow each other, with nothing that is no code between."""
    return CODED in without_calls(text).translate(GATE, LEFT_OUT)


def from_codes(text: bytes) -> Iterator[bytes]:
    """What runs of codes spell, one view for each base."""
    if not has_codes(text):
        return
    found = [stretch.split() for stretch in coded(text)]
    found = [words for words in found if len(words) > 1]
    for view in (
        spelled(found, DECIMAL),
        spelled(found, OCTAL),
        spelled(found, SEVEN),
        legible_lines(b for words in found for b in from_hex(words)),
        legible_lines(b for words in found for b in from_bits(words)),
    ):
        if view:
            yield view


def coded(text: bytes) -> Iterator[bytes]:
    """The stretches of nothing but digits of hex and blanks."""
    text = b" ".join(PREFIX.sub(b"", without_calls(text)).translate(BLANKED).split())
    yield from stretches(text, text.translate(HEX_OR_BLANK), STRETCH)


def without_calls(text: bytes) -> bytes:
    for call in CALLS:
        if call in text:
            text = text.replace(call, b"")
    return text


def spelled(found: Iterable[list[bytes]], codes: Mapping[bytes, bytes]) -> bytes:
    """The runs of words that are codes of characters, a line for each."""
    whole = b"\0".join(b"".join([codes.get(word, b"\0") for word in words]) for words in found)
    return b"\n".join(run for run in whole.split(b"\0") if len(run) >= LEAST)


def from_hex(words: list[bytes]) -> Iterator[bytes]:
    """The bytes of runs of words of even length; words of four may have their bytes swapped."""
    for run in runs_of(words, lambda word: len(word) % 2 == 0):
        whole = bytes.fromhex(b"".join(run).decode())
        yield whole.replace(b"\0", b"")
        if all(len(word) == 4 for word in run):
            yield swapped(whole)


def swapped(whole: bytes) -> bytes:
    turned = bytearray(whole)
    turned[::2], turned[1::2] = whole[1::2], whole[::2]
    return bytes(turned)


def from_bits(words: list[bytes]) -> Iterator[bytes]:
    """Runs of zeros and ones, in words of four, eight and more."""
    for run in runs_of(words, lambda word: len(word) % 4 == 0 and not word.strip(b"01")):
        bits = b"".join(run)
        bits = bits[: len(bits) // 8 * 8]
        yield int(bits or b"0", 2).to_bytes(len(bits) // 8)


def runs_of(words: list[bytes], fits: Callable[[bytes], bool]) -> Iterator[list[bytes]]:
    """Neighbours that fit, two and more."""
    for is_fit, run in groupby(words, fits):
        if is_fit and len(found := list(run)) > 1:
            yield found


def legible_lines(found: Iterable[bytes]) -> bytes:
    """What may be text of each, a line for each."""
    texts = (data if is_text(data) else legible(data) for data in found)
    return b"\n".join(text for text in texts if len(text) >= LEAST)


def is_text(data: bytes) -> bool:
    """Whether three of four bytes are of a text in ASCII."""
    return len(data.translate(None, NOT_TEXT)) * 4 >= len(data) * 3


def from_dumps(text: bytes) -> Iterator[bytes]:
    """What dumps of some bytes show, their lines put together; words of two bytes also swapped."""
    if not has_codes(text):
        return
    whole = b"".join(map(dumped, text.split(b"\n")))
    if len(whole) >= 2 * LEAST:
        data = bytes.fromhex(whole[: len(whole) // 2 * 2].decode())
        yield from filter(is_text, (data, swapped(data[: len(data) // 2 * 2])))


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
