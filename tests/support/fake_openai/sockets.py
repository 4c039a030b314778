"""The WebSocket endpoints: handshake, every frame recorded, a family that talks."""

import asyncio
import contextlib
from typing import Protocol

import orjson
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import ProtocolError

from tests.support.fake_openai.credentials import TOKEN
from tests.support.fake_openai.knobs import Knob
from tests.support.fake_openai.recorder import Frame, Received
from tests.support.fake_openai.wire import Wire

WAIT_S = 3600
NORMAL, POLICY = 1000, 1008


class Conversation(Protocol):
    """What one endpoint says: at the start, and to each JSON message."""

    async def opened(self, talker: "Talker") -> None: ...
    async def heard(self, talker: "Talker", event: dict[str, object]) -> None: ...


class Talker:
    """One open socket. `send` obeys the knob: pauses, fragments, and where it breaks off."""

    def __init__(self, request: Received, wire: Wire, conversation: Conversation) -> None:
        self.request, self.knob = request, request.knob
        self._wire, self._conversation = wire, conversation
        self._ws = WSConnection(ConnectionType.SERVER)
        self._pending: list[str | bytes | bytearray] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self._sent = 0

    async def run(self) -> None:
        try:
            await self._open()
            await self._listen()
        except ProtocolError as fault:
            self._wire.connection.fault = repr(fault)
        except OSError:
            self.request.aborted = True
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _open(self) -> None:
        self._ws.initiate_upgrade_connection(self.request.headers, self.request.target)
        asked = next(event for event in self._ws.events() if isinstance(event, Request))
        accept = AcceptConnection(
            subprotocol=_chosen(asked.subprotocols, self.knob),
            extensions=[PerMessageDeflate()] if self.knob.ws_deflate else [],
            extra_headers=[(b"x-request-id", b"req_fake_socket")],
        )
        await self._write(accept)
        self.request.status = 101
        for text in self.knob.ws_send:
            await self.say(text)
        await self._conversation.opened(self)

    async def _listen(self) -> None:
        while data := await self._wire.inbox.read(65536):
            self._ws.receive_data(data)
            for event in self._ws.events():
                if not await self._event(event):
                    return
        self.request.aborted = True

    async def _event(self, event: Event) -> bool:
        match event:
            case TextMessage() | BytesMessage():
                await self._fragment(event)
            case Ping(payload=payload):
                self._note("ping", payload)
                await self._write(event.response())
            case Pong(payload=payload):
                self._note("pong", payload)
            case CloseConnection(code=code, reason=reason):
                self._note("close", (reason or "").encode(), int(code))
                with contextlib.suppress(ProtocolError, OSError):
                    await self._write(event.response())
                return False
            case _:
                pass
        return True

    def _note(self, kind: str, data: bytes | bytearray, code: int | None = None) -> None:
        self.request.frames.append(Frame(kind, bytes(data), code))

    async def _fragment(self, event: TextMessage | BytesMessage) -> None:
        self._pending.append(event.data)
        if not event.message_finished:
            return
        pieces, self._pending = self._pending, []
        text = isinstance(event, TextMessage)
        data = b"".join(p.encode() if isinstance(p, str) else bytes(p) for p in pieces)
        self.request.frames.append(Frame("text" if text else "binary", data, None, len(pieces)))
        if text:
            await self._heard(data)

    async def _heard(self, data: bytes) -> None:
        try:
            event = orjson.loads(data)
        except orjson.JSONDecodeError:
            event = {"type": "unreadable"}
        self.spawn(self._conversation.heard(self, event if isinstance(event, dict) else {}))

    def spawn(self, work: "asyncio.Future[None] | object") -> None:
        """Runs a turn of the conversation beside the others."""
        task = asyncio.ensure_future(self._quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, work: object) -> None:
        with contextlib.suppress(ProtocolError, OSError):
            await work  # type: ignore[misc]  # any awaitable

    async def tell(self, event: dict[str, object]) -> None:
        await self.say(orjson.dumps(event).decode())

    async def say(self, text: str) -> None:
        """Sends one message, or does what the knob wants in its place."""
        async with self._turn:
            if self._sent and self.knob.event_delay_s:
                await asyncio.sleep(self.knob.event_delay_s)
            if self._sent == (self.knob.after_events or 0) and await self._broke():
                return
            self._sent += 1
            await self._frames(text)

    async def _broke(self) -> bool:
        if self.knob.ws_close is not None:
            code, reason = self.knob.ws_close
            await self._write(CloseConnection(code=code, reason=reason))
            return True
        if self.knob.fail is None:
            return False
        if self.knob.fail in ("reset", "stream_reset"):
            self._wire.reset()
        elif self.knob.fail == "garbage":
            await self._wire.send(b"\xff\xff\xff\xff this is no frame")
        elif self.knob.fail == "hang":
            await asyncio.sleep(WAIT_S)
        else:
            await self._wire.hang_up()
        return True

    async def _frames(self, text: str) -> None:
        size = self.knob.ws_fragment or max(1, len(text))
        pieces = [text[at : at + size] for at in range(0, len(text), size)] or [""]
        for number, piece in enumerate(pieces, 1):
            last = number == len(pieces)
            await self._write(TextMessage(data=piece, message_finished=last))

    async def ping(self, payload: bytes) -> None:
        await self._write(Ping(payload=payload))

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        await self._write(CloseConnection(code=code, reason=reason))

    async def _write(self, event: Event) -> None:
        await self._wire.send(self._ws.send(event))


def _chosen(offered: list[str], knob: Knob) -> str | None:
    """The first subprotocol that carries no key and no routing; never one that was not offered."""
    if knob.ws_subprotocol is not None:
        return knob.ws_subprotocol
    plain = [name for name in offered if not name.startswith((TOKEN, "openai-"))]
    return plain[0] if plain else None
