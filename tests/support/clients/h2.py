"""HTTP/2 frame by frame: any pseudo header, any order, resets, many requests at once."""

import contextlib
import socket
from typing import Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

from tests.support.clients import shape
from tests.support.clients.reply import End, Reply
from tests.support.clients.shape import Pairs


class RawH2:
    """with RawH2(way.tls(alpn=("h2",))) as client: n = client.request([...]); client.answer(n)"""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        config = H2Configuration(
            header_encoding="latin-1",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=False,
        )
        self.connection = H2Connection(config)
        self.replies: dict[int, Reply] = {}
        self._over: End | None = None
        self.connection.initiate_connection()
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def close(self) -> None:
        self.sock.close()

    def flush(self) -> None:
        """A peer that has left is noticed by the next read, not here."""
        with contextlib.suppress(OSError):
            self.sock.sendall(self.connection.data_to_send())

    def head(self, headers: Pairs, end: bool = False) -> int:
        """Opens a stream with these headers, pseudo headers among them; returns its number."""
        number = self.connection.get_next_available_stream_id()
        self.replies[number] = Reply()
        self.connection.send_headers(number, headers, end_stream=end)
        self.flush()
        return number

    def data(self, number: int, data: bytes, end: bool = False) -> None:
        """Sends a body within the windows, reading while they are shut."""
        while data and self._over is None and self.replies[number].end == "open":
            window = self.connection.local_flow_control_window(number)
            size = min(len(data), window, self.connection.max_outbound_frame_size)
            if not size:
                self._more()
                continue
            self.connection.send_data(number, data[:size])
            data = data[size:]
            self.flush()
        if end and self._over is None and self.replies[number].end != "stream_reset":
            self.connection.end_stream(number)
            self.flush()

    def request(self, headers: Pairs, body: bytes = b"", trailers: Pairs | None = None) -> int:
        number = self.head(headers, end=not body and not trailers)
        if body:
            self.data(number, body, end=not trailers)
        if trailers:
            self.connection.send_headers(number, trailers, end_stream=True)
            self.flush()
        return number

    def call(self, method: str, target: str, key: str, body: bytes | None = None) -> Reply:
        """An ordinary call with a JSON body, and its answer."""
        headers = pseudo(method, target)
        headers.append(("authorization", f"Bearer {key}"))
        if body is not None:
            headers += [("content-type", "application/json"), ("content-length", str(len(body)))]
        return self.answer(self.request(headers, body or b""))

    def answer(self, number: int) -> Reply:
        """The answer of one stream; others are read along."""
        reply = self.replies[number]
        while reply.end == "open" and self._over is None:
            self._more()
        if reply.end == "open":
            reply.end = self._over or "eof"
        return reply

    def reset(self, number: int) -> None:
        """RST_STREAM."""
        self.connection.reset_stream(number, ErrorCodes.CANCEL)
        self.flush()

    def abort(self) -> None:
        """Leaves with a TCP RST."""
        shape.reset(self.sock)

    def _more(self) -> None:
        try:
            data = shape.read(self.sock)
        except TimeoutError:
            self._over = "timeout"
            return
        except OSError:
            self._over = "reset"
            return
        if not data:
            self._over = "eof"
            return
        for event in self.connection.receive_data(data):
            self._event(event)
        self.flush()

    def _event(self, event: Event) -> None:
        number = getattr(event, "stream_id", None)
        reply = self.replies.get(number or 0, Reply())
        match event:
            case InformationalResponseReceived(headers=headers):
                reply.informational.append(int(dict(_texts(headers))[":status"]))
            case ResponseReceived(headers=headers):
                pairs = _texts(headers)
                reply.status = int(dict(pairs)[":status"])
                reply.headers = [pair for pair in pairs if pair[0] != ":status"]
            case DataReceived(data=data):
                reply.took(bytes(data or b""))
                size = event.flow_controlled_length or 0
                self.connection.acknowledge_received_data(size, number or 0)
            case TrailersReceived(headers=headers):
                reply.trailers = _texts(headers)
            case StreamEnded():
                reply.end = "complete"
            case StreamReset():
                reply.end = "stream_reset"
            case ConnectionTerminated():
                self._over = "eof"
            case _:
                pass


def pseudo(method: str, target: str, authority: str = shape.HOST) -> Pairs:
    return [
        (":method", method),
        (":scheme", "https"),
        (":authority", authority),
        (":path", target),
    ]


def _texts(headers: object) -> Pairs:
    assert isinstance(headers, list)
    return [(str(name), str(value)) for name, value in headers]
