"""Open WebSockets: each whole message is judged before it goes on, a refused one answered."""

import asyncio
from typing import Final

from mitmproxy import http

from openai_gateway.api import errors
from openai_gateway.content.views import is_quick
from openai_gateway.core.secret import mask
from openai_gateway.core.verdict import Refusal, Refuse
from openai_gateway.host.books import close_socket, record_refusal, write
from openai_gateway.host.exchange import Exchange, exchange_of, socket_error
from openai_gateway.host.state import State

INLINE: Final = 32 * 1024
JUDGE_S: Final = 30.0


class Sockets:
    """Passes messages, or refuses them; holds nothing of its own."""

    def __init__(self, state: State) -> None:
        self.state = state

    def ended(self, flow: http.HTTPFlow) -> None:
        """An open socket has ended, however it did."""
        exchange = exchange_of(flow)
        if exchange is not None:
            close_socket(self.state, exchange)

    async def message(self, flow: http.HTTPFlow) -> None:
        """One whole WebSocket message. It goes on only as the exchange's `passed`."""
        exchange = exchange_of(flow)
        if exchange is None or flow.websocket is None:
            return
        message = flow.websocket.messages[-1]
        if message.from_client:
            judged = await self._judge(exchange, message.content)
            exchange.chain.services.metrics.leaks(exchange.call)
            if isinstance(judged, Refuse):
                self._refuse_message(exchange, judged.refusal)
                message.drop()
                return
            if judged is not message.content:
                message.content = judged
            if exchange.call.socket_meter is not None:
                exchange.call.socket_meter.client(message.content)
        else:
            exchange.received(len(message.content))
            masked = mask(message.content, exchange.chain.masks)
            if masked is not message.content:
                message.content = masked
            if exchange.call.socket_meter is not None:
                for billed in exchange.call.socket_meter.server(message.content):
                    write(exchange.chain.services, billed)
        exchange.passed = message

    async def _judge(self, exchange: Exchange, content: bytes) -> Refuse | bytes:
        """Long or involved messages are judged in a thread: nothing may hold the loop."""
        if len(content) <= INLINE and content.isascii() and is_quick(content):
            return exchange.judge(content)
        async with asyncio.timeout(JUDGE_S):
            return await asyncio.to_thread(exchange.judge, content)

    def _refuse_message(self, exchange: Exchange, refused: Refusal) -> None:
        """Answers a refused message in its endpoint's form, and gives it a row of its own."""
        socket = exchange.call
        shown = refused if exchange.chain.full_detail else errors.public(refused)
        call = socket.on_socket()
        exchange.reply = socket_error(socket.endpoint, shown, call.id, exchange.lane)
        record_refusal(exchange.chain.services, call, refused)
