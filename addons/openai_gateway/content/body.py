"""Reads a body once for everybody: uncoded, and checked to be what its content-type says.

Whatever a second reader might take otherwise (two models in one body, text in UTF-16, two
content-types) is unreadable, because the upstream is such a second reader.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import parse_qsl

import orjson

from openai_gateway.content import multipart
from openai_gateway.content.coding import Fault, decode, unreadable
from openai_gateway.core.call import Content, Header

# Names that must not come twice at the top: which model, whether it streams, how much it may make.
DECIDING: Final = frozenset(
    {"model", "stream", "max_tokens", "max_completion_tokens", "max_output_tokens", "n"}
)
QUOTED: Final = {name: f'"{name}"'.encode() for name in DECIDING}
# A letter, digit or underscore that is written as an escape, as names never need.
ESCAPED_LETTER: Final = re.compile(rb"\\u00(?:3[0-9]|[46][1-9a-fA-F]|[57][0-9aA]|5[fF])")
CHARSETS: Final = frozenset({b"", b"utf-8", b"utf8", b"us-ascii", b"ascii", b"iso-8859-1"})
MOST_FIELDS: Final = 10_000
# Marks and zeros too: JSON in UTF-16 without a content-type is held to be JSON, and fails as such.
BLANK: Final = b" \t\r\n\0\xef\xbb\xbf\xff\xfe"


def read(headers: Sequence[Header], body: bytes, limit: int) -> Content:
    """The body as its headers say, at most `limit` bytes coded and decoded.

    Never raises for what a client sends: `fault` and `detail` say why it could not be read.
    """
    if not body:
        return Content()
    data = b""
    try:
        plain_transfer(values(headers, b"transfer-encoding"))
        data = decode(body, values(headers, b"content-encoding"), limit)
        kind, said = kind_of(values(headers, b"content-type"), data)
        parsed = json_value(data) if kind == "json" else None
        if kind in ("multipart", "form"):
            once(name for name, _ in fields(kind, said, data))
    except Fault as fault:
        return Content(data, fault=fault.code, detail=fault.detail)
    return Content(data, kind, parsed)


def plain_transfer(codings: list[bytes]) -> None:
    """Raises: Fault for a transfer-coding beside chunked: the next hop would undo it, we do not."""
    if any(value.strip().lower() != b"chunked" for value in codings):
        raise Fault("gateway_unsupported_encoding", "The transfer-encoding must be chunked alone.")


def values(headers: Sequence[Header], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key.lower() == name]


def kind_of(said: list[bytes], data: bytes) -> tuple[str, bytes]:
    """Which kind of body it is, and the content-type that says so. Raises: Fault."""
    if len(set(said)) > 1:
        raise unreadable("The call has more than one content-type.")
    content_type = said[0] if said else b""
    try:
        media, named = multipart.parameters(content_type)
    except multipart.Malformed as cause:
        raise unreadable("The content-type is malformed.") from cause
    if named.get(b"charset", b"").lower() not in CHARSETS:
        raise unreadable("The body must be UTF-8.")
    return kind_named(media, data), content_type


def kind_named(media: bytes, data: bytes) -> str:
    if media == b"application/json" or media.endswith(b"+json"):
        return "json"
    if media.startswith(b"multipart/"):
        return "multipart"
    if media == b"application/x-www-form-urlencoded":
        return "form"
    if not media and data.lstrip(BLANK)[:1] in (b"{", b"["):
        return "json"
    return "text" if media.startswith(b"text/") else "binary"


def json_value(data: bytes) -> object:
    """The JSON value. Raises: Fault where it is none, or where a deciding name comes twice."""
    try:
        parsed: object = orjson.loads(data)
    except orjson.JSONDecodeError as cause:
        raise unreadable(
            "The body is not the JSON (in UTF-8) that its content-type says."
        ) from cause
    if isinstance(parsed, dict) and may_repeat(parsed, data):
        once(top_names(data))
    return parsed


def may_repeat(parsed: dict[str, object], data: bytes) -> bool:
    """Whether a deciding name could come twice; cheap, and wrong in one direction only.

    A name that comes twice is among those parsed, and stands twice in the text or is escaped.
    """
    if any(data.count(QUOTED[name]) > 1 for name in DECIDING & parsed.keys()):
        return True
    return b"\\" in data and b"\\u00" in data and ESCAPED_LETTER.search(data) is not None


def top_names(data: bytes) -> list[str]:
    """The names of the top level, those that come twice included. Raises: Fault."""
    try:
        pairs = json.loads(data, object_pairs_hook=lambda pairs: [name for name, _ in pairs])
    except (ValueError, RecursionError) as cause:
        raise unreadable("The body's JSON cannot be read.") from cause
    return list(pairs)


def once(names: Iterable[str]) -> None:
    """Raises: Fault where a deciding name comes twice."""
    seen: set[str] = set()
    for name in names:
        if name in DECIDING and name in seen:
            raise unreadable(f"The body names `{name}` twice.")
        seen.add(name)


def fields(kind: str, content_type: bytes, data: bytes) -> list[tuple[str, bytes]]:
    """Names and values of a form, of either kind. Raises: Fault."""
    try:
        if kind == "multipart":
            found = multipart.parts(data, multipart.boundary_of(content_type))
            return [(part.name, part.data) for part in found]
        pairs = parse_qsl(data, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as cause:
        raise unreadable("The body is not the form that its content-type says.") from cause
    return [(name.decode("utf-8", "replace"), value) for name, value in pairs]
