"""Makes OpenAI tell the usage of chat streams that did not ask for it, and takes it out again on
the way back: the client sees the very bytes that it would have seen without."""

import re
from typing import Final

from openai_gateway.api.members import members, without
from openai_gateway.api.sse import MOST, Event, Events

# Only these know `stream_options.include_usage`; /v1/responses answers 400 to it.
ENDPOINTS: Final = frozenset({"chat.create", "completions.create"})
# In a larger body a name that stands at several places is not searched for.
MOST_SEARCHED: Final = 4 * 1024 * 1024
_OPTIONS: Final = re.compile(rb'(?<!\\)"stream_options"[ \t\r\n]*:[ \t\r\n]*')
_NULL: Final = re.compile(rb'"usage"[ \t]*:[ \t]*null')
_ASKED: Final = b'"include_usage":true'


def needs_usage(endpoint: str, parsed: object) -> bool:
    """Whether this request's stream would end without its usage."""
    if endpoint not in ENDPOINTS or not isinstance(parsed, dict):
        return False
    if parsed.get("stream") is not True:
        return False
    options = parsed.get("stream_options")
    if options is None:
        return True
    # what is no object, and no boolean in it, is OpenAI's to refuse
    return isinstance(options, dict) and options.get("include_usage") in (None, False)


def inject(body: bytes, parsed: object) -> bytes:
    """The body with `stream_options.include_usage: true`, every other byte as it was.

    It is the body itself where nothing could be done: the call is then settled by an estimate.
    """
    if not isinstance(parsed, dict) or not parsed:
        return body
    start = body.find(b"{")
    if "stream_options" not in parsed:
        whole = memoryview(body)  # copied once: it may be tens of megabytes
        asking = b'"stream_options":{%b},' % _ASKED
        return b"".join((whole[: start + 1], asking, whole[start + 1 :]))
    for value in reversed(_values(body, start)):
        body = _asking(body, value)
    return body


def _values(body: bytes, start: int) -> list[int]:
    """Where the values of the top level's `stream_options` begin."""
    found = [match.end() for match in _OPTIONS.finditer(body)]
    if len(found) == 1 and b"\\u00" not in body:
        return found  # the value has one, so this is it
    if len(body) > MOST_SEARCHED:
        return []
    return [member.value for member in members(body, start) if member.name == "stream_options"]


def _asking(body: bytes, at: int) -> bytes:
    """The body with the options that begin at `at` asking for usage."""
    if body.startswith(b"null", at):
        return b"%b{%b}%b" % (body[:at], _ASKED, body[at + 4 :])
    if not body.startswith(b"{", at):
        return body
    options = list(members(body, at))
    asked = [option for option in options if option.name == "include_usage"]
    for option in reversed(asked):
        body = body[: option.value] + b"true" + body[option.end :]
    if asked:
        return body
    comma = b"," if options else b""
    return body[: at + 1] + _ASKED + comma + body[at + 1 :]


class UsageStripper:
    """Takes the usage out of a stream of chunks that was made to tell it.

    Whole events leave as soon as they are complete. An end that is no whole event is left out: it
    may be half of what has to go, and no reader acts on it. An event above `max_event` passes.
    """

    __slots__ = ("_events",)

    def __init__(self, max_event: int = MOST) -> None:
        self._events = Events(max_event)

    def feed(self, chunk: bytes) -> list[tuple[Event, bytes]]:
        """Each event that this chunk ends, and the bytes that the client gets of it."""
        return [(event, stripped(event)) for event in self._events.feed(chunk)]

    def end(self) -> tuple[Event, bytes] | None:
        """The same of what came last, where the upstream left out the last blank line."""
        rest = self._events.end()
        if rest is None:
            return None
        if rest.oversized or rest.data == b"[DONE]" or rest.value is not None:
            return rest, stripped(rest)
        return rest, b"" if rest.data else rest.raw


def stripped(event: Event) -> bytes:
    """The event's bytes without what `include_usage` adds; nothing where it is the added chunk."""
    raw = event.raw
    if b'"usage"' not in raw or event.oversized:
        return raw
    value = event.value
    if not isinstance(value, dict) or "usage" not in value:
        return raw
    if value["usage"] is None:
        return _without_null(raw)
    return b"" if value.get("choices") == [] else raw


def _without_null(raw: bytes) -> bytes:
    at = raw.find(b'"usage"')
    found = _NULL.match(raw, at)
    before = raw[:at].rstrip(b" \t")
    if found and before.endswith(b",") and raw.find(b'"usage"', at + 1) < 0:
        return before[:-1] + raw[found.end() :]  # the only one, so it is the top level's
    for member in reversed(list(members(raw, raw.find(b"{")))):
        if member.name == "usage" and raw[member.value : member.end] == b"null":
            raw = without(raw, member)
    return raw
