"""One kept connection through a proxy, as cheap as Python allows: the load must not be the bottle
neck. It keeps the time of each piece of an answer."""

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench.bodies import HOST
from tests.bench.upstream import MARK, fields_of

ANSWER_S: Final = 30.0
_END: Final = b"\r\n\r\n"
_LAST: Final = b"0\r\n\r\n"


class BenchError(RuntimeError):
    """The run means nothing: a call was not answered as it must be."""


@dataclass(slots=True)
class Reply:
    """An answer and when its pieces came; times in nanoseconds of the monotonic clock."""

    sent_ns: int
    status: int = 0
    size: int | None = None  # of the body; None: chunked
    got: int = 0
    pieces: list[tuple[int, bytes]] = field(default_factory=list, repr=False)

    @property
    def seconds(self) -> float:
        return (self.pieces[-1][0] - self.sent_ns) / 1e9

    def event_delays(self) -> list[float]:
        """Seconds from the upstream's sending of each event to its arrival here."""
        delays, held = [], b""
        for at, piece in self.pieces:
            *whole, held = (held + piece).split(b"\n\n")
            marks = (text.partition(MARK)[2] for text in whole)
            delays += [(at - int(mark.rstrip(b"}"))) / 1e9 for mark in marks if mark]
        return delays

    def first_event_s(self) -> float:
        """From the request to the first event."""
        first = next(at for at, piece in self.pieces if MARK in piece)
        return (first - self.sent_ns) / 1e9


class Kept(asyncio.Protocol):
    """kept = await Kept.open(port, trust); reply = await kept.call(request)"""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.reply: Reply | None = None
        self.head = b""
        self.waiter: asyncio.Future[None] | None = None
        self.answered = 0

    @classmethod
    async def open(cls, port: int, trust: ssl.SSLContext) -> "Kept":
        """CONNECT to the proxy on this port, then TLS to the API's name."""
        loop = asyncio.get_running_loop()
        plain, kept = await loop.create_connection(cls, "127.0.0.1", port)
        kept.transport = plain
        asked = f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n"
        reply = await kept.call(asked.encode())
        if reply.status != 200:
            raise BenchError(f"CONNECT was answered {reply.status}")
        inner = cls()
        inner.transport = await loop.start_tls(plain, inner, trust, server_hostname=HOST)
        return inner

    async def call(self, request: bytes) -> Reply:
        """Sends the request and waits for the whole answer."""
        transport, loop = self.transport, asyncio.get_running_loop()
        if transport is None or self.waiter is not None:
            raise BenchError("the connection is closed, or busy")
        self.waiter = loop.create_future()
        self.head = b""
        reply = self.reply = Reply(time.monotonic_ns())
        transport.write(request)
        alarm = loop.call_later(ANSWER_S, self._fail, "no answer in time")
        try:
            await self.waiter
        finally:
            alarm.cancel()
            self.waiter = None
        self.answered += 1
        return reply

    def close(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        self.transport = None
        self._fail("the connection was closed")

    def _fail(self, why: str) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_exception(BenchError(why))

    def data_received(self, data: bytes) -> None:
        now, reply = time.monotonic_ns(), self.reply
        if reply is None:
            return
        if not reply.status:
            self.head += data
            head, found, data = self.head.partition(_END)
            if not found:
                return
            read_head(head, reply)
        reply.got += len(data)
        reply.pieces.append((now, data))
        if self._whole(reply, data) and self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    @staticmethod
    def _whole(reply: Reply, data: bytes) -> bool:
        if reply.size is not None:
            return reply.got >= reply.size
        if len(data) < len(_LAST):
            data = b"".join(piece for _, piece in reply.pieces[-3:])
        return data.endswith(_LAST)


def read_head(head: bytes, reply: Reply) -> None:
    """Status and size; a CONNECT's answer has no body."""
    fields = fields_of(head)
    reply.status = int(head.split(b" ", 2)[1])
    chunked = b"chunked" in fields.get(b"transfer-encoding", b"")
    reply.size = None if chunked else int(fields.get(b"content-length", b"0"))


def trusting(ca_file: Path) -> ssl.SSLContext:
    """HTTP/1.1 only, and trust in one proxy's authority alone."""
    context = ssl.create_default_context(cafile=str(ca_file))
    context.set_alpn_protocols(["http/1.1"])
    return context
