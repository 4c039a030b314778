"""Every family of metrics, with the words that explain it, and what a finished call adds to them.

Names, labels and buckets are what dashboards and alerts rely on: they are never renamed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from prometheus_client import Counter, Gauge, GCCollector, PlatformCollector, ProcessCollector

from openai_gateway.core.call import Call
from openai_gateway.core.usage import disjoint
from openai_gateway.telemetry import meanings
from openai_gateway.telemetry.condition import Condition
from openai_gateway.telemetry.families import Declared, Families
from openai_gateway.telemetry.gen_ai import GenAi
from openai_gateway.telemetry.labels import (
    OUTCOMES,
    REJECTIONS,
    UPSTREAM_ERRORS,
    Family,
    Labels,
    Words,
    among,
    status,
)

NANO: Final = 1e9
DURATIONS_S: Final = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
FIRST_TOKEN_S: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 30, 60, 120)
KEY_LEAKED: Final = "gateway_production_key_leaked"
KEY_PLACES: Final = ("request", "websocket")
OVERHEAD_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)


@dataclass(frozen=True, slots=True)
class Versions:
    """What `build_info` tells."""

    gateway: str
    mitmproxy: str
    python: str


class Standing(Protocol):
    """Where a budget stands; money in nano-dollars."""

    @property
    def name(self) -> str: ...
    @property
    def period(self) -> str: ...
    @property
    def limit(self) -> int: ...
    @property
    def spent(self) -> int: ...
    @property
    def resets_at(self) -> int | None: ...


class Results:
    """A counter by result, as the call log's writer wants it."""

    def __init__(self, family: Family[Counter]) -> None:
        self._family = family

    def add(self, result: str, rows: int) -> None:
        self._family.at(result).inc(rows)


class Metrics:
    """The metrics of one gateway, in a registry of their own."""

    def __init__(
        self, labels: Labels, versions: Versions, max_series: int = 20_000, gen_ai: bool = False
    ) -> None:
        """`gen_ai`: the calls under OpenTelemetry's names as well."""
        self._families = Families(max_series, meanings.OVERFLOWS)
        self.registry: Final = self._families.registry
        self.labels = labels  # may be replaced when the configuration is read again
        self._words = Words()
        self._under_way: dict[str, Gauge] = {}
        self._declare_calls()
        self._declare_bills()
        self._declare_times()
        self._declare_gateway()
        self.condition = Condition(self._families)
        self._describe(versions)
        self._gen_ai = GenAi(self._families) if gen_ai else None

    @property
    def declared(self) -> tuple[Declared, ...]:
        """Every family of ours, seen yet or not."""
        return self._families.declared

    def _declare_calls(self) -> None:
        declare = self._families
        self._requests = declare.counter(
            "requests_total", meanings.REQUESTS, "key", "endpoint", "model", "outcome", "status"
        )
        self._swaps = declare.counter("key_swaps_total", meanings.SWAPS, "key")
        self._rejections = declare.counter(
            "key_rejections_total", meanings.KEY_REJECTIONS, "reason"
        )
        self._key_leaks = declare.counter("production_key_leaks_total", meanings.KEY_LEAKS, "place")
        self._upstream_errors = declare.counter(
            "upstream_errors_total", meanings.UPSTREAM_FAILURES, "endpoint", "model", "error"
        )
        self._faults = declare.counter("faults_injected_total", meanings.FAULTS, "fault")
        self._leaks = declare.counter("leaks_total", meanings.LEAKS, "rule", "action", "location")
        self._throttled = declare.counter(
            "throttled_requests_total", meanings.THROTTLED, "key", "model", "limit", "action"
        )
        self._capacity = declare.gauge("limit_capacity", meanings.CAPACITY, "key", "model", "limit")
        self._remaining = declare.gauge(
            "limit_remaining", meanings.REMAINING, "key", "model", "limit"
        )
        self._upstream_remaining = declare.gauge(
            "upstream_limit_remaining", meanings.UPSTREAM_REMAINING, "key", "model", "limit"
        )
        self._budget_limit = declare.gauge(
            "budget_limit_usd", meanings.BUDGET_LIMIT, "budget", "period"
        )
        self._budget_used = declare.gauge(
            "budget_used_usd", meanings.BUDGET_USED, "budget", "period"
        )
        self._budget_reset = declare.gauge(
            "budget_reset_timestamp_seconds", meanings.BUDGET_RESET, "budget", "period"
        )
        self._budget_spend = declare.counter(
            "budget_spend_usd_total", meanings.BUDGET_SPEND, "budget"
        )
        self._webhooks = declare.counter("webhooks_total", meanings.WEBHOOKS, "result")
        self.webhooks = Results(self._webhooks)
        self._store_errors = declare.counter("store_errors_total", meanings.STORE_ERRORS, "policy")
        self._in_progress = declare.gauge("requests_in_progress", meanings.IN_PROGRESS, "endpoint")

    def _declare_bills(self) -> None:
        declare = self._families
        self._substitutions = declare.counter(
            "model_substitutions_total", meanings.SUBSTITUTIONS, "requested", "sent"
        )
        self._kept = declare.counter(
            "model_substitutions_kept_total", meanings.KEPT, "requested", "reason"
        )
        self._avoided = declare.counter(
            "cost_avoided_usd_total", meanings.AVOIDED, "requested", "sent"
        )
        self._tokens = declare.counter("tokens_total", meanings.TOKENS, "key", "model", "kind")
        self._cost = declare.counter("cost_usd_total", meanings.COST, "key", "model")
        self._units = declare.counter("billed_units_total", meanings.UNITS, "key", "model", "unit")
        self._unpriced = declare.counter("unpriced_requests_total", meanings.UNPRICED, "model")
        self._missing = declare.counter(
            "usage_missing_requests_total", meanings.MISSING, "endpoint", "reason"
        )
        self._anomalies = declare.counter(
            "usage_anomalies_total", meanings.ANOMALIES, "endpoint", "anomaly"
        )

    def _declare_times(self) -> None:
        declare = self._families
        self._duration = declare.histogram(
            "request_duration_seconds",
            meanings.DURATION,
            DURATIONS_S,
            "endpoint",
            "model",
            "stream",
        )
        self._upstream = declare.histogram(
            "upstream_duration_seconds",
            meanings.UPSTREAM_DURATION,
            DURATIONS_S,
            "endpoint",
            "model",
        )
        self._first_token = declare.histogram(
            "time_to_first_token_seconds", meanings.FIRST_EVENT, FIRST_TOKEN_S, "model"
        )
        self._injected = declare.histogram(
            "injected_delay_seconds", meanings.INJECTED, FIRST_TOKEN_S, "model"
        )
        self._overhead = declare.histogram(
            "overhead_seconds", meanings.OVERHEAD, OVERHEAD_S, "phase"
        )

    def _declare_gateway(self) -> None:
        declare = self._families
        self._internal_errors = declare.counter(
            "internal_errors_total", meanings.INTERNAL_ERRORS, "stage"
        )
        self._reloads = declare.counter("config_reloads_total", meanings.RELOADS, "result")
        self._passthrough = declare.counter(
            "passthrough_connections_total", meanings.PASSTHROUGH, "result"
        )
        self._records = declare.counter("log_records_total", meanings.LOG_RECORDS, "result")
        self.log_records = Results(self._records)
        self._bodies = declare.counter("log_bodies_total", meanings.LOG_BODIES, "result")
        self.log_bodies = Results(self._bodies)
        self._log_queue = declare.plain("log_queue_records", meanings.LOG_QUEUE)
        self._reloaded = declare.plain("config_last_reload_successful", meanings.RELOADED)
        self._reloaded_at = declare.plain(
            "config_last_reload_success_timestamp_seconds", meanings.RELOADED_AT
        )

    def _describe(self, versions: Versions) -> None:
        """What is known at the start: versions, and counters at 0, so that alerts see them rise."""
        told = {"mitmproxy": versions.mitmproxy, "python": versions.python}
        self._families.info("build", meanings.BUILD, {"version": versions.gateway, **told})
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        for family, values in (
            (self._rejections, REJECTIONS),
            (self._key_leaks, KEY_PLACES),
            (self._store_errors, ("local", "closed")),
            (self._webhooks, ("sent", "failed")),
            (self._reloads, ("success", "failure")),
            (self._records, ("written", "dropped", "failed")),
            (self._bodies, ("written", "dropped", "failed")),
        ):
            for value in sorted(values):
                family.at(value)
        self._reloaded.set(1)
        self._reloaded_at.set_to_current_time()

    def began(self, call: Call) -> None:
        """The call is under way; `record` ends it. Its endpoint must be known by now."""
        gauge = self._in_progress.at(self.labels.endpoint(call.endpoint))
        gauge.inc()
        self._under_way[call.id] = gauge

    def ended(self, call: Call) -> None:
        """The call is no longer under way; a second time does nothing."""
        if under_way := self._under_way.pop(call.id, None):
            under_way.dec()

    def record(self, call: Call) -> None:
        """Everything that a finished call adds; to be called once a call, and by the event loop."""
        endpoint, model = (
            self.labels.endpoint(call.endpoint),
            self.labels.model(call.model_sent or call.model_requested),
        )
        key = self.labels.key(call.key)
        outcome = among(OUTCOMES, call.outcome, "error")
        exemplar = {"call_id": call.id}  # from a point of a dashboard to the row of the log
        self._requests.at(key, endpoint, model, outcome, status(call.status)).inc(1, exemplar)
        self.ended(call)
        if _swapped(call):
            self._swaps.at(key).inc()
        if outcome == "rejected_key":
            self._rejections.at(among(REJECTIONS, call.reason)).inc()
        if call.error_code == KEY_LEAKED:
            place = "websocket" if call.request.method == "WS" else "request"
            self._key_leaks.at(place).inc()
        if call.upstream_error is not None:
            error = among(UPSTREAM_ERRORS, call.upstream_error)
            self._upstream_errors.at(endpoint, model, error).inc()
        if call.fault is not None:
            self._faults.at(self._words(call.fault_kind)).inc()
        self.leaks(call)
        self._limits(call, key, model)
        self._models(call)
        for anomaly in call.usage_anomalies:
            self._anomalies.at(endpoint, self._words(anomaly)).inc()
        self.bill(call)
        self._times(call, endpoint, model, exemplar)
        if self._gen_ai is not None:
            self._gen_ai.record(call, self.labels, exemplar)

    def _models(self, call: Call) -> None:
        """Which model took which one's place, and why another did not."""
        kept, call.kept = call.kept, []
        for model, reason in kept:
            self._kept.at(self.labels.model(model), self._words(reason)).inc()
        if call.admitted and call.substituted:
            self._substitutions.at(*self._pair(call)).inc()

    def _pair(self, call: Call) -> tuple[str, str]:
        return self.labels.model(call.model_requested), self.labels.model(call.model_sent)

    def bill(self, call: Call) -> None:
        """What the call consumed and cost, at the model that was sent. Of a recorded call only
        where it was charged later."""
        key = self.labels.key(call.key)
        model = self.labels.model(call.model_sent or call.model_requested)
        if call.admitted and call.avoided_nano_usd:
            self._avoided.at(*self._pair(call)).inc(call.avoided_nano_usd / NANO)
        if call.usage_missing is not None:
            endpoint = self.labels.endpoint(call.endpoint)
            self._missing.at(endpoint, self._words(call.usage_missing)).inc()
        if call.unpriced_model is not None:
            self._unpriced.at(self.labels.model(call.unpriced_model)).inc()
        if call.usage is None:
            return
        if call.cost_nano_usd:
            self._cost.at(key, model).inc(call.cost_nano_usd / NANO)
        for bill in (call.usage, *call.usage.parts):
            for kind, count in disjoint(bill).items():
                if count:
                    self._tokens.at(key, model, kind).inc(count)
            for unit, amount in bill.units.items():
                self._units.at(key, model, unit.split(":", 1)[0]).inc(float(amount))

    def _times(self, call: Call, endpoint: str, model: str, exemplar: dict[str, str]) -> None:
        if call.request.method == "WS" and not call.duration_ms:
            return  # a response on a socket: the time is the socket's
        stream = "true" if call.stream else "false"
        self._duration.at(endpoint, model, stream).observe(call.duration_ms / 1000, exemplar)
        if call.ttft_ms is not None:
            self._first_token.at(model).observe(call.ttft_ms / 1000, exemplar)
        if call.injected_ms > 0:
            self._injected.at(model).observe(call.injected_ms / 1000, exemplar)
        there_ms, back_ms = call.overhead_ms, 0.0
        if call.upstream_ms is not None:
            self._upstream.at(endpoint, model).observe(call.upstream_ms / 1000, exemplar)
            there_ms = min(call.overhead_ms, sum(us for _, _, us in call.trace) / 1000)
            back_ms = call.overhead_ms - there_ms
            self._overhead.at("response").observe(back_ms / 1000, exemplar)
        self._overhead.at("request").observe(there_ms / 1000, exemplar)

    def leaks(self, call: Call) -> None:
        """What was found in the call, or on its socket, since this was last called."""
        for leak, times in call.uncounted():
            self._leaks.at(leak.rule, leak.action, leak.location).inc(times)

    def _limits(self, call: Call, key: str, model: str) -> None:
        for limit, action in call.throttled:
            self._throttled.at(key, model, limit, action).inc()
        for state in getattr(call.reserved, "states", ()):
            limit = state.limit
            labels = (limit.labels[0], self._model_or_all(limit.labels[1]), limit.kind)
            self._capacity.at(*labels).set(limit.amount)
            self._remaining.at(*labels).set(state.remaining)
        for limit, remaining in (call.upstream_remaining or {}).items():
            self._upstream_remaining.at(key, model, limit).set(remaining)

    def _model_or_all(self, name: str) -> str:
        return name if name == "all" else self.labels.model(name)

    def booked(self, amounts: Sequence[tuple[str, int]]) -> None:
        """What budgets were booked with, in nano-dollars."""
        for budget, nano_usd in amounts:
            self._budget_spend.at(budget).inc(nano_usd / NANO)

    def budgets(self, standing: Sequence[Standing]) -> None:
        """Where each budget stands."""
        for one in standing:
            labels = (one.name, one.period)
            self._budget_spend.at(one.name)  # at 0 from the start, so that its rate is true
            self._budget_limit.at(*labels).set(one.limit / NANO)
            self._budget_used.at(*labels).set(one.spent / NANO)
            self._budget_reset.at(*labels).set(one.resets_at or 0)

    def store_error(self, policy: str) -> None:
        """The shared store left a question unanswered."""
        self._store_errors.at(policy).inc()

    def internal_error(self, stage: str) -> None:
        """A fault inside the gateway, by the stage or hook where it stood."""
        self._internal_errors.at(self._words(stage)).inc()

    def reloaded(self, ok: bool) -> None:
        """gateway.yaml was read again, and is in force or was refused."""
        self._reloads.at("success" if ok else "failure").inc()
        self._reloaded.set(1 if ok else 0)
        if ok:
            self._reloaded_at.set_to_current_time()

    def passthrough(self, result: str) -> None:
        """What became of a blind tunnel."""
        self._passthrough.at(self._words(result)).inc()

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        """Where the length of the call log's queue is read, at each scrape."""
        self._log_queue.set_function(waiting)


def _swapped(call: Call) -> bool:
    """Whether it left with another credential than it came with."""
    return call.admitted and call.departing is not None and call.departing != call.credential
