"""mitmproxy's HTTP stream with its doors closed: the one seam into mitmproxy's HTTP layer.

mitmproxy lets a request go when an addon's hook fails, answers its own faults in HTML, and cannot
break off a running answer. Here nothing is dialled without a pass that the dispatcher wrote into
the flow, every fault is OpenAI's envelope, and an answer whose transformer raises is visibly cut.
"""

from collections.abc import Callable
from typing import Any, Final

from mitmproxy import flow as mflow
from mitmproxy import http
from mitmproxy.connection import Server
from mitmproxy.proxy import events, layer
from mitmproxy.proxy.layers import http as http_layer
from mitmproxy.proxy.layers.http import (
    ErrorCode,
    RequestData,
    RequestEndOfMessage,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
    SendHttp,
    _http1,
)
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook

from openai_gateway.host.answers import clean_head
from openai_gateway.host.exchange import PASSED, Exchange, exchange_of
from openai_gateway.host.http1 import BAD_FRAMING, GatewayHttp1Client, GatewayHttp1Server
from openai_gateway.host.http2 import GatewayHttp2Server
from openai_gateway.host.pacing import PacedStream
from openai_gateway.host.socket_layer import GatewayWebSocket

type Commands = layer.CommandGenerator[Any]
type FaultPage = Callable[[http.HTTPFlow | None, ErrorCode, str], http.Response]


DISCARD_MOST: Final = 256 * 2**20
SWITCHING: Final = 101
INFORMATIONAL: Final = frozenset({100, *range(102, 200)})


class GatewayStream(PacedStream):
    """One request and its answer. `fault_page` and `max_body` are set once, by `install`."""

    fault_page: FaultPage
    max_body: Callable[[], int]
    discarded = 0
    head_sent = False

    def _handle_event(self, event: events.Event) -> Commands:
        if self.client_state == self.state_errored:
            yield from self._discard(event)
            return
        inner = self.in_time(event)
        reply: Any = None
        ended: HttpErrorHook | None = None
        while True:
            try:
                command = inner.send(reply)
            except StopIteration:
                break
            reply = None
            if isinstance(command, HttpErrorHook):
                # Held until it is known which fault it was: the row wants its status.
                ended = command
            elif isinstance(command, SendHttp) and self._is_fault_page(command):
                yield from self._answer_fault(command.event, ended)
                ended = None
            else:
                if ended is not None:
                    yield ended
                    ended = None
                self._note_head(command)
                reply = yield command
        if ended is not None:
            yield ended

    def _discard(self, event: events.Event) -> Commands:
        """Reads the rest of a refused upload, so that the client gets to see its answer."""
        if isinstance(event, RequestEndOfMessage | RequestProtocolError):
            yield http_layer.DropStream(self.stream_id)
        if isinstance(event, RequestData):
            self.discarded += len(event.data)
        breaks = isinstance(event, RequestProtocolError) and event.message == BAD_FRAMING
        if breaks or self.discarded > DISCARD_MOST:
            yield from self._hang_up("too much, or unreadable")

    def _is_fault_page(self, command: SendHttp) -> bool:
        """A fault that mitmproxy would answer with a page of its own, or by hanging up."""
        fault = command.event
        if not isinstance(fault, ResponseProtocolError) or self.head_sent:
            return False
        withheld = self.exchange is not None and self.exchange.withheld is not None
        return command.connection is self.context.client and (
            withheld or fault.code.http_status_code() is not None
        )

    def _note_head(self, command: Any) -> None:
        """Once a head has gone to the client, a second one would be taken for the body."""
        if isinstance(command, SendHttp) and isinstance(command.event, ResponseHeaders):
            early = command.event.response.status_code in INFORMATIONAL
            self.head_sent = self.head_sent or not early

    def _answer_fault(self, fault: Any, ended: HttpErrorHook | None) -> Commands:
        exchange = self.exchange
        page = exchange.withheld if exchange is not None else None
        if page is None:
            page = self.fault_page(getattr(self, "flow", None), fault.code, fault.message)
        else:
            cancel = RequestProtocolError(self.stream_id, "withheld", ErrorCode.CANCEL)
            yield SendHttp(cancel, self.context.server)
        if ended is not None:
            yield ended
        client = self.context.client
        self.head_sent = True
        yield SendHttp(ResponseHeaders(self.stream_id, page, end_stream=False), client)
        yield SendHttp(ResponseData(self.stream_id, page.raw_content or b""), client)
        yield SendHttp(ResponseEndOfMessage(self.stream_id), client)

    def handle_protocol_error(self, event: Any) -> Commands:
        """Notes whose fault it was; a body in bad framing is answered before the client is cut."""
        if event.message == BAD_FRAMING:
            self.flow.error = mflow.Error(BAD_FRAMING)
            yield from self._answer_fault(event, HttpErrorHook(self.flow))
            yield from self._hang_up(BAD_FRAMING)
            self.flow.live = False
            yield http_layer.DropStream(self.stream_id)
            return
        if isinstance(event, RequestProtocolError):
            self._note_departure()
        yield from super().handle_protocol_error(event)

    def check_killed(self, emit_error_hook: bool) -> layer.CommandGenerator[bool]:
        """The client may have left while a hook was at work: its leaving waits in the queue."""
        faults = [e for e in self._paused_event_queue if isinstance(e, RequestProtocolError)]
        if any(fault.message == BAD_FRAMING for fault in faults):
            return False  # it is still there, and gets its answer in its turn
        if faults:
            self._note_departure()
        return (yield from super().check_killed(emit_error_hook))

    def _hang_up(self, why: str) -> Commands:
        """Ends the client's connection on HTTP/1.1, its stream on HTTP/2."""
        yield SendHttp(
            ResponseProtocolError(self.stream_id, why, ErrorCode.KILL), self.context.client
        )

    def _note_departure(self) -> None:
        exchange = self.exchange
        if exchange is not None:
            exchange.client_left = True

    def make_server_connection(self) -> Commands:
        """The last door before anything is dialled: without the dispatcher's pass, nothing is."""
        if self.flow.metadata.get(PASSED) is not True:
            if self.exchange is not None and self.exchange.silence_s is not None:
                yield from self.fall_silent(self.exchange.silence_s)
                return False
            yield from self.handle_protocol_error(
                ResponseProtocolError(self.stream_id, "not admitted", ErrorCode.CONNECT_FAILED)
            )
            return False
        self._forget_failed_dials()
        return (yield from super().make_server_connection())

    def _forget_failed_dials(self) -> None:
        """mitmproxy would hold a failed dial against every later call of the same client."""
        parent = [one for one in self.context.layers if isinstance(one, http_layer.HttpLayer)][-1]
        for conn in parent.connections:
            waiting = conn in parent.waiting_for_establishment
            if isinstance(conn, Server) and not waiting and not conn.connected:
                conn.error = None

    def handle_connect_finish(self) -> Commands:
        """A CONNECT opens only with the dispatcher's pass, whatever became of the hook."""
        if not self.flow.response and self.flow.metadata.get(PASSED) is not True:
            page = self.fault_page(self.flow, ErrorCode.CONNECT_FAILED, "not admitted")
            self.flow.response = page
        yield from super().handle_connect_finish()  # type: ignore[no-untyped-call]  # mitmproxy's

    def start_request_stream(self) -> Commands:
        """Never: a streamed request would leave before it was looked at."""
        raise AssertionError("requests are never streamed")

    def check_body_size(self, request: bool) -> layer.CommandGenerator[bool]:
        """Requests end at the gateway's own limit, by their announced or their real length.

        Answers have none: they are streamed, or small.
        """
        if not request or self._expected_size() <= self.max_body():
            return False
        if not self.request_body_buf:
            yield http_layer.HttpRequestHeadersHook(self.flow)
        text = "request body too large"
        self.flow.error = mflow.Error(text)
        yield HttpErrorHook(self.flow)
        yield SendHttp(
            ResponseProtocolError(self.stream_id, text, ErrorCode.REQUEST_TOO_LARGE),
            self.context.client,
        )
        self.client_state = self.server_state = self.state_errored
        self.flow.live = False
        return True

    def _expected_size(self) -> int:
        if self.request_body_buf:
            return len(self.request_body_buf)
        announced = self.flow.request.headers.get("content-length", "0")
        return int(announced) if announced.isascii() and announced.isdigit() else 0

    def state_wait_for_response_headers(self, event: Any) -> Commands:
        """Informational answers go on to the client; the real one is still to come."""
        if event.response.status_code in INFORMATIONAL:
            exchange = self.exchange
            clean_head(event.response, exchange.chain.masks if exchange is not None else ())
            yield SendHttp(event, self.context.client)
        elif event.response.status_code == SWITCHING and not self._asked_to_switch(event.response):
            text = "the upstream switched protocols unasked"
            cancel = RequestProtocolError(self.stream_id, text, ErrorCode.CANCEL)
            yield SendHttp(cancel, self.context.server)
            fault = ResponseProtocolError(self.stream_id, text, ErrorCode.GENERIC_SERVER_ERROR)
            yield from self.handle_protocol_error(fault)
        else:
            yield from super().state_wait_for_response_headers(event)

    def _asked_to_switch(self, answer: http.Response) -> bool:
        """Whether this 101 opens the WebSocket that the client asked for."""
        asked, given = self.flow.request.headers, answer.headers
        both = (asked.get("upgrade", "").lower(), given.get("upgrade", "").lower())
        return both == ("websocket", "websocket") and asked.get("sec-websocket-version") == "13"

    def state_stream_response_body(self, event: events.Event) -> Commands:
        """A transformer that raises must neither hang the client nor let the answer look whole."""
        try:
            yield from super().state_stream_response_body(event)
        except GeneratorExit:
            raise
        except BaseException as fault:  # noqa: BLE001  # it would hang the client, or end us all
            yield from self._break_off(exchange_of(self.flow), fault)

    def _break_off(self, exchange: Exchange | None, fault: BaseException) -> Commands:
        last_words = exchange.break_off(fault) if exchange else b""
        yield from self.cut_off("answer broken off by the gateway", last_words)


def install(
    fault_page: FaultPage, max_body: Callable[[], int], retiring: Callable[[], bool]
) -> None:
    """Puts these classes in mitmproxy's place. Done at import of the addon, before any client.

    Raises AttributeError where mitmproxy has changed: then the gateway does not start.
    """
    for module, name in (
        (http_layer, "HttpStream"),
        (http_layer, "Http1Server"),
        (http_layer, "Http2Server"),
        (http_layer, "Http1Client"),
        (http_layer.websocket, "WebsocketLayer"),
        (_http1, "make_error_response"),
    ):
        getattr(module, name)
    GatewayStream.fault_page = staticmethod(fault_page)
    GatewayStream.max_body = staticmethod(max_body)
    GatewayHttp1Server.retiring = GatewayHttp2Server.retiring = staticmethod(retiring)

    def bare_error(status_code: int, message: str = "") -> bytes:
        del status_code  # the envelope has its own
        page = fault_page(None, ErrorCode.GENERIC_CLIENT_ERROR, message)
        return bytes(_http1.http1.assemble_response(page))

    http_layer.Http1Server = GatewayHttp1Server  # type: ignore[misc]  # the seam
    http_layer.Http2Server = GatewayHttp2Server  # type: ignore[misc]  # the seam
    http_layer.Http1Client = GatewayHttp1Client  # type: ignore[misc]  # the seam
    http_layer.HttpStream = GatewayStream  # type: ignore[misc]  # the seam
    http_layer.websocket.WebsocketLayer = GatewayWebSocket  # type: ignore[misc]  # the seam
    _http1.make_error_response = bare_error
