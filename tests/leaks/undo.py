"""Reads a secret back out of a request, written apart from everything that hides or seeks it.

It shows that a case holds what it says, and that nothing is left after a redaction.
"""

import base64
import binascii
import codecs
import gzip
import html
import json
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from email import message_from_bytes
from typing import Final
from urllib.parse import unquote, unquote_plus

import brotli
import zstandard

from tests.leaks.case import BOUNDARY, Sent
from tests.leaks.undo_files import file_texts

type Step = Callable[[str], str]

RUN: Final = re.compile(r"[A-Za-z0-9+/_-]{20,}")
HEX_RUN: Final = re.compile(r"[0-9a-fA-F]{32,}")
BREAK: Final = re.compile(r"(?<=[A-Za-z0-9+/])\r?\n(?=[A-Za-z0-9+/])")
MARKS: Final = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def runs(text: str) -> Iterator[bytes]:
    """What each run of base64's letters says, begun at any of its first four."""
    for run in RUN.findall(BREAK.sub("", text)):
        for at in range(4):
            whole = run[at : at + (len(run) - at) // 4 * 4].translate(str.maketrans("-_", "+/"))
            yield base64.b64decode(whole)
            rest = run[at:].translate(str.maketrans("-_", "+/"))
            if len(rest) % 4 > 1:
                yield base64.b64decode(rest + "=" * (-len(rest) % 4))


def unbase64(text: str) -> str:
    return "\n".join(data.decode("utf-8", "replace") for data in runs(text))


def unbase64_wide(text: str) -> str:
    return "\n".join(data.replace(b"\0", b"").decode("utf-8", "replace") for data in runs(text))


def unbase64_packed(text: str) -> str:
    found = []
    for data in runs(text):
        try:
            found.append(zlib.decompressobj(47).decompress(data).decode("utf-8", "replace"))
        except zlib.error:
            continue
    return "\n".join(found)


def unhex(text: str) -> str:
    halves = (run[at:] for run in HEX_RUN.findall(text) for at in (0, 1))
    even = (half[: len(half) // 2 * 2] for half in halves)
    return "\n".join(binascii.unhexlify(run).decode("utf-8", "replace") for run in even)


def unescape(text: str) -> str:
    return re.sub(
        r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))",
        lambda found: chr(int(found[1] or found[2], 16)),
        text,
    )


def visible(text: str) -> str:
    return "".join(c for c in text if unicodedata.category(c) != "Cf")


def plain_letters(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def percent_thrice(text: str) -> str:
    return unquote(unquote(unquote(text)))


STEPS: Final[dict[str, tuple[Step, ...]]] = {
    "base64 by transfer-encoding": (),
    "base64, UTF-16 inside": (unbase64_wide,),
    "base64 in base64": (unbase64, unbase64),
    "base64, three times": (unbase64, unbase64, unbase64),
    "gzip in base64": (unbase64_packed,),
    "zlib in base64": (unbase64_packed,),
    "base64 in the query": (unquote, unbase64),
    "data: URL, percent": (unquote,),
    "percent in a form": (unquote_plus,),
    "urlencoded form": (unquote_plus,),
    "\\x escapes": (unescape,),
    "\\x escapes, some": (unescape,),
    "\\u escapes as text": (unescape,),
    "JSON \\u, twice": (unescape,),
    "soft hyphen": (visible,),
    "fullwidth": (plain_letters,),
}
BY_BEGINNING: Final[dict[str, tuple[Step, ...]]] = {
    "base64": (unbase64,),
    "data: URL": (unbase64,),
    "Basic": (unbase64,),
    "file_data": (unbase64,),
    "percent": (percent_thrice,),
    "hex": (unhex,),
    "HTML, ": (html.unescape,),
    "zero width": (visible,),
    "mathematical": (plain_letters,),
}


def steps_of(family: str) -> tuple[Step, ...]:
    if family in STEPS:
        return STEPS[family]
    return next((steps for name, steps in BY_BEGINNING.items() if family.startswith(name)), ())


def recovered(family: str, sent: Sent) -> str:
    """All that the request says, with the family's writing undone."""
    said = "\n\n".join(texts(sent))
    for step in steps_of(family):
        said = step(said)
    return said


def texts(sent: Sent) -> Iterator[str]:
    """Everything in a request that is text, taken apart as far as its own formats say."""
    yield sent.target.decode("latin-1")
    for name, value in (*sent.all_headers(), *sent.trailers):
        yield f"{name.decode('latin-1')}: {value.decode('latin-1')}"
    body = unpacked(sent)
    if sent.content_type.startswith("multipart/"):
        for data in parts(body):
            yield from payload(data)
        return
    yield from payload(body)


def unpacked(sent: Sent) -> bytes:
    coding = dict(sent.headers).get(b"content-encoding", b"")
    if coding == b"gzip":
        return gzip.decompress(sent.body)
    if coding == b"deflate":
        zlib_head = sent.body[:1] == b"\x78"
        return zlib.decompress(sent.body, zlib.MAX_WBITS if zlib_head else -zlib.MAX_WBITS)
    if coding == b"br":
        return brotli.decompress(sent.body)
    return zstandard.decompress(sent.body) if coding == b"zstd" else sent.body


def parts(body: bytes) -> Iterator[bytes]:
    """Heads and contents of the parts; the standard library's reader of e-mail undoes codings."""
    for piece in body.split(b"--" + BOUNDARY.encode())[1:-1]:
        piece = piece.removeprefix(b"\r\n").removesuffix(b"\r\n")
        head, _, data = piece.partition(b"\r\n\r\n")
        yield head
        if b"transfer-encoding" in head.lower():
            read = message_from_bytes(piece).get_payload(decode=True)
            data = read if isinstance(read, bytes) else b""
        yield data


def payload(data: bytes) -> Iterator[str]:
    """A text, JSON, or a file."""
    text = decoded(data)
    yield text
    yield from (decoded(inner) for inner in file_texts(data))
    try:
        value = json.loads(text, object_pairs_hook=list)
    except ValueError:
        return
    yield from strings(value)


def decoded(data: bytes) -> str:
    for mark, name in MARKS:
        if data.startswith(mark):
            return data.decode(name)
    if data.count(b"\0") > len(data) / 3:
        return data.decode("utf-16-le", "replace")
    return data.decode("utf-8", "replace")


def strings(value: object) -> Iterator[str]:
    """Names and strings at any depth, in JSON within strings and in data: URLs too."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list | tuple):
            waiting.extend(one)
        elif isinstance(one, str):
            yield one
            yield from in_url(one)
            if one[:1] in ("{", "["):
                try:
                    waiting.append(json.loads(one, object_pairs_hook=list))
                except ValueError:
                    continue


def in_url(text: str) -> Iterator[str]:
    """The file in a data: URL."""
    if text.startswith("data:") and ";base64," in text[:200]:
        data = base64.b64decode(text.partition(";base64,")[2])
        yield decoded(data)
        yield from (decoded(inner) for inner in file_texts(data))
        if data.lstrip()[:1] == b"{":
            yield from strings(json.loads(data))
