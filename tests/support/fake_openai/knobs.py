"""What goes wrong, and when: rules that a test sets and the fake obeys, request by request."""

import base64
import fnmatch
import threading
from dataclasses import dataclass, field, fields
from typing import Any, Literal

type Fail = Literal["reset", "stream_reset", "close", "hang", "garbage"]
type At = Literal["before_head", "in_head", "after_head", "body"]


@dataclass(slots=True)
class Knob:
    """One rule. It holds for requests whose path (glob) and method match, `times` times or always.

    fail: reset = TCP RST; stream_reset = HTTP/2 RST_STREAM (RST on HTTP/1.1); close = an end
    without the end of the message; hang = silence until the peer leaves; garbage = broken framing.
    at: where `fail` strikes. `body` strikes after `after_bytes`, or after `after_events` pieces.
    On a WebSocket `fail` at body strikes after `after_events` messages sent.
    """

    path: str = "*"
    method: str = "*"
    times: int | None = None
    # time
    delay_s: float = 0.0
    event_delay_s: float = 0.0
    gate: threading.Event | None = None  # held until it is set, before piece `after_events`
    early: bool = False  # answer at the request's head, before its body
    # failure
    fail: Fail | None = None
    at: At = "before_head"
    after_events: int | None = None
    after_bytes: int | None = None
    # the answer replaced
    status: int | None = None
    body: bytes | None = None
    content_type: str | None = None
    location: str | None = None
    html: bool = False
    raw: bytes | None = None  # written as it is in place of an answer, then the connection closes
    # the answer changed
    headers: list[tuple[str, str]] = field(default_factory=list)
    drop_headers: list[str] = field(default_factory=list)
    informational: list[int] = field(default_factory=list)
    trailers: list[tuple[str, str]] = field(default_factory=list)
    framing: Literal["auto", "chunked", "length", "close"] = "auto"
    coding: Literal["gzip", "deflate", "br", "zstd"] | None = None
    malformed: bool = False
    crlf: bool = False
    one_piece: bool = False  # all events in one write
    split_bytes: int = 0  # pieces of this many bytes, whatever the events
    # the content
    text: str | None = None
    events: int | None = None  # how many deltas a stream has
    big_bytes: int = 0  # a body of this size, streamed
    huge_event_bytes: int = 0  # one delta of this size
    patch: dict[str, Any] = field(default_factory=dict)  # merged into the JSON object, usage too
    # WebSocket
    ws_reject: int | None = None
    ws_close: tuple[int, str] | None = None  # sent after `after_events` messages of ours
    ws_send: list[str] = field(default_factory=list)  # sent at once after the handshake
    ws_subprotocol: str | None = None  # chosen whatever was offered
    ws_deflate: bool = True  # accept permessage-deflate
    ws_fragment: int = 0  # cut our messages into frames of this many characters


class Knobs:
    """The rules in force; the first that matches and is not used up wins."""

    def __init__(self) -> None:
        self._rules: list[Knob] = []
        self._lock = threading.Lock()

    def add(self, path: str = "*", **effects: Any) -> Knob:
        """Adds a rule, e.g. add("/v1/chat/*", fail="reset", at="body", after_events=2, times=1)."""
        knob = Knob(path=path, **effects)
        with self._lock:
            self._rules.append(knob)
        return knob

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def take(self, method: str, path: str) -> Knob:
        with self._lock:
            knob = next((k for k in self._rules if _holds(k, method, path)), None)
            if knob is None:
                return Knob()
            if knob.times is not None:
                knob.times -= 1
            return knob


def _holds(knob: Knob, method: str, path: str) -> bool:
    if knob.times is not None and knob.times <= 0:
        return False
    return knob.method in ("*", method) and fnmatch.fnmatchcase(path, knob.path)


def from_json(value: dict[str, Any]) -> dict[str, Any]:
    """A rule as JSON: `body` and `raw` are text, or base64 under `body_base64`, `raw_base64`."""
    known = {f.name for f in fields(Knob)} - {"gate"}
    effects: dict[str, Any] = {}
    for name, given in value.items():
        bare = name.removesuffix("_base64")
        if bare not in known:
            raise ValueError(f"unknown knob {name!r}; known: {', '.join(sorted(known))}")
        effects[bare] = _bytes(bare, name != bare, given)
    return effects


def _bytes(name: str, coded: bool, given: Any) -> Any:
    if name in ("headers", "trailers"):
        return [(str(key), str(value)) for key, value in given]
    if name not in ("body", "raw") or given is None:
        return tuple(given) if name == "ws_close" and given is not None else given
    return base64.b64decode(given) if coded else str(given).encode()
