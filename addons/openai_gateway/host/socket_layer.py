"""mitmproxy's WebSocket relay with its doors closed: whole messages, judged before they go on.

mitmproxy forwards a message when its hook fails, relays ping payloads and close reasons unseen, and
cannot answer or close in its own name. Here a message goes on only with the dispatcher's pass.
"""

import time
from collections.abc import Iterator
from typing import Any, Final

import wsproto
from mitmproxy import http
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.websocket import (
    Fragmentizer,
    WebsocketConnection,
    WebsocketEndHook,
    WebsocketLayer,
    WebsocketMessageHook,
)
from mitmproxy.websocket import WebSocketMessage
from wsproto import events as ws_events
from wsproto.frame_protocol import Opcode

from openai_gateway.host.books import harmless
from openai_gateway.host.exchange import exchange_of

type Commands = layer.CommandGenerator[Any]

# The SDKs do not reconnect on this one (facts: openai-python's reconnect list).
POLICY_VIOLATION: Final = 1008
VANISHED: Final = 1006
MOST_FRAGMENTS: Final = 4096
GOING_ON: Final = frozenset({wsproto.ConnectionState.OPEN, wsproto.ConnectionState.REMOTE_CLOSING})


class GatewayWebSocket(WebsocketLayer):
    """Relays one open socket. What the dispatcher has not passed is dropped."""

    def __init__(self, context: Context, flow: http.HTTPFlow) -> None:
        super().__init__(context, flow)
        # By direction (from the client or not): the fragments so far, and their bytes in all.
        self._fragments: dict[bool, list[bytearray]] = {True: [bytearray()], False: [bytearray()]}
        self._gathered = {True: 0, False: 0}

    def relay_messages(self, event: events.Event) -> Commands:
        if not isinstance(event, events.ConnectionEvent):
            return  # an injected message: nobody here injects
        from_client = event.connection == self.context.client
        source = self.client_ws if from_client else self.server_ws
        source.receive_data(event.data if isinstance(event, events.DataReceived) else None)
        for ws_event in source.events():
            yield from self._relay(ws_event, from_client)
            if self._handle_event == self.done:
                return

    def _relay(self, ws_event: ws_events.Event, from_client: bool) -> Commands:
        if isinstance(ws_event, ws_events.Message):
            yield from self._gather(ws_event, from_client)
        elif isinstance(ws_event, ws_events.Ping | ws_events.Pong):
            yield from self._control(ws_event, bytes(ws_event.payload), from_client)
        elif isinstance(ws_event, ws_events.CloseConnection):
            reason = (ws_event.reason or "").encode()
            if from_client and not self._harmless(reason):
                ws_event = ws_events.CloseConnection(code=ws_event.code, reason="")
            yield from self._close(ws_event, from_client)

    def _ends(self, from_client: bool) -> tuple[WebsocketConnection, WebsocketConnection]:
        ends = (self.client_ws, self.server_ws)
        return ends if from_client else (ends[1], ends[0])

    def _gather(self, part: ws_events.Message[Any], from_client: bool) -> Commands:
        piece = part.data.encode() if isinstance(part.data, str) else part.data
        fragments = self._fragments[from_client]
        fragments[-1] += piece
        self._gathered[from_client] += len(piece)
        if from_client and self._too_much(len(fragments)):
            yield from self._refuse_socket("message too large")
        elif part.message_finished:
            self._fragments[from_client], self._gathered[from_client] = [bytearray()], 0
            whole = [bytes(fragment) for fragment in fragments]
            yield from self._judge(whole, isinstance(part.data, str), from_client)
        elif part.frame_finished:
            fragments.append(bytearray())

    def _too_much(self, fragments: int) -> bool:
        exchange = exchange_of(self.flow)
        most = exchange.max_message if exchange is not None else 0
        return self._gathered[True] > most or fragments > MOST_FRAGMENTS

    def _judge(self, fragments: list[bytes], is_text: bool, from_client: bool) -> Commands:
        """Shows the whole message to the dispatcher and sends on what it passed."""
        source, target = self._ends(from_client)
        kind = Opcode.TEXT if is_text else Opcode.BINARY
        message = WebSocketMessage(kind, from_client, b"".join(fragments))
        exchange, data = exchange_of(self.flow), self.flow.websocket
        if exchange is None or data is None:
            yield from self._refuse_socket("not admitted")
            return
        data.messages[:] = [message]
        exchange.passed, exchange.reply = None, b""
        yield WebsocketMessageHook(self.flow)
        data.messages.clear()
        if exchange.passed is message and not message.dropped:
            yield from self._send(target, Fragmentizer(fragments, is_text)(message.content))
        elif exchange.reply:
            text = ws_events.TextMessage(exchange.reply.decode())
            yield from self._send(source, iter([text]))
        else:
            yield from self._refuse_socket("refused")

    def _send(self, end: WebsocketConnection, parts: Iterator[ws_events.Event]) -> Commands:
        for part in parts:
            if end.state is wsproto.ConnectionState.OPEN:
                yield end.send2(part)

    def _control(
        self, ws_event: ws_events.Ping | ws_events.Pong, payload: bytes, from_client: bool
    ) -> Commands:
        """A ping's payload is text of the client too: 125 bytes are enough for a key."""
        _, target = self._ends(from_client)
        if from_client and not self._harmless(payload):
            yield from self._refuse_socket("refused")
        else:
            yield from self._send(target, iter([ws_event]))

    def _harmless(self, payload: bytes) -> bool:
        exchange = exchange_of(self.flow)
        return exchange is not None and harmless(exchange, payload)

    def _refuse_socket(self, reason: str) -> Commands:
        close = ws_events.CloseConnection(code=POLICY_VIOLATION, reason=reason)
        yield from self._close(close, from_client=False)

    def _close(self, close: ws_events.CloseConnection, from_client: bool) -> Commands:
        data = self.flow.websocket
        if data is not None:
            data.timestamp_end = time.time()
            data.closed_by_client = from_client
            data.close_code, data.close_reason = close.code, close.reason
        for end in (self.server_ws, self.client_ws):
            # A peer that vanished has said nothing: a 1000 in its name would look like its own.
            if end.state in GOING_ON and close.code != VANISHED:
                yield end.send2(close)
            yield commands.CloseConnection(end.conn)
        yield WebsocketEndHook(self.flow)
        self.flow.live = False
        self._handle_event = self.done
