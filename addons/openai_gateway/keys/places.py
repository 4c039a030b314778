"""The places of a call where something may stand, each with the words that a client finds it by.

The credential's own place is left out: what stands there is judged by `identify`.
"""

import re
from collections.abc import Iterator
from typing import Final

from openai_gateway.api.keys import is_key_token, tokens
from openai_gateway.content import multipart
from openai_gateway.content.texts import texts
from openai_gateway.core.call import Content, Request

NAME: Final = re.compile(r"[A-Za-z0-9_.\[\] -]{1,80}")

RAW: Final = ("utf-8", "surrogateescape")

type Place = tuple[str, bytes]


def head_text(request: Request) -> bytes:
    """Everything that is not the body, in one text: it is clean nearly always."""
    stand = [request.method.encode(*RAW), request.host.encode(*RAW), request.target]
    for name, value in request.headers:
        stand += (name, judged(name.lower(), value))
    for name, value in request.trailers:
        stand += (name, value)
    return b"\n".join(stand)


def head(request: Request) -> Iterator[Place]:
    """The same, each with its place; header names apart from their values."""
    path, _, query = request.target.partition(b"?")
    yield "the method", request.method.encode(*RAW)
    yield "the host", request.host.encode(*RAW)
    yield "the url path", path
    yield "the url query", query
    for name, value in request.headers:
        yield "a header name", name
        yield header(name.lower()), judged(name.lower(), value)
    for name, value in request.trailers:
        yield "a trailer name", name
        yield f"trailer {shown(name.lower())}", value


def header(lower: bytes) -> str:
    return "a cookie" if lower == b"cookie" else f"header {shown(lower)}"


def judged(lower: bytes, value: bytes) -> bytes:
    """A header's value without what stands there as the call's credential."""
    if lower == b"authorization":
        return b""
    if lower == b"sec-websocket-protocol":
        # By the very words that find the credential: what only looks like one is judged.
        return b",".join(token for token in tokens(value) if not is_key_token(token))
    return value


def names(request: Request) -> bytes:
    """All header and trailer names, whose case does not count."""
    return b"\n".join(name for name, _ in (*request.headers, *request.trailers))


def body(content: Content, content_type: bytes) -> Iterator[Place]:
    """The parts of a body that could be read."""
    if content.kind == "json":
        for place, text in texts(content.parsed):
            yield f"the body, {cut(place)}" if place else "the body", text.encode()
    elif content.kind == "multipart":
        yield from parts(content.data, content_type)


def parts(data: bytes, content_type: bytes) -> Iterator[Place]:
    try:
        found = multipart.parts(data, multipart.boundary_of(content_type))
    except multipart.Malformed:
        return
    for part in found:
        kind = f'multipart part "{cut(part.name)}"'
        if part.filename is not None:
            kind = f'multipart part file "{cut(part.filename)}"'
        yield f"the head of a {kind}", part.head
        yield kind, part.head + b"\r\n\r\n" + part.data


def shown(name: bytes) -> str:
    return cut(name.decode("utf-8", "replace"))


def cut(text: str) -> str:
    """A client's own word, fit for a message: short, plain, and nothing that begins like a key."""
    return text if NAME.fullmatch(text) and "sk-" not in text else "…"
