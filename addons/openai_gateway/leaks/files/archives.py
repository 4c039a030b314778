"""Takes zip, tar and packed files apart, in one walk forward over what lies in the file itself.

A zip's directory at its end is not believed: what lies in the file and is not listed there, or
listed twice, is read by other readers too. Names come last, as one text called `the names`.
"""

import re
import struct
from collections.abc import Callable, Iterator
from typing import Final

from openai_gateway.content.coding import RAW, unzstd
from openai_gateway.content.runs import legible
from openai_gateway.leaks.files.packed import (
    Inflating,
    Member,
    Unpacking,
    bunzip,
    gunzip,
    shown,
    unxz,
)
from openai_gateway.leaks.files.plain import as_text
from openai_gateway.leaks.reading.budget import FILES, MEMBER

NAMES: Final = "the names"
# APPNOTE §4.3: the marks of a file in it and of the end; and of what follows a stored file.
LOCAL: Final = b"PK\x03\x04"
END: Final = b"PK\x05\x06"
NEXT: Final = re.compile(rb"P(?=K(?:\x03\x04|\x01\x02|\x07\x08))")
HEAD: Final = struct.Struct("<4xHHH4x4xLLHH")
LONGEST_END: Final = 64 * 1024 + 22
ENCRYPTED, SIZE_FOLLOWS = 1, 8
STORED, DEFLATED = 0, 8
UNKNOWN: Final = 0xFFFFFFFF

BLOCK: Final = 512
TAR_SUM: Final = slice(148, 156)
# Its name, what it links to, and what stands before the name (POSIX ustar).
NAMED: Final = (slice(100), slice(157, 257), slice(345, 500))
# Types whose data are names of the next member (POSIX ustar, pax, GNU).
NAMING: Final = frozenset(b"xgXLK")


def is_zip(data: bytes) -> bool:
    """A zip, with something before it too, as in programs that unpack themselves."""
    return data.startswith(LOCAL) or (data.rfind(END, -LONGEST_END) >= 0 and LOCAL in data)


def zipped(data: bytes, job: Unpacking) -> Iterator[Member]:
    """Every file that lies in a zip."""
    names: list[bytes] = []
    between: list[bytes] = []
    done, at = 0, data.find(LOCAL)
    while at >= 0 and at + HEAD.size <= len(data):
        if not job.may_go_on():
            break
        entry = Entry(data, at)
        names.append(entry.name)
        between.append(data[done:at])
        text = entry.read(job)
        if text:
            yield Member(shown(entry.name), text)
        done = max(entry.end, at + len(LOCAL))
        at = data.find(LOCAL, done)
    if done == 0 or END not in data[-LONGEST_END:]:
        job.budget.over = True
    between.append(data[done:])
    names.append(legible(b"   ".join(between)))
    yield Member(NAMES, as_text(b"\n".join(names)), is_text=True)


class Entry:
    """One file in a zip. `end` is where it ends, as far as that is known before it is read."""

    __slots__ = ("data", "end", "flags", "method", "name", "size", "start")

    def __init__(self, data: bytes, at: int) -> None:
        _, self.flags, self.method, self.size, _, name, extra = HEAD.unpack_from(data, at)
        at += HEAD.size
        self.data = data
        self.name = data[at : at + name]
        self.start = at + name + extra
        self.end = self.start

    def read(self, job: Unpacking) -> bytes:
        """Its content, as much of it as may be read."""
        if self.flags & ENCRYPTED or self.method not in (STORED, DEFLATED):
            job.budget.over = True
            self.end = self.start + (0 if self.is_size_unknown() else self.size)
            return b""
        return self.stored(job) if self.method == STORED else self.inflated(job)

    def is_size_unknown(self) -> bool:
        return bool(self.flags & SIZE_FOLLOWS and not self.size) or self.size == UNKNOWN

    def stored(self, job: Unpacking) -> bytes:
        if self.is_size_unknown():
            following = NEXT.search(self.data, self.start)
            self.end = following.start() if following else len(self.data)
        else:
            self.end = self.start + self.size
            job.budget.over = job.budget.over or self.end > len(self.data)
        return job.cut(self.data[self.start : min(self.end, self.start + MEMBER + 1)])

    def inflated(self, job: Unpacking) -> bytes:
        stream = Inflating(self.data, self.start, RAW)
        text = job.cut(job.gather(stream.pieces()))
        if stream.end is not None:
            self.end = stream.end
        elif not self.is_size_unknown() and len(text) == MEMBER:
            self.end = self.start + self.size
        return text


def is_tar(data: bytes) -> bool:
    """Whether it begins with the head of a tar's member: its sum is right."""
    return tar_size(data[:BLOCK]) is not None


def tar_size(head: bytes) -> int | None:
    """The size of the member that a head tells of, or None for what is no head."""
    if len(head) < BLOCK or not head[0]:
        return None
    told = octal(head[TAR_SUM])
    plain = sum(head) - sum(head[TAR_SUM]) + 8 * 0x20
    if told is None or told != plain:
        return None
    return octal(head[124:136])


def octal(field: bytes) -> int | None:
    """A number of a head: octal digits, or GNU's binary form for what is large."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b"\0 ") or b"0"
    return int(digits, 8) if not digits.strip(b"01234567") else None


def tarred(data: bytes, job: Unpacking) -> Iterator[Member]:
    """Every member of a tar."""
    names: list[bytes] = []
    at = 0
    while at < len(data):
        head = data[at : at + BLOCK]
        at += BLOCK
        if not head.strip(b"\0"):
            continue
        size = tar_size(head)
        if size is None or not job.may_go_on():
            job.budget.over = True
            names.append(legible(data[at - BLOCK :]))
            break
        job.budget.over = job.budget.over or at + size > len(data)
        text = data[at : at + min(size, MEMBER + 1)]
        names += (head[part].rstrip(b"\0") for part in NAMED)
        if head[156] in NAMING:
            names.append(text)
        elif text:
            yield Member(shown(head[:100].rstrip(b"\0")), job.cut(text))
        at += -(-size // BLOCK) * BLOCK
    yield Member(NAMES, as_text(b"\n".join(names)), is_text=True)


def packed(
    decode: Callable[[bytes], Iterator[bytes]],
) -> Callable[[bytes, Unpacking], Iterator[Member]]:
    """A reader of what holds one file: a tar is taken apart at once, as both are one archive."""

    def read(data: bytes, job: Unpacking) -> Iterator[Member]:
        pieces = decode(data)
        inner = job.gather(pieces)
        if is_tar(inner):
            yield from tarred(inner + job.gather(pieces, FILES), job)
        elif inner and job.may_go_on():
            yield Member("the unpacked file", job.cut(inner))

    return read


gzipped: Final = packed(gunzip)
bzipped: Final = packed(bunzip)
xzipped: Final = packed(unxz)
zstandardized: Final = packed(unzstd)
