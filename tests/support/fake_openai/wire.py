"""One accepted connection: what came is recorded and queued, what goes is written or torn."""

import asyncio
import contextlib
import socket
import struct
from typing import Protocol

from tests.support.fake_openai.recorder import Connection, Received, Recorder

type Headers = list[tuple[str, str]]
LIMIT = 1 << 20


class Sink(Protocol):
    """Where an answer goes; HTTP/1.1 and HTTP/2 differ behind it."""

    async def informational(self, status: int, headers: Headers) -> None: ...
    async def head(self, status: int, headers: Headers, framing: str, half: bool) -> None: ...
    async def data(self, piece: bytes) -> None: ...
    async def end(self, trailers: Headers) -> None: ...
    async def garbage(self) -> None: ...
    async def raw(self, data: bytes) -> None: ...
    async def reset_stream(self) -> None: ...
    async def reset(self) -> None: ...
    async def close(self) -> None: ...


class Serving(Protocol):
    """What a connection asks of the server behind it."""

    def begin(self, request: Received) -> None: ...
    async def serve(self, request: Received, sink: Sink) -> None: ...
    async def socket(self, request: Received, wire: "Wire") -> None: ...


class Wire:
    """Reads all the time, so that a peer that leaves is noticed while an answer is under way."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        recorder: Recorder,
        connection: Connection,
    ) -> None:
        self.inbox = asyncio.StreamReader(limit=LIMIT)
        self.gone = asyncio.Event()
        self.connection = connection
        self._reader, self._writer, self._recorder = reader, writer, recorder
        self._pump = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := await self._reader.read(65536):
                self._recorder.raw(self.connection, data)
                self.inbox.feed_data(data)
        self.inbox.feed_eof()
        self.connection.closed = True
        self.gone.set()

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def reset(self) -> None:
        reset(self._writer)

    async def hang_up(self) -> None:
        """Begins to close in order; the reading side sees the end soon after."""
        self._writer.close()

    async def finish(self) -> None:
        """Closes in order, within a bound; what is already closed is fine."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self._writer.wait_closed(), 1)
        self._pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._pump
        self.connection.closed = True
        self.gone.set()


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection with a TCP RST: no close_notify, no FIN."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def until_gone(work: asyncio.Task[None], gone: asyncio.Event) -> bool:
    """Runs `work` until it ends or the peer leaves; True where the peer left first.

    A write may meet the end before the reader does: that is a peer that left too.
    """
    leaving = asyncio.create_task(gone.wait())
    try:
        await asyncio.wait({work, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
            return False
        return True
    except OSError:
        return True
    finally:
        leaving.cancel()
        work.cancel()
        await asyncio.gather(work, leaving, return_exceptions=True)
