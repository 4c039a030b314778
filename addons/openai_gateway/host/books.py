"""A call's row and numbers: what a refusal means for them, how long things took, and that each
call is written once.
"""

import time
from typing import Final

from openai_gateway.core.call import Call, Content, Request
from openai_gateway.core.verdict import Refusal
from openai_gateway.host.exchange import Exchange
from openai_gateway.host.state import State

MS: Final = 1000.0
NS: Final = 1e6


def note_refusal(call: Call, refused: Refusal) -> None:
    """What a refusal means for the row and the metrics."""
    call.status, call.outcome = refused.status, refused.outcome
    call.error_code, call.reason = refused.code, refused.reason


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


def close(state: State, exchange: Exchange) -> None:
    """Writes the call's one row. A second time does nothing."""
    call = exchange.call
    if call.closed:
        return
    call.closed = True
    state.calls.pop(exchange.flow_id, None)
    measure(exchange)
    if call.meter is not None:
        call.meter.settle(exchange.broken)
    exchange.chain.services.record(call)
    # mitmproxy's flows die in cycles: what is large must not wait for a collection.
    call.content, call.request.body, call.meter = Content(), b"", None
    exchange.captured = None


def close_unbegun(state: State, method: str, refused: Refusal) -> Call:
    """The row of a refusal before there was an exchange; its id goes into the answer."""
    call = Call(Request(method, "", b"", []))
    note_refusal(call, refused)
    call.closed = True
    if state.services is not None:
        state.services.record(call)
    return call
