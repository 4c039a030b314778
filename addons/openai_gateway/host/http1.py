"""mitmproxy's HTTP/1.1 connections, taught what they lack: trailers and informational answers.

mitmproxy stops dead on a trailer, and takes a 103 for the final answer: either way the client waits
for ever.
"""

from collections.abc import Callable
from typing import Any, Final

import h11
from mitmproxy import http
from mitmproxy.net.http import http1
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers.http import (
    ErrorCode,
    ReceiveHttp,
    RequestProtocolError,
    RequestTrailers,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseTrailers,
)
from mitmproxy.proxy.layers.http._http1 import Http1Client, Http1Connection, Http1Server

type Commands = layer.CommandGenerator[Any]
type Reader = Any

# The longest head of a request or an answer; mitmproxy itself has no bound.
LONGEST_HEAD: Final = 256 * 1024
BAD_FRAMING: Final = "the body breaks its own framing"


class Trailing:
    """A body reader that sets trailers aside, so that the body ends like any other."""

    def __init__(self, reader: Reader, found: Callable[[http.Headers], None]) -> None:
        self._reader = reader
        self._found = found

    def __call__(self, buffer: Any) -> Any:
        return self._kept(self._reader(buffer))

    def read_eof(self) -> Any:
        return self._kept(self._reader.read_eof())

    def _kept(self, event: Any) -> Any:
        if not isinstance(event, h11.EndOfMessage) or not event.headers:
            return event
        self._found(http.Headers([(bytes(name), bytes(value)) for name, value in event.headers]))
        return h11.EndOfMessage()


class _WithTrailers(Http1Connection):
    """Reads trailers as events of their own, just before the end of the message."""

    Trailers: type[RequestTrailers | ResponseTrailers]
    # What the stream is told: the client is as good as gone, the upstream has broken the protocol.
    too_much: ErrorCode
    _reader: Reader = None
    _trailers: http.Headers | None = None

    @property
    def body_reader(self) -> Reader:
        return self._reader

    @body_reader.setter
    def body_reader(self, reader: Reader) -> None:
        self._trailers = None
        self._reader = Trailing(reader, self._keep)

    def _keep(self, trailers: http.Headers) -> None:
        self._trailers = trailers

    def read_body(self, event: events.Event) -> Commands:
        for command in super().read_body(event):
            ends = isinstance(command, ReceiveHttp) and isinstance(
                command.event, self.ReceiveEndOfMessage
            )
            if ends and self._trailers is not None and self.stream_id is not None:
                yield ReceiveHttp(self.Trailers(self.stream_id, self._trailers))
                self._trailers = None
            yield command

    def _too_long(self) -> bool:
        """A head, a chunk's head, trailers, or calls behind the one under way: none may be longer.
        What is read of a body never stays in the buffer."""
        return self.state != self.done and len(self.buf) > LONGEST_HEAD

    def _handle_event(self, event: events.Event) -> Commands:
        yield from super()._handle_event(event)
        if isinstance(event, events.DataReceived) and self._too_long():
            yield from self._cut()

    def _cut(self) -> Commands:
        stream_id, under_way = self.stream_id, self.request is not None
        yield commands.CloseConnection(self.conn)
        self.state = self.done
        if stream_id is not None and under_way:
            fault = self.ReceiveProtocolError(stream_id, "more than a head may be", self.too_much)
            yield ReceiveHttp(fault)


class GatewayHttp1Server(_WithTrailers, Http1Server):
    """The client's side: sends an answer's trailers behind its last chunk."""

    Trailers = RequestTrailers
    too_much = ErrorCode.CLIENT_DISCONNECTED
    retiring: Callable[[], bool] = staticmethod(lambda: False)
    _sent_trailers: http.Headers | None = None

    def read_headers(self, event: events.ConnectionEvent) -> Commands:
        """A head that tells no length is the stream's to answer, so that answer and row agree."""
        for command in super().read_headers(event):
            malformed = self.request is not None and self.state == self.read_headers
            fault = command.event if isinstance(command, ReceiveHttp) else None
            if malformed and isinstance(fault, RequestProtocolError):
                yield ReceiveHttp(RequestProtocolError(fault.stream_id, BAD_FRAMING, fault.code))
            elif not malformed or fault is not None:
                yield command

    def read_body(self, event: events.Event) -> Commands:
        """Bad framing is left to the stream, which answers first and closes then."""
        heard = isinstance(event, events.DataReceived)
        for command in super().read_body(event):
            fault = command.event if isinstance(command, ReceiveHttp) else None
            if heard and isinstance(fault, RequestProtocolError):
                self.state = self.done
                yield ReceiveHttp(RequestProtocolError(fault.stream_id, BAD_FRAMING, fault.code))
            elif self.request_done or not (heard and isinstance(command, commands.CloseConnection)):
                yield command

    def send(self, event: Any) -> Commands:
        if isinstance(event, ResponseHeaders) and self._is_last(event.response):
            event.response.headers["connection"] = "close"
        if isinstance(event, ResponseTrailers):
            self._sent_trailers = event.trailers
        elif isinstance(event, ResponseEndOfMessage) and self._sent_trailers is not None:
            yield from self._end(self._sent_trailers)
            self._sent_trailers = None
        else:
            yield from super().send(event)

    def _is_last(self, answer: http.Response) -> bool:
        """Whether the client is to come back on another connection, which others serve."""
        opens = self.request is None or self.request.method == "CONNECT"
        return self.retiring() and not opens and answer.status_code >= 200

    def _end(self, trailers: http.Headers) -> Commands:
        head = self.response.headers if self.response is not None else http.Headers()
        if "chunked" in head.get("transfer-encoding", "").lower():
            yield commands.SendData(self.conn, b"0\r\n" + bytes(trailers) + b"\r\n")
        yield from self.mark_done(response=True)


class GatewayHttp1Client(_WithTrailers, Http1Client):
    """The upstream's side: hands on informational answers, and goes on waiting for the real one."""

    Trailers = ResponseTrailers
    too_much = ErrorCode.GENERIC_SERVER_ERROR

    def read_headers(self, event: events.ConnectionEvent) -> Commands:
        while isinstance(event, events.DataReceived) and (early := self._informational()):
            yield ReceiveHttp(ResponseHeaders(self.stream_id or 0, early, end_stream=False))
        yield from super().read_headers(event)

    def _informational(self) -> http.Response | None:
        """Takes a 1xx head off the buffer, if one stands there whole."""
        start = bytes(self.buf)[:13]
        if not self.request or not start.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1")):
            return None
        if start[9:12] == b"101":
            return None
        lines = self.buf.maybe_extract_lines()
        if not lines:
            return None
        try:
            return http1.read_response_head([bytes(line) for line in lines])
        except ValueError:
            return None
