"""Unpacks what is compressed, a step at a time, and never beyond a member's or the call's size."""

import bz2
import lzma
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import zstandard

from openai_gateway.content.coding import GZIP, STEP, Fault
from openai_gateway.content.runs import FED
from openai_gateway.leaks.reading.budget import MEMBER, MEMBERS, Budget

# What `xz -9` needs.
XZ_MEMORY: Final = 66 * 1024 * 1024
# zlib copies what follows each one's end.
MOST_GZIPS: Final = 1000
LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Member:
    """One thing out of a file: its name as shown, and its bytes or already its text in UTF-8."""

    name: str
    data: bytes
    is_text: bool = False


@dataclass(slots=True)
class Unpacking:
    """The unpacking of one file with all that is nested in it."""

    budget: Budget
    members_left: int = MEMBERS

    def may_go_on(self) -> bool:
        """Whether one more member may be read; it is counted then."""
        if not self.is_in_bounds(MEMBERS - self.members_left, MEMBERS):
            return False
        self.members_left -= 1
        return True

    def is_in_bounds(self, count: int, most: int) -> bool:
        """Whether one more may be read after so many."""
        if count >= most:
            self.budget.over = True
        return count < most and not self.budget.is_late()

    def gather(self, pieces: Iterator[bytes], most: int = MEMBER) -> bytes:
        """What a decoder gives until it is above a size, and what it gave before it failed."""
        whole = bytearray()
        try:
            for piece in pieces:
                if not self.budget.take_file(len(piece)):
                    break
                whole += piece
                if len(whole) > most:
                    break
        except (Fault, zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, EOFError):
            self.budget.over = True
        return bytes(whole)

    def cut(self, data: bytes, most: int = MEMBER) -> bytes:
        """The beginning of what is longer than may be read."""
        if len(data) > most:
            self.budget.over = True
        return data[:most]


class Inflating:
    """One deflate stream within a file; `end` is where it ends there, once it was read."""

    __slots__ = ("at", "data", "end", "format")

    def __init__(self, data: bytes | memoryview, at: int, format: int) -> None:
        self.data = memoryview(data)
        self.at = at
        self.format = format
        self.end: int | None = None

    def pieces(self) -> Iterator[bytes]:
        """Raises: zlib.error, EOFError where the stream has no end."""
        decoder = zlib.decompressobj(self.format)
        for at in range(self.at, len(self.data), FED):
            fed: bytes | memoryview = self.data[at : at + FED]
            rest = fed
            while rest and not decoder.eof:
                yield decoder.decompress(rest, STEP)
                rest = decoder.unconsumed_tail
            if decoder.eof:
                self.end = at + len(fed) - len(decoder.unused_data)
                return
        while piece := decoder.decompress(b"", STEP):
            yield piece
        if not decoder.eof:
            raise EOFError("the stream has no end")
        self.end = len(self.data)


def gunzip(data: bytes) -> Iterator[bytes]:
    """One member or several; zeros may follow, as tapes and `tar` leave them."""
    at = 0
    for _ in range(MOST_GZIPS):
        if data[at : at + 1] in (b"", b"\0"):
            return
        stream = Inflating(data, at, GZIP)
        yield from stream.pieces()
        at = stream.end or len(data)
    raise EOFError("too many members")


def bunzip(data: bytes) -> Iterator[bytes]:
    yield from fed(data, bz2.BZ2Decompressor())


def unxz(data: bytes) -> Iterator[bytes]:
    yield from fed(data, lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY))


class Decoder(Protocol):
    """What bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def fed(data: bytes, decoder: Decoder) -> Iterator[bytes]:
    """Raises: EOFError where the stream has no end, or another one follows."""
    for at in range(0, len(data), FED):
        if decoder.eof:
            raise EOFError("something follows the stream")
        yield decoder.decompress(data[at : at + FED], STEP)
        while not decoder.eof and not decoder.needs_input:
            yield decoder.decompress(b"", STEP)
    if not decoder.eof or decoder.unused_data:
        raise EOFError("the stream has no end, or something follows it")


def shown(name: bytes) -> str:
    """A member's name as it may be told: short, and nothing that moves a cursor."""
    text = "".join(c for c in name.decode("utf-8", "replace") if c.isprintable())
    return text[:LONGEST_NAME]
