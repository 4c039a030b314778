"""Which rows of a log are calls that limits would be asked about, and what they asked for."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from openai_gateway.limits.arrival import Arrival
from openai_gateway.limits.rulings import Facts
from openai_gateway.readiness.arrivals import Lean, Skipped, arrivals, in_order, moment_of
from openai_gateway.readiness.place import NoLog

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOON_US = 1_795_521_600_000_000
ROW = Lean(
    NOON, "gw_1", "default", "ci", "chat.create", "POST", 200, "forwarded", None, "gpt-5-mini",
    "gpt-5", 100, 20, "reported", 1500.25, 400, None, None, None,
)  # fmt: skip


def one(**values: Any) -> Arrival:
    (made,) = arrivals([ROW._replace(**values)], Skipped())
    return made


def features(**limits: int) -> str:
    return json.dumps({"fields": ["messages"], "limits": limits})


def test_a_row_is_the_call_that_was_sent() -> None:
    assert one() == Arrival(
        NOON_US, "gw_1", Facts("default", "gpt-5-mini", "ci", "chat.create"), 100, 20, None,
        duration_us=1_500_250, request_bytes=400,
    )  # fmt: skip
    assert one(model_sent=None).facts.model == "gpt-5"
    assert one(model_sent=None, model_requested=None).facts.model == ""


@pytest.mark.parametrize(
    "at",
    [NOON, NOON.replace(tzinfo=None), "2026-11-24 12:00:00.000000", "2026-11-24T13:00:00+01:00"],
)
def test_times_are_in_utc_however_the_database_keeps_them(at: datetime | str) -> None:
    assert one(started_at=at).at_us == NOON_US
    assert moment_of(at) == NOON


def test_a_time_that_is_none_is_told() -> None:
    with pytest.raises(NoLog, match="started_at is no time"):
        one(started_at="yesterday")


def test_handshakes_and_what_is_refused_for_what_it_is_are_left_out() -> None:
    skipped = Skipped()
    rows = [
        ROW._replace(status=101, method="GET", endpoint="responses.ws"),
        ROW._replace(status=101, method="WS"),  # what was found on a socket after its last answer
        ROW._replace(status=403, outcome="blocked"),
        ROW._replace(status=401, outcome="rejected_key"),
        ROW._replace(id="gw_2"),
    ]
    assert [call.id for call in arrivals(rows, skipped)] == ["gw_2"]
    assert (skipped.handshakes, skipped.stopped) == (2, 2)


NOTHING = {"input_tokens": None, "output_tokens": None, "usage_source": "none"}


@pytest.mark.parametrize(
    ("values", "ended"),
    [
        ({}, "ran"),
        ({"status": 204, "outcome": "replayed"}, "ran"),
        ({"status": 429, "outcome": "throttled", "model_sent": None, **NOTHING}, "refused"),
        ({"status": 429, "outcome": "over_budget", "model_sent": None, **NOTHING}, "refused"),
        (
            {"status": 503, "outcome": "error", "error_code": "gateway_not_ready", **NOTHING},
            "refused",
        ),
        (
            {"status": 502, "outcome": "error", "error_code": "gateway_upstream_unreachable"},
            "failed",
        ),
        ({"status": 429, "outcome": "forwarded", "error_code": "rate_limit_exceeded"}, "failed"),
        ({"status": 500, "outcome": "faulted", **NOTHING}, "failed"),
        ({"status": 0, "outcome": "error", "error_code": "client_closed", **NOTHING}, "left"),
    ],
)
def test_how_a_call_ended(values: dict[str, Any], ended: str) -> None:
    made = one(**values)
    assert made.ended == ended
    assert (made.duration_us is None) == (ended == "refused")


def test_unknown_tokens_stay_unknown_where_the_call_uses_any() -> None:
    assert one(**NOTHING).input_tokens is None
    assert one(method="WS", **NOTHING).input_tokens is None
    for none in ({"method": "GET"}, {"model_sent": None, "model_requested": None}):
        made = one(**NOTHING, **none)
        assert (made.input_tokens, made.output_tokens) == (0, 0)
    assert not one(**NOTHING).reported


@pytest.mark.parametrize(
    ("endpoint", "told", "most", "answers"),
    [
        ("chat.create", features(max_tokens=10, max_completion_tokens=50, n=3), 150, 3),
        ("responses.create", features(max_output_tokens=50, n=3), 50, 1),
        ("chat.create", features(n=2), None, 2),
        ("chat.create", features(max_tokens=10**9, n=9), 10**9, 9),
        ("chat.create", '{"fields":["limits"]}', None, 1),
        ("chat.create", '{"limits":[1]}', None, 1),
        ("chat.create", '{"limits":', None, 1),
        ("chat.create", None, None, 1),
    ],
)
def test_the_most_output_is_read_from_the_features(
    endpoint: str, told: str | None, most: int | None, answers: int
) -> None:
    made = one(endpoint=endpoint, features=told)
    assert (made.most, made.answers) == (most, answers)


def test_images_are_those_asked_for_or_billed() -> None:
    assert one(endpoint="images.generate", features=features(n=4)).images == 4
    assert one(endpoint="images.edit", billed_units='{"image": 3}').images == 3
    assert one(endpoint="images.edit").images == 1
    assert one(features=features(n=4), billed_units='{"image": 3}').images == 0


def test_what_the_gateway_had_held_the_call_for_is_no_part_of_its_run() -> None:
    trace = '[{"stage":"limits","verdict":"delayed by rpm, wait_ms=1000","us":9}]'
    assert one(trace=trace).duration_us == 500_250
    assert one(trace=trace, duration_ms=900.0).duration_us == 0
    assert one(trace="[]").duration_us == 1_500_250


def test_rows_are_put_in_order_as_far_as_the_window_reaches() -> None:
    calls = [one(started_at=NOON.replace(second=n)) for n in (3, 1, 2, 5, 4)]
    assert [c.at_us - NOON_US for c in in_order(calls)] == [n * 10**6 for n in (1, 2, 3, 4, 5)]
    calls = [one(started_at=NOON.replace(second=n)) for n in (5, 4, 3, 1)]
    narrow = [c.at_us - NOON_US for c in in_order(calls, window=2)]
    assert narrow == [n * 10**6 for n in (3, 1, 4, 5)]
    assert list(in_order([])) == []
