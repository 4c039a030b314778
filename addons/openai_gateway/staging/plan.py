"""What is done to one call's answer on its way back: decided before the call leaves, carried out
as the answer comes. Pure: it is told the time, and says when each piece may go on, and how."""

import re
from dataclasses import dataclass, replace
from typing import Final

from openai_gateway.api.sse import Event
from openai_gateway.api.tokens import of_text

SPOILT: Final = 2  # which event of a stream `malformed` cuts
AFTER_EVENTS: Final = 1
SLOW_S: Final = 1.0
DONE: Final = b"[DONE]"
LAST: Final = frozenset(("response.completed", "response.incomplete", "response.failed"))
# Quotes inside a JSON text are escaped: this stands in no text of a model.
_OUTPUT: Final = re.compile(rb'"(?:completion|output)_tokens"\s*:\s*(\d{1,9})\b')


@dataclass(frozen=True, slots=True)
class Plan:
    """`fault` is a kind that lets the call pass first, or empty; the rest is of shape.latency.

    `ttft_s`: how long after the request the first event may come; None: as it comes.
    """

    rule: str = ""
    fault: str = ""
    delay_s: float = SLOW_S
    after_events: int = AFTER_EVENTS
    ttft_s: float | None = None
    tokens_per_s: float | None = None

    def with_latency(self, ttft_s: float, tokens_per_s: float | None) -> "Plan":
        return replace(self, ttft_s=ttft_s, tokens_per_s=tokens_per_s)

    def without_fault(self) -> "Plan":
        """What is left where the answer is none that the fault can be done to."""
        return replace(self, fault="", rule="")

    def fits(self, *, event_stream: bool, json: bool) -> bool:
        """Whether an answer of this form can fail in this way."""
        if self.fault == "malformed":
            return event_stream or json
        return event_stream


class Pace:
    """One answer under its plan. Times are monotonic seconds; `asked_at` is when the call left."""

    __slots__ = ("_asked_at", "_events", "_left_at", "_passed", "event_stream", "plan")

    def __init__(self, plan: Plan, asked_at: float, *, event_stream: bool) -> None:
        self.plan = plan
        self.event_stream = event_stream
        self._asked_at = asked_at
        self._events = 0
        self._left_at = 0.0
        self._passed = 0

    def due(self, event: Event, arrived: float) -> float:
        """When this event may leave, which is asked once for each, in their order."""
        plan = self.plan
        if self._events == 0:
            at = max(arrived, self._asked_at + (plan.ttft_s or 0.0))
        else:
            gap = tokens_in(event) / plan.tokens_per_s if plan.tokens_per_s else 0.0
            at = max(arrived, self._left_at + gap)
            if plan.fault == "slow_stream":
                at += plan.delay_s
        self._events += 1
        self._left_at = at
        return at

    def last(self, arrived: float) -> float:
        """When the end of a stream may leave."""
        return max(arrived, self._left_at)

    def whole(self, body: bytes, arrived: float) -> float:
        """When an answer that is no stream may leave: when a stream of its tokens would end."""
        plan = self.plan
        spent = produced(body) / plan.tokens_per_s if plan.tokens_per_s else 0.0
        return max(arrived, self._asked_at + (plan.ttft_s or 0.0) + spent)

    def cuts(self, event: Event | None) -> bool:
        """Whether the stream breaks off before this event (None: its end): it never looks whole."""
        if self.plan.fault != "cut_stream":
            return False
        return event is None or self._events >= self.plan.after_events or ends(event)

    def spoiled(self, passed: bytes) -> bytes:
        """What the client gets of it, where the answer is to be malformed."""
        if self.plan.fault != "malformed" or not passed:
            return passed
        self._passed += 1
        if not self.event_stream:
            return passed[: len(passed) // 2] if self._passed == 1 else b""
        return half(passed) if self._passed == SPOILT else passed


def half(event: bytes) -> bytes:
    """An event whose data ends in the middle."""
    text = event.rstrip(b"\r\n")
    start = text.find(b"data:") + 5
    return text[: start + (len(text) - start) // 2] + b"\n\n"


def ends(event: Event) -> bool:
    """Whether a client takes the stream for complete when it has seen this event."""
    return event.data == DONE or event.name in LAST


def produced(body: bytes) -> int:
    """The tokens that an answer says it produced; 0 where it says none."""
    found = _OUTPUT.findall(body)
    return int(found[-1]) if found else 0


def tokens_in(event: Event) -> int:
    """About how many tokens an event brings: at least one where it brings any text."""
    told = event.value
    if not isinstance(told, dict):
        return 0
    texts = list(_texts(told))
    return max(1, of_text("".join(texts))) if texts else 0


def _texts(told: dict[str, object]) -> list[str]:
    delta = told.get("delta")
    if isinstance(delta, str):
        return [delta] if delta and not str(told.get("type")).endswith("audio.delta") else []
    choices = told.get("choices")
    found: list[str] = []
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            found += _said(choice)
    return found


def _said(choice: dict[str, object]) -> list[str]:
    """The text of a choice of chat (its delta) or of completions."""
    delta = choice.get("delta")
    told = delta if isinstance(delta, dict) else {}
    calls = told.get("tool_calls")
    said: list[object] = [choice.get("text"), *(told.get(name) for name in _SPOKEN)]
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        said.append(function.get("arguments") if isinstance(function, dict) else None)
    return [text for text in said if isinstance(text, str) and text]


_SPOKEN: Final = ("content", "refusal", "reasoning_content")
