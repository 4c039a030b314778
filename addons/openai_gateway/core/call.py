"""One call on its way through the corridor: what came in, what will leave, what became of it."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from openai_gateway.core.secret import Secret
from openai_gateway.core.usage import Usage

type Header = tuple[bytes, bytes]


def new_id(now: float) -> str:
    """An id that begins with the time (milliseconds): rows of one hour lie together on disk."""
    return f"gw_{int(now * 1000):012x}{os.urandom(8).hex()}"


@dataclass(frozen=True, slots=True)
class Found:
    """A leak: the rule's id, what was done about it, and where it stood; never the value.

    action: blocked, redacted, reported, would_block, would_redact; location: body, header, url,
    websocket, answer.
    """

    rule: str
    action: str
    location: str


@dataclass(slots=True)
class Request:
    """The request as it will leave; stages change it, the host sends it if the call passes.

    `target` is the raw request target (path and query) as it came; `body` and `trailers` raw too.
    """

    method: str
    host: str
    target: bytes = field(repr=False)
    headers: list[Header] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    trailers: tuple[Header, ...] = field(default=(), repr=False)

    def values(self, name: bytes) -> list[bytes]:
        """All values of a header, in order; `name` in lower case."""
        return [value for key, value in self.headers if key.lower() == name]

    def first(self, name: bytes) -> bytes:
        """The first value of a header, or nothing; `name` in lower case."""
        return next((value for key, value in self.headers if key.lower() == name), b"")

    def drop(self, *names: bytes) -> None:
        """Takes headers out; `names` in lower case."""
        self.headers = [(key, value) for key, value in self.headers if key.lower() not in names]

    def put(self, name: bytes, value: bytes) -> None:
        """Sets a header to this one value."""
        self.drop(name.lower())
        self.headers.append((name, value))


@dataclass(frozen=True, slots=True)
class Content:
    """The body without its content-coding. `fault` names why it could not be read, if it could not.

    `fault` is a code of api/errors.py; `parsed` is the JSON value where the content-type is JSON.
    """

    data: bytes = field(default=b"", repr=False)
    kind: str = "none"
    parsed: object = field(default=None, repr=False)
    fault: str | None = None
    detail: str = ""


class Meter(Protocol):
    """What reads the answer for the books; see accounting/meter.py."""

    def begin(self, event_stream: bool) -> None: ...
    def feed(self, chunk: bytes) -> bytes: ...
    def end(self) -> bytes: ...
    def whole(self, body: bytes) -> None: ...
    def settle(self, broken: bool) -> None: ...


class AnswerScan(Protocol):
    """What looks for secrets in the answer; see leaks/answers/answers.py."""

    @property
    def over_budget(self) -> bool: ...
    @property
    def redacts(self) -> bool: ...
    def found(self) -> "list[Found]": ...
    def begin(self, event_stream: bool, content_type: bytes) -> None: ...
    def feed(self, chunk: bytes) -> bytes: ...
    def end(self) -> bytes: ...
    def whole(self, body: bytes) -> bytes: ...
    def abort(self) -> None: ...


class SocketMeter(Protocol):
    """The same for an open WebSocket; see accounting/socket.py. It gives calls to be recorded."""

    def client(self, message: bytes) -> None: ...
    def server(self, message: bytes) -> "list[Call]": ...
    def end(self) -> "list[Call]": ...


@dataclass(frozen=True, slots=True)
class Claim:
    """A bill under this id that another gateway may have charged already: the call log decides.

    Until then the call only reads again; `charge` writes the bill into the call that has won.
    """

    name: str
    charge: "Callable[[Call], None]"


type Wait = tuple[str, str, int, int | None]
"""A budget that waits for a bill: its name, its period, and when that begins and ends."""


@dataclass(slots=True)
class Call:
    """Everything known of one call. It starts refused: `admitted` turns true at the walk's end."""

    request: Request
    started_at: float = field(default_factory=time.time)
    id: str = ""
    client: str = ""
    environment: str = "staging"
    websocket: bool = False
    # what the stages found
    content: Content = field(default_factory=Content)
    credential: Secret | None = field(default=None, repr=False)
    departing: Secret | None = field(default=None, repr=False)
    key: str = "unknown"
    endpoint: str = "unknown"
    route: object = field(default=None, repr=False)
    path_fault: str = ""
    model_requested: str | None = None
    model_sent: str | None = None
    renamed: dict[str, str] = field(default_factory=dict)  # on a socket: what each was asked for as
    kept: list[tuple[str, str]] = field(default_factory=list)  # (model, why it was not replaced)
    stream: bool = False
    # what became of it
    at: str = ""
    admitted: bool = False
    status: int = 0
    outcome: str = "error"
    error_code: str | None = None
    reason: str = ""
    upstream_error: str | None = None
    found: dict[Found, int] = field(default_factory=dict)  # each with how often
    counted: dict[Found, int] = field(default_factory=dict)  # what the metrics have of them
    passed: object = field(default=None, repr=False)  # what leaks/ has let through on its socket
    would: list[str] = field(default_factory=list)  # what `observe` would have done
    trace: list[tuple[str, str, int]] = field(default_factory=list)
    closed: bool = False
    features: dict[str, object] | None = field(default=None, repr=False)
    upstream_limits: dict[str, int] | None = None
    upstream_remaining: dict[str, int] | None = None
    answer_scan: AnswerScan | None = field(default=None, repr=False)
    # what it consumed
    meter: Meter | None = field(default=None, repr=False)
    socket_meter: SocketMeter | None = field(default=None, repr=False)
    usage: Usage | None = None
    usage_source: str = "none"
    usage_missing: str | None = None
    usage_anomalies: tuple[str, ...] = ()  # numbers of the answer that were not believed, or capped
    model_response: str | None = None
    service_tier: str | None = None
    cost_nano_usd: int | None = 0
    avoided_nano_usd: int = 0  # what the model that was asked for would have cost more
    unpriced_model: str | None = None
    bill: tuple[str, bool] | None = None  # the id that it is booked under, and whether it is final
    claim: Claim | None = field(default=None, repr=False)
    waits: tuple[Wait, ...] = ()  # budgets that wait for the bill of `bill`
    hold: object = field(default=None, repr=False)  # what budgets/ has reserved for it
    reserved: object = field(default=None, repr=False)  # what limits/ has taken for it
    plan: object = field(default=None, repr=False)  # what staging/ will do to its answer
    fault: str | None = None  # the rule of the failure that was made on purpose, and its kind
    fault_kind: str = ""
    throttled: list[tuple[str, str]] = field(default_factory=list)  # (limit, action), for metrics
    # for the bodies that are kept: set once nothing in the request is a leak; what came back
    judged: bool = False
    answer_type: str = ""
    answer_kept: bytes | None = field(default=None, repr=False)
    # how long and how much
    duration_ms: float = 0.0
    upstream_ms: float | None = None
    ttft_ms: float | None = None
    overhead_ms: float = 0.0
    injected_ms: float = 0.0
    request_bytes: int = 0
    response_bytes: int = 0
    openai_request_id: str | None = None
    sdk: str | None = None

    def __post_init__(self) -> None:
        self.id = self.id or new_id(self.started_at)

    def on_socket(self) -> "Call":
        """A call of its own on this open socket, that gets a row: of the same client, key and
        endpoint, with what was found in the messages since the last row."""
        made = self.beside()
        made.found, made.counted = self.found, self.counted
        self.forget_found()
        made.kept, self.kept = self.kept, []
        return made

    def name_model(self, socket: "Call", named: str | None) -> None:
        """The models of a response on this socket: that of its message, else the socket's."""
        asked_for = socket.asked_as(named) if named else socket.model_requested
        self.model_requested = self.model_requested or asked_for
        self.model_sent = self.model_sent or named or socket.model_sent

    def asked_as(self, model: str) -> str:
        """The name by which this socket's client asked for the model that was sent."""
        return self.renamed.get(model, model)

    @property
    def substituted(self) -> bool:
        """Whether another model is sent than was asked for."""
        return self.model_sent is not None and self.model_sent != self.model_requested

    def beside(self) -> "Call":
        """Another call of the same client, key and endpoint, on the same socket."""
        made = Call(Request("WS", self.request.host, self.request.target, []))
        made.client, made.environment, made.sdk = self.client, self.environment, self.sdk
        made.key, made.endpoint = self.key, self.endpoint
        return made

    def note_found(self, leak: Found) -> None:
        """Remembers a leak; of those that are alike how many there were."""
        self.found[leak] = self.found.get(leak, 0) + 1

    def forget_found(self) -> None:
        """What was found so far is in another row."""
        self.found, self.counted = {}, {}

    def uncounted(self) -> list[tuple[Found, int]]:
        """What was found since this was last asked, and how often."""
        found, before = dict(self.found), self.counted
        self.counted = found
        return [
            (leak, times - before.get(leak, 0))
            for leak, times in found.items()
            if times > before.get(leak, 0)
        ]

    @property
    def leaks(self) -> tuple[str, ...]:
        """The ids of the rules that found something, each once."""
        return tuple(dict.fromkeys(leak.rule for leak in self.found))

    def note_would(self, outcome: str) -> None:
        """Remembers, once, what a control in `observe` would have done to the call."""
        if outcome not in self.would:
            self.would.append(outcome)

    @property
    def path(self) -> str:
        """The path without its query, for the row; the query may hold what must not be kept."""
        return self.request.target.split(b"?", 1)[0].decode("latin-1")
