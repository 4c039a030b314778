"""OpenTelemetry's names, labels and buckets, and which calls are told under them."""

from typing import Any

import pytest
from prometheus_client import generate_latest

from openai_gateway.core.call import Call, Request
from openai_gateway.core.usage import Usage
from openai_gateway.telemetry.labels import Labels
from openai_gateway.telemetry.metrics import Metrics, Versions

LABELS = Labels(
    endpoints=frozenset({"chat.create", "embeddings.create"}),
    models=frozenset({"gpt-5", "gpt-5-2025-08-07"}),
)
ASKED = {
    "gen_ai_operation_name": "chat",
    "gen_ai_provider_name": "openai",
    "gen_ai_request_model": "gpt-5",
    "gen_ai_response_model": "gpt-5-2025-08-07",
}
GOOD = {**ASKED, "error_type": ""}
USAGE = Usage(input_tokens=1000, cached_input_tokens=200, output_tokens=300, reasoning_tokens=100)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(LABELS, Versions("1", "2", "3"), gen_ai=True)


def call(**known: Any) -> Call:
    new = Call(Request("POST", "api.openai.com", b"/", []), endpoint="chat.create")
    new.model_requested, new.model_response = "gpt-5", "gpt-5-2025-08-07"
    new.status, new.outcome, new.admitted = 200, "forwarded", True
    new.duration_ms, new.ttft_ms, new.usage = 1500.0, 400.0, USAGE
    for name, value in known.items():
        setattr(new, name, value)
    return new


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"gen_ai_client_{name}", labels)


def tokens(metrics: Metrics, asked: dict[str, str], kind: str, part: str = "sum") -> float | None:
    return value(metrics, f"token_usage_{part}", **asked, gen_ai_token_type=kind)


def told(metrics: Metrics) -> bool:
    lines = generate_latest(metrics.registry).decode().splitlines()
    return any(line.startswith("gen_ai_") for line in lines)


def test_tokens_are_told_by_type_nested_as_openai_nests_them(metrics: Metrics) -> None:
    metrics.record(call())
    metrics.record(call())
    assert tokens(metrics, ASKED, "input") == 2000
    assert tokens(metrics, ASKED, "output") == 600
    assert tokens(metrics, ASKED, "input", "count") == 2


def test_a_second_bill_of_a_call_is_part_of_its_tokens(metrics: Metrics) -> None:
    drawn = Usage(input_tokens=7, output_tokens=40)
    metrics.record(call(usage=Usage(input_tokens=10, output_tokens=2, parts=(drawn,))))
    assert tokens(metrics, ASKED, "input") == 17
    assert tokens(metrics, ASKED, "output") == 42


def test_times_are_seconds(metrics: Metrics) -> None:
    metrics.record(call())
    assert value(metrics, "operation_duration_seconds_sum", **GOOD) == 1.5
    assert value(metrics, "operation_time_to_first_chunk_seconds_sum", **GOOD) == 0.4


@pytest.mark.parametrize(
    ("name", "last", "buckets"),
    [
        (
            "token_usage", {"gen_ai_token_type": "input"},
            "1 4 16 64 256 1024 4096 16384 65536 262144 1048576 4194304 16777216 67108864",
        ),
        *(
            (
                name, {"error_type": ""},
                "0.01 0.02 0.04 0.08 0.16 0.32 0.64 1.28 2.56 5.12 10.24 20.48 40.96 81.92 "
                "163.84 327.68 655.36",
            )
            for name in ("operation_duration_seconds", "operation_time_to_first_chunk_seconds")
        ),
    ],
)  # fmt: skip
def test_buckets_are_the_conventions_and_reach_ten_minutes(
    metrics: Metrics, name: str, last: dict[str, str], buckets: str
) -> None:
    metrics.record(call())
    found = [
        float(sample.labels["le"])
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == f"gen_ai_client_{name}_bucket" and sample.labels.items() >= last.items()
    ]
    assert found == [*map(float, buckets.split()), float("inf")]


@pytest.mark.parametrize(
    ("error", "label"), [("timeout", "timeout"), ("429", "429"), ("made up", "_OTHER")]
)
def test_errors_are_named_from_a_closed_list(metrics: Metrics, error: str, label: str) -> None:
    metrics.record(call(upstream_error=error))
    assert value(metrics, "operation_duration_seconds_count", **ASKED, error_type=label) == 1


def test_an_embedding_has_input_alone(metrics: Metrics) -> None:
    metrics.record(call(endpoint="embeddings.create", usage=Usage(input_tokens=8), ttft_ms=None))
    asked = {**ASKED, "gen_ai_operation_name": "embeddings"}
    assert tokens(metrics, asked, "input") == 8
    assert tokens(metrics, asked, "output") is None
    first = "operation_time_to_first_chunk_seconds_count"
    assert value(metrics, first, **asked, error_type="") is None


@pytest.mark.parametrize("known", [{"endpoint": "models.list"}, {"admitted": False}])
def test_what_is_no_operation_or_never_left_is_not_told(
    metrics: Metrics, known: dict[str, Any]
) -> None:
    metrics.record(call(**known))
    assert not told(metrics)


def test_a_socket_is_told_by_its_responses_and_they_by_their_tokens(metrics: Metrics) -> None:
    socket = {"endpoint": "responses.ws", "websocket": True, "usage": None}
    metrics.record(call(**socket, duration_ms=3_600_000.0))
    assert not told(metrics)
    metrics.record(call(endpoint="responses.ws", duration_ms=0.0, ttft_ms=None))
    assert tokens(metrics, ASKED, "input") == 1000
    assert value(metrics, "operation_duration_seconds_count", **GOOD) is None


def test_models_that_clients_invent_are_other_and_none_is_empty(metrics: Metrics) -> None:
    for number in range(60):
        metrics.record(call(model_requested=f"?{number}", model_response=f"!{number}"))
    metrics.record(call(model_requested=None, model_response=None))
    other = {**GOOD, "gen_ai_request_model": "other", "gen_ai_response_model": "other"}
    empty = {**GOOD, "gen_ai_request_model": "", "gen_ai_response_model": ""}
    assert value(metrics, "operation_duration_seconds_count", **other) == 60
    assert value(metrics, "operation_duration_seconds_count", **empty) == 1


def test_they_count_against_the_maximum_of_series() -> None:
    metrics = Metrics(LABELS, Versions("1", "2", "3"), max_series=1, gen_ai=True)
    metrics.record(call())
    other = {**GOOD, "gen_ai_request_model": "other", "gen_ai_response_model": "other"}
    assert value(metrics, "operation_duration_seconds_count", **other) == 1


def test_nothing_of_it_is_there_unless_it_is_asked_for() -> None:
    metrics = Metrics(LABELS, Versions("1", "2", "3"))
    metrics.record(call())
    assert b"gen_ai" not in generate_latest(metrics.registry)
