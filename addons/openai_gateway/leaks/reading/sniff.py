"""What some bytes are, told by themselves and never by a name: text, binary, media, or packed."""

import zlib
from collections.abc import Iterator
from typing import Final

from openai_gateway.content.runs import inflated
from openai_gateway.leaks.reading.budget import Budget

PIECE: Final = 1024 * 1024
# Controls that no text has. One in so many bytes may be an accident.
STRANGE: Final = bytes(set(range(32)) - set(b"\t\n\r\f\v\x1b\b\a"))
NOT_STRANGE: Final = bytes(set(range(256)) - set(STRANGE))
ACCIDENT: Final = 512
UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
# PNG, JPEG, GIF, RIFF, MP3, Ogg, FLAC, Matroska, TIFF.
MEDIA: Final = (
    b"\x89PNG\r\n\x1a\n",
    *(b"\xff\xd8\xff", b"GIF8", b"RIFF", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
    *(b"OggS", b"fLaC", b"\x1aE\xdf\xa3", b"II*\0", b"MM\0*"),
)
# RFC 1950 §2.2 at its four levels.
ZLIB: Final = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")


def is_binary(data: bytes) -> bool:
    """Whether it has controls that no text has: a replacement could break it."""
    strange = 0
    for at in range(0, len(data), PIECE):
        found = data[at : at + PIECE].translate(None, NOT_STRANGE)
        strange += len(found)
        if 0 in found:
            return True
    return strange * ACCIDENT > len(data) or data.startswith(UTF_16)


def is_media(data: bytes) -> bool:
    """Whether it begins as an image or sound does."""
    return data.startswith(MEDIA)


def inflated_texts(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """What is packed by zlib without any file around it, in parts that overlap."""
    if not data.startswith(ZLIB):
        return
    for part in inflated(memoryview(data), zlib.MAX_WBITS, budget):
        if not part or not budget.take_file(len(part)):
            return
        yield "unpacked", part
