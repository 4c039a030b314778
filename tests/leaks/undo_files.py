"""The texts of a file, read with the standard library and a few patterns."""

import gzip
import html
import io
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

TAG: Final = re.compile(rb"<[^>]+>")
STREAM: Final = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
LITERAL: Final = re.compile(rb"\(((?:\\.|[^()\\])*)\)", re.DOTALL)
ESCAPE: Final = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)


def file_texts(data: bytes, depth: int = 0) -> Iterator[bytes]:
    if depth > 3:
        return
    if data.startswith(b"PK\x03\x04"):
        yield from of_zip(data, depth)
    elif data.startswith(b"\x1f\x8b"):
        inner = gzip.decompress(data)
        yield inner
        yield from file_texts(inner, depth + 1)
    elif data[257:262] == b"ustar":
        yield from of_tar(data)
    elif data.startswith(b"%PDF"):
        yield from of_pdf(data)
    elif data.startswith(b"\x89PNG"):
        yield from of_png(data)


def of_zip(data: bytes, depth: int) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        yield archive.comment
        for name in archive.namelist():
            yield name.encode()
            inner = archive.read(name)
            yield inner
            if name.endswith(".xml"):
                yield html.unescape(TAG.sub(b"", inner).decode()).encode()
            yield from file_texts(inner, depth + 1)


def of_tar(data: bytes) -> Iterator[bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive.getmembers():
            opened = archive.extractfile(member)
            if opened is not None:
                yield opened.read()


def of_pdf(data: bytes) -> Iterator[bytes]:
    """The literal strings of each stream, as one line, and those outside of streams."""
    for stream in STREAM.findall(data):
        packed = stream[:1] == b"\x78"
        yield literals(zlib.decompress(stream) if packed else stream)
    yield literals(STREAM.sub(b"", data))


def literals(content: bytes) -> bytes:
    return b"".join(ESCAPE.sub(unescaped, text) for text in LITERAL.findall(content))


def unescaped(found: re.Match[bytes]) -> bytes:
    said = found[1]
    return bytes([int(said, 8)]) if len(said) == 3 else said


def of_png(data: bytes) -> Iterator[bytes]:
    at = 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (crc,) = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        if crc != zlib.crc32(kind + content):
            raise ValueError("a chunk's sum is wrong")
        at += 12 + length
        if kind == b"tEXt":
            yield content
        elif kind == b"zTXt":
            yield zlib.decompress(content.partition(b"\0")[2][1:])
        elif kind == b"iTXt":
            yield international(content.partition(b"\0")[2])


def international(content: bytes) -> bytes:
    """The text behind flag, method, language and translated keyword."""
    text = content[2:].split(b"\0", 2)[2]
    return zlib.decompress(text) if content[0] else text
