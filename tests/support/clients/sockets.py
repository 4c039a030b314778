"""A WebSocket client over the tunnel: subprotocols, fragments, pings, compression."""

import socket
import time
from dataclasses import dataclass
from typing import Any, Self

import orjson
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate

from tests.support.clients import shape
from tests.support.clients.reply import Reply
from tests.support.clients.shape import Pairs


class Refused(Exception):
    """The handshake was answered otherwise; `reply` is that answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"handshake refused: {reply!r} {bytes(reply.body)!r}")
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Said:
    """One whole message that came: text, binary, ping, pong, close; or eof, reset, timeout."""

    kind: str
    data: bytes = b""
    code: int | None = None

    def json(self) -> Any:
        return orjson.loads(self.data)


class WebSocket:
    """with WebSocket(way.tls(), "/v1/realtime?model=m", [bearer(key)]) as ws: ws.text("…")"""

    def __init__(
        self,
        sock: socket.socket,
        target: str,
        headers: Pairs | None = None,
        *,
        subprotocols: list[str] | None = None,
        deflate: bool = False,
        host: str = shape.HOST,
    ) -> None:
        self.sock = sock
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._said: list[Said] = []
        self._parts: list[bytes] = []
        self.subprotocol: str | None = None
        self.deflated = False
        self.headers: Pairs = []
        request = Request(
            host=host,
            target=target,
            subprotocols=subprotocols or [],
            extensions=[PerMessageDeflate()] if deflate else [],
            extra_headers=[(name.encode(), value.encode()) for name, value in headers or []],
        )
        self._open(request)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def _open(self, request: Request) -> None:
        self._write(request)
        reply = Reply()
        while True:
            data = shape.read(self.sock)
            self._ws.receive_data(data or None)
            for event in self._ws.events():
                if self._opened(event, reply):
                    return
            if not data:
                raise Refused(reply)

    def _opened(self, event: Event, reply: Reply) -> bool:
        if reply.status == 0 and isinstance(event, AcceptConnection):
            self.subprotocol = event.subprotocol
            self.deflated = bool(event.extensions)
            self.headers = _texts(event.extra_headers)
            reply.status = 101
        elif isinstance(event, RejectConnection):
            reply.status, reply.headers = event.status_code, _texts(event.headers)
            if not event.has_body:
                raise Refused(reply)
        elif isinstance(event, RejectData):
            reply.took(bytes(event.data))
            if event.body_finished:
                reply.end = "complete"
                raise Refused(reply)
        elif reply.status == 101:
            self._event(event)
        return reply.status == 101

    def _write(self, event: Event) -> None:
        self.sock.sendall(self._ws.send(event))

    def text(self, text: str, fragments: int = 1) -> None:
        """One text message, in so many frames."""
        size = max(1, -(-len(text) // fragments))
        pieces = [text[at : at + size] for at in range(0, len(text), size)] or [""]
        for number, piece in enumerate(pieces, 1):
            self._write(TextMessage(data=piece, message_finished=number == len(pieces)))

    def part(self, text: str) -> None:
        """A frame of a message that is not finished."""
        self._write(TextMessage(data=text, message_finished=False))

    def tell(self, event: dict[str, Any], fragments: int = 1) -> None:
        self.text(orjson.dumps(event).decode(), fragments)

    def binary(self, data: bytes) -> None:
        self._write(BytesMessage(data=data))

    def ping(self, payload: bytes = b"") -> None:
        self._write(Ping(payload=payload))

    def close(self, code: int = 1000, reason: str = "") -> None:
        self._write(CloseConnection(code=code, reason=reason))

    def raw(self, data: bytes) -> None:
        """Bytes that need not be a frame."""
        self.sock.sendall(data)

    def reset(self) -> None:
        shape.reset(self.sock)

    def hear(self, seconds: float = 5.0) -> Said:
        """The next message; pings are answered on the way and reported too."""
        limit = time.monotonic() + seconds
        while not self._said:
            self.sock.settimeout(max(0.01, limit - time.monotonic()))
            try:
                data = shape.read(self.sock)
            except TimeoutError:
                return Said("timeout")
            except OSError:
                return Said("reset")
            if not data:
                return Said("eof")
            self._ws.receive_data(data)
            for event in self._ws.events():
                self._event(event)
        return self._said.pop(0)

    def hear_type(self, kind: str, seconds: float = 5.0) -> dict[str, Any]:
        """The next event of one type; others before it are passed over."""
        while (said := self.hear(seconds)).kind in ("text", "ping", "pong"):
            if said.kind == "text" and (event := said.json()).get("type") == kind:
                assert isinstance(event, dict)
                return event
        raise AssertionError(f"no {kind!r} came; the socket ended with {said!r}")

    def _event(self, event: Event) -> None:
        match event:
            case TextMessage(data=data):
                self._message("text", data.encode(), event.message_finished)
            case BytesMessage(data=data):
                self._message("binary", bytes(data), event.message_finished)
            case Ping(payload=payload):
                self._said.append(Said("ping", bytes(payload)))
                self._write(event.response())
            case Pong(payload=payload):
                self._said.append(Said("pong", bytes(payload)))
            case CloseConnection(code=code, reason=reason):
                self._said.append(Said("close", (reason or "").encode(), int(code)))
            case _:
                pass

    def _message(self, kind: str, data: bytes, whole: bool) -> None:
        self._parts.append(data)
        if whole:
            self._said.append(Said(kind, b"".join(self._parts)))
            self._parts.clear()


def _texts(headers: Any) -> Pairs:
    return [(bytes(n).decode("latin-1"), bytes(v).decode("latin-1")) for n, v in headers]
