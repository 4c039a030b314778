"""Undoes a content-coding within a size: nothing is ever unpacked beyond the limit.

A body that does not decode as its header says is a fault, because what we cannot read the upstream
might.
"""

import io
import zlib
from collections.abc import Callable, Iterator
from typing import Final

import brotli
import zstandard

STEP: Final = 64 * 1024
# RFC 8878 §3.1.1.1.2: decoders should take windows up to 8 MiB, and need not take more.
WINDOW: Final = 8 * 1024 * 1024

MOST_MEMBERS: Final = 1000
GZIP: Final = 16 + zlib.MAX_WBITS
RAW: Final = -zlib.MAX_WBITS


class Fault(Exception):
    """A body that is refused; `code` is an entry of the catalogue of refusals."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


def unreadable(detail: str) -> Fault:
    return Fault("gateway_unreadable_body", detail)


def too_large(limit: int) -> Fault:
    return Fault("gateway_body_too_large", f"The body is above leaks.max_body_bytes ({limit}).")


def decode(data: bytes, encodings: list[bytes], limit: int) -> bytes:
    """The body without its coding. `encodings` are the values of all content-encoding headers.

    Raises: Fault.
    """
    if len(data) > limit:
        raise too_large(limit)
    named = [word.strip().lower() for value in encodings for word in value.split(b",")]
    names = [word for word in named if word not in (b"", b"identity")]
    if not names or not data:
        return data
    decoder = DECODERS.get(names[0])
    if len(names) > 1 or decoder is None:
        raise Fault(
            "gateway_unsupported_encoding",
            "The content-encoding must be one of gzip, deflate, br and zstd, and only one.",
        )
    return gather(decoder(data), limit)


def gather(pieces: Iterator[bytes], limit: int) -> bytes:
    """Joins what a decoder gives, and stops it at the limit."""
    whole = bytearray()
    try:
        for piece in pieces:
            whole += piece
            if len(whole) > limit:
                raise too_large(limit)
    except (zlib.error, brotli.error, zstandard.ZstdError) as cause:
        raise unreadable("The body does not decode as its content-encoding says.") from cause
    return bytes(whole)


def gzip(data: bytes) -> Iterator[bytes]:
    """One member or several (RFC 1952 §2.2), and nothing but members.

    What follows a member is copied each time: hundreds of thousands of empty ones would take
    minutes, and give nothing that the limit could stop.
    """
    members = 0
    while data:
        members += 1
        if members > MOST_MEMBERS:
            raise unreadable(f"The compressed body has more than {MOST_MEMBERS} gzip members.")
        decoder = zlib.decompressobj(GZIP)
        yield from inflate(decoder, data)
        data = decoder.unused_data


def deflate(data: bytes) -> Iterator[bytes]:
    """A zlib stream, as RFC 9110 §8.4.1.2 says; or raw deflate, as some clients send."""
    decoder = zlib.decompressobj(zlib.MAX_WBITS if is_zlib(data) else RAW)
    yield from inflate(decoder, data)
    if decoder.unused_data:
        raise unreadable("Bytes follow the end of the compressed body.")


def is_zlib(data: bytes) -> bool:
    """Whether the first two bytes are a zlib header (RFC 1950 §2.2)."""
    return len(data) > 1 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0


def inflate(decoder: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    """What zlib gives for the data, a step at a time. Raises: Fault where the stream has no end."""
    while data and not decoder.eof:
        yield decoder.decompress(data, STEP)
        data = decoder.unconsumed_tail
    while not decoder.eof:
        piece = decoder.decompress(b"", STEP)
        if not piece:
            raise unreadable("The compressed body is cut short.")
        yield piece


def unbrotli(data: bytes) -> Iterator[bytes]:
    """A brotli stream. The decoder itself raises where bytes follow the end."""
    decoder = brotli.Decompressor()
    yield decoder.process(data, output_buffer_limit=STEP)
    while not decoder.is_finished():
        piece = decoder.process(b"", output_buffer_limit=STEP)
        if not piece:
            raise unreadable("The compressed body is cut short.")
        yield piece


def unzstd(data: bytes) -> Iterator[bytes]:
    """One zstd frame. The reader bounds the memory, but passes over an end that is missing."""
    with zstandard.ZstdDecompressor(max_window_size=WINDOW).stream_reader(io.BytesIO(data)) as read:
        while piece := read.read(STEP):
            yield piece
    if frame_end(data) != len(data):
        raise unreadable("The compressed body is cut short, or bytes follow its end.")


def frame_end(data: bytes) -> int:
    """Where the first zstd frame ends by its own block headers (RFC 8878 §3.1), or -1."""
    try:
        frame = zstandard.get_frame_parameters(data)
        at = zstandard.frame_header_size(data)
    except zstandard.ZstdError:
        return -1
    last = False
    while not last:
        if at + 3 > len(data):
            return -1
        head = int.from_bytes(data[at : at + 3], "little")
        last = bool(head & 1)
        at += 3 + (1 if head >> 1 & 3 == 1 else head >> 3)
    return at + 4 * frame.has_checksum


DECODERS: Final[dict[bytes, Callable[[bytes], Iterator[bytes]]]] = {
    b"gzip": gzip,
    b"x-gzip": gzip,
    b"deflate": deflate,
    b"br": unbrotli,
    b"zstd": unzstd,
}
