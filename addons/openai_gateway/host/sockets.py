"""Open WebSockets: each whole message is judged before it goes on, a refused one answered."""

import asyncio
from collections.abc import Awaitable
from typing import Final

import orjson
from mitmproxy import http

from openai_gateway.api import errors
from openai_gateway.content.views import is_quick
from openai_gateway.core.call import Call
from openai_gateway.core.secret import mask
from openai_gateway.core.verdict import Refusal, Refuse
from openai_gateway.host.books import close_socket, record_refusal, release, write
from openai_gateway.host.exchange import Exchange, exchange_of, socket_error
from openai_gateway.host.state import State

INLINE: Final = 4 * 1024
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
            if not await self._admit(exchange, judged):
                message.drop()
                return
            if exchange.call.socket_meter is not None:
                exchange.call.socket_meter.client(message.content)
        else:
            exchange.received(len(message.content))
            masked = mask(message.content, exchange.chain.masks)
            if masked is not message.content:
                message.content = masked
            if exchange.call.socket_meter is not None:
                for billed in exchange.call.socket_meter.server(message.content):
                    answered(exchange, billed)
                    write(exchange.chain, billed)
            # On other sockets an error may be about any message, and a failed response has its end.
            on_responses = exchange.call.endpoint.startswith("responses.")
            if on_responses and exchange.asked and is_error(message.content):
                answered(exchange, None)
        exchange.passed = message

    async def _admit(self, exchange: Exchange, content: bytes) -> bool:
        """Whether the limits let a message go on; each `response.create` is a call of its own."""
        call = exchange.call.beside()
        for stage in (exchange.chain.budgets, exchange.chain.limits):
            verdict = stage.admit_frame(exchange.call, call, content)
            if isinstance(verdict, Awaitable):
                async with asyncio.timeout(stage.limit_s):
                    verdict = await verdict
            if isinstance(verdict, Refuse):
                release(exchange.chain, call, broken=False)
                self._refuse_message(exchange, verdict.refusal, call)
                return False
        for outcome in call.would:
            exchange.call.note_would(outcome)
        if call.reserved is not None or call.hold is not None:
            exchange.asked.append(call)
        return True

    async def _judge(self, exchange: Exchange, content: bytes) -> Refuse | bytes:
        """Long or involved messages are judged in a thread: nothing may hold the loop."""
        if len(content) <= INLINE and content.isascii() and is_quick(content):
            return exchange.judge(content)
        async with asyncio.timeout(JUDGE_S):
            return await asyncio.to_thread(exchange.judge, content)

    def _refuse_message(
        self, exchange: Exchange, refused: Refusal, known: Call | None = None
    ) -> None:
        """Answers a refused message in its endpoint's form, and gives it a row of its own."""
        socket = exchange.call
        shown = refused if exchange.chain.full_detail else errors.public(refused)
        call = known or socket.on_socket()
        exchange.reply = socket_error(socket.endpoint, shown, call.id, exchange.lane)
        record_refusal(exchange.chain, call, refused)


def answered(exchange: Exchange, billed: Call | None) -> None:
    """A response has ended, with this bill, or came to nothing: what it had taken of the limits is
    corrected. Responses of a socket are taken to end in the order in which they were asked for."""
    if not exchange.asked:
        if billed is not None:
            release(exchange.chain, billed, broken=False)
        return
    call = exchange.asked.popleft()
    if billed is not None:
        call.usage, call.status = billed.usage, billed.status
        call.cost_nano_usd, call.unpriced_model = billed.cost_nano_usd, billed.unpriced_model
        call.bill = billed.bill
    release(exchange.chain, call, broken=False)
    if billed is not None:
        billed.reserved, billed.throttled = call.reserved, call.throttled


def is_error(content: bytes) -> bool:
    """Whether a message of the upstream says that something was not done."""
    if b'"error"' not in content[:256]:
        return False
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return isinstance(said, dict) and said.get("type") == "error"
