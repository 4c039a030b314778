"""Reads the texts that a PNG carries beside its picture (PNG §11.3.3): prompts, comments, XMP."""

import zlib
from collections.abc import Iterator
from typing import Final

from openai_gateway.content.runs import legible
from openai_gateway.leaks.files.packed import Inflating, Member, Unpacking
from openai_gateway.leaks.files.plain import as_text

MARK: Final = b"\x89PNG\r\n\x1a\n"
MOST_CHUNKS: Final = 2000
KINDS: Final = (b"tEXt", b"zTXt", b"iTXt", b"eXIf")


def is_png(data: bytes) -> bool:
    return data.startswith(MARK)


def png_texts(data: bytes, job: Unpacking) -> Iterator[Member]:
    """Each text chunk as `keyword: text`. Found by its name: a broken chain hides none."""
    count = 0
    for kind in KINDS:
        at = data.find(kind)
        while at >= 0 and job.is_in_bounds(count, MOST_CHUNKS):
            count += 1
            end = at + 4 + int.from_bytes(data[at - 4 : at], "big")
            job.budget.over = job.budget.over or end > len(data)
            text = chunk_text(kind, job.cut(data[at + 4 : end]), job)
            if text:
                yield Member(f"a {kind.decode()} chunk", text, is_text=True)
            at = data.find(kind, end)


def chunk_text(kind: bytes, chunk: bytes, job: Unpacking) -> bytes:
    if kind == b"eXIf":
        return legible(chunk)
    keyword, _, text = chunk.partition(b"\0")
    if kind == b"zTXt":
        text = inflated(text[1:], job)
    elif kind == b"iTXt":
        packed, text = text[:1] == b"\1", text[2:]
        language, _, text = text.partition(b"\0")
        translated, _, text = text.partition(b"\0")
        keyword = b" ".join(filter(None, (keyword, language, translated)))
        text = inflated(text, job) if packed else text
    return as_text(keyword + b": " + text)


def inflated(packed: bytes, job: Unpacking) -> bytes:
    return job.cut(job.gather(Inflating(packed, 0, zlib.MAX_WBITS).pieces()))
