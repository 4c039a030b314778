"""Plays an answer into a connection, and fails where and how the knob says."""

import asyncio
import itertools
import os
import threading
import time

from tests.support.fake_openai.answers import Answer, reshaped
from tests.support.fake_openai.knobs import Knob
from tests.support.fake_openai.recorder import Received
from tests.support.fake_openai.wire import Headers, Sink

FOREVER_S = 3600  # longer than any test; a peer that leaves ends it
BODILESS = (204, 304)


async def deliver(answer: Answer, request: Received, sink: Sink) -> None:
    """Writes one answer; returns early where the knob breaks it off."""
    knob = request.knob
    await asyncio.sleep(knob.delay_s)
    if knob.raw is not None:
        await sink.raw(knob.raw)
        return await sink.close()
    if knob.fail and knob.at == "before_head":
        return await _fail(knob, sink)
    answer = reshaped(answer, knob)
    request.status = answer.status
    for status in knob.informational:
        await sink.informational(status, [("link", "</style.css>; rel=preload")])
    half = bool(knob.fail) and knob.at == "in_head"
    await sink.head(answer.status, _headers(answer, knob, request), knob.framing, half)
    if knob.fail and knob.at != "body":
        return await _fail(knob, sink)
    return await _body(answer, knob, sink)


async def _body(answer: Answer, knob: Knob, sink: Sink) -> None:
    sent = 0
    pieces = [answer.body] if answer.pieces is None else answer.pieces
    for number, piece in enumerate(pieces):
        if knob.fail and _strikes(knob, number, sent + len(piece), answer):
            await sink.data(_rest(knob, piece, sent, answer))
            return await _fail(knob, sink)
        if number:
            await asyncio.sleep(knob.event_delay_s)
        if knob.gate is not None and number >= (knob.after_events or 0):
            await _opened(knob.gate)
        await sink.data(piece)
        sent += len(piece)
    if knob.fail:
        return await _fail(knob, sink)
    return await sink.end(knob.trailers)


def _strikes(knob: Knob, number: int, total: int, answer: Answer) -> bool:
    if knob.after_bytes is not None:
        return total > knob.after_bytes
    if knob.after_events is not None:
        return number >= knob.after_events
    return answer.pieces is None or number >= 1


def _rest(knob: Knob, piece: bytes, sent: int, answer: Answer) -> bytes:
    """What of the piece still leaves before the failure."""
    if knob.after_bytes is not None:
        return piece[: max(0, knob.after_bytes - sent)]
    return piece[: len(piece) // 2] if answer.pieces is None else b""


async def _opened(gate: threading.Event) -> None:
    """Waits for a test in another thread."""
    while not gate.is_set():  # noqa: ASYNC110 -- an event of another thread cannot be awaited
        await asyncio.sleep(0.005)


async def _fail(knob: Knob, sink: Sink) -> None:
    if knob.fail == "hang":
        await asyncio.sleep(FOREVER_S)
    elif knob.fail == "reset" or (knob.fail == "stream_reset" and knob.at == "in_head"):
        await sink.reset()  # after half a frame of headers no other frame can follow
    elif knob.fail == "stream_reset":
        await sink.reset_stream()
    elif knob.fail == "garbage":
        await sink.garbage()
        await sink.close()
    else:
        await sink.close()


_requests = itertools.count(1)


def _headers(answer: Answer, knob: Knob, request: Received) -> Headers:
    """OpenAI's own headers around an answer, then what the knob adds and takes away."""
    headers: Headers = [("date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()))]
    if answer.content_type is not None:
        headers.append(("content-type", answer.content_type))
    if knob.framing in ("auto", "length") and answer.pieces is None:
        headers += _length(answer)
    headers += [*_openai(), *_limits(request.path), *answer.headers]
    dropped = {name.lower() for name in knob.drop_headers}
    replaced = {name.lower() for name, _ in knob.headers}
    kept = [pair for pair in headers if pair[0].lower() not in dropped | replaced]
    return [*kept, *knob.headers]


def _length(answer: Answer) -> Headers:
    return [] if answer.status in BODILESS else [("content-length", str(len(answer.body)))]


def _openai() -> Headers:
    return [
        ("x-request-id", f"req_{os.urandom(16).hex()}"),
        ("openai-organization", "fake-staging-org"),
        ("openai-processing-ms", "12"),
        ("openai-version", "2020-10-01"),
        ("server", "cloudflare"),
        ("alt-svc", 'h3=":443"; ma=86400'),
    ]


def _limits(path: str) -> Headers:
    if path.startswith("/v1/models"):
        return []
    used = next(_requests)
    return [
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-limit-tokens", "2000000"),
        ("x-ratelimit-remaining-requests", str(max(0, 10000 - used % 1000))),
        ("x-ratelimit-remaining-tokens", "1999000"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-ratelimit-reset-tokens", "30ms"),
    ]
