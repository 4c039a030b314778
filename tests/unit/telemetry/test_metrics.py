"""What a finished call adds to the metrics, each number worked out by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from openai_gateway.budgets.status import BudgetStatus
from openai_gateway.core.call import Call, Found, Request
from openai_gateway.core.secret import Secret
from openai_gateway.core.usage import Usage
from openai_gateway.limits.limit import Admission, Limit, State
from openai_gateway.limits.reservation import Reservation
from openai_gateway.telemetry.labels import Labels
from openai_gateway.telemetry.metrics import Metrics, Versions

LABELS = Labels(
    endpoints=frozenset({"chat.create", "models.list"}),
    keys=frozenset({"default", "ci"}),
    models=frozenset({"gpt-5-mini", "gpt-5"}),
)
FORWARDED = {"key": "ci", "endpoint": "chat.create", "model": "gpt-5-mini"}
GOOD = {**FORWARDED, "outcome": "forwarded", "status": "200"}


@pytest.fixture
def metrics() -> Metrics:
    return made()


def made(max_series: int = 20_000) -> Metrics:
    return Metrics(LABELS, Versions("1.2.3", "12.2.3", "3.13.0"), max_series)


def call(**known: Any) -> Call:
    request = Request("POST", "api.openai.com", b"/v1/chat/completions", [])
    new = Call(request, key="ci", endpoint="chat.create", model_requested="gpt-5-mini")
    new.status, new.outcome = 200, "forwarded"
    for name, value in known.items():
        setattr(new, name, value)
    return new


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"openai_gateway_{name}", labels)


def series(metrics: Metrics) -> int:
    """Lines of our own families in the text that a scraper gets."""
    text = generate_latest(metrics.registry).decode()
    return sum(line.startswith("openai_gateway_") for line in text.splitlines())


def test_names_types_and_labels_are_those_that_dashboards_rely_on(metrics: Metrics) -> None:
    finished = call(
        upstream_ms=1.0, ttft_ms=1.0, upstream_error="timeout", admitted=True, credential=None,
        departing=Secret("sk-FAKE"), cost_nano_usd=5, usage_missing="stream_aborted",
        throttled=[("rpm", "rejected")], upstream_remaining={"rpm": 4},
        reserved=Reservation(
            Admission(True, (State(Limit("rpm", 3, "r", "r"), 2, 20.0, 0.0),), 0.0)
        ),
        usage_anomalies=("negative",), found={Found("github-pat", "blocked", "body"): 1},
        unpriced_model="x", usage=Usage(input_tokens=1, units={"web_search": 1}),
        fault="busy", fault_kind="overloaded", injected_ms=1.0,
    )  # fmt: skip
    metrics.began(finished)
    metrics.record(finished)
    metrics.record(call(outcome="rejected_key", reason="unknown"))
    replaced = {"model_sent": "gpt-5", "kept": [("gpt-5", "dearer")]}
    metrics.record(call(admitted=True, avoided_nano_usd=1, **replaced))
    metrics.internal_error("limits")
    metrics.passthrough("opened")
    metrics.store_error("local")
    metrics.webhooks.add("sent", 1)
    metrics.booked([("team", 5)])
    metrics.budgets([BudgetStatus("team", "day", 10, 5, 0, None, 1_800_000_000)])
    families = {
        family.name: (family.type, {key for sample in family.samples for key in sample.labels})
        for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
        if family.name.startswith("openai_gateway_")
    }
    assert families == {
        f"openai_gateway_{name}": (kind, set(labels.split()))
        for name, kind, labels in (
            ("requests", "counter", "key endpoint model outcome status"),
            ("key_swaps", "counter", "key"),
            ("key_rejections", "counter", "reason"),
            ("production_key_leaks", "counter", "place"),
            ("ready", "gauge", ""),
            ("ca_not_after_timestamp_seconds", "gauge", ""),
            ("prices_as_of_timestamp_seconds", "gauge", ""),
            ("upstream_errors", "counter", "endpoint model error"),
            ("tokens", "counter", "key model kind"),
            ("cost_usd", "counter", "key model"),
            ("billed_units", "counter", "key model unit"),
            ("unpriced_requests", "counter", "model"),
            ("usage_missing_requests", "counter", "endpoint reason"),
            ("leaks", "counter", "rule action location"),
            ("throttled_requests", "counter", "key model limit action"),
            ("limit_capacity", "gauge", "key model limit"),
            ("limit_remaining", "gauge", "key model limit"),
            ("upstream_limit_remaining", "gauge", "key model limit"),
            ("store_errors", "counter", "policy"),
            ("budget_limit_usd", "gauge", "budget period"),
            ("budget_used_usd", "gauge", "budget period"),
            ("budget_reset_timestamp_seconds", "gauge", "budget period"),
            ("budget_spend_usd", "counter", "budget"),
            ("webhooks", "counter", "result"),
            ("usage_anomalies", "counter", "endpoint anomaly"),
            ("model_substitutions", "counter", "requested sent"),
            ("model_substitutions_kept", "counter", "requested reason"),
            ("cost_avoided_usd", "counter", "requested sent"),
            ("log_bodies", "counter", "result"),
            ("internal_errors", "counter", "stage"),
            ("requests_in_progress", "gauge", "endpoint"),
            ("request_duration_seconds", "histogram", "endpoint model stream le"),
            ("upstream_duration_seconds", "histogram", "endpoint model le"),
            ("time_to_first_token_seconds", "histogram", "model le"),
            ("injected_delay_seconds", "histogram", "model le"),
            ("faults_injected", "counter", "fault"),
            ("overhead_seconds", "histogram", "phase le"),
            ("config_reloads", "counter", "result"),
            ("config_last_reload_successful", "gauge", ""),
            ("config_last_reload_success_timestamp_seconds", "gauge", ""),
            ("log_records", "counter", "result"),
            ("log_queue_records", "gauge", ""),
            ("passthrough_connections", "counter", "result"),
            ("label_overflows", "counter", "label"),
            ("build_info", "gauge", "version mitmproxy python"),
        )
    }


def test_every_family_has_words_that_explain_it_and_no_created_twin(metrics: Metrics) -> None:
    metrics.record(call())
    text = generate_latest(metrics.registry).decode()
    assert "_created" not in text
    for family in text_string_to_metric_families(text):
        assert len(family.documentation) > 10, family.name
    assert "process_resident_memory_bytes" in text
    assert "python_gc_collections_total" in text
    assert "python_info" in text


@pytest.mark.parametrize(
    ("name", "buckets"),
    [
        ("request_duration_seconds", "0.1 0.25 0.5 1 2 5 10 20 30 60 120 300 600"),
        ("upstream_duration_seconds", "0.1 0.25 0.5 1 2 5 10 20 30 60 120 300 600"),
        (
            "time_to_first_token_seconds",
            "0.05 0.1 0.2 0.3 0.5 0.75 1 1.5 2 3 5 10 20 30 60 120",
        ),
        ("overhead_seconds", "0.0005 0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1"),
    ],
)
def test_buckets(metrics: Metrics, name: str, buckets: str) -> None:
    metrics.record(call(upstream_ms=1.0, ttft_ms=1.0))
    found = {
        float(sample.labels["le"])
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == f"openai_gateway_{name}_bucket"
    }
    assert found == {*map(float, buckets.split()), float("inf")}


def test_three_calls_are_counted_by_what_became_of_them(metrics: Metrics) -> None:
    metrics.record(call())
    metrics.record(call())
    metrics.record(call(key="unknown", outcome="rejected_key", status=401, reason="unknown"))
    assert value(metrics, "requests_total", **GOOD) == 2
    rejected = {**GOOD, "key": "unknown", "outcome": "rejected_key", "status": "401"}
    assert value(metrics, "requests_total", **rejected) == 1
    assert value(metrics, "key_rejections_total", reason="unknown") == 1
    assert value(metrics, "key_rejections_total", reason="missing") == 0


def test_a_production_key_out_of_place_is_counted_apart(metrics: Metrics) -> None:
    leaked = "gateway_production_key_leaked"
    metrics.record(call(outcome="blocked", status=403, error_code="gateway_secret_detected"))
    assert value(metrics, "production_key_leaks_total", place="request") == 0
    metrics.record(call(outcome="blocked", status=403, error_code=leaked))
    frame = call().on_socket()
    frame.outcome, frame.status, frame.error_code = "blocked", 403, leaked
    metrics.record(frame)
    assert value(metrics, "production_key_leaks_total", place="request") == 1
    assert value(metrics, "production_key_leaks_total", place="websocket") == 1


@pytest.mark.parametrize(
    ("name", "label", "values"),
    [
        ("production_key_leaks_total", "place", "request websocket"),
        ("store_errors_total", "policy", "local closed"),
        ("webhooks_total", "result", "sent failed"),
        ("budget_spend_usd_total", "budget", "team"),
    ],
)
def test_what_alerts_look_at_stands_at_0_before_the_first(
    metrics: Metrics, name: str, label: str, values: str
) -> None:
    metrics.budgets([BudgetStatus("team", "day", 10, 5, 0, None, 1_800_000_000)])
    assert [value(metrics, name, **{label: one}) for one in values.split()] == [0] * len(
        values.split()
    )


def test_durations_are_seconds_and_add_up(metrics: Metrics) -> None:
    walked = [("keys.identify", "pass", 1500), ("keys.attach", "pass", 500)]
    known = {"duration_ms": 1300.0, "upstream_ms": 1250.0, "ttft_ms": 400.0, "trace": walked}
    metrics.record(call(**known, overhead_ms=50.0, stream=True))
    metrics.record(call(**known, overhead_ms=50.0, stream=True))
    asked = {"endpoint": "chat.create", "model": "gpt-5-mini"}
    told = "request_duration_seconds"
    assert value(metrics, f"{told}_sum", **asked, stream="true") == pytest.approx(2.6)
    assert value(metrics, f"{told}_bucket", **asked, stream="true", le="1.0") == 0
    assert value(metrics, f"{told}_bucket", **asked, stream="true", le="2.0") == 2
    assert value(metrics, "upstream_duration_seconds_sum", **asked) == pytest.approx(2.5)
    first = "time_to_first_token_seconds_sum"
    assert value(metrics, first, model="gpt-5-mini") == pytest.approx(0.8)
    assert value(metrics, "overhead_seconds_sum", phase="request") == pytest.approx(0.004)
    assert value(metrics, "overhead_seconds_sum", phase="response") == pytest.approx(0.096)


def test_a_refused_call_has_overhead_on_its_way_there_only(metrics: Metrics) -> None:
    metrics.record(call(outcome="blocked", status=403, overhead_ms=3.0))
    assert value(metrics, "overhead_seconds_sum", phase="request") == pytest.approx(0.003)
    assert value(metrics, "overhead_seconds_count", phase="response") is None
    assert value(metrics, "time_to_first_token_seconds_count", model="gpt-5-mini") is None


@pytest.mark.parametrize(
    ("known", "swapped"),
    [
        ({"admitted": True, "departing": Secret("FAKE-s"), "credential": Secret("FAKE-p")}, 1),
        ({"admitted": True, "departing": Secret("FAKE-s"), "credential": Secret("FAKE-s")}, None),
        ({"admitted": False, "departing": Secret("FAKE-s"), "credential": Secret("FAKE-p")}, None),
        ({"admitted": True, "departing": None, "credential": Secret("FAKE-p")}, None),
    ],
)
def test_a_swap_is_a_call_that_left_with_another_key(
    metrics: Metrics, known: dict[str, Any], swapped: float | None
) -> None:
    metrics.record(call(**known))
    assert value(metrics, "key_swaps_total", key="ci") == swapped


@pytest.mark.parametrize(
    ("error", "label"),
    [
        ("timeout", "timeout"),
        ("rate_limit_exceeded", "rate_limit_exceeded"),
        ("500", "500"),
        ("a code that nobody knows", "other"),
        ("200", "other"),
    ],
)
def test_upstream_errors_are_named_from_a_closed_list(
    metrics: Metrics, error: str, label: str
) -> None:
    metrics.record(call(upstream_error=error))
    asked = {"endpoint": "chat.create", "model": "gpt-5-mini"}
    assert value(metrics, "upstream_errors_total", **asked, error=label) == 1


def test_calls_in_progress_go_up_and_down_once(metrics: Metrics) -> None:
    first, second = call(), call(endpoint="/invented")
    metrics.began(first)
    metrics.began(second)
    assert value(metrics, "requests_in_progress", endpoint="chat.create") == 1
    assert value(metrics, "requests_in_progress", endpoint="unknown") == 1
    first.endpoint = "models.list"  # whatever happens in between, the same gauge goes down
    metrics.record(first)
    metrics.record(first)
    metrics.record(call())  # one that never began
    assert value(metrics, "requests_in_progress", endpoint="chat.create") == 0
    assert value(metrics, "requests_in_progress", endpoint="unknown") == 1


def test_a_refused_reload_shows_until_a_good_one(metrics: Metrics) -> None:
    assert value(metrics, "config_last_reload_successful") == 1
    began = value(metrics, "config_last_reload_success_timestamp_seconds")
    metrics.reloaded(ok=False)
    assert value(metrics, "config_last_reload_successful") == 0
    assert value(metrics, "config_last_reload_success_timestamp_seconds") == began
    metrics.reloaded(ok=True)
    assert value(metrics, "config_last_reload_successful") == 1
    assert value(metrics, "config_reloads_total", result="failure") == 1
    assert value(metrics, "config_reloads_total", result="success") == 1


def test_the_log_is_counted_by_what_its_writer_says(metrics: Metrics) -> None:
    waiting = [7]
    metrics.watch_queue(lambda: waiting[0])
    metrics.log_records.add("written", 200)
    metrics.log_records.add("written", 3)
    metrics.log_records.add("dropped", 1)
    assert value(metrics, "log_records_total", result="written") == 203
    assert value(metrics, "log_records_total", result="dropped") == 1
    assert value(metrics, "log_records_total", result="failed") == 0
    assert value(metrics, "log_queue_records") == 7


def test_build_info_names_three_versions(metrics: Metrics) -> None:
    told = {"version": "1.2.3", "mitmproxy": "12.2.3", "python": "3.13.0"}
    assert value(metrics, "build_info", **told) == 1


def test_two_gateways_in_one_process_share_nothing(metrics: Metrics) -> None:
    other = made()
    metrics.record(call())
    assert value(other, "requests_total", **GOOD) is None


CLIENT_TEXT = st.text(max_size=40)


@given(st.lists(st.tuples(CLIENT_TEXT, CLIENT_TEXT, CLIENT_TEXT), min_size=60, max_size=60))
def test_what_clients_invent_adds_no_series(invented: list[tuple[str, str, str]]) -> None:
    metrics = made()
    known = {"upstream_ms": 1.0, "ttft_ms": 1.0, "upstream_error": "x", "reason": "x"}
    strange = {"key": "?", "endpoint": "?", "model_requested": "?", "status": 299}
    for outcome in ("?", "rejected_key"):
        metrics.record(call(**known, **strange, outcome=outcome))
    before = series(metrics)
    for key, endpoint, model in invented:
        text = {"key": f"?{key}", "endpoint": f"?{endpoint}", "model_requested": f"?{model}"}
        text |= {"upstream_error": f"?{model}", "reason": f"?{key}", "outcome": f"?{key}"}
        metrics.record(call(**(known | text), status=299))
        metrics.record(call(**(known | text | {"outcome": "rejected_key"}), status=299))
    assert series(metrics) == before


def test_words_of_our_own_are_bounded_too(metrics: Metrics) -> None:
    for number in range(200):
        metrics.internal_error(f"stage{number}")
    assert value(metrics, "internal_errors_total", stage="stage63") == 1
    assert value(metrics, "internal_errors_total", stage="other") == 136


def test_past_the_maximum_of_series_the_model_becomes_other_and_is_counted() -> None:
    metrics = made(max_series=45)  # the first call fills it up: 10 + 1 + 16 + 14, and 1 of later's
    first, later = call(model_requested="gpt-5-mini"), call(model_requested="gpt-5")
    metrics.record(first)
    for _ in range(30):
        metrics.record(later)
    for _ in range(5):
        metrics.record(first)  # what has its series keeps it
    asked = {"endpoint": "chat.create", "model": "gpt-5-mini", "stream": "false"}
    folded = {"endpoint": "other", "model": "other", "stream": "false"}
    assert value(metrics, "request_duration_seconds_count", **asked) == 6
    assert value(metrics, "request_duration_seconds_count", **folded) == 30
    assert value(metrics, "requests_total", **{**GOOD, "model": "gpt-5"}) == 30
    assert value(metrics, "label_overflows_total", label="model") == 30
    assert value(metrics, "label_overflows_total", label="key") == 0


def test_no_traffic_however_mixed_passes_the_maximum_by_much() -> None:
    metrics = made(max_series=100)

    def mixed(endpoint: str) -> int:
        for status in range(100, 600):
            for model in (None, "gpt-5", "gpt-5-mini", "x"):
                known = {"endpoint": endpoint, "ttft_ms": 1.0, "upstream_ms": 1.0}
                metrics.record(call(status=status, model_requested=model, **known))
        return series(metrics)

    mixed("chat.create")
    grown = mixed("models.list")
    assert grown < 100 + 180  # one folded series a status and histogram is let in above it
    assert mixed("x") == grown


def test_a_bill_is_counted_to_the_token_and_the_nano_dollar(metrics: Metrics) -> None:
    usage = Usage(
        input_tokens=1000, cached_input_tokens=200, output_tokens=300, reasoning_tokens=100,
        units={"web_search": 2}, source="reported",
    )  # fmt: skip
    for _ in range(3):
        metrics.record(call(usage=usage, cost_nano_usd=1_234_567))
    at = {"key": "ci", "model": "gpt-5-mini"}
    kinds = {"input": 800, "cached_input": 200, "output": 200, "reasoning": 100}
    for kind, count in kinds.items():
        assert value(metrics, "tokens_total", **at, kind=kind) == 3 * count
    assert sum(kinds.values()) == 1300
    assert round((value(metrics, "cost_usd_total", **at) or 0) * 10**9) == 3 * 1_234_567
    assert value(metrics, "billed_units_total", **at, unit="web_search") == 6


def test_what_has_no_price_or_no_usage_is_counted_as_such(metrics: Metrics) -> None:
    metrics.record(call(unpriced_model="gpt-5-mini", cost_nano_usd=None))
    metrics.record(call(usage_missing="stream_aborted"))
    assert value(metrics, "unpriced_requests_total", model="gpt-5-mini") == 1
    missing = {"endpoint": "chat.create", "reason": "stream_aborted"}
    assert value(metrics, "usage_missing_requests_total", **missing) == 1


def test_requests_and_histograms_carry_the_id_of_the_last_call(metrics: Metrics) -> None:
    known = {"duration_ms": 300.0, "upstream_ms": 250.0, "ttft_ms": 40.0, "overhead_ms": 50.0}
    metrics.record(call(**known, id="gw_before"))
    metrics.record(call(**known, id="gw_last"))
    metrics.record(call(**(known | {"duration_ms": 5000.0}), id="gw_slow", status=201))
    found: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            if sample.exemplar is not None:
                ids = found.setdefault(family.name, set())
                ids.add(sample.exemplar.labels["call_id"])
                assert set(sample.exemplar.labels) == {"call_id"}
    told = {
        "requests": {"gw_last", "gw_slow"},
        "request_duration_seconds": {"gw_last", "gw_slow"},
        "upstream_duration_seconds": {"gw_slow"},
        "time_to_first_token_seconds": {"gw_slow"},
        "overhead_seconds": {"gw_slow"},
    }
    assert found == {f"openai_gateway_{name}": ids for name, ids in told.items()}


def test_the_text_format_has_no_exemplars(metrics: Metrics) -> None:
    metrics.record(call(id="gw_last", upstream_ms=1.0, ttft_ms=1.0))
    text = generate_latest(metrics.registry).decode()
    assert "gw_last" not in text
    assert f"{value(metrics, 'requests_total', **GOOD)}\n" in text


def test_a_response_on_a_socket_is_counted_without_a_time_that_it_does_not_have(
    metrics: Metrics,
) -> None:
    spoken = call(request=Request("WS", "api.openai.com", b"/v1/responses", []), stream=True)
    metrics.record(spoken)
    assert value(metrics, "requests_total", **GOOD) == 1
    asked = {"endpoint": "chat.create", "model": "gpt-5-mini", "stream": "true"}
    assert value(metrics, "request_duration_seconds_count", **asked) is None
    assert value(metrics, "overhead_seconds_count", phase="request") is None


def test_what_is_declared_is_what_the_registry_holds() -> None:
    metrics = Metrics(LABELS, Versions("1", "2", "3"), gen_ai=True)
    ours = ("openai_gateway_", "gen_ai_")
    held = {
        family.name.removesuffix("_total"): (
            family.type.replace("info", "gauge"),
            family.documentation,
        )
        for family in metrics.registry.collect()
        if family.name.startswith(ours)
    }
    declared = {
        family.name.removesuffix("_total").removesuffix("_info"): (family.kind, family.words)
        for family in metrics.declared
    }
    assert declared == held


def test_a_substitute_is_counted_with_what_it_saved(metrics: Metrics) -> None:
    replaced = {"model_requested": "gpt-5", "model_sent": "gpt-5-mini", "avoided_nano_usd": 1_500}
    metrics.record(call(admitted=True, **replaced))
    metrics.record(call(admitted=False, **replaced))  # refused by a later stage
    pair = {"requested": "gpt-5", "sent": "gpt-5-mini"}
    assert value(metrics, "model_substitutions_total", **pair) == 1
    assert value(metrics, "cost_avoided_usd_total", **pair) == 1.5e-6
    assert value(metrics, "requests_total", **GOOD) == 2  # of the model that is sent


def test_a_kept_model_is_counted_once_and_never_by_a_name_that_a_client_made_up(
    metrics: Metrics,
) -> None:
    one = call(kept=[("gpt-5", "dearer"), ("made-up", "unpriced")])
    metrics.record(one)
    metrics.record(one)
    kept = "model_substitutions_kept_total"
    assert value(metrics, kept, requested="gpt-5", reason="dearer") == 1
    assert value(metrics, kept, requested="other", reason="unpriced") == 1


def test_a_fault_is_counted_by_its_kind_and_a_delay_by_its_model(metrics: Metrics) -> None:
    metrics.record(call(fault="busy hour", fault_kind="timeout", injected_ms=1500.0))
    metrics.record(call())
    assert value(metrics, "faults_injected_total", fault="timeout") == 1
    assert value(metrics, "injected_delay_seconds_sum", model="gpt-5-mini") == 1.5
    assert value(metrics, "injected_delay_seconds_count", model="gpt-5-mini") == 1
