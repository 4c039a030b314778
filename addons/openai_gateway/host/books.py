"""A call's row and numbers: what a refusal means for them, how long things took, and that each
call is written once.
"""

import time
from functools import partial
from typing import Final

from openai_gateway.chain import Chain
from openai_gateway.core.call import Call, Content, Found, Request
from openai_gateway.core.verdict import Refusal
from openai_gateway.host import faults
from openai_gateway.host.exchange import Exchange
from openai_gateway.host.state import State
from openai_gateway.leaks.row import blank

MS: Final = 1000.0
NS: Final = 1e6
OVER: Final = "over-budget"


def note_refusal(call: Call, refused: Refusal) -> None:
    """What a refusal means for the row and the metrics."""
    call.status, call.outcome = refused.status, refused.outcome
    call.error_code, call.reason = refused.code, refused.reason


def record_refusal(chain: Chain | None, call: Call, refused: Refusal) -> None:
    """The row of a refusal that is no call under way: a CONNECT's, a message's, one too early."""
    note_refusal(call, refused)
    call.closed = True
    if chain is not None:
        write(chain, call)


def write(chain: Chain, call: Call) -> None:
    """The call's numbers and its row, which no secret may reach whatever the call came to.

    What fails here takes no answer away that was fine.
    """
    services = chain.services
    try:
        chain.clean(call)
    except BaseException as fault:  # noqa: BLE001  # the row must be written, without these words
        blank(call)
        faults.report(services, "record", fault, call.id)
    try:
        services.record(call, partial(_won, chain))
    except BaseException as fault:  # noqa: BLE001  # told, and seen in the metrics
        faults.report(services, "record", fault, call.id)


def _won(chain: Chain, call: Call) -> None:
    """The call turned out to be the one that is charged: its budgets pay."""
    services = chain.services
    try:
        services.metrics.booked(chain.budgets.settle(call))
    except BaseException as fault:  # noqa: BLE001  # told, and seen in the metrics
        faults.report(services, "budgets", fault, call.id)


def measure(exchange: Exchange) -> None:
    """Durations in milliseconds. Overhead is our own share: the walk there and the work back."""
    call, now, held_ms = exchange.call, time.monotonic(), exchange.held_s * MS
    call.duration_ms = (now - exchange.began) * MS
    if exchange.requested_at is not None:
        took_ms = (now - exchange.requested_at) * MS
        call.upstream_ms = took_ms - exchange.back_ns / NS - held_ms
    if exchange.requested_at is not None and exchange.first_byte_at is not None and call.stream:
        call.ttft_ms = (exchange.first_byte_at - exchange.requested_at) * MS
    walked_us = sum(us for _, _, us in call.trace)
    call.overhead_ms = max(0.0, walked_us / MS + exchange.back_ns / NS - call.injected_ms)
    call.injected_ms += held_ms


def close(state: State, exchange: Exchange) -> None:
    """Writes the call's one row. A second time does nothing."""
    call = exchange.call
    if call.closed:
        return
    call.closed = True
    state.calls.pop(exchange.flow_id, None)
    measure(exchange)
    _settle(exchange)
    note_answer(call, broken=exchange.broken)
    release(exchange.chain, call, broken=exchange.broken)
    if exchange.captured is not None and exchange.chain.kept_bytes:
        call.answer_kept = bytes(exchange.captured)
    write(exchange.chain, call)
    # mitmproxy's flows die in cycles: what is large must not wait for a collection.
    call.content, call.request.body, call.meter = Content(), b"", None
    exchange.captured = call.answer_kept = None


def release(chain: Chain, call: Call, *, broken: bool) -> None:
    """Corrects what the call had taken of its limits and budgets. A fault in it costs no row."""
    services = chain.services
    try:
        services.metrics.booked(chain.budgets.settle(call))
    except BaseException as fault:  # noqa: BLE001  # told, and seen in the metrics
        faults.report(services, "budgets", fault, call.id)
    try:
        services.holdings.limits.settlement.settle(call, broken=broken)
    except BaseException as fault:  # noqa: BLE001  # told, and seen in the metrics
        faults.report(services, "limits", fault, call.id)


def note_answer(call: Call, *, broken: bool = False) -> None:
    """What was found in the answer goes to what was found in the request, once."""
    scan, call.answer_scan = call.answer_scan, None
    if scan is None:
        return
    if broken:
        scan.abort()
    for leak in scan.found():
        call.note_found(leak)
    if scan.over_budget:
        call.note_found(Found(OVER, "reported", "answer"))


def _settle(exchange: Exchange) -> None:
    """A bill that cannot be worked out is no cost of 0: the row says that it is not known."""
    call = exchange.call
    if call.meter is None:
        return
    try:
        call.meter.settle(exchange.broken)
    except BaseException as fault:  # noqa: BLE001  # the row must be written, whatever came
        call.cost_nano_usd, call.usage_missing = None, "parse_error"
        faults.report(exchange.chain.services, "settle", fault, call.id)


def cut(state: State, exchange: Exchange) -> None:
    """A call that outlasts the drain gets its row now: its own end would come too late."""
    call = exchange.call
    call.upstream_error = "shutdown"
    if exchange.head_at is None and call.outcome == "forwarded":
        call.outcome = "error"
    exchange.broken = True
    close(state, exchange)


def open_socket(state: State, exchange: Exchange) -> None:
    """The handshake has its row now; the socket itself stays under way."""
    exchange.call.forget_found()
    state.sockets[exchange.flow_id] = exchange
    exchange.chain.services.begun(exchange.call)


def close_socket(state: State, exchange: Exchange) -> None:
    """What an open socket still owes is charged, however it ended. A second time does nothing."""
    if state.sockets.pop(exchange.flow_id, None) is None:
        return
    services = exchange.chain.services
    while exchange.asked:
        release(exchange.chain, exchange.asked.popleft(), broken=True)
    services.ended(exchange.call)
    if exchange.call.socket_meter is not None:
        for call in exchange.call.socket_meter.end():
            release(exchange.chain, call, broken=True)
            write(exchange.chain, call)
    if exchange.call.found:
        write(exchange.chain, _remainder(exchange.call))


def _remainder(socket: Call) -> Call:
    """What was found in messages that no response followed: a row of its own."""
    call = socket.on_socket()
    call.status, call.outcome = socket.status, "forwarded"
    call.admitted = call.closed = True
    return call


def harmless(exchange: Exchange, payload: bytes) -> bool:
    """Whether a ping's payload or a close reason may go on; a refused one has a row of its own."""
    refused = exchange.objection(payload)
    exchange.chain.services.metrics.leaks(exchange.call)
    if refused is not None:
        record_refusal(exchange.chain, exchange.call.on_socket(), refused)
    return refused is None


def close_unbegun(state: State, method: str, refused: Refusal) -> Call:
    """The row of a refusal before there was an exchange; its id goes into the answer."""
    call = Call(Request(method, "", b"", []))
    record_refusal(state.in_force.chain if state.in_force else None, call, refused)
    return call
