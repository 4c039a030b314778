"""What a route answers, and how a knob changes it, before any byte is written."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import brotli  # type: ignore[import-untyped]  # ships no types
import orjson
import zstandard

from tests.support.fake_openai.knobs import Knob
from tests.support.fake_openai.wire import Headers

JSON = "application/json"
SSE = "text/event-stream; charset=utf-8"
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole `body`, or `pieces` that are written one by one (events, or parts of a file)."""

    status: int = 200
    content_type: str | None = JSON
    body: bytes = b""
    pieces: Iterable[bytes] | None = None
    headers: Headers = field(default_factory=list)


def of_json(value: object, status: int = 200) -> Answer:
    return Answer(status, JSON, orjson.dumps(value))


def error(
    status: int, kind: str | None, code: str | None, message: str, param: object = None
) -> Answer:
    """OpenAI's envelope."""
    body = {"message": message, "type": kind, "param": param, "code": code}
    return of_json({"error": body}, status)


def event(value: object, name: str | None = None) -> bytes:
    """One server-sent event as OpenAI writes it."""
    data = value if isinstance(value, bytes) else orjson.dumps(value)
    return (f"event: {name}\n".encode() if name else b"") + b"data: " + data + b"\n\n"


def stream(events: Iterable[bytes]) -> Answer:
    return Answer(200, SSE, pieces=events)


def reshaped(answer: Answer, knob: Knob) -> Answer:
    """The answer as the knob wants it: replaced, broken, recoded."""
    answer = _replaced(answer, knob)
    if knob.malformed:
        answer = _malformed(answer, knob)
    if knob.crlf and answer.pieces is not None:
        answer = replace(answer, pieces=(p.replace(b"\n", b"\r\n") for p in answer.pieces))
    if knob.one_piece and answer.pieces is not None:
        answer = replace(answer, pieces=[b"".join(answer.pieces)])
    if knob.coding:
        answer = _coded(answer, knob.coding)
    if knob.split_bytes:
        answer = replace(answer, body=b"", pieces=list(_split(answer, knob.split_bytes)))
    return answer


def _replaced(answer: Answer, knob: Knob) -> Answer:
    if knob.html:
        answer = Answer(knob.status or 502, "text/html", PAGE)
    if knob.big_bytes:
        answer = Answer(200, "application/octet-stream", pieces=_big(knob.big_bytes))
    if knob.location is not None:
        answer = Answer(knob.status or 307, None, headers=[("location", knob.location)])
    if knob.body is not None:
        answer = replace(answer, body=knob.body, pieces=None)
    if knob.content_type is not None:
        answer = replace(answer, content_type=knob.content_type)
    return answer if knob.status is None else replace(answer, status=knob.status)


def _big(size: int) -> Iterator[bytes]:
    """Not the same text over and over: each 64 kB block begins with its offset."""
    for start in range(0, size, 65536):
        block = f"{start:016x}".encode() + bytes(65520)
        yield block[: min(65536, size - start)]


def _malformed(answer: Answer, knob: Knob) -> Answer:
    """A JSON body cut short, or one event of a stream (`after_events`, else the first)."""
    if answer.pieces is None:
        return replace(answer, body=answer.body[: len(answer.body) // 2])
    pieces = list(answer.pieces)
    at = min(knob.after_events or 0, len(pieces) - 1)
    pieces[at] = pieces[at].rstrip(b"\n")[: len(pieces[at]) * 2 // 3] + b"\n\n"
    return replace(answer, pieces=pieces)


def _split(answer: Answer, size: int) -> Iterator[bytes]:
    whole = answer.body if answer.pieces is None else b"".join(answer.pieces)
    return (whole[at : at + size] for at in range(0, len(whole), size))


def _coded(answer: Answer, coding: str) -> Answer:
    press, finish = _press(coding)
    headers = [*answer.headers, ("content-encoding", coding)]
    if answer.pieces is None:
        return replace(answer, body=press(answer.body) + finish(), headers=headers)
    return replace(answer, pieces=_flow(answer.pieces, press, finish), headers=headers)


def _flow(
    pieces: Iterable[bytes], press: Callable[[bytes], bytes], finish: Callable[[], bytes]
) -> Iterator[bytes]:
    yield from (press(piece) for piece in pieces)
    yield finish()


def _press(coding: str) -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    """A compressor that flushes after each piece, and what closes it."""
    if coding == "br":
        br = brotli.Compressor()
        return lambda data: bytes(br.process(data) + br.flush()), lambda: bytes(br.finish())
    if coding == "zstd":
        zs = zstandard.ZstdCompressor().compressobj()
        block = zstandard.COMPRESSOBJ_FLUSH_BLOCK
        return lambda data: zs.compress(data) + zs.flush(block), zs.flush
    gz = zlib.compressobj(wbits=31 if coding == "gzip" else 15)
    return lambda data: gz.compress(data) + gz.flush(zlib.Z_SYNC_FLUSH), gz.flush
