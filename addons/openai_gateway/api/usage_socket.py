"""Follows the messages of one WebSocket: which response is over and what it bills. Many responses
share a socket, some at once; sound, live seconds and transcriptions have bills of their own."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import orjson

from openai_gateway.api.usage_deltas import inner, name_of
from openai_gateway.api.usage_reading import Parsed
from openai_gateway.api.usage_session import Session
from openai_gateway.api.usage_stream import StreamUsage

type Object = Mapping[str, object]

MOST_LANES: Final = 64
MOST_WAITING: Final = 64
_OVER: Final = frozenset(
    {"response.done", "response.completed", "response.incomplete", "response.failed"}
    | {"response.cancelled"}
)
_HEARD: Final = "conversation.item.input_audio_transcription.completed"
_MATTERS: Final = (
    *(b'"response.', b'.completed"', b"session.created", b"session.updated", b"session.started"),
    *(b"session.usage.updated", b'"error"'),
)
_CLIENT: Final = (b"response.create", b"session.update", b"session.start", b"audio_buffer.append")


@dataclass(frozen=True, slots=True)
class Bill:
    """One bill of a socket.

    kind: response (a call of its own), transcription, or session (what is billed by its length);
    lane: the stream_id of the response.create that asked, "" where it named none.
    """

    kind: str
    parsed: Parsed
    lane: str = ""


@dataclass(slots=True)
class _Lane:
    """The responses of one stream_id, one after the other."""

    waiting: deque[Object] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))
    running: dict[str, StreamUsage] = field(default_factory=dict)


class SocketUsage:
    """One socket. `client` and `server` take the messages in order, `end` tells what was left."""

    __slots__ = ("_endpoint", "_lanes", "_session")

    def __init__(self, endpoint: str, model: str | None = None) -> None:
        """endpoint: realtime.ws, realtime.translate.ws, responses.ws, live.ws, live.attach.ws or
        live.fork.ws; model: that of the handshake's query."""
        self._endpoint = endpoint
        self._session = Session(model)
        self._lanes: dict[str, _Lane] = {}

    def client(self, message: bytes) -> None:
        """A message that went to OpenAI."""
        value = _read(message, _CLIENT)
        kind = value.get("type")
        if kind == "response.create":
            self._lane(value).waiting.append(inner(value, "response") or value)
        elif kind in ("session.update", "session.start"):
            self._session.know(inner(value, "session"))
        elif kind == "session.input_audio_buffer.append":
            self._session.listened(value.get("audio"))

    def server(self, message: bytes) -> list[Bill]:
        """A message that came from OpenAI; the bills that it ends."""
        value = _read(message, _MATTERS)
        kind = value.get("type")
        if kind == "response.event":
            return self._response(inner(value, "event"), name_of(value, "delegation_id") or "")
        if isinstance(kind, str) and kind.startswith("response."):
            return self._response(value, _lane_name(value))
        if kind == _HEARD:
            return [Bill("transcription", self._session.transcribed(value))]
        if kind == "session.usage.updated":
            self._session.lived(inner(value, "usage"))
        elif kind in ("session.created", "session.updated", "session.started"):
            self._session.know(inner(value, "session"))
        elif kind == "error":
            self._refused(value)
        return []

    def end(self) -> list[Bill]:
        """What is left to charge when the socket closes: responses that broke off, by estimate,
        and what is billed by its length."""
        left = [
            Bill("response", self._named(stream.result(broken=True)), name)
            for name, lane in self._lanes.items()
            for stream in lane.running.values()
        ]
        self._lanes.clear()
        session = self._session.end()
        return [*left, *([Bill("session", session)] if session else [])]

    def _lane(self, value: Object) -> _Lane:
        name = _lane_name(value)
        while name not in self._lanes and len(self._lanes) >= MOST_LANES:
            del self._lanes[next(iter(self._lanes))]
        return self._lanes.setdefault(name, _Lane())

    def _response(self, value: Object, name: str) -> list[Bill]:
        """An event of a response: its beginning, a piece, or its end."""
        kind, lane = name_of(value, "type"), self._lane({**value, "stream_id": name})
        told = value.get("response_id") or inner(value, "response").get("id")
        if kind == "response.created":
            lane.running[str(told)] = self._begun(lane)
        known = str(told) if str(told) in lane.running else next(reversed(lane.running), None)
        if kind in _OVER:
            stream = lane.running.pop(known) if known else self._begun(lane)
            if not lane.running and not lane.waiting:
                del self._lanes[name]
            return [Bill("response", self._over(stream, value), name)]
        if known:
            lane.running[known].value(value)
        return []

    def _begun(self, lane: _Lane) -> StreamUsage:
        while len(lane.running) >= MOST_LANES:
            del lane.running[next(iter(lane.running))]
        return StreamUsage("responses.ws", lane.waiting.popleft() if lane.waiting else None)

    def _over(self, stream: StreamUsage, value: Object) -> Parsed:
        """The bill of a response that is over; realtime says `done` for every end."""
        kind = "response.completed" if value.get("type") == "response.done" else value.get("type")
        stream.value({**value, "type": kind})
        return self._named(stream.result())

    def _named(self, parsed: Parsed) -> Parsed:
        """Responses of a realtime session do not name their model; the session's is theirs."""
        usage = parsed.usage
        if usage is None or usage.model is not None or not self._endpoint.startswith("realtime."):
            return parsed
        return replace(parsed, usage=replace(usage, model=self._session.model))

    def _refused(self, value: Object) -> None:
        """An error in place of a response: what asked for it waits no longer."""
        lane = self._lanes.get(_lane_name(value))
        if lane and lane.waiting and not lane.running:
            lane.waiting.popleft()


def _read(message: bytes, marks: tuple[bytes, ...]) -> Object:
    """The message's JSON object, if any of the marks is in it."""
    if not any(mark in message for mark in marks):
        return {}
    try:
        value = orjson.loads(message)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _lane_name(value: Object) -> str:
    return name_of(value, "stream_id") or ""
