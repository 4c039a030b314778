"""Reads the texts of a PDF: strings that its pages show, and strings of its other objects.

Streams are found by their keywords and not by the table at the end, which a broken or a hostile
file has wrong. Fonts with an encoding of their own are out of reach.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from typing import Final

from openai_gateway.leaks.files.packed import Inflating, Member, Unpacking
from openai_gateway.leaks.files.pdf_strings import shown_text, strings
from openai_gateway.leaks.files.plain import as_text

MARK: Final = b"%PDF-"
# Readers take a mark that stands a little later.
MARKED: Final = 1024
STREAM: Final = re.compile(rb"(?<!end)stream\r?\n")
MOST_STREAMS: Final = 2000
END: Final = b"endstream"
OBJECT: Final = re.compile(rb"\bobj\b")
# An object's names stand before its stream (ISO 32000 §7.3.8), the filters in their order (§7.4).
LONGEST_HEAD: Final = 2048
FILTER: Final = re.compile(
    rb"/(Flate|Fl|ASCII85|A85|ASCIIHex|AHx|LZW|RunLength|RL|Crypt|DCT|JPX|CCITTFax|JBIG2)"
    rb"(?:Decode)?(?=[\s/\]>])"
)
PICTURES: Final = frozenset({b"DCT", b"JPX", b"CCITTFax", b"JBIG2"})
MOST_FILTERS: Final = 4
# Python's own decoder of base 85 takes a second for 4 MiB.
LONGEST_85: Final = 1024 * 1024
HEX_OTHERS: Final = bytes(c for c in range(256) if c not in b"0123456789abcdefABCDEF")
SHOWS: Final = re.compile(rb"T(?=[jJ])|'|\"")


def is_pdf(data: bytes) -> bool:
    return MARK in data[:MARKED]


def pdf_texts(data: bytes, job: Unpacking) -> Iterator[Member]:
    """The text of each stream, and of what stands outside of streams as `the document`."""
    outside: list[bytes] = []
    done = 0
    for count in range(MOST_STREAMS + 1):
        found = STREAM.search(data, done)
        if not found or not job.is_in_bounds(count, MOST_STREAMS):
            break
        outside.append(data[done : found.start()])
        end = data.find(END, found.end())
        job.budget.over = job.budget.over or end < 0
        end = len(data) if end < 0 else end
        content = decoded(outside[-1], data[found.end() : end], job)
        is_page = b"BT" in content and SHOWS.search(content) is not None
        text = shown_text(content, job.budget) if is_page else content
        if text:
            yield Member(f"stream {count + 1}", text, is_text=is_page)
        done = min(end + len(END), len(data))
    outside.append(data[done:])
    yield Member("the document", document(b"\n".join(outside), job), is_text=True)


def document(outside: bytes, job: Unpacking) -> bytes:
    if b"/Encrypt" in outside:
        job.budget.over = True
    return b"\n".join((as_text(outside), strings(outside, job.budget)))


def filters(before: bytes, data: bytes) -> list[bytes]:
    """The filters of the stream. One that is deflated by its first bytes needs none said."""
    head = before[-LONGEST_HEAD:]
    begins = [found.end() for found in OBJECT.finditer(head)]
    named = FILTER.findall(head, begins[-1] if begins else 0)
    if not named and data[:1] == b"x" and data[1:2] in (b"\x01", b"\x5e", b"\x9c", b"\xda"):
        return [b"Fl"]
    return named[: MOST_FILTERS + 1]


def decoded(before: bytes, data: bytes, job: Unpacking) -> bytes:
    """The stream with its filters undone; nothing where one of them is unknown."""
    names = filters(before, data)
    if len(names) > MOST_FILTERS:
        job.budget.over = True
        return b""
    for name in names:
        if name in PICTURES:
            return b""
        data = unfiltered(name, data, job)
    return job.cut(data)


def unfiltered(name: bytes, data: bytes, job: Unpacking) -> bytes:
    if name in (b"Flate", b"Fl"):
        return job.gather(Inflating(data, 0, zlib.MAX_WBITS).pieces())
    try:
        if name in (b"ASCIIHex", b"AHx"):
            digits = data.partition(b">")[0].translate(None, HEX_OTHERS)
            return binascii.unhexlify(digits + b"0" * (len(digits) % 2))
        if name in (b"ASCII85", b"A85") and len(data) <= LONGEST_85:
            return base64.a85decode(data.strip().removeprefix(b"<~").partition(b"~")[0])
    except ValueError:
        pass
    job.budget.over = True
    return b""
