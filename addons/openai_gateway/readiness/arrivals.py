"""Which rows of the call log are calls that limits would be asked about, and what they asked for.

A handshake of a WebSocket is none, as the gateway takes nothing for it. Nor is what was refused for
what it was (a leak, a key, a model): it would be refused again. What was refused for how much it
was (a limit, a budget), or as the gateway was not ready, is one.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush, heappushpop
from typing import Any, Final, NamedTuple

import orjson

from openai_gateway.api.asking import MAXIMA, MOST, count, several
from openai_gateway.limits.arrival import Arrival, Ended
from openai_gateway.limits.estimate import DRAWS, SEVERAL
from openai_gateway.limits.rulings import Facts
from openai_gateway.limits.settle import LEFT
from openai_gateway.readiness.place import NoLog

HANDSHAKE: Final = 101
# By the outcome of its row.
STOPPED: Final = frozenset({"blocked", "rejected_key"})
_TOO_MUCH: Final = frozenset({"throttled", "over_budget"})
_NOT_READY: Final = frozenset(
    {"gateway_not_ready", "gateway_store_unavailable", "gateway_internal_error"}
)
# Only of these the gateway estimates what they use.
_METHODS: Final = frozenset({"POST", "WS"})
_WAITED: Final = re.compile(r"wait_ms=([0-9]{1,9})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# A file's rows are put in order as far as so many of them reach.
WINDOW: Final = 10_000


class Lean(NamedTuple):
    """What is read of a row. `started_at` may be SQLite's text; `trace` is only of calls that were
    held; JSON is its text."""

    started_at: datetime | str
    id: str
    key: str
    client: str
    endpoint: str
    method: str
    status: int
    outcome: str
    error_code: str | None
    model_sent: str | None
    model_requested: str | None
    input_tokens: int | None
    output_tokens: int | None
    usage_source: str
    duration_ms: float
    request_bytes: int
    features: str | None
    billed_units: str | None
    trace: str | None


@dataclass(slots=True)
class Skipped:
    """Rows that are no calls to a limit."""

    handshakes: int = 0
    stopped: int = 0


def arrivals(rows: Iterable[tuple[Any, ...]], skipped: Skipped) -> Iterator[Arrival]:
    """The calls that the rows (each as `Lean`) tell of, in their order."""
    for row in rows:
        status, outcome = row[6], row[7]
        if status == HANDSHAKE:
            skipped.handshakes += 1
        elif outcome in STOPPED:
            skipped.stopped += 1
        else:
            yield _arrival(*row)


def in_order(calls: Iterable[Arrival], window: int = WINDOW) -> Iterator[Arrival]:
    """The calls by their time, if none is more than `window` away from its place."""
    waiting: list[tuple[int, int, Arrival]] = []
    for number, call in enumerate(calls):
        entry = (call.at_us, number, call)
        if len(waiting) < window:
            heappush(waiting, entry)
        else:
            yield heappushpop(waiting, entry)[2]
    while waiting:
        yield heappop(waiting)[2]


def _arrival(
    started_at: datetime | str,
    id_: str,
    key: str,
    client: str,
    endpoint: str,
    method: str,
    status: int,
    outcome: str,
    error_code: str | None,
    model_sent: str | None,
    model_requested: str | None,
    input_tokens: int | None,
    output_tokens: int | None,
    usage_source: str,
    duration_ms: float,
    request_bytes: int,
    features: str | None,
    billed_units: str | None,
    trace: str | None,
) -> Arrival:
    model = model_sent or model_requested or ""
    ended = _ended(status, outcome, error_code)
    if input_tokens is None and (method not in _METHODS or not model):
        input_tokens = output_tokens = 0
    most, answers = _bounds(features, endpoint in SEVERAL) if features else (None, 1)
    waited = _WAITED.search(trace) if trace else None
    if waited:
        duration_ms -= int(waited[1])
    return Arrival(
        (moment_of(started_at) - _EPOCH) // _MICROSECOND,
        id_,
        Facts(key, model, client, endpoint),
        input_tokens,
        output_tokens,
        most,
        answers,
        _images(features, billed_units) if endpoint in DRAWS else 0,
        None if ended == "refused" else max(0, round(duration_ms * 1000)),
        request_bytes,
        ended,
        usage_source == "reported",
    )


def _ended(status: int, outcome: str, error_code: str | None) -> Ended:
    if 200 <= status < 300:
        return "ran"
    if outcome in _TOO_MUCH or error_code in _NOT_READY:
        return "refused"
    return "left" if error_code == LEFT else "failed"


def moment_of(at: datetime | str) -> datetime:
    """A row's time. Raises: NoLog."""
    if isinstance(at, str):
        try:
            at = datetime.fromisoformat(at)
        except ValueError as error:
            raise NoLog("a row's started_at is no time as the gateway writes it") from error
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


@lru_cache(maxsize=4096)
def _bounds(features: str, is_several: bool) -> tuple[int | None, int]:
    """The most output tokens of all answers, and how many these are, as the gateway reckons."""
    asked = _limits(features)
    answers = several(asked) if is_several else 1
    bounds = [bound for name in MAXIMA if (bound := count(asked.get(name))) is not None]
    return (min(max(bounds) * answers, MOST) if bounds else None), answers


def _images(features: str | None, billed_units: str | None) -> int:
    """How many pictures were asked for; those of a form are only known by what was billed."""
    asked = several(_limits(features)) if features else 1
    billed = count(_object(billed_units).get("image")) if billed_units else None
    return max(asked, billed or 1)


def _limits(features: str) -> dict[str, object]:
    if '"limits"' not in features:
        return {}
    found = _object(features).get("limits")
    return found if isinstance(found, dict) else {}


def _object(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
