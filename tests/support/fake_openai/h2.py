"""HTTP/2 over the h2 package: many requests at once on one connection, each with its own task."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import ProtocolError

from tests.support.fake_openai.recorder import Received
from tests.support.fake_openai.wire import Headers, Serving, Wire, until_gone

HOP = ("connection", "transfer-encoding", "keep-alive")
BODILESS = (204, 304)


@dataclass(slots=True)
class Stream:
    """One request of the connection and the task that answers it."""

    request: Received
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Http2:
    """Serves one connection until it ends; what a peer resets is marked aborted."""

    def __init__(self, wire: Wire, serving: Serving) -> None:
        self.wire, self._serving = wire, serving
        config = H2Configuration(
            client_side=False,
            header_encoding=None,
            validate_inbound_headers=False,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self.connection = H2Connection(config)
        self.streams: dict[int, Stream] = {}
        self.room = asyncio.Condition()
        self.open = True

    async def run(self) -> None:
        try:
            with contextlib.suppress(OSError):
                await self._read()
        except ProtocolError as error:
            self.wire.connection.fault = repr(error)
            with contextlib.suppress(OSError):
                await self.flush()
        finally:
            await self._end()

    async def _read(self) -> None:
        self.connection.initiate_connection()
        await self.flush()
        while self.open and (data := await self.wire.inbox.read(65536)):
            for event in self.connection.receive_data(data):
                await self._event(event)
            await self.flush()

    async def _end(self) -> None:
        tasks = [stream.task for stream in self.streams.values() if stream.task]
        for stream in self.streams.values():
            stream.gone.set()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def flush(self) -> None:
        if data := self.connection.data_to_send():
            await self.wire.send(data)

    async def _event(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=number, headers=headers):
                self._begin(number, headers)
            case DataReceived(stream_id=number, data=data):
                self.streams[number].request.buffer += data
                self.connection.acknowledge_received_data(event.flow_controlled_length, number)
            case TrailersReceived(stream_id=number, headers=headers):
                self.streams[number].request.trailers = list(headers)
            case StreamEnded(stream_id=number):
                self.streams[number].request.complete = True
                self._answer(number)
            case StreamReset(stream_id=number) if number in self.streams:
                self.streams[number].gone.set()
            case WindowUpdated():
                async with self.room:
                    self.room.notify_all()
            case _:
                pass

    def _begin(self, number: int, headers: Any) -> None:
        pairs = [(bytes(name), bytes(value)) for name, value in headers]
        pseudo = [pair for pair in pairs if pair[0].startswith(b":")]
        found = {name: value.decode("latin-1") for name, value in pseudo}
        plain = [pair for pair in pairs if not pair[0].startswith(b":")]
        request = Received(
            self.wire.connection, "2", found.get(b":method", ""), found.get(b":path", ""), plain
        )
        request.pseudo = pseudo
        self.streams[number] = Stream(request)
        self._serving.begin(request)
        if request.knob.early:
            self._answer(number)

    def _answer(self, number: int) -> None:
        stream = self.streams[number]
        if stream.task is None:
            stream.task = asyncio.create_task(self._serve(number, stream))

    async def _serve(self, number: int, stream: Stream) -> None:
        sink = H2Sink(self, number, stream.request)
        answering = asyncio.create_task(self._serving.serve(stream.request, sink))
        with contextlib.suppress(OSError, ProtocolError):
            stream.request.aborted = await until_gone(answering, stream.gone) and not sink.ended
        stream.request.answered = sink.ended


class H2Sink:
    """Writes one answer into its stream, within the peer's windows."""

    def __init__(self, http: Http2, number: int, request: Received) -> None:
        self._http, self._number, self._request = http, number, request
        self._silent = request.method == "HEAD"
        self.ended = False

    async def informational(self, status: int, headers: Headers) -> None:
        await self._headers(status, headers)

    async def head(self, status: int, headers: Headers, framing: str, half: bool) -> None:
        self._silent = self._silent or status in BODILESS
        if framing in ("chunked", "close"):
            headers = [pair for pair in headers if pair[0].lower() != "content-length"]
        if half:
            await self._http.flush()
        await self._headers(status, headers, half=half)

    async def _headers(self, status: int, headers: Headers, half: bool = False) -> None:
        plain = [(name.lower(), value) for name, value in headers if name.lower() not in HOP]
        self._http.connection.send_headers(self._number, [(":status", str(status)), *plain])
        data = self._http.connection.data_to_send()
        await self._http.wire.send(data[: len(data) // 2] if half else data)

    async def data(self, piece: bytes) -> None:
        while piece and not self._silent:
            size = await self._window(len(piece))
            self._http.connection.send_data(self._number, piece[:size])
            piece = piece[size:]
            await self._http.flush()

    async def _window(self, wanted: int) -> int:
        connection = self._http.connection
        async with self._http.room:
            while not (window := connection.local_flow_control_window(self._number)):
                await self._http.room.wait()
        return min(wanted, window, connection.max_outbound_frame_size)

    async def end(self, trailers: Headers) -> None:
        if trailers:
            self._http.connection.send_headers(self._number, trailers, end_stream=True)
        else:
            self._http.connection.end_stream(self._number)
        self.ended = True
        await self._http.flush()

    async def garbage(self) -> None:
        await self.raw(b"this is no frame of HTTP/2 at all\r\n\r\n")

    async def raw(self, data: bytes) -> None:
        await self._http.wire.send(data)
        await self.close()

    async def reset_stream(self) -> None:
        self._http.connection.reset_stream(self._number, ErrorCodes.INTERNAL_ERROR)
        await self._http.flush()

    async def reset(self) -> None:
        self._http.wire.reset()

    async def close(self) -> None:
        self._http.open = False
        await self._http.wire.hang_up()
