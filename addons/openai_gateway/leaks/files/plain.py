"""Any file's own text as UTF-8, whatever it was written in; of a binary, what may be text in it."""

import codecs
from typing import Final

from openai_gateway.content.runs import legible

# The longer mark first: that of UTF-32 begins with that of UTF-16.
MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
SAMPLE: Final = 4096
# What no text holds; a form feed or an escape for colours may stand in one.
CONTROLS: Final = bytes(c for c in range(32) if c not in b"\t\n\v\f\r\x1b")
OTHERS: Final = bytes(c for c in range(256) if c not in CONTROLS)
# Of random bytes a tenth are controls.
FEW: Final = 64


def as_text(data: bytes) -> bytes:
    """The text in UTF-8; the same object where it is that already. Never raises."""
    wide = wide_coding(data)
    if wide is not None:
        return data.decode(wide, "ignore").encode("utf-8", "ignore")
    if data.isascii() or is_utf8(data):
        return data
    if len(data.translate(None, OTHERS)) * FEW <= len(data):
        return data.decode("latin-1").encode()
    # UTF-16 inside of a binary: its letters are ASCII with zeros between.
    return legible(data).replace(b"\0", b"")


def wide_coding(data: bytes) -> str | None:
    """UTF-16 or UTF-32, by its mark or by zeros in every second byte."""
    for mark, coding in MARKS:
        if data.startswith(mark):
            return coding
    even, odd = data[:SAMPLE:2], data[1:SAMPLE:2]
    if is_mostly_zero(odd) and not is_mostly_zero(even):
        return "utf-16-le"
    return "utf-16-be" if is_mostly_zero(even) and not is_mostly_zero(odd) else None


def is_mostly_zero(half: bytes) -> bool:
    return half.count(0) * 2 > len(half)


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
