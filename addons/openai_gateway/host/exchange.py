"""One call as mitmproxy carries it: the flow's side of a Call, from its head to its row."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from copy import copy
from typing import Final

import orjson
from mitmproxy import http

from openai_gateway.api import errors
from openai_gateway.chain import Chain
from openai_gateway.content.texts import SocketTail
from openai_gateway.core.call import Call, Request
from openai_gateway.core.verdict import Answer, Changed, Refusal, Refuse
from openai_gateway.host import faults
from openai_gateway.staging.plan import Pace

PASSED: Final = "openai_gateway.passed"
EXCHANGE: Final = "openai_gateway.exchange"
SERVER: Final = b"openai-gateway"
EVENT_STREAM: Final = "text/event-stream"
LONGEST_LANE: Final = 128
WAITS: Final = frozenset({"limits", "leaks"})  # the stages that may hold a call for long
COPIED: Final = 4 * 2**20
CAPTURED: Final = 64 * 1024


class Exchange:
    """A call, the settings it began with, and what was measured on the way."""

    __slots__ = (
        "asked",
        "back_ns",
        "began",
        "broken",
        "call",
        "captured",
        "chain",
        "client_id",
        "client_left",
        "copied",
        "event_stream",
        "finished",
        "first_byte_at",
        "flow_id",
        "head_at",
        "held_s",
        "lane",
        "pace",
        "passed",
        "reply",
        "requested_at",
        "silence_s",
        "tail",
        "walking",
        "withheld",
    )  # fmt: skip

    def __init__(self, call: Call, chain: Chain, flow_id: str, client_id: str) -> None:
        self.call = call
        self.chain = chain
        self.flow_id = flow_id
        self.client_id = client_id
        self.began = time.monotonic()
        self.back_ns = 0
        self.broken = False
        self.finished = False
        self.captured: bytearray | None = None
        self.copied: bytearray | None = None  # of an answer in which secrets are to be reported
        self.requested_at: float | None = None
        self.head_at: float | None = None
        self.first_byte_at: float | None = None
        self.event_stream = False
        self.client_left = False
        self.walking: asyncio.Task[object] | None = None  # while the stages are asked
        self.withheld: http.Response | None = None
        self.passed: object = None
        self.reply = b""
        self.tail = SocketTail()
        self.asked: deque[Call] = deque()  # responses that a socket's client waits for
        self.lane: str | None = None
        self.pace: Pace | None = None  # where the answer is to be held, or to fail
        self.held_s = 0.0  # how much later than it came its last piece left
        self.silence_s: float | None = None  # after which a call is hung up on, unanswered

    @property
    def max_message(self) -> int:
        """The most bytes of one WebSocket message."""
        return self.chain.max_body

    def arrived(self) -> None:
        """A piece of the answer is here; the first one gives the time to the first token."""
        if self.first_byte_at is None:
            self.first_byte_at = time.monotonic()

    def received(self, size: int) -> None:
        """Counts a piece of the answer as the client gets it."""
        self.arrived()
        self.call.response_bytes += size

    def leave(self) -> None:
        """The client has gone away: its call gives up its place in a line, or its search."""
        self.client_left = True
        if self.walking is not None and self.call.at in WAITS:
            self.walking.cancel()

    def capture(self, chunk: bytes) -> None:
        """Keeps a copy of what the client gets of an answer that has to be read or is to be kept,
        up to CAPTURED bytes, or as many as the log keeps."""
        if self.captured is not None and len(self.captured) < self._most_captured:
            self.captured += chunk[: self._most_captured - len(self.captured)]

    def copy(self, chunk: bytes) -> None:
        """Keeps what will be searched for secrets: COPIED bytes, and one to tell of more."""
        if self.copied is not None and len(self.copied) <= COPIED:
            self.copied += chunk[: COPIED + 1 - len(self.copied)]

    @property
    def _most_captured(self) -> int:
        return max(CAPTURED, self.chain.kept_bytes)

    def break_off(self, fault: BaseException) -> bytes:
        """The answer cannot go on: reports it, and gives the event that the SDKs raise."""
        faults.report(self.chain.services, "stream", fault, self.call.id)
        refused = errors.refusal("gateway_internal_error")
        self.call.outcome, self.call.error_code = refused.outcome, refused.code
        self.call.reason = type(fault).__name__
        if not self.event_stream:
            return b""
        refused = refused if self.chain.full_detail else errors.public(refused)
        if self.call.endpoint.startswith("responses."):
            inner = orjson.dumps({"type": "error", "error": errors.error(refused)})
            return b"event: error\ndata: " + inner + b"\n\n"
        return b"data: " + errors.envelope(refused) + b"\n\n"

    def objection(self, payload: bytes) -> Refusal | None:
        """What a ping's payload or a close reason is refused for, if it is."""
        try:
            judged = self._judged(self.call, payload)
        except BaseException as fault:  # noqa: BLE001  # what could not be looked at may not go on
            faults.report(self.chain.services, "websocket_control", fault, self.call.id)
            return errors.refusal("gateway_internal_error")
        if isinstance(judged, Refuse):
            return judged.refusal
        # What would have to be changed is refused: there is no changing it.
        return None if judged is payload else errors.refusal("gateway_secret_detected")

    def judge(self, content: bytes) -> Refuse | bytes:
        """Asks every stage that looks at messages; the socket's last text counts with it.

        Gives the refusal, or the message as it may go on.
        """
        judged = self._judged(self.call, content)
        if isinstance(judged, Refuse):
            self.lane = self._lane(content)
        else:
            self.tail.keep(judged)
        return judged

    def _judged(self, call: Call, content: bytes) -> Refuse | bytes:
        for stage in self.chain.messages:
            verdict = stage.message(call, content)
            if isinstance(verdict, Refuse):
                return verdict
            if isinstance(verdict, Changed):
                content = verdict.content
            seam = self.tail.with_next(content)
            if seam:
                verdict = stage.message(call, seam, whole=False)
                if isinstance(verdict, Refuse):
                    return verdict
        return content

    def _lane(self, content: bytes) -> str | None:
        """The `stream_id` of a refused message, which its refusal names; never one with a key."""
        try:
            said = orjson.loads(content)
        except orjson.JSONDecodeError:
            return None
        lane = said.get("stream_id") if isinstance(said, dict) else None
        if not isinstance(lane, str) or len(lane) > LONGEST_LANE:
            return None
        told, probe = lane.encode(), copy(self.call)
        # What is found was noted with the message: a copy takes what is noted here.
        probe.forget_found()
        probe.would = []
        return lane if self._judged(probe, told) is told else None


def exchange_of(flow: http.HTTPFlow) -> Exchange | None:
    """The exchange that the dispatcher began for this flow, if it did."""
    found = flow.metadata.get(EXCHANGE)
    return found if isinstance(found, Exchange) else None


def request_of(flow: http.HTTPFlow) -> Request:
    """The flow's request as the stages see it."""
    request = flow.request
    trailers = request.trailers.fields if request.trailers else ()
    return Request(
        method=request.method,
        host=request.host,
        target=request.data.path,
        headers=list(request.headers.fields),
        body=request.raw_content or b"",
        trailers=tuple(trailers),
    )


def send_on(flow: http.HTTPFlow, request: Request) -> None:
    """Writes what the stages decided back into the flow, just before it leaves."""
    flow.request.headers.fields = tuple(request.headers)
    if request.target != flow.request.data.path:
        flow.request.data.path = request.target
    flow.request.raw_content = request.body
    if request.body and not request.values(b"transfer-encoding"):
        # HTTP/2 needs no length; an HTTP/1.1 upstream would take the body for a request. Beside
        # chunks it must not stand: two framings of one body may be read as two requests.
        flow.request.headers["content-length"] = str(len(request.body))


def refusal_response(refused: Refusal, call_id: str, full_detail: bool) -> http.Response:
    """A refusal as mitmproxy sends it."""
    shown = refused if full_detail else errors.public(refused)
    fields = errors.headers(shown, call_id)
    return response(shown.status, fields, errors.envelope(shown))


def answer_response(answer: Answer, more: Sequence[tuple[str, str]]) -> http.Response:
    """A stage's own answer as mitmproxy sends it."""
    return response(answer.status, (*answer.headers, *more), answer.body)


def response(status: int, fields: Sequence[tuple[str, str]], body: bytes) -> http.Response:
    """A whole answer; built directly, as mitmproxy's own `make` takes 40 µs."""
    raw = [(name.encode(), value.encode()) for name, value in fields]
    raw.append((b"content-length", str(len(body)).encode()))
    raw.append((b"server", SERVER))
    now = time.time()
    reason = http.status_codes.RESPONSES.get(status, "")
    return http.Response(
        b"HTTP/1.1", status, reason.encode(), http.Headers(raw), body, None, now, now
    )


def socket_error(endpoint: str, refused: Refusal, event_id: str, lane: str | None) -> bytes:
    """A refused WebSocket message's answer, in the form of its endpoint."""
    inner = errors.error(refused)
    if endpoint.startswith("responses."):
        head = {"type": "error", "status": refused.status}
        stream = {} if lane is None else {"stream_id": lane}
        return orjson.dumps({**head, **stream, "error": inner})
    return orjson.dumps({"type": "error", "event_id": event_id, "error": inner})
