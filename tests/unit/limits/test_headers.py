"""The x-ratelimit-* headers: OpenAI's syntax, and the tighter of ours and theirs."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.core.call import Call, Request
from openai_gateway.limits.headers import duration, headers_for, milliseconds, ours
from openai_gateway.limits.limit import Admission, Kind, Limit, State
from openai_gateway.limits.reservation import Reservation


def state(kind: Kind, amount: int, remaining: int, reset_s: float = 0.0) -> State:
    return State(Limit(kind, amount, "b", "r"), remaining, reset_s, 0.0)


def call(*states: State, shown: bool = True) -> Call:
    made = Call(Request("POST", "api.openai.com", b"/v1/responses", []))
    made.reserved = Reservation(Admission(True, states, 0.0), shown=shown)
    return made


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0, "0s"), (1, "1ms"), (20, "20ms"), (999, "999ms"), (1000, "1s"), (1500, "1.5s"),
        (9816, "9.816s"), (18642, "18.642s"), (59_999, "59.999s"), (60_000, "1m0s"),
        (360_000, "6m0s"), (61_250, "1m1.25s"), (3_600_000, "1h0m0s"),
        (52_151_040, "14h29m11.04s"), (86_400_000, "24h0m0s"), (8_640, "8.64s"),
    ],
)  # fmt: skip
def test_durations_are_written_as_openai_writes_them(ms: int, said: str) -> None:
    assert duration(ms) == said


UNITS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


@given(st.integers(0, 10**10))
def test_a_duration_reads_back_to_the_same_millisecond(ms: int) -> None:
    parts = re.findall(r"([0-9.]+)(ms|h|m|s)", duration(ms))
    assert round(sum(float(number) * UNITS[unit] for number, unit in parts)) == ms


@given(st.floats(0, 10**6))
def test_milliseconds_are_never_less_than_the_time(seconds: float) -> None:
    assert seconds * 1000 - 0.001 <= milliseconds(seconds) <= math.ceil(seconds * 1000 + 0.001)


def test_both_families_show_their_tightest_limit() -> None:
    states = (
        state("rpm", 500, 499, 0.12), state("tpm", 30_000, 29_000, 2.0),
        state("rpd", 10_000, 41, 86_040.0), state("concurrency", 1, 0), state("ipm", 5, 0),
    )  # fmt: skip
    assert ours(states) == (
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-remaining-requests", "41"),
        ("x-ratelimit-reset-requests", "23h54m0s"),
        ("x-ratelimit-limit-tokens", "30000"),
        ("x-ratelimit-remaining-tokens", "29000"),
        ("x-ratelimit-reset-tokens", "2s"),
    )


OURS = (state("rpm", 3, 2, 20.0), state("tpm", 1000, 400, 36.0))
THEIRS = {
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "499",
    "x-ratelimit-reset-requests": "120ms",
    "x-ratelimit-limit-tokens": "30000",
    "x-ratelimit-remaining-tokens": "100",
    "x-ratelimit-reset-tokens": "59.8s",
}


def test_each_family_shows_the_one_with_fewer_remaining_its_three_together() -> None:
    assert headers_for(call(*OURS), THEIRS) == (
        ("x-ratelimit-limit-requests", "3"),
        ("x-ratelimit-remaining-requests", "2"),
        ("x-ratelimit-reset-requests", "20s"),
    )


@pytest.mark.parametrize(
    ("remaining", "shown"),
    [("1", False), ("2", False), ("3", True), ("", True), ("many", True), ("-1", True)],
)
def test_ours_is_shown_where_theirs_is_no_tighter(remaining: str, shown: bool) -> None:
    upstream = {"x-ratelimit-remaining-requests": remaining} if remaining else {}
    found = dict(headers_for(call(OURS[0]), upstream))
    assert ("x-ratelimit-remaining-requests" in found) is shown


def test_nothing_is_said_without_limits_of_ours_and_under_observe() -> None:
    assert headers_for(call(), THEIRS) == ()
    assert headers_for(call(*OURS, shown=False), {}) == ()
    assert headers_for(Call(Request("GET", "api.openai.com", b"/", [])), {}) == ()
