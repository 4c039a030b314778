"""The way back: an answer's head, its end, and what is said when it never comes.

Answers that grow are streamed as they arrive; small ones are held, which costs less.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from mitmproxy import http
from mitmproxy.proxy.layers.http import ErrorCode

from openai_gateway.api import errors
from openai_gateway.api.headers import upstream_limits, upstream_remaining
from openai_gateway.core.call import Call, Found
from openai_gateway.core.secret import mask
from openai_gateway.host import faults
from openai_gateway.host.books import (
    OVER,
    close,
    close_unbegun,
    note_answer,
    note_refusal,
    open_socket,
)
from openai_gateway.host.exchange import (
    COPIED,
    EVENT_STREAM,
    PASSED,
    Exchange,
    exchange_of,
    refusal_response,
    request_of,
)
from openai_gateway.host.state import State
from openai_gateway.host.streams import Relay
from openai_gateway.limits.headers import headers_for
from openai_gateway.staging.plan import Pace, Plan

# Answers up to this size are buffered: a stream costs 10 to 19 % more (measured).
SMALL: Final = 256 * 1024
# Up to here looking for secrets takes less than 1 ms.
INLINE: Final = 8 * 1024
SUCCESS: Final = range(200, 300)
FAILED: Final = 400
# The client does not get the upstream's answer; a slow stream it does get.
SPOILS: Final = frozenset(("cut_stream", "malformed"))


class Answers:
    """Looks at what the upstream says, and closes the call."""

    def __init__(self, state: State) -> None:
        self.state = state

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
        call.upstream_limits = upstream_limits(answer.headers)
        call.upstream_remaining = upstream_remaining(answer.headers)
        exchange.event_stream = is_event_stream(answer)
        exchange.pace = pace_of(exchange, answer)
        for name, value in headers_for(call, answer.headers):
            answer.headers[name] = value
        answer.headers["x-gateway-request-id"] = call.id
        if exchange.chain.full_detail:
            tell(answer.headers, call)
        clean_head(answer, exchange.chain.masks)
        if call.answer_scan is not None and call.answer_scan.redacts and not is_small(answer):
            unmeasure(flow.request, answer)
        if call.fault_kind == "malformed" and not is_small(answer):
            unmeasure(flow.request, answer)
        chunk(flow.request, answer)
        call.answer_type = kind_of(answer)
        if self._reads(exchange, answer):
            exchange.captured = bytearray()
        if answer.status_code != 101 and not is_small(answer):
            self._stream(exchange, answer)

    def _reads(self, exchange: Exchange, answer: http.Response) -> bool:
        """Whether a streamed answer has to be read when it is over, or is kept in the log."""
        chain = exchange.chain
        return (
            answer.status_code >= FAILED
            or chain.kept_bytes > 0
            or chain.wants_answer(exchange.call)
        )

    def _stream(self, exchange: Exchange, answer: http.Response) -> None:
        """A compressed answer can be neither masked nor metered as it passes."""
        if is_coded(answer):
            answer.stream = Relay(exchange, (), None, None)
            return
        meter, scan = exchange.call.meter, exchange.call.answer_scan
        if meter is not None:
            meter.begin(exchange.event_stream)
        if scan is not None:
            scan.begin(exchange.event_stream, exchange.call.answer_type.encode())
        answer.stream = Relay(exchange, exchange.chain.masks, meter, scan)

    async def done(self, flow: http.HTTPFlow) -> None:
        """The answer is whole: what was buffered is masked and counted, and the call is closed."""
        exchange = exchange_of(flow)
        if exchange is None:
            return
        began = time.perf_counter_ns()
        answer = flow.response
        await search_copy(exchange)
        if answer is not None and flow.metadata.get(PASSED) is True:
            await self._look_back(exchange, answer)
            if answer.trailers:
                mask_headers(answer.trailers, exchange.chain.masks)
        elif answer is not None:
            exchange.received(len(answer.raw_content or b""))
        exchange.back_ns += time.perf_counter_ns() - began
        close(self.state, exchange)
        if flow.websocket is not None:
            open_socket(self.state, exchange)

    async def _look_back(self, exchange: Exchange, answer: http.Response) -> None:
        """What a whole answer tells: a buffered one is masked, and read where it has to be."""
        body = bytes(exchange.captured or b"")
        if not answer.stream:
            body = answer.raw_content or b""
            exchange.received(len(body))
            if not is_coded(answer):
                shown = await scanned(exchange, mask(body, exchange.chain.masks))
                if exchange.pace is not None:
                    shown = exchange.pace.spoiled(shown)
                if shown is not body:
                    answer.raw_content = shown
                    if "content-length" in answer.headers:
                        answer.headers["content-length"] = str(len(shown))
                exchange.capture(shown)
                if exchange.chain.full_detail:
                    tell(answer.headers, exchange.call)
                if exchange.call.meter is not None:
                    exchange.call.meter.whole(body)
        if answer.status_code >= FAILED:
            exchange.call.upstream_error = errors.code_of(body, answer.status_code)
        elif answer.status_code in SUCCESS:
            exchange.chain.learn(exchange.call, body)

    async def broken(self, flow: http.HTTPFlow) -> None:
        """The call ended without a whole answer: the upstream broke, or the client went away."""
        exchange = exchange_of(flow)
        if exchange is None or exchange.call.closed:
            return
        await search_copy(exchange)
        call = exchange.call
        left = exchange.client_left or not flow.client_conn.connected
        if left and exchange.finished:
            # The SDKs leave at [DONE], which may be before the upstream has said its last word.
            close(self.state, exchange)
            return
        if call.fault_kind == "cut_stream" and not left:
            call.error_code = call.fault_kind
        if call.error_code is None and left:
            call.error_code = "client_closed"
        elif call.error_code is None:
            call.error_code = call.upstream_error = "protocol"
        if flow.response is None and call.outcome == "forwarded":
            call.outcome = "error"
        exchange.broken = True
        close(self.state, exchange)

    def fault_page(
        self, flow: http.HTTPFlow | None, code: ErrorCode, message: str
    ) -> http.Response:
        """OpenAI's envelope for a fault that mitmproxy itself would answer."""
        exchange = exchange_of(flow) if flow is not None else None
        refused = errors.refusal(fault_code(code, exchange))
        if exchange is None or flow is None:
            call = close_unbegun(self.state, "-", refused)
            return refusal_response(refused, call.id, full_detail=False)
        call = exchange.call
        if code is ErrorCode.REQUEST_TOO_LARGE:
            # A production key out of place wins; of a body that is not read, only the head tells.
            call.request = request_of(flow)
            refused = exchange.chain.head_refusal(call) or refused
        if call.error_code is None:
            note_refusal(call, refused)
            if refused.code.startswith("gateway_upstream_"):
                call.upstream_error = call.upstream_error or upstream_error(code, message)
        return refusal_response(refused, call.id, exchange.chain.full_detail)

    def end(self, flow: http.HTTPFlow) -> None:
        """Closes the call of a flow whose end could not be looked at."""
        exchange = exchange_of(flow)
        if exchange is not None:
            close(self.state, exchange)


async def scanned(exchange: Exchange, body: bytes) -> bytes:
    """A held answer as the client gets it; a long one is looked at in a thread."""
    call = exchange.call
    scan = call.answer_scan
    if scan is None or not body:
        return body
    scan.begin(exchange.event_stream, call.answer_type.encode())
    try:
        long = len(body) > INLINE
        shown = await asyncio.to_thread(scan.whole, body) if long else scan.whole(body)
    except BaseException as fault:
        if scan.redacts:
            raise  # what could not be searched does not reach the client
        faults.report(exchange.chain.services, "answer_search", fault, call.id)
        return body
    note_answer(call)
    return shown


async def search_copy(exchange: Exchange) -> None:
    """Secrets in an answer that has passed as it came: a long one is looked at in a thread."""
    copied, exchange.copied = exchange.copied, None
    scan = exchange.call.answer_scan
    if not copied or scan is None:
        return

    def search() -> None:
        scan.feed(bytes(copied))
        scan.end()

    try:
        if len(copied) > INLINE:
            await asyncio.to_thread(search)
        else:
            search()
    except BaseException as fault:  # noqa: BLE001  # told; the answer has left, and was fine
        faults.report(exchange.chain.services, "answer_search", fault, exchange.call.id)
    if len(copied) > COPIED:
        exchange.call.note_found(Found(OVER, "reported", "answer"))


def pace_of(exchange: Exchange, answer: http.Response) -> Pace | None:
    """How the answer is to be held or to fail; only one that has succeeded is."""
    call, plan = exchange.call, exchange.call.plan
    if not isinstance(plan, Plan) or answer.status_code not in SUCCESS:
        return None
    media_type = answer.headers.get("content-type", "").lower()
    if plan.fault and not plan.fits(event_stream=exchange.event_stream, json="json" in media_type):
        plan = plan.without_fault()
    if not plan.fault and plan.ttft_s is None:
        return None
    if plan.fault:
        call.fault, call.fault_kind = plan.rule, plan.fault
        call.outcome = "faulted" if plan.fault in SPOILS else call.outcome
    return Pace(plan, exchange.requested_at or time.monotonic(), event_stream=exchange.event_stream)


def tell(head: http.Headers, call: Call) -> None:
    """What the gateway did to this call, or with `observe` would have done."""
    if call.would:
        head["x-gateway-would"] = ",".join(call.would)
    if call.fault is not None:
        head["x-gateway-fault"] = call.fault
    if call.leaks:
        head["x-gateway-leaks"] = ",".join(call.leaks)
    if call.substituted:
        head["x-gateway-model-requested"] = call.model_requested or ""
        head["x-gateway-model-sent"] = call.model_sent or ""
    if call.kept:
        head["x-gateway-model-kept"] = call.kept[0][1]


def clean_head(answer: http.Response, keys: Sequence[bytes]) -> None:
    """A head as the client may see it, an informational one too."""
    # It would name the client a way past the gateway (HTTP/3).
    answer.headers.pop("alt-svc", None)
    mask_headers(answer.headers, keys)
    reason = answer.data.reason
    answer.data.reason = mask(reason, keys)


def mask_headers(headers: http.Headers, keys: Sequence[bytes]) -> None:
    """A key of ours in a header or trailer of the answer is starred out too."""
    fields = headers.fields
    if any(key in text for key in keys for field in fields for text in field):
        headers.fields = tuple((mask(name, keys), mask(value, keys)) for name, value in fields)


def chunk(request: http.Request, answer: http.Response) -> None:
    """An HTTP/2 answer needs no length. On HTTP/1.1 it would end with the connection, and one that
    breaks off would look whole: chunks tell the two apart."""
    if is_bodiless(request, answer) or "content-length" in answer.headers:
        return
    if answer.is_http2 and request.is_http11:
        answer.headers["transfer-encoding"] = "chunked"


def unmeasure(request: http.Request, answer: http.Response) -> None:
    """Takes off the length of an answer that may be redacted as it streams."""
    if is_bodiless(request, answer):
        return
    if answer.headers.pop("content-length", None) is not None and request.is_http11:
        answer.headers["transfer-encoding"] = "chunked"


def is_bodiless(request: http.Request, answer: http.Response) -> bool:
    """Whether no body follows the head, whatever the head says."""
    return request.method == "HEAD" or answer.status_code in (101, 204, 304)


def is_coded(answer: http.Response) -> bool:
    """Whether the body is compressed: then no key in it can be seen, nor masked."""
    return answer.headers.get("content-encoding", "").strip().lower() not in ("", "identity")


def kind_of(answer: http.Response) -> str:
    """The content-type; of a compressed answer its coding, as nobody could read it."""
    if is_coded(answer):
        return f"{answer.headers['content-encoding']} coded"
    return str(answer.headers.get("content-type", ""))


def is_event_stream(answer: http.Response) -> bool:
    """Whether events come one by one; a media type is the same in any case (RFC 9110 §8.3.1)."""
    media_type: str = answer.headers.get("content-type", "")
    return media_type.lower().startswith(EVENT_STREAM)


def is_small(answer: http.Response) -> bool:
    """Whether the answer says itself that it is short enough to be held."""
    if "transfer-encoding" in answer.headers:
        return False
    length = answer.headers.get("content-length", "")
    if not length.isdigit():
        return answer.status_code in (204, 304)
    return int(length) <= SMALL and not is_event_stream(answer)


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
