"""The simple ways to write a secret otherwise, which a scanner has to undo one and all.

Each is a function from the bare value to the request. What takes a text apart is in oddities.py.
"""

import base64
import codecs
import json
import quopri
import zlib
from collections.abc import Callable
from random import Random
from typing import Final
from urllib.parse import quote

import brotli
import zstandard

from tests.leaks import code_base64 as of64
from tests.leaks import filler
from tests.leaks.case import (
    CHAT,
    Place,
    Sent,
    chat,
    chat_body,
    dumps,
    multipart,
    part,
    responses,
    upload,
)
from tests.leaks.code_base64 import b64, noted, same_gzip
from tests.leaks.code_escapes import (
    BOLD,
    MONO,
    ZERO_WIDTH,
    between,
    data_percent,
    each,
    every_third,
    first_only,
    fullwidth,
    hexed,
    lettered,
    named,
    once,
    percents,
    slashes,
)
from tests.leaks.filler import told
from tests.leaks.kind import Code
from tests.leaks.places_chat import called, history


def carried(code: Code) -> Place:
    """The coded text in a message, an answer of a tool, its arguments or a file."""

    def make(secret: str, chance: Random) -> Sent:
        text = filler.around(chance, code(secret, chance))
        way = chance.randrange(5)
        if way == 0:
            return responses(text)
        if way == 1:
            return history({"role": "tool", "tool_call_id": "call_1", "content": text})
        if way == 2:
            return called(json.dumps({"input": text}))
        return upload("notes.txt", text.encode(), "text/plain") if way == 3 else chat(text)

    return make


def basic_header(secret: str, _: Random) -> Sent:
    value = b"Basic " + base64.b64encode(f"{secret}:".encode())
    return Sent(
        "POST", CHAT.encode(), dumps(chat_body("Hi")), headers=((b"x-upstream-auth", value),)
    )


def part_base64(secret: str, chance: Random) -> Sent:
    data = base64.encodebytes(told(secret, chance).encode()).replace(b"\n", b"\r\n").rstrip()
    file = part(
        'name="file"; filename="a.txt"',
        data,
        "Content-Type: text/plain",
        "Content-Transfer-Encoding: base64",
    )
    return multipart("/v1/files", part('name="purpose"', b"user_data"), file)


def part_printable(secret: str, chance: Random) -> Sent:
    data = quopri.encodestring(f"Gr\u00fc\u00dfe: {told(secret, chance)}".encode())
    file = part(
        'name="prompt"',
        data.replace(b"\n", b"\r\n"),
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
    )
    return multipart("/v1/audio/transcriptions", part('name="model"', b"whisper-1"), file)


def query_base64(secret: str, chance: Random) -> Sent:
    value = base64.urlsafe_b64encode(noted(secret, chance).encode()).decode()
    return Sent("GET", f"/v1/files?cursor={quote(value)}&limit=3".encode())


def head_percent(target: str) -> Place:
    return lambda secret, _: Sent("GET", target.format(every_third(secret)).encode())


def form_percent(secret: str, chance: Random) -> Sent:
    body = "model=whisper-1&prompt=" + every_third(told(secret, chance)).replace("%20", "+")
    return Sent(
        "POST",
        b"/v1/audio/transcriptions",
        body.encode(),
        "application/x-www-form-urlencoded",
    )


def raw_json(code: Code) -> Place:
    """The escapes stand in the body's own JSON, as some libraries write them."""

    def make(secret: str, chance: Random) -> Sent:
        body = dumps(chat_body(told("@@", chance))).replace(b"@@", code(secret, chance).encode())
        return Sent("POST", CHAT.encode(), body)

    return make


def escaped_twice(secret: str, chance: Random) -> Sent:
    """JSON in JSON, whose escapes were written before it was put there."""
    inner = '{"note":"' + each("\\u{:04x}")(secret, chance) + '"}'
    return called(json.dumps({"payload": inner}))


def text_file(encoding: str, mark: bytes = b"") -> Place:
    def make(secret: str, chance: Random) -> Sent:
        text = told(secret, chance).replace("\n", "\r\n") + "\r\nGr\u00fc\u00dfe"
        text = text.replace("\u00ab", "").replace("\u00bb", "")
        return upload("notes.txt", mark + text.encode(encoding), "text/plain")

    return make


def content_coding(name: str, pack: Callable[[bytes], bytes]) -> Place:
    def make(secret: str, chance: Random) -> Sent:
        body = pack(dumps(chat_body(told(secret, chance))))
        coding = ((b"content-encoding", name.encode()),)
        return Sent("POST", CHAT.encode(), body, headers=coding)

    return make


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def two_members(data: bytes) -> bytes:
    return same_gzip(data[:100]) + same_gzip(data[100:])


SIMPLE: Final[dict[str, Place]] = {
    "base64": carried(of64.as_base64),
    "base64, value alone": carried(lambda s, _: b64(s)),
    "base64, URL's alphabet": carried(of64.url_safe),
    "base64, unpadded": carried(of64.unpadded),
    "base64, lines of 76": carried(of64.wrapped(76, "\n")),
    "base64, lines of 64 with CR": carried(of64.wrapped(64, "\r\n")),
    "base64, UTF-16 inside": carried(of64.wide),
    "base64, glued to a path": carried(of64.glued),
    "base64 of JSON": carried(of64.in_document),
    "base64 in base64": carried(of64.nested(2)),
    "base64, three times": carried(of64.nested(3)),
    "gzip in base64": carried(of64.packed(same_gzip)),
    "zlib in base64": carried(of64.packed(zlib.compress)),
    "base64 in the query": query_base64,
    "base64 by transfer-encoding": part_base64,
    "quoted-printable by transfer-encoding": part_printable,
    "data: URL, base64": carried(of64.data_url),
    "data: URL, percent": carried(data_percent),
    "Basic in text": carried(of64.basic),
    "Basic in a header": basic_header,
    "percent, some": carried(lambda s, _: every_third(s)),
    "percent, all": carried(percents(1)),
    "percent, twice": carried(percents(2)),
    "percent, three times": carried(percents(3)),
    "percent in the query": head_percent("/v1/files?after={}&limit=3"),
    "percent in the path": head_percent("/v1/files/{}/content"),
    "percent in a form": form_percent,
    "hex": carried(hexed(upper=False)),
    "hex, upper case": carried(hexed(upper=True)),
    "hex, value alone": carried(lambda s, _: s.encode().hex()),
    "HTML, decimal": carried(each("&#{};")),
    "HTML, hex": carried(each("&#x{:x};")),
    "HTML, padded hex": carried(each("&#x{:05X};")),
    "HTML, some": carried(first_only("&#{};")),
    "HTML, named": carried(named),
    "\\x escapes": carried(each("\\x{:02x}")),
    "\\x escapes, some": carried(first_only("\\x{:02X}")),
    "\\u escapes as text": carried(each("\\u{:04x}")),
    "JSON \\u, all": raw_json(each("\\u{:04x}")),
    "JSON \\u, upper case": raw_json(each("\\u{:04X}")),
    "JSON \\u, some": raw_json(first_only("\\u{:04x}")),
    "JSON \\u, twice": escaped_twice,
    "JSON \\/": raw_json(slashes),
    "zero width, all": carried(between(ZERO_WIDTH)),
    "zero width, once": carried(once("\u200b")),
    "soft hyphen": carried(between(("\u00ad",))),
    "fullwidth": carried(fullwidth),
    "mathematical bold": carried(lettered(BOLD)),
    "mathematical monospace": carried(lettered(MONO)),
    "UTF-16 file, little": text_file("utf-16-le", codecs.BOM_UTF16_LE),
    "UTF-16 file, big": text_file("utf-16-be", codecs.BOM_UTF16_BE),
    "UTF-16 file without mark": text_file("utf-16-le"),
    "UTF-8 file with mark": text_file("utf-8", codecs.BOM_UTF8),
    "Latin-1 file": text_file("latin-1"),
    "gzip body": content_coding("gzip", same_gzip),
    "gzip body, two members": content_coding("gzip", two_members),
    "deflate body": content_coding("deflate", zlib.compress),
    "deflate body, raw": content_coding("deflate", raw_deflate),
    "brotli body": content_coding("br", brotli.compress),
    "zstd body": content_coding("zstd", zstandard.compress),
}
# Families that need another kind than the strong ones: only this one has slashes.
KIND_OF: Final = {"JSON \\/": "slack-webhook"}
