"""Which values a metric's labels may take: closed sets, so that no client can invent a series.

Why a guard at all: model, endpoint and key begin as text that a client wrote; a label for each
would fill the memory of the gateway and of whoever scrapes it.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

OTHER: Final = "other"
UNKNOWN: Final = "unknown"
NONE: Final = "none"  # the call names no model: a value that can be asked for, unlike ""
OUTCOMES: Final = frozenset(
    {
        "forwarded",
        "throttled",
        "blocked",
        "over_budget",
        "rejected_key",
        "replayed",
        "faulted",
        "error",
    }
)
REJECTIONS: Final = frozenset(
    {"missing", "ambiguous", "unknown", "refused_kind", "staging_refused"}
)
_STATUSES: Final = {
    0: NONE,  # the client left before there was an answer
    **{int(status): str(int(status)) for status in HTTPStatus},
    **{status: str(status) for status in (499, *range(520, 531))},  # in front of the upstream
}
# what can happen on the way there, then the codes and types of OpenAI's error answers
UPSTREAM_ERRORS: Final = frozenset(
    {
        *("timeout", "connect", "tls", "protocol", "shutdown"),
        *("invalid_api_key", "invalid_request_error", "request_forbidden", "model_not_found"),
        *("unsupported_country_region_territory", "context_length_exceeded", "invalid_prompt"),
        *("unsupported_parameter", "unsupported_value", "rate_limit_exceeded", "requests"),
        *("tokens", "rate_limit_error", "slow_down", "insufficient_quota", "server_error"),
        *("credit_balance_exhausted", "organization_spend_limit_exceeded"),
        *("project_spend_limit_exceeded", "organization_usage_limit_exceeded"),
        *("billing_hard_limit_reached", "service_unavailable_error", "server_is_overloaded"),
        *("previous_response_not_found", "invalid_stream_id", "websocket_stream_limit_reached"),
        "websocket_connection_limit_reached",
        *(text for status, text in _STATUSES.items() if status >= 400),
    }
)
_WORDS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Labels:
    """The closed sets: endpoint names, mapping names and model names that may become labels."""

    endpoints: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()

    def endpoint(self, name: str) -> str:
        return name if name in self.endpoints else UNKNOWN

    def key(self, name: str) -> str:
        return name if name in self.keys else UNKNOWN

    def model(self, name: str | None) -> str:
        if name is None:
            return NONE
        return name if name in self.models else OTHER


def status(code: int) -> str:
    """Three digits of a status that HTTP or OpenAI's front knows; `none` where none was sent."""
    return _STATUSES.get(code, OTHER)


def among(known: frozenset[str], word: str, otherwise: str = OTHER) -> str:
    """The word if it is one of these."""
    return word if word in known else otherwise


@dataclass(slots=True)
class Words:
    """Words of our own code that no list names (stages, results): the first 64, then `other`."""

    _seen: set[str] = field(default_factory=set)

    def __call__(self, word: str) -> str:
        if word not in self._seen:
            if len(self._seen) >= _WORDS_MAX:
                return OTHER
            self._seen.add(word)
        return word


@dataclass(slots=True)
class Series:
    """How many series there are, and how many there may be (`metrics.max_series`)."""

    most: int
    used: int = 0

    def take(self, count: int) -> bool:
        """Room for `count` more; false, and nothing taken, where there is none."""
        if self.used + count > self.most:
            return False
        self.used += count
        return True


class Family[M: MetricWrapperBase]:
    """A metric whose children are kept, so that an observation is a look-up and an addition.

    Past the maximum of series a new child's `model` becomes `other`, and if that is new too,
    key and endpoint as well: those few are let in above the maximum.
    """

    def __init__(
        self, metric: M, names: tuple[str, ...], series: Series, weight: int,
        overflow: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._metric = metric
        self._names = names
        self._series = series
        self._weight = weight
        self._overflow = overflow
        self._children: dict[tuple[str, ...], M] = {}

    def at(self, *values: str) -> M:
        """The child of these label values, in the order of the family's names."""
        child = self._children.get(values)
        return child if child is not None else self._new(values)

    def _new(self, values: tuple[str, ...]) -> M:
        if self._series.take(self._weight):
            return self._child(values)
        for folded in (("model",), ("model", "endpoint", "key")):
            values = self._fold(values, folded)
            if values in self._children:
                return self._children[values]
        return self._child(values)

    def _child(self, values: tuple[str, ...]) -> M:
        child: M = self._metric.labels(*values)
        self._children[values] = child
        return child

    def _fold(self, values: tuple[str, ...], names: Container[str]) -> tuple[str, ...]:
        folded = list(values)
        for place, name in enumerate(self._names):
            if name in names and folded[place] != OTHER:
                self._overflow(name)
                folded[place] = OTHER
        return tuple(folded)
