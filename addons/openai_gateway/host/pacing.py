"""Answers that leave later than they came, break off, or never come: the one way to hold an answer.

What the upstream says waits in a line of its own stream until its time has come; mitmproxy's timer
wakes it. So no hook waits, one answer never holds another (HTTP/2 streams too), and a client that
leaves is seen at once. With nothing to hold there is no line, and this costs nothing.
"""

import time
from collections import deque
from math import inf
from typing import Any, Final

from mitmproxy import flow as mflow
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers import http as http_layer
from mitmproxy.proxy.layers.http import (
    ErrorCode,
    HttpStream,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
    ResponseTrailers,
    SendHttp,
)
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook

from openai_gateway.api.sse import Events
from openai_gateway.host.exchange import Exchange, exchange_of
from openai_gateway.staging.plan import Pace

type Commands = layer.CommandGenerator[Any]

FROM_UPSTREAM: Final = (
    ResponseData,
    ResponseTrailers,
    ResponseEndOfMessage,
    ResponseProtocolError,
)
# A timer is not set for less.
SOON_S: Final = 0.0005
# What waits at most; beyond it the answer goes on as it comes.
MOST_WHOLE: Final = 256 * 1024
MOST_EVENTS: Final = 4 * 2**20


class Line:
    """What waits of one answer, in order: each with when it may leave and when it came."""

    __slots__ = ("_events", "_size", "_waiting", "pace")

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._events = Events()
        self._waiting: deque[tuple[float, float, Any]] = deque()
        self._size = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def take(self, event: Any, now: float) -> None:
        """Something came. None in the line stands for the place where the answer breaks off."""
        if self.pace.event_stream:
            self._take_events(event, now)
        elif isinstance(event, ResponseEndOfMessage):
            self._whole(event, now)
        elif isinstance(event, ResponseProtocolError):
            self._put(now, now, event)
        else:
            self._put(inf, now, event)

    def _take_events(self, event: Any, now: float) -> None:
        if isinstance(event, ResponseData):
            for one in self._events.feed(event.data):
                self._step(one, event.stream_id, now)
            return
        if isinstance(event, ResponseEndOfMessage):
            rest = self._events.end()
            if rest is not None:
                self._step(rest, event.stream_id, now)
            if self.pace.cuts(None):
                event = None
        self._put(self.pace.last(now), now, event)

    def _step(self, one: Any, stream_id: int, now: float) -> None:
        if self.pace.cuts(one):
            self._put(self.pace.last(now), now, None)
        else:
            self._put(self.pace.due(one, now), now, ResponseData(stream_id, one.raw))

    def _whole(self, end: ResponseEndOfMessage, now: float) -> None:
        """All of it is here: what waits becomes one piece, and leaves with its end."""
        held = [event for _, _, event in self._waiting]
        body = b"".join(event.data for event in held if isinstance(event, ResponseData))
        at = self.pace.whole(body, now)
        self._waiting.clear()
        if body:
            self._waiting.append((at, now, ResponseData(end.stream_id, body)))
        others = [event for event in held if not isinstance(event, ResponseData)]
        self._waiting.extend((at, now, event) for event in (*others, end))

    def _put(self, at: float, now: float, event: Any) -> None:
        self._waiting.append((at, now, event))
        if isinstance(event, ResponseData):
            self._size += len(event.data)

    def wait(self, now: float) -> float:
        """How long the first in line still has to wait; none where too much waits."""
        most = MOST_EVENTS if self.pace.event_stream else MOST_WHOLE
        return 0.0 if self._size > most else self._waiting[0][0] - now

    def leave(self) -> tuple[float, Any]:
        """Takes the first out: when it came, and what it is."""
        _, arrived, event = self._waiting.popleft()
        if isinstance(event, ResponseData):
            self._size -= len(event.data)
        return arrived, event

    def drop(self, now: float) -> float:
        """Nobody waits for the rest: how long the first of it has been held."""
        held = now - self._waiting[0][1] if self._waiting else 0.0
        self._waiting.clear()
        return held


class PacedStream(HttpStream):
    """One request and its answer, which can wait. `line`: None where nothing is to be held."""

    line: Line | None = None
    silent_since: float | None = None
    _head: Any = None
    _waking = False

    def in_time(self, event: events.Event) -> Commands:
        """Hands the event to mitmproxy's stream: at once, or when its time has come."""
        if self.line is not None or isinstance(event, events.Wakeup) or self.silent_since:
            return self._in_line(event)
        at_once: Commands = HttpStream._handle_event(self, event)
        return at_once

    @property
    def exchange(self) -> Exchange | None:
        return exchange_of(self.flow) if hasattr(self, "flow") else None

    def state_wait_for_response_headers(self, event: Any) -> Commands:
        """Once the head was looked at it is known whether the answer waits; then its head does."""
        for command in super().state_wait_for_response_headers(event):
            if self._waits(command):
                self._head = command
            else:
                yield command
        exchange = self.exchange
        if exchange is not None and exchange.pace is not None:
            self.line = Line(exchange.pace)

    def _waits(self, command: Any) -> bool:
        exchange = self.exchange
        return (
            exchange is not None
            and exchange.pace is not None
            and isinstance(command, SendHttp)
            and isinstance(command.event, ResponseHeaders)
            and command.connection is self.context.client
        )

    def _in_line(self, event: events.Event) -> Commands:
        if self.silent_since is not None:
            if isinstance(event, events.Wakeup | RequestProtocolError):
                yield from self._end_silence(left=isinstance(event, RequestProtocolError))
            return
        if isinstance(event, events.Wakeup):
            self._waking = False
        elif self.line is not None and isinstance(event, FROM_UPSTREAM):
            self.line.take(event, time.monotonic())
        else:
            yield from self._at_once(event)
            return
        yield from self._release()

    def _at_once(self, event: events.Event) -> Commands:
        """What the client does is not held: when it leaves, nobody waits for what is in line."""
        exchange = self.exchange
        if self.line is not None and isinstance(event, RequestProtocolError):
            held = self.line.drop(time.monotonic())
            if exchange is not None:
                exchange.held_s = max(exchange.held_s, held)
        yield from HttpStream._handle_event(self, event)

    def _release(self) -> Commands:
        """Lets go what is due, and sets one timer for what is not."""
        while self.line:
            now = time.monotonic()
            wait_s = self.line.wait(now)
            if wait_s > SOON_S:
                if wait_s < inf and not self._waking:
                    self._waking = True
                    yield commands.RequestWakeup(wait_s)
                return
            arrived, event = self.line.leave()
            if self.exchange is not None:
                self.exchange.held_s = max(0.0, now - arrived)
            yield from self._let_go(event)

    def _let_go(self, event: Any) -> Commands:
        if self._head is not None and not isinstance(event, ResponseProtocolError):
            head, self._head = self._head, None
            yield head
        if event is None:
            if self.line is not None:
                self.line.drop(0.0)
            yield from self.cut_off("answer cut off on purpose")
        else:
            yield from HttpStream._handle_event(self, event)

    def fall_silent(self, seconds: float) -> Commands:
        """Answers nothing, dials nobody, and hangs up when the time is over."""
        self.silent_since = time.monotonic()
        yield commands.RequestWakeup(seconds)

    def _end_silence(self, *, left: bool) -> Commands:
        exchange = self.exchange
        if exchange is not None:
            exchange.client_left = left
            exchange.held_s = time.monotonic() - (self.silent_since or 0.0)
        self.silent_since = None
        yield from self.cut_off("silent on purpose", client=not left, upstream=False)

    def cut_off(
        self, text: str, last_words: bytes = b"", *, client: bool = True, upstream: bool = True
    ) -> Commands:
        """Ends the answer where it stands, so that no client takes it for whole."""
        there = self.context.client
        if last_words:
            yield SendHttp(ResponseData(self.stream_id, last_words), there)
        self.flow.error = mflow.Error(text)
        yield HttpErrorHook(self.flow)
        if client:
            yield SendHttp(ResponseProtocolError(self.stream_id, text, ErrorCode.KILL), there)
        if upstream:
            cancel = RequestProtocolError(self.stream_id, text, ErrorCode.CANCEL)
            yield SendHttp(cancel, self.context.server)
        self.client_state = self.server_state = self.state_errored
        self.flow.live = False
        yield http_layer.DropStream(self.stream_id)
