"""Follows the events of one streamed answer until its bill is known. A stream that ends without
its usage is estimated from what it said: the books settle with something, and only once."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from openai_gateway.api import tokens as estimates
from openai_gateway.api import usage_units as units
from openai_gateway.api.salvage import Salvage
from openai_gateway.api.sse import Event
from openai_gateway.api.usage import ESTIMATED, from_json
from openai_gateway.api.usage_deltas import Made, chunk, inner, message, name_of, typed
from openai_gateway.api.usage_once import charge_id
from openai_gateway.api.usage_reading import Parsed, Reader
from openai_gateway.core.usage import Usage

type Object = Mapping[str, object]

# Their events all matter, and have no type.
_CHUNKS: Final = frozenset({"chat.create", "completions.create", "unknown"})
# What is charged while it streams; elsewhere an unfinished stream is a look at others' work.
_CHARGED: Final = ESTIMATED | {"responses.ws", "threads.create_and_run", "threads.runs.create"}
# Bytes without which an event cannot matter; what has none of them is not even read as JSON.
_MARKS: Final = (
    *(b'.delta"', b'.completed"', b'.incomplete"', b'.failed"', b'.cancelled"', b'.done"'),
    *(b'"response.created"', b'"thread.run"', b'"error"'),
)
_ENDS: Final = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}
    | {"image_generation.completed", "image_edit.completed"}
    | {"transcript.text.done", "speech.audio.done"}
)
_BILLED: Final = ("type", "action", "container_id", "environment")
MOST_CALLS: Final = 1000
_PARTIAL: Final = b'.partial_image"'
_HEAD: Final = 512  # where an event names its type


class StreamUsage:
    """One stream. Takes its events in order, then is asked once for the result."""

    __slots__ = ("_calls", "_end", "_endpoint", "_failed", "_head", "_made", "_request", "_salvage")

    def __init__(self, endpoint: str, request: object = None) -> None:
        self._endpoint = endpoint
        self._request: Object = request if isinstance(request, dict) else {}
        self._made = Made()
        self._head: Object = {}  # what the stream first said of itself: id, model, tier
        self._end: Object | None = None  # what told the usage
        self._failed = False
        self._calls: list[Object] = []  # of tools that are billed by the call
        self._salvage: Salvage | None = None

    def event(self, event: Event) -> None:
        """One event, as it came."""
        raw = event.raw
        if event.oversized:
            self._salvage = self._salvage or Salvage()
            self._salvage.piece(raw)
        elif _PARTIAL in raw[:_HEAD]:
            # a tool's picture is billed beside the response, at another model's price
            self._made.partial_pictures += self._endpoint.startswith("images.")
        elif self._endpoint in _CHUNKS or any(mark in raw for mark in _MARKS):
            self.value(event.value)

    def value(self, value: object) -> None:
        """One event's JSON value; a socket's message is one too."""
        if not isinstance(value, dict):
            return
        if "choices" in value:
            self._chunk(value)
        elif isinstance(kind := value.get("type"), str):
            self._typed(value, kind)
        else:
            self._run(value)
        if value.get("error") or value.get("type") == "error":
            self._failed = True

    def result(self, broken: bool = False) -> Parsed:
        """The bill. `broken`: the stream was cut off, by whichever side."""
        end = self._end
        if end is None and self._salvage:
            end = self._salvage.found()
        if end is not None:
            parsed = from_json(self._endpoint, end, self._request)
            if parsed.usage and not parsed.guessed:
                return parsed
        return self._estimate(broken, () if end is None else parsed.anomalies)

    def _chunk(self, value: Object) -> None:
        chunk(value, self._made)
        if not self._head and "id" in value:
            self._head = value
        if value.get("usage"):
            self._end = value

    def _typed(self, value: Object, kind: str) -> None:
        if kind in _ENDS:
            self._over(value, kind)
        elif kind == "response.created":
            self._head = inner(value, "response")
        elif kind == "response.output_item.done":
            self._tool(inner(value, "item"))
        else:
            typed(value, kind, self._made)

    def _tool(self, item: Object) -> None:
        if str(item.get("type")).endswith("_call") and len(self._calls) < MOST_CALLS:
            self._calls.append({name: item[name] for name in _BILLED if name in item})

    def _over(self, value: Object, kind: str) -> None:
        """An event that ends an answer; of several pictures each has its own."""
        end = inner(value, "response") if kind.startswith("response.") else value
        self._failed = self._failed or kind == "response.failed"
        self._made.pictures += kind.startswith("image_")
        if end.get("usage") or end.get("svg_usage") or end.get("tool_usage"):
            self._end = end if self._end is None else _later(self._end, end)
        self._head = self._head or end

    def _run(self, value: Object) -> None:
        if value.get("object") == "thread.message.delta":
            message(value, self._made)
        elif value.get("object") == "thread.run":
            self._head = value
            self._end = value if value.get("usage") else self._end

    def _estimate(self, broken: bool, anomalies: tuple[str, ...]) -> Parsed:
        name = charge_id(self._endpoint, self._head)
        known = Parsed(anomalies=anomalies, charge_id=name)
        if self._endpoint == "responses.get" or (broken and self._request.get("background")):
            return replace(known, final=False)  # it goes on, and is charged when its end shows
        if self._endpoint not in _CHARGED or (self._failed and not self._made.anything):
            return known
        if self._endpoint == "audio.speech":
            return replace(from_json(self._endpoint, None, self._request), anomalies=anomalies)
        answer = {"output": self._calls, "tools": self._head.get("tools")}
        found = units.containers(answer, self._request)
        usage = units.with_tools(self._estimated(), answer, found, Reader())
        return replace(known, usage=usage, containers=found, guessed=True)

    def _estimated(self) -> Usage:
        made, quality = self._made, self._request.get("quality")
        if self._endpoint.startswith("audio."):
            length = estimates.of_listening(made.text_bytes)
            return Usage(units={"second": length}, source="estimated")
        sound = estimates.of_sound(made.sound_characters)
        image = made.pictures * estimates.of_picture(quality)
        image += made.partial_pictures * estimates.PER_PARTIAL
        asked = estimates.of_request(self._request)
        said = estimates.of_bytes(made.text_bytes) + sound + image
        return Usage(
            input_tokens=asked,
            output_tokens=said,
            audio_output_tokens=sound,
            image_output_tokens=image,
            total_tokens=asked + said,
            source="estimated",
            model=name_of(self._head, "model"),
            service_tier=name_of(self._head, "service_tier"),
        )


def _later(first: Object, second: Object) -> Object:
    return second if second.get("usage") or not first.get("usage") else first
