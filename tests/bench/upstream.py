"""A fast and constant upstream: a CONNECT proxy that then speaks TLS as api.openai.com itself.

It answers with what was prepared, so that the proxies are measured and not the upstream. Being the
relay as well saves the copying between two sockets, which would take the load's processor.
"""

import asyncio
import random
import ssl
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Self, cast

from tests.bench.bodies import prose
from tests.support.fake_openai.certificates import Certificates, Tls

EVERY_S: Final = 0.005
ANSWER_BYTES: Final = 1500
_END: Final = b"\r\n\r\n"
_CONNECT: Final = b"CONNECT api.openai.com:443 "
_OPENAI: Final = (
    b"x-request-id: req_bench\r\nopenai-organization: org-bench\r\nopenai-version: 2020-10-01\r\n"
    b"openai-processing-ms: 12\r\nx-ratelimit-limit-requests: 10000\r\n"
    b"x-ratelimit-remaining-requests: 9999\r\nx-ratelimit-reset-requests: 6ms\r\n"
)
STREAM_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n" + _OPENAI +
    b"transfer-encoding: chunked\r\n\r\n"
)  # fmt: skip
MARK: Final = b'"sent_ns":'


def answers(different: int = 16) -> list[bytes]:
    """Whole JSON answers of 1.5 kB."""
    chance = random.Random(1)  # noqa: S311 -- no secret is drawn
    return [_answer(prose(chance, ANSWER_BYTES - 330), number) for number in range(different)]


def _answer(text: str, number: int) -> bytes:
    body = (
        f'{{"id":"chatcmpl-{number:08d}","object":"chat.completion","created":1790000000,'
        f'"model":"gpt-6-luna","choices":[{{"index":0,"message":{{"role":"assistant","content":'
        f'"{text}","refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":'
        '{"prompt_tokens":500,"completion_tokens":250,"total_tokens":750},"service_tier":"default"}'
    ).encode()
    kind = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    return kind + _OPENAI + b"content-length: %d\r\n\r\n" % len(body) + body


def event(number: int) -> bytes:
    """One event as a chunk; it carries the time at which it was sent."""
    data = (
        b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1790000000,'
        b'"model":"gpt-6-luna","choices":[{"index":0,"delta":{"content":" word%d"},"logprobs":null,'
        b'"finish_reason":null}],%b%d}\n\n' % (number, MARK, time.monotonic_ns())
    )
    return b"%x\r\n%b\r\n" % (len(data), data)


@dataclass(slots=True)
class Upstream:
    """async with Upstream() as upstream: upstream.port, upstream.calls[key], upstream.ca_pem"""

    events: int = 100
    port: int = 0
    calls: Counter[str] = field(default_factory=Counter)  # by the key that they came with
    answers: list[bytes] = field(default_factory=answers, repr=False)
    tasks: set[asyncio.Task[None]] = field(default_factory=set, repr=False)
    transports: set[asyncio.Transport] = field(default_factory=set, repr=False)
    context: ssl.SSLContext = field(init=False, repr=False)
    ca_pem: bytes = field(init=False, repr=False)
    _server: asyncio.Server | None = None

    def __post_init__(self) -> None:
        certificates = Certificates()
        self.context = certificates.context(Tls(alpn=("http/1.1",)))
        self.ca_pem = certificates.pem

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Door(self), "127.0.0.1", 0, backlog=256)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self.tasks):
            task.cancel()
        for transport in list(self.transports):
            transport.abort()
        await asyncio.sleep(0)


class _Door(asyncio.Protocol):
    """A new connection: one CONNECT, then TLS on the same socket."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.upstream.transports.add(self.transport)

    def connection_lost(self, _: Exception | None) -> None:
        self.upstream.transports.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.held += data
        if not self.held.endswith(_END):
            return
        if not self.held.startswith(_CONNECT):
            self.transport.close()
            return
        self.transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        task = asyncio.get_running_loop().create_task(self._secure())
        self.upstream.tasks.add(task)
        task.add_done_callback(self.upstream.tasks.discard)

    async def _secure(self) -> None:
        inner = Served(self.upstream)
        upstream, loop = self.upstream, asyncio.get_running_loop()
        try:
            secure = await loop.start_tls(self.transport, inner, upstream.context, server_side=True)
        except OSError:
            self.transport.abort()
        else:
            upstream.transports.discard(self.transport)
            inner.begin(cast("asyncio.Transport", secure))


class Served(asyncio.Protocol):
    """One secured connection: reads requests, answers each with what was prepared."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.transport: asyncio.Transport | None = None
        self.held = b""
        self.left = 0  # bytes of the body that are still to come
        self.streams = False

    def begin(self, transport: asyncio.Transport) -> None:
        """The handshake is over; bytes may have come with its end."""
        self.transport = transport
        self.upstream.transports.add(transport)
        self.data_received(b"")

    def connection_lost(self, _: Exception | None) -> None:
        if self.transport is not None:
            self.upstream.transports.discard(self.transport)
        self.transport = None

    def data_received(self, data: bytes) -> None:
        if self.left:
            self._body(data)
            return
        self.held += data
        if self.transport is None:
            return
        head, found, body = self.held.partition(_END)
        if found:
            self.held = b""
            self._head(head, body)

    def _head(self, head: bytes, body: bytes) -> None:
        fields = fields_of(head)
        self.upstream.calls[fields.get(b"authorization", b"").decode().removeprefix("Bearer ")] += 1
        self.left = int(fields.get(b"content-length", b"0"))
        # The flag stands at the body's beginning, which comes with the head or first after it.
        self.streams = False
        self._body(body)

    def _body(self, data: bytes) -> None:
        self.streams = self.streams or b'"stream":true' in data[:100]
        self.left -= len(data)
        if self.left > 0:
            return
        if self.streams:
            self._stream(0, asyncio.get_running_loop().time())
        elif self.transport is not None:
            number = self.upstream.calls.total()
            self.transport.write(self.upstream.answers[number % len(self.upstream.answers)])

    def _stream(self, number: int, begun: float) -> None:
        """One event each 5 ms, by the clock: a late one does not put off the next."""
        if self.transport is None:
            return
        if number == 0:
            self.transport.write(STREAM_HEAD)
        if number == self.upstream.events:
            self.transport.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
            return
        self.transport.write(event(number))
        due = begun + (number + 1) * EVERY_S
        asyncio.get_running_loop().call_at(due, self._stream, number + 1, begun)


def fields_of(head: bytes) -> dict[bytes, bytes]:
    """The header fields by name in lower case; the last one wins."""
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in lines}
