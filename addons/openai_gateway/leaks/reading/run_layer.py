"""Runs of base64 and hex in a text: where they stand, how they are wrapped, what they mean.

Found by one table and `find`: a pattern for wrapped runs could take for ever.
"""

import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from openai_gateway.content.runs import IN_BASE64, IN_HEX, standard

MIB: Final = 1024 * 1024
# A token of 16 characters makes 22 of base64.
SHORTEST: Final = 24
SHORTEST_HEX: Final = 32
# Lines of a wrapped text are at least so long if there are but two of them.
LINE: Final = 60
INDENT: Final = 8
LINE_ENDS: Final = (b"\n", b"\r")


@dataclass(frozen=True, slots=True)
class Codec:
    """`letters` of the code make `size` bytes; `apart` keeps runs apart that are decoded as one."""

    in_code: bytes = field(repr=False)
    shortest: int
    letters: int
    size: int
    apart: bytes
    decode: Callable[[bytes], bytes]
    encode: Callable[[bytes, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Run:
    """A run from `start` to `end` in its text; `body` without line ends and padding.

    `width` letters stand on a line (0: all of them), `gap` between the lines.
    """

    start: int
    end: int
    body: bytes = field(repr=False)
    padding: int = 0
    width: int = 0
    gap: bytes = b""

    def place(self, letter: int) -> int:
        """How many bytes behind the run's start this letter of the body stands."""
        return letter + (letter // self.width * len(self.gap) if self.width else 0)

    def wrapped(self, body: bytes) -> bytes:
        if not self.width:
            return body
        starts = range(0, len(body), self.width)
        return self.gap.join(body[at : at + self.width] for at in starts)


def runs(text: bytes, codec: Codec) -> Iterator[Run]:
    """The runs of a text in their order."""
    if len(text) < codec.shortest:
        return
    classes = classed(text, codec.in_code)
    shortest = b"a" * codec.shortest
    at = find_run(classes, shortest, 0)
    while at >= 0:
        run = run_at(text, classes, at, codec)
        yield run
        at = find_run(classes, shortest, run.end)


def bodies_of(text: bytes, codec: Codec) -> Iterator[bytes]:
    """The bodies of the runs alone, which is quicker: hardly any is wrapped."""
    if len(text) < codec.shortest:
        return
    classes = classed(text, codec.in_code)
    shortest = b"a" * codec.shortest
    at = find_run(classes, shortest, 0)
    while at >= 0:
        end = end_of(classes, at)
        if text[end : end + 1] in LINE_ENDS:
            run = run_at(text, classes, at, codec)
            yield run.body
            end = run.end
        else:
            yield text[at:end]
        at = find_run(classes, shortest, end)


def find_run(classes: bytes, run: bytes, at: int) -> int:
    """Where the next one begins, or -1; looks through a MiB at a time."""
    while at < len(classes):
        found = classes.find(run, at, at + MIB + len(run))
        if found >= 0:
            return found
        at += MIB
    return -1


def classed(text: bytes, table: bytes) -> bytes:
    """A MiB at a time: the interpreter can do something else in between."""
    if len(text) <= MIB:
        return text.translate(table)
    return b"".join(text[at : at + MIB].translate(table) for at in range(0, len(text), MIB))


def run_at(text: bytes, classes: bytes, start: int, codec: Codec) -> Run:
    end = end_of(classes, start)
    width, gap = end - start, gap_at(text, end)
    lines = [text[start:end]]
    while gap and len(lines[-1]) == width and text.startswith(gap, end):
        line = text[end + len(gap) : end_of(classes, end + len(gap))]
        if not line or len(line) > width or not (len(line) == width or len(lines) > 1 or
                                                 (width >= LINE and width % 4 == 0)):  # fmt: skip
            break
        lines.append(line)
        end += len(gap) + len(line)
    padding = 2 if text.startswith(b"==", end) else int(text.startswith(b"=", end))
    padding = padding if codec is BASE64 else 0
    is_wrapped = len(lines) > 1
    return Run(start, end + padding, b"".join(lines), padding,
               width if is_wrapped else 0, gap if is_wrapped else b"")  # fmt: skip


def end_of(classes: bytes, at: int) -> int:
    end = classes.find(b" ", at)
    return len(classes) if end < 0 else end


def gap_at(text: bytes, end: int) -> bytes:
    """A line end and what the next line is indented by."""
    at = end + 1 if text.startswith(b"\r", end) else end
    if not text.startswith(b"\n", at):
        return b""
    stop = at + 1
    while stop - at <= INDENT and text[stop : stop + 1] in (b" ", b"\t"):
        stop += 1
    return text[end:stop]


def decoded(body: bytes, codec: Codec) -> bytes:
    """All of it, without letters at the end that mean no byte. A MiB at a time."""
    step = MIB // codec.letters * codec.letters
    return b"".join(codec.decode(body[at : at + step]) for at in range(0, len(body), step))


def decode_64(body: bytes) -> bytes:
    rest = len(body) % 4
    body = body[:-1] if rest == 1 else body
    return binascii.a2b_base64(standard(body) + b"=" * (-len(body) % 4))


def encode_64(data: bytes, body: bytes) -> bytes:
    """In the alphabet of this body, without padding."""
    text = binascii.b2a_base64(data, newline=False).rstrip(b"=")
    return text.replace(b"+", b"-").replace(b"/", b"_") if b"-" in body or b"_" in body else text


def decode_hex(body: bytes) -> bytes:
    return binascii.unhexlify(body[: len(body) // 2 * 2])


def encode_hex(data: bytes, body: bytes) -> bytes:
    text = binascii.hexlify(data)
    return text if body == body.lower() else text.upper()


BASE64: Final = Codec(IN_BASE64, SHORTEST, 4, 3, b"////", decode_64, encode_64)
HEX: Final = Codec(IN_HEX, SHORTEST_HEX, 2, 1, b"ff", decode_hex, encode_hex)
