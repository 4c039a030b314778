"""Writes a PNG again with 256 colours: a third of the bytes, and nothing that one would see.

Why by hand: it is one picture, made seldom; an image library would be a dependency for it.
"""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
PIXEL, COLOURS = 3, 256
TRUECOLOUR: Final = (8, 2, 0, 0, 0)  # 8 bits each of red, green and blue, not interlaced

type Colour = bytes


def shrink(path: Path) -> None:
    """In place. Raises: ValueError for a PNG of another kind than Chromium's."""
    width, rows = pixels(path.read_bytes())
    every = Counter(row[at : at + PIXEL] for row in rows for at in range(0, len(row), PIXEL))
    kept = [colour for colour, _ in every.most_common(COLOURS)]
    index = {colour: nearest(colour, kept) for colour in every}
    body = b"".join(
        b"\0" + bytes(index[row[at : at + PIXEL]] for at in range(0, len(row), PIXEL))
        for row in rows
    )
    head = struct.pack(">IIBBBBB", width, len(rows), 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", b"".join(kept)), (b"IDAT", zlib.compress(body, 9)))
    path.write_bytes(SIGNATURE + b"".join(chunk(*part) for part in (*parts, (b"IEND", b""))))


def chunk(name: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + check


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at + 8 : at + 8 + size]
        at += 12 + size


def pixels(data: bytes) -> tuple[int, list[bytes]]:
    """The width, and each row's bytes."""
    found = list(chunks(data))
    width, height, *kind = struct.unpack(">IIBBBBB", found[0][1])
    if tuple(kind) != TRUECOLOUR:
        raise ValueError(f"not a picture of Chromium's: {kind}")
    raw = zlib.decompress(b"".join(part for name, part in found if name == b"IDAT"))
    size = width * PIXEL
    rows: list[bytes] = []
    above = bytes(size)
    for number in range(height):
        at = number * (size + 1)
        above = unfiltered(raw[at], raw[at + 1 : at + 1 + size], above)
        rows.append(above)
    return width, rows


def unfiltered(kind: int, line: bytes, above: bytes) -> bytes:
    """A row as it is, from what PNG says of it beside its neighbours."""
    if kind == 0:
        return line
    made = bytearray(line)
    for at, byte in enumerate(line):
        left = made[at - PIXEL] if at >= PIXEL else 0
        corner = above[at - PIXEL] if at >= PIXEL else 0
        made[at] = (byte + guess(kind, left, above[at], corner)) & 255
    return bytes(made)


def guess(kind: int, left: int, up: int, corner: int) -> int:
    if kind < 4:
        return (0, left, up, (left + up) // 2)[kind]
    whole = left + up - corner
    return min((left, up, corner), key=lambda one: abs(whole - one))


def nearest(colour: Colour, kept: list[Colour]) -> int:
    def apart(number: int) -> int:
        return sum((one - other) ** 2 for one, other in zip(colour, kept[number], strict=True))

    return min(range(len(kept)), key=apart)
