"""A call's way through the gateway, from its head to its row. The only place that catches broadly.

Every call starts refused. It leaves only when the walk came to its end without an objection; then
the flow gets its pass, which the HTTP stream asks for before anything is dialled.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Final

from mitmproxy import http
from mitmproxy.proxy.layers.http import ErrorCode

from openai_gateway.api import errors
from openai_gateway.api.headers import sdk_of
from openai_gateway.core.call import Call, Request, new_id
from openai_gateway.core.corridor import walk
from openai_gateway.core.verdict import Answer, Refusal, Refuse
from openai_gateway.host.destination import Target
from openai_gateway.host.exchange import (
    EVENT_STREAM,
    EXCHANGE,
    PASSED,
    Exchange,
    answer_response,
    exchange_of,
    refusal_response,
    request_of,
    send_on,
    socket_error,
)
from openai_gateway.host.state import InForce, State, via
from openai_gateway.host.streams import Relay, mask

log = logging.getLogger(__name__)

# Answers up to this size are buffered: a stream costs 10 to 19 % more (measured).
SMALL: Final = 256 * 1024
INLINE: Final = 32 * 1024
JUDGE_S: Final = 30.0
MS: Final = 1000.0
NS: Final = 1e6
FAILED: Final = 400
BREAKS: Final = "A header or the path of the request holds a line break or a zero byte."


class Dispatcher:
    """Opens, walks, passes or refuses, and closes calls; holds nothing of mitmproxy beyond one."""

    def __init__(self, state: State) -> None:
        self.state = state

    # ---- the way out -----------------------------------------------------------------------

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
        verdict = await walk(exchange.chain.stages, call)
        if isinstance(verdict, Refuse):
            self.refuse(flow, exchange, verdict.refusal)
        elif isinstance(verdict, Answer):
            self.answer(flow, exchange, verdict)
        elif has_breaks(call.request):
            self.refuse(flow, exchange, errors.refusal("gateway_unreadable_body", BREAKS))
        elif call.admitted:
            self.admit(flow, exchange)

    def admit(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """Writes the decided request into the flow, and the pass behind it."""
        request = exchange.call.request
        # Plain answers: what is compressed could be neither masked nor counted as it streams.
        request.put(b"accept-encoding", b"identity")
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
        exchange.call.status, exchange.call.outcome = answer.status, answer.outcome
        flow.response = answer_response(answer, exchange.call.id)

    def refuse_unbegun(self, flow: http.HTTPFlow, refused: Refusal) -> None:
        """A refusal before there is a call to speak of: no settings, hence no row."""
        flow.metadata[PASSED] = False
        flow.response = refusal_response(refused, new_id(time.time()), full_detail=False)

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
        self.report(stage, fault, exchange.call.id if exchange else "")

    def withhold(self, flow: http.HTTPFlow, fault: BaseException) -> None:
        """An answer whose head could not be looked at: the client gets the envelope instead."""
        self.fail(flow, "responseheaders", fault)
        exchange = exchange_of(flow)
        if exchange is not None:
            exchange.withheld = flow.response
        flow.kill()

    def report(self, stage: str, fault: BaseException, call_id: str = "") -> None:
        """Counts an internal error and logs where it came from, never what it was about."""
        trace = fault.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
        log.error("%s: internal error in %s: %s at %s", call_id or "-", stage,
                  type(fault).__name__, where)  # fmt: skip
        if self.state.services is not None:
            self.state.services.metrics.internal_error(stage)

    # ---- the way back ----------------------------------------------------------------------

    def answered(self, flow: http.HTTPFlow) -> None:
        """The answer's head is here: streams what grows, buffers what is small."""
        exchange = exchange_of(flow)
        answer = flow.response
        if exchange is None or answer is None or flow.metadata.get(PASSED) is not True:
            return
        exchange.head_at = time.monotonic()
        call = exchange.call
        call.status = answer.status_code
        call.openai_request_id = answer.headers.get("x-request-id")
        answer.headers["x-gateway-request-id"] = call.id
        # It would name the client a way past the gateway (HTTP/3).
        answer.headers.pop("alt-svc", None)
        mask_headers(answer.headers, exchange.chain.masks)
        chunk(flow.request, answer)
        exchange.event_stream = answer.headers.get("content-type", "").startswith(EVENT_STREAM)
        if answer.status_code >= FAILED or exchange.chain.wants_answer(call):
            exchange.captured = bytearray()
        if answer.status_code != 101 and not is_small(answer):
            coded = is_coded(answer)
            answer.stream = Relay(exchange, () if coded else exchange.chain.masks)

    def done(self, flow: http.HTTPFlow) -> None:
        """The answer is whole: what was buffered is masked and counted, and the call is closed."""
        exchange = exchange_of(flow)
        if exchange is None:
            return
        began = time.perf_counter_ns()
        answer = flow.response
        if answer is not None and flow.metadata.get(PASSED) is True:
            self._look_back(exchange, answer)
            if answer.trailers:
                mask_headers(answer.trailers, exchange.chain.masks)
        elif answer is not None:
            exchange.received(len(answer.raw_content or b""))
        exchange.back_ns += time.perf_counter_ns() - began
        if flow.websocket is None:
            self.close(exchange)

    def _look_back(self, exchange: Exchange, answer: http.Response) -> None:
        """What a whole answer tells: a buffered one is masked, and read where it has to be."""
        body = bytes(exchange.captured or b"")
        if not answer.stream:
            body = answer.raw_content or b""
            exchange.received(len(body))
            if not is_coded(answer):
                masked = mask(body, exchange.chain.masks)
                if masked is not body:
                    answer.raw_content = masked
        if answer.status_code >= FAILED:
            exchange.call.upstream_error = errors.code_of(body, answer.status_code)
        exchange.chain.learn(exchange.call, body)

    def broken(self, flow: http.HTTPFlow) -> None:
        """The call ended without a whole answer: the upstream broke, or the client went away."""
        exchange = exchange_of(flow)
        if exchange is None or exchange.call.closed:
            return
        call = exchange.call
        left = exchange.client_left or not flow.client_conn.connected
        if call.error_code is None and left:
            call.error_code = "client_closed"
        elif call.error_code is None:
            call.error_code = call.upstream_error = "protocol"
        if flow.response is None and call.outcome == "forwarded":
            call.outcome = "error"
        self.close(exchange)

    def fault_page(
        self, flow: http.HTTPFlow | None, code: ErrorCode, message: str
    ) -> http.Response:
        """OpenAI's envelope for a fault that mitmproxy itself would answer."""
        exchange = exchange_of(flow) if flow is not None else None
        refused = errors.refusal(fault_code(code, exchange))
        if exchange is None:
            return refusal_response(refused, new_id(time.time()), full_detail=False)
        call = exchange.call
        if call.error_code is None:
            note_refusal(call, refused)
            if refused.code.startswith("gateway_upstream_"):
                call.upstream_error = call.upstream_error or upstream_error(code, message)
        return refusal_response(refused, call.id, exchange.chain.full_detail)

    def close(self, exchange: Exchange) -> None:
        """Writes the call's one row. A second time does nothing."""
        call = exchange.call
        if call.closed:
            return
        call.closed = True
        self.state.calls.pop(exchange.flow_id, None)
        measure(exchange)
        exchange.chain.services.record(call)

    def end(self, flow: http.HTTPFlow) -> None:
        """Closes the call of a flow that has ended, if it has one."""
        exchange = exchange_of(flow)
        if exchange is not None:
            self.close(exchange)

    # ---- open sockets ----------------------------------------------------------------------

    async def message(self, flow: http.HTTPFlow) -> None:
        """One whole WebSocket message. It goes on only as the exchange's `passed`."""
        exchange = exchange_of(flow)
        if exchange is None or flow.websocket is None:
            return
        message = flow.websocket.messages[-1]
        if message.from_client:
            refused = await self._judge(exchange, message.content)
            if refused is not None:
                self._refuse_message(exchange, refused.refusal)
                message.drop()
                return
        else:
            exchange.received(len(message.content))
            masked = mask(message.content, exchange.chain.masks)
            if masked is not message.content:
                message.content = masked
        exchange.passed = message

    async def _judge(self, exchange: Exchange, content: bytes) -> Refuse | None:
        """Long messages are judged in a thread: nothing may hold the loop above 1 ms."""
        if len(content) <= INLINE:
            return exchange.judge(content)
        async with asyncio.timeout(JUDGE_S):
            return await asyncio.to_thread(exchange.judge, content)

    def _refuse_message(self, exchange: Exchange, refused: Refusal) -> None:
        """Answers a refused message in its endpoint's form, and gives it a row of its own."""
        socket = exchange.call
        shown = refused if exchange.chain.full_detail else errors.public(refused)
        call = Call(Request("WS", socket.request.host, socket.request.target, []))
        call.client, call.environment = socket.client, socket.environment
        call.key, call.endpoint, call.sdk = socket.key, socket.endpoint, socket.sdk
        note_refusal(call, refused)
        call.closed = True
        exchange.reply = socket_error(socket.endpoint, shown, call.id, exchange.lane)
        exchange.chain.services.record(call)


def note_refusal(call: Call, refused: Refusal) -> None:
    """What a refusal means for the row and the metrics."""
    call.status, call.outcome = refused.status, refused.outcome
    call.error_code, call.reason = refused.code, refused.reason


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


def mask_headers(headers: http.Headers, keys: Sequence[bytes]) -> None:
    """A key of ours in a header or trailer of the answer is starred out too."""
    fields = headers.fields
    if any(key in value for key in keys for _, value in fields):
        headers.fields = tuple((name, mask(value, keys)) for name, value in fields)


def chunk(request: http.Request, answer: http.Response) -> None:
    """An HTTP/2 answer needs no length. On HTTP/1.1 it would end with the connection, and one that
    breaks off would look whole: chunks tell the two apart."""
    bodiless = request.method == "HEAD" or answer.status_code in (101, 204, 304)
    if bodiless or "content-length" in answer.headers:
        return
    if answer.is_http2 and request.is_http11:
        answer.headers["transfer-encoding"] = "chunked"


def is_coded(answer: http.Response) -> bool:
    """Whether the body is compressed: then no key in it can be seen, nor masked."""
    return answer.headers.get("content-encoding", "").strip().lower() not in ("", "identity")


def is_small(answer: http.Response) -> bool:
    """Whether the answer says itself that it is short enough to be held."""
    if "transfer-encoding" in answer.headers:
        return False
    length = answer.headers.get("content-length", "")
    if not length.isdigit():
        return answer.status_code in (204, 304)
    return int(length) <= SMALL and not answer.headers.get("content-type", "").startswith(
        EVENT_STREAM
    )


def fault_code(code: ErrorCode, exchange: Exchange | None) -> str:
    """Which entry of the catalogue a fault of mitmproxy's is."""
    if code is ErrorCode.REQUEST_TOO_LARGE:
        return "gateway_body_too_large"
    if code in (ErrorCode.REQUEST_VALIDATION_FAILED, ErrorCode.GENERIC_CLIENT_ERROR):
        return "gateway_unreadable_body"
    if code is ErrorCode.DESTINATION_UNKNOWN:
        return "gateway_destination_refused"
    if exchange is not None and not exchange.call.admitted:
        return "gateway_internal_error"
    if exchange is not None and exchange.call.upstream_error == "timeout":
        return "gateway_upstream_timeout"
    return "gateway_upstream_unreachable"


def upstream_error(code: ErrorCode, message: str) -> str:
    """What went wrong on the way to the upstream, as the metric's closed words."""
    if code is not ErrorCode.CONNECT_FAILED:
        return "protocol"
    lowered = message.lower()
    return "tls" if "tls" in lowered or "certificate" in lowered else "connect"


def measure(exchange: Exchange) -> None:
    """Durations in milliseconds. Overhead is our own share: the walk there and the work back."""
    call, now = exchange.call, time.monotonic()
    call.duration_ms = (now - exchange.began) * MS
    if exchange.requested_at is not None:
        call.upstream_ms = (now - exchange.requested_at) * MS - exchange.back_ns / NS
    if exchange.requested_at is not None and exchange.first_byte_at is not None and call.stream:
        call.ttft_ms = (exchange.first_byte_at - exchange.requested_at) * MS
    walked_us = sum(us for _, _, us in call.trace)
    call.overhead_ms = max(0.0, walked_us / MS + exchange.back_ns / NS - call.injected_ms)
