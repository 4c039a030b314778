"""HTTP/1.1 by hand: a parser that keeps what it saw, a writer that can break every rule."""

import asyncio
from http import HTTPStatus

from tests.support.fake_openai.recorder import RawHeaders, Received
from tests.support.fake_openai.wire import Headers, Serving, Wire, until_gone

BODILESS = (204, 304)


class Http1:
    """Serves one connection request by request, until one side ends it."""

    def __init__(self, wire: Wire, serving: Serving) -> None:
        self._wire, self._serving = wire, serving

    async def run(self) -> None:
        try:
            while await self._one():
                pass
        except ValueError as fault:  # what came is no HTTP: the raw bytes are kept
            self._wire.connection.fault = repr(fault)
        except (asyncio.IncompleteReadError, OSError):
            return

    async def _one(self) -> bool:
        request = await self._head()
        self._serving.begin(request)
        if not request.knob.early:
            await self._whole(request)
        if request.first("upgrade").lower() == "websocket":
            await self._serving.socket(request, self._wire)
            return False
        sink = H1Sink(self._wire, request)
        answering = asyncio.create_task(self._serving.serve(request, sink))
        request.aborted = await until_gone(answering, self._wire.gone) and not sink.ended
        request.answered = sink.ended
        return sink.open and not request.aborted and not request.knob.early

    async def _head(self) -> Received:
        try:
            head = await self._wire.inbox.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as error:
            raise ConnectionError("a head above 1 MB") from error
        first, *lines = head[:-4].split(b"\r\n")
        method, _, rest = first.decode("latin-1").partition(" ")
        target, _, version = rest.rpartition(" ")
        number = version.removeprefix("HTTP/")
        return Received(self._wire.connection, number, method, target, _fields(lines))

    async def _whole(self, request: Received) -> None:
        try:
            await self._body(request)
        except (asyncio.IncompleteReadError, OSError):
            request.aborted = True
            raise

    async def _body(self, request: Received) -> None:
        if request.first("expect").lower() == "100-continue":
            await self._wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in request.first("transfer-encoding").lower():
            await self._chunks(request)
        else:
            await self._take(request, int(request.first("content-length", "0")))
        request.complete = True

    async def _take(self, request: Received, size: int) -> None:
        while size > 0:
            data = await self._wire.inbox.read(min(size, 65536))
            if not data:
                raise ConnectionError("the body ended early")
            request.buffer += data
            size -= len(data)

    async def _chunks(self, request: Received) -> None:
        inbox = self._wire.inbox
        while size := int((await inbox.readuntil(b"\r\n")).split(b";")[0], 16):
            await self._take(request, size)
            await inbox.readexactly(2)
        lines: list[bytes] = []
        while (line := await inbox.readuntil(b"\r\n")) != b"\r\n":
            lines.append(line[:-2])
        request.trailers = _fields(lines)


class H1Sink:
    """Writes one answer; `open` tells whether the connection may carry another."""

    def __init__(self, wire: Wire, request: Received) -> None:
        self._wire, self._request = wire, request
        self._chunked = False
        self._silent = request.method == "HEAD"
        self.open = request.first("connection").lower() != "close"
        self.ended = False

    async def informational(self, status: int, headers: Headers) -> None:
        await self._wire.send(_head(status, headers))

    async def head(self, status: int, headers: Headers, framing: str, half: bool) -> None:
        self._silent = self._silent or status in BODILESS
        names = {name.lower() for name, _ in headers}
        if framing == "close":
            self.open = False
            headers = [*headers, ("connection", "close")]
        elif not self._silent and not names & {"content-length", "transfer-encoding"}:
            self._chunked = True
            headers = [*headers, ("transfer-encoding", "chunked")]
        data = _head(status, headers)
        await self._wire.send(data[: len(data) // 2] if half else data)

    async def data(self, piece: bytes) -> None:
        if self._silent or not piece:
            return
        if self._chunked:
            piece = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
        await self._wire.send(piece)

    async def end(self, trailers: Headers) -> None:
        if self._chunked:
            lines = "".join(f"{name}: {value}\r\n" for name, value in trailers)
            await self._wire.send(b"0\r\n" + lines.encode("latin-1") + b"\r\n")
        self.ended = True

    async def garbage(self) -> None:
        await self._wire.send(b"this is no chunk\r\n\r\n")
        self.open = False

    async def raw(self, data: bytes) -> None:
        await self._wire.send(data)
        self.open = False

    async def reset_stream(self) -> None:
        await self.reset()

    async def reset(self) -> None:
        self._wire.reset()
        self.open = False

    async def close(self) -> None:
        self.open = False


def _fields(lines: list[bytes]) -> RawHeaders:
    return [(name, value.strip(b" \t")) for name, _, value in (x.partition(b":") for x in lines)]


def _head(status: int, headers: Headers) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
