"""A call's way out, from its head to its pass. Here whatever a stage throws becomes a refusal.

Every call starts refused. It leaves only when the walk came to its end without an objection; then
the flow gets its pass, which the HTTP stream asks for before anything is dialled.
"""

import asyncio
import time
from typing import Final

from mitmproxy import http

from openai_gateway.api import errors
from openai_gateway.api.headers import sdk_of
from openai_gateway.core.call import Call, Request
from openai_gateway.core.corridor import walk
from openai_gateway.core.verdict import Answer, Refusal, Refuse, Silence
from openai_gateway.host import faults
from openai_gateway.host.books import close_unbegun, note_refusal
from openai_gateway.host.connections import reset_client
from openai_gateway.host.destination import Target
from openai_gateway.host.exchange import (
    EXCHANGE,
    PASSED,
    Exchange,
    answer_response,
    exchange_of,
    refusal_response,
    request_of,
    send_on,
)
from openai_gateway.host.state import InForce, State, via

HOPS: Final = frozenset({b"close", b"keep-alive", b"upgrade"})
BREAKS: Final = "A header or the path of the request holds a line break or a zero byte."


class Dispatcher:
    """Opens calls, walks them, and passes or refuses; holds nothing of mitmproxy beyond one."""

    def __init__(self, state: State) -> None:
        self.state = state

    def open(self, flow: http.HTTPFlow) -> None:
        """The head is here: begins the call, and refuses what its head alone decides."""
        force = self.state.serving()
        if force is None:
            self.refuse_unbegun(flow, errors.refusal("gateway_not_ready"))
            return
        exchange = self._begin(flow, force)
        if flow.error is not None:
            return  # mitmproxy has found the head malformed, and asks for the page next
        refused = self._unknown_client(flow, force) or force.destinations.request(target_of(flow))
        if refused is not None:
            self.refuse(flow, exchange, refused)

    def _unknown_client(self, flow: http.HTTPFlow, force: InForce) -> Refusal | None:
        """A request that came without a CONNECT has not named its client yet."""
        if not force.clients.credentials or flow.client_conn.id in self.state.clients:
            return None
        header = flow.request.headers.get("proxy-authorization")
        who = force.clients.identify(flow.client_conn.peername[0], header)
        return who if isinstance(who, Refusal) else None

    def _begin(self, flow: http.HTTPFlow, force: InForce) -> Exchange:
        client = flow.client_conn
        call = Call(Request(flow.request.method, flow.request.host, flow.request.data.path, []))
        call.client = self.state.clients.get(client.id) or force.clients.name(client.peername[0])
        call.environment = force.chain.environment
        exchange = Exchange(call, force.chain, flow.id, client.id)
        flow.metadata[EXCHANGE] = exchange
        self.state.calls[flow.id] = exchange
        return exchange

    async def decide(self, flow: http.HTTPFlow) -> None:
        """The body is here: the walk. Whatever happens in it, only its end opens the door."""
        exchange = exchange_of(flow)
        if exchange is None:
            self.refuse_unbegun(flow, errors.refusal("gateway_internal_error"))
            return
        call = exchange.call
        call.request = request_of(flow)
        call.request_bytes = len(call.request.body)
        call.websocket = flow.request.headers.get("upgrade", "").lower() == "websocket"
        call.sdk = sdk_of(call.request.headers)
        exchange.walking = asyncio.current_task()
        try:
            verdict = await walk(exchange.chain.stages, call)
        finally:
            exchange.walking = None
        if isinstance(verdict, Refuse):
            self.refuse(flow, exchange, verdict.refusal)
        elif isinstance(verdict, Answer):
            self.answer(flow, exchange, verdict)
        elif isinstance(verdict, Silence):
            self.keep_silent(flow, exchange, verdict)
        elif has_breaks(call.request):
            self.refuse(flow, exchange, errors.refusal("gateway_unreadable_body", BREAKS))
        elif call.admitted:
            self.admit(flow, exchange)

    def admit(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """Writes the decided request into the flow, and the pass behind it."""
        request = exchange.call.request
        # Plain answers: what is compressed could be neither masked nor counted as it streams.
        request.put(b"accept-encoding", b"identity")
        limit_connection(request)
        send_on(flow, request)
        # Looked at like headers, but OpenAI reads none: nothing more leaves than has to.
        flow.request.trailers = None
        if exchange.chain.proxy is not None:
            flow.server_conn.via = via(exchange.chain.proxy)
        exchange.requested_at = time.monotonic()
        exchange.call.outcome = "forwarded"
        exchange.chain.services.begun(exchange.call)
        flow.metadata[PASSED] = True

    def refuse(self, flow: http.HTTPFlow, exchange: Exchange, refused: Refusal) -> None:
        """Answers in the upstream's place; nothing leaves."""
        flow.metadata[PASSED] = False
        flow.request.stream = False
        note_refusal(exchange.call, refused)
        flow.response = refusal_response(refused, exchange.call.id, exchange.chain.full_detail)

    def answer(self, flow: http.HTTPFlow, exchange: Exchange, answer: Answer) -> None:
        """A stage answered the call itself."""
        flow.metadata[PASSED] = False
        call = exchange.call
        call.status, call.outcome = answer.status, answer.outcome
        more = [("x-gateway-request-id", call.id)]
        if exchange.chain.full_detail and call.fault is not None:
            more.append(("x-gateway-fault", call.fault))
        flow.response = answer_response(answer, more)

    def keep_silent(self, flow: http.HTTPFlow, exchange: Exchange, said: Silence) -> None:
        """Without a pass and without an answer: the stream hangs up when the time is over."""
        flow.metadata[PASSED] = False
        exchange.call.outcome = said.outcome
        exchange.silence_s = said.after_s
        if said.reset:
            reset_client(flow.client_conn.id)

    def refuse_unbegun(self, flow: http.HTTPFlow, refused: Refusal) -> None:
        """A refusal before there is a call to speak of, as while starting or draining."""
        flow.metadata[PASSED] = False
        call = close_unbegun(self.state, flow.request.method, refused)
        flow.response = refusal_response(refused, call.id, full_detail=False)

    def fail(self, flow: http.HTTPFlow, hook: str, fault: BaseException) -> None:
        """Something of ours raised, whatever it was: the call is refused and counted."""
        flow.metadata[PASSED] = False
        exchange = exchange_of(flow)
        stage = (exchange.call.at if exchange else "") or hook
        refused = errors.refusal(
            "gateway_internal_error",
            f"The gateway failed in {stage} ({type(fault).__name__}) and refused this call. "
            f"Its log has the details under this id.",
            reason="internal",
        )
        if exchange is None:
            self.refuse_unbegun(flow, refused)
        else:
            self.refuse(flow, exchange, refused)
        faults.report(self.state.services, stage, fault, exchange.call.id if exchange else "")

    def left(self, flow: http.HTTPFlow) -> bool:
        """Whether a walk was cut short as its client had gone away; then nothing is sent on."""
        exchange = exchange_of(flow)
        if exchange is None or not exchange.client_left:
            return False
        self.refuse(flow, exchange, errors.refusal("gateway_not_ready"))
        exchange.call.status, exchange.call.error_code = 0, "client_closed"
        return True

    def withhold(self, flow: http.HTTPFlow, fault: BaseException) -> None:
        """An answer whose head could not be looked at: the client gets the envelope instead."""
        self.fail(flow, "responseheaders", fault)
        exchange = exchange_of(flow)
        if exchange is not None:
            exchange.withheld = flow.response
        flow.kill()


def limit_connection(request: Request) -> None:
    """`Connection` may name what a next hop takes out: it must not name the mapping's headers."""
    named = [
        token.strip() for value in request.values(b"connection") for token in value.split(b",")
    ]
    if not named:
        return
    kept = [token for token in named if token.lower() in HOPS]
    request.drop(b"connection")
    if kept:
        request.headers.append((b"Connection", b", ".join(kept)))


def has_breaks(request: Request) -> bool:
    """Whether something in the head could be read as more than it is, further on."""
    texts = (request.target, *(value for _, value in request.headers))
    return any(mark in text for text in texts for mark in (b"\r", b"\n", b"\0"))


def target_of(flow: http.HTTPFlow) -> Target:
    """What the request's head asks for, as plain facts."""
    request = flow.request
    return Target(
        host=request.host,
        port=request.port,
        scheme=request.scheme,
        client_tls=flow.client_conn.tls_established,
        sni=flow.client_conn.sni,
        host_header=request.host_header,
        authority=request.authority,
    )
