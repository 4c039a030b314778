"""Finds what may be base64 or hex in a text and decodes it; unpacks gzip and zlib found inside.

Runs are found by one table and `find`, never by a pattern: a nested quantifier for wrapped base64
took 15 s on a 200 kB binary.
"""

import binascii
import codecs
import re
import string
import struct
import zlib
from collections.abc import Iterator
from typing import Final, Protocol

# A key of 21 characters makes 28 of base64.
SHORTEST: Final = 28
SHORTEST_HEX: Final = 32
# Longer runs are read at another alignment than their own only if samples of that look like text.
LONG: Final = 64 * 1024
SAMPLE: Final = 2048
# Decodes to three blanks.
APART: Final = b"ICAg"

LETTERS: Final = (string.ascii_letters + string.digits).encode()
IN_BASE64: Final = bytes(97 if c in LETTERS + b"+/-_" else 32 for c in range(256))
IN_HEX: Final = bytes(97 if c in string.hexdigits.encode() else 32 for c in range(256))
STANDARD: Final = bytes.maketrans(b"-_", b"+/")
RUN: Final = b"a" * SHORTEST
HEX_RUN: Final = b"a" * SHORTEST_HEX
LONGEST_GAP: Final = 6
BLANKS: Final = frozenset({b" ", b"\t", b"\r", b"\n", b"\\"})
ESCAPED_BLANKS: Final = frozenset({b"\\n", b"\\r", b"\\t"})

# One fixed byte, then a look ahead: `re` goes from one such byte to the next, fast.
GZIP: Final = re.compile(rb"\x1f(?=\x8b\x08)")
# A local file header with method 8 (APPNOTE §4.3.7); the group is the lengths of name and extra.
ZIP: Final = re.compile(rb"(?s)P(?=K)K\x03\x04....\x08\x00.{16}(.{4})")
# Behind the blanks that keep runs apart, and where a stream of a PDF begins (ISO 32000 §7.3.8).
ZLIB: Final = re.compile(rb"x(?=[\x01\x5e\x9c\xda])(?:(?<=   x)|(?<=stream\nx)|(?<=stream\r\nx))")
# As much is unpacked at a time; the next part repeats the end of the last one.
MOST_UNPACKED: Final = 1024 * 1024
REPEATED: Final = 8 * 1024
# zlib copies what it was given and has not read yet, so it is given little at a time.
FED: Final = 64 * 1024

# Bytes of texts that may hold a key: ASCII, zeros (UTF-16), and those of unseen characters and
# look-alikes. Decoded noise has no stretch of them.
SHORTEST_TEXT: Final = 16
IN_TEXT: Final = bytes(
    97 if 32 <= c < 127 or c in b"\t\r\n\0\xc2\xcc\xcd\xe1\xe2\xe3\xef\xf0\xf3" or 0x80 <= c < 0xC0
    else 32 for c in range(256)
)  # fmt: skip
TEXT_RUN: Final = b"a" * SHORTEST_TEXT
# A block with fewer other bytes than a sixth is no noise: of random bytes more than a fifth are.
BLOCK: Final = 4096
FEW_OTHERS: Final = BLOCK // 6
# In a binary controls may stand within a key as well.
OR_CONTROL: Final = bytes(97 if c < 32 else IN_TEXT[c] for c in range(256))
CONTINUED: Final = bytes(range(0x80, 0xC0))


def decoded(data: bytes) -> Iterator[bytes]:
    """What the runs of this text hold, one text for each alignment."""
    if len(data) < SHORTEST:
        return
    classes = data.translate(IN_BASE64)
    if RUN in classes:
        yield from unbase64(data, classes)
        # Digits of hex are letters of base64.
        yield from unhex(b" ".join(stretches(data, classes, RUN)))


def legible(data: bytes) -> bytes:
    """The stretches of it that may be text, 16 bytes and longer."""
    return b"   ".join(stretches(data, data.translate(IN_TEXT), TEXT_RUN))


def without_noise(data: bytes) -> bytes:
    """A large binary without its noise, in which folding finds most to do; else the same object."""
    if len(data) <= LONG or data.isascii() or is_utf8(data):
        return data
    classes = bytearray(data.translate(OR_CONTROL))
    for at in range(0, len(data), BLOCK):
        if classes.count(b" ", at, at + BLOCK) < FEW_OTHERS:
            classes[at : at + BLOCK] = classes[at : at + BLOCK].replace(b" ", b"a")
    return b"   ".join(stretches(data, bytes(classes), TEXT_RUN))


def is_utf8(piece: bytes) -> bool:
    """Whether it is text in UTF-8, of which the first and the last character may be cut."""
    try:
        codecs.utf_8_decode(piece.lstrip(CONTINUED), "strict", False)
    except UnicodeDecodeError:
        return False
    return True


def stretches(data: bytes, classes: bytes, run: bytes) -> Iterator[bytes]:
    """The stretches of one class that are at least as long as `run`."""
    at = classes.find(run)
    while at >= 0:
        end = classes.find(b" ", at)
        end = len(data) if end < 0 else end
        yield data[at:end]
        at = classes.find(run, end)


def unbase64(data: bytes, classes: bytes) -> Iterator[bytes]:
    """The runs decoded at each of the four alignments: what is glued before a run shifts it."""
    whole = list(runs(data, classes))
    # A run at the very beginning may go on from the piece before: then its alignment says nothing.
    cut = whole[0] if whole and classes.startswith(RUN) else None
    for shift in range(4):
        tried = [run[shift:] for run in whole
                 if not shift or run is cut or is_worth_it(run, shift)]  # fmt: skip
        if tried:
            yield binascii.a2b_base64(standard(b"".join(map(aligned, tried))))


def is_worth_it(run: bytes, shift: int) -> bool:
    """Whether a run may be text at this alignment: short ones always, long ones by samples."""
    if len(run) <= LONG:
        return True
    middle, end = len(run) // 8 * 4 + shift, len(run) // 4 * 4 - SAMPLE + shift
    for at in (shift, middle, end):
        sample = run[at : at + SAMPLE]
        text = legible(binascii.a2b_base64(standard(aligned(sample))))
        if len(text) > SAMPLE // 4:
            return True
    return False


def standard(text: bytes) -> bytes:
    """The alphabet of URLs turned into the usual one."""
    return text.translate(STANDARD) if b"-" in text or b"_" in text else text


def aligned(run: bytes) -> bytes:
    """The run filled up to whole groups of four; the blanks before it keep runs apart."""
    return APART + run + b"A" * (-len(run) % 4)


def runs(data: bytes, classes: bytes) -> Iterator[bytes]:
    """Each run; a wrapped one is joined, its last line may be short."""
    at = classes.find(RUN)
    while at >= 0:
        lines: list[bytes] = []
        while classes.startswith(RUN if not lines or len(lines[-1]) < SHORTEST else b"a", at):
            end = classes.find(b" ", at)
            end = len(data) if end < 0 else end
            lines.append(data[at:end])
            at = after_gap(data, end)
        yield b"".join(lines)
        at = classes.find(RUN, at)


def after_gap(data: bytes, end: int) -> int:
    r"""Where a wrapped line would go on: behind `\r\n`, a blank, or their JSON escapes."""
    at = end
    while at < end + LONGEST_GAP and data[at : at + 1] in BLANKS:
        at += 2 if data[at : at + 2] in ESCAPED_BLANKS else 1
    return at


def unhex(data: bytes) -> Iterator[bytes]:
    """Runs of hex digits, in both alignments."""
    whole = list(stretches(data, data.translate(IN_HEX), HEX_RUN))
    for shift in (0, 1) if whole else ():
        yield b"   ".join(bytes.fromhex(even(run[shift:])) for run in whole)


def even(run: bytes) -> str:
    return run[: len(run) // 2 * 2].decode()


class Purse(Protocol):
    """What may still be spent; `over` once something was left out."""

    bytes_left: int
    over: bool


def unpacked(data: bytes, purse: Purse) -> Iterator[bytes]:
    """What begins like gzip, zlib or a file of a zip, part by part, as long as it is asked for."""
    if data.isascii():
        return
    for at, format in starts(data):
        yield from inflated(memoryview(data)[at:], format, purse)


def inflated(packed: memoryview, format: int, purse: Purse) -> Iterator[bytes]:
    """One packed text in parts that overlap. Nothing, where it is none: that costs a look too."""
    decoder = zlib.decompressobj(format)
    part = b""
    for at in range(0, len(packed), FED):
        rest: bytes | memoryview = packed[at : at + FED]
        while rest and not decoder.eof:
            try:
                fresh = decoder.decompress(rest, max(1, min(purse.bytes_left, MOST_UNPACKED)))
            except zlib.error:
                yield b""
                return
            part = part[-REPEATED:] + fresh
            yield part
            rest = decoder.unconsumed_tail
        if decoder.eof:
            return
    purse.over = True  # it ends before its end


def starts(data: bytes) -> Iterator[tuple[int, int]]:
    """Where something packed may begin: gzip and zip anywhere, zlib in a PDF or a decoded run."""
    if data[:1] == b"x":
        yield 0, zlib.MAX_WBITS
    if len(data) <= SAMPLE and not may_hold_packed(data):
        return
    for found in ZLIB.finditer(data):
        yield found.start(), zlib.MAX_WBITS
    for found in GZIP.finditer(data):
        yield found.start(), zlib.MAX_WBITS | 16
    for found in ZIP.finditer(data):
        yield found.end() + sum(struct.unpack("<HH", found[1])), -zlib.MAX_WBITS


def may_hold_packed(data: bytes) -> bool:
    """The quickest look at a short text."""
    return b"   x" in data or b"\nx" in data or b"\x1f\x8b" in data or b"PK\x03" in data
