"""A refusal says what OpenAI's would, to the letter; each number is worked out by hand here."""

import math

import pytest

from openai_gateway.api import errors
from openai_gateway.limits.limit import Charge, Kind, Limit, State
from openai_gateway.limits.messages import longest, refused, used


def one(
    kind: Kind, amount: int, remaining: int, asked: int, wait_s: float, reset_s: float = 60.0
) -> tuple[list[State], list[Charge]]:
    limit = Limit(kind, amount, "b", "ci-limit", "gateway.yaml:12")
    return [State(limit, remaining, reset_s, wait_s)], [Charge(limit, asked)]


TAIL = " (rule ci-limit, gateway.yaml:12)"


@pytest.mark.parametrize(
    ("asked", "type_", "said"),
    [
        (
            one("rpm", 3, 0, 1, 20.0),
            "requests",
            "Rate limit reached for gpt-5-mini in organization gateway-staging on requests per min "
            "(RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.",
        ),
        (
            one("tpm", 30_000, 15_433, 24_754, 18.642),
            "tokens",
            "Rate limit reached for gpt-5-mini in organization gateway-staging on tokens per min "
            "(TPM): Limit 30000, Used 14567, Requested 24754. Please try again in 18.642s.",
        ),
        (
            one("rpd", 10_000, 0, 1, 8.64),
            "requests",
            "Rate limit reached for gpt-5-mini in organization gateway-staging on requests per day "
            "(RPD): Limit 10000, Used 10000, Requested 1. Please try again in 8.64s.",
        ),
        (
            one("tpd", 1000, 100, 704, 52_185.6),  # (900 + 704 - 1000) * 86400 / 1000
            "tokens",
            "Rate limit reached for gpt-5-mini in organization gateway-staging on tokens per day "
            "(TPD): Limit 1000, Used 900, Requested 704. Please try again in 14h29m45.6s.",
        ),
        (
            one("ipm", 5, 1, 2, 12.0),
            "requests",
            "Rate limit reached for gpt-5-mini in organization gateway-staging on images per min "
            "(IPM): Limit 5, Used 4, Requested 2. Please try again in 12s.",
        ),
        (
            one("concurrency", 2, 0, 1, 1.0),
            "requests",
            "Rate limit reached for gpt-5-mini in organization gateway-staging on concurrent "
            "requests: Limit 2, Used 2, Requested 1. Please try again in 1s.",
        ),
        (
            one("rpm", 3000, 0, 1, 0.02),
            "requests",
            "Rate limit reached for gpt-5-mini in organization gateway-staging on requests per min "
            "(RPM): Limit 3000, Used 3000, Requested 1. Please try again in 20ms.",
        ),
        (
            one("tpm", 30_000, 30_000, 31_538, math.inf),
            "tokens",
            "Request too large for gpt-5-mini in organization gateway-staging on tokens per min "
            "(TPM): Limit 30000, Requested 31538. The input or output tokens must be reduced in "
            "order to run successfully.",
        ),
        (
            one("ipm", 5, 5, 6, math.inf),
            "requests",
            "Request too large for gpt-5-mini in organization gateway-staging on images per min "
            "(IPM): Limit 5, Requested 6. The number of images must be reduced in order to run "
            "successfully.",
        ),
    ],
)
def test_the_wording_is_openai_s(asked: tuple, type_: str, said: str) -> None:
    told = refused(*asked, "gpt-5-mini", "staging")
    assert (told.status, told.code, told.type, told.param) == (
        429, "rate_limit_exceeded", type_, None,
    )  # fmt: skip
    assert told.message == said + TAIL
    assert errors.public(told).message == said
    assert told.outcome == "throttled"


@pytest.mark.parametrize(
    ("wait_s", "retry", "after", "after_ms"),
    [
        (20.0, True, "20", "20000"),
        (0.02, True, "1", "20"),
        (1.0001, True, "2", "1001"),
        (18.642, True, "19", "18642"),
        (60.0, True, "60", "60000"),
        (60.001, False, "61", "60001"),
        (52_185.6, False, "52186", "52185600"),
    ],
)
def test_the_wait_is_honest_to_the_millisecond(
    wait_s: float, retry: bool, after: str, after_ms: str
) -> None:
    told = refused(*one("rpd", 3, 0, 1, wait_s), "m", "staging")
    assert told.retry is retry
    sent = dict(told.headers)
    assert (sent["retry-after"], sent["retry-after-ms"]) == (after, after_ms)


def test_what_waiting_never_helps_is_terminal() -> None:
    told = refused(*one("tpm", 100, 100, 101, math.inf, 0.0), "m", "staging")
    assert told.retry is False
    assert told.headers == (
        ("x-ratelimit-limit-tokens", "100"),
        ("x-ratelimit-remaining-tokens", "100"),
        ("x-ratelimit-reset-tokens", "0s"),
    )


def test_the_refusal_names_the_limit_with_the_longest_wait_and_shows_all() -> None:
    rpm, requests = one("rpm", 3, 0, 1, 5.0)
    tpm, tokens = one("tpm", 1000, 10, 300, 17.4)
    told = refused([*rpm, *tpm], [*requests, *tokens], "m", "staging")
    assert "tokens per min (TPM): Limit 1000, Used 990, Requested 300." in told.message
    assert told.reason == "tpm by ci-limit"
    assert dict(told.headers) == {
        "retry-after": "18",
        "retry-after-ms": "17400",
        "x-ratelimit-limit-requests": "3",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m0s",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "10",
        "x-ratelimit-reset-tokens": "1m0s",
    }


def test_of_equal_waits_the_first_limit_is_named() -> None:
    assert longest([*one("rpm", 1, 0, 1, 1.0)[0], *one("concurrency", 1, 0, 1, 1.0)[0]]) == 0


@pytest.mark.parametrize(
    ("state", "asked", "count"),
    [
        (one("rpm", 3, 0, 1, 15.0), 1, 3),  # a quarter of a request is free: shown as used
        (one("tpm", 1000, 0, 100, 12.0), 100, 1100),  # corrected to 100 below nothing left
        (one("tpm", 1000, 0, 100, 6.0), 100, 1000),
    ],
)
def test_used_counts_what_corrections_took_beyond_the_limit(
    state: tuple, asked: int, count: int
) -> None:
    assert used(state[0][0], asked) == count


def test_without_a_file_no_line_is_named() -> None:
    limit = Limit("rpm", 1, "b", "rule-1")
    told = refused([State(limit, 0, 60.0, 60.0)], [Charge(limit, 1)], "m", "staging")
    assert told.message.endswith("Please try again in 1m0s. (rule rule-1)")


def test_public_words_name_the_model_that_was_asked_for() -> None:
    told = refused(*one("rpm", 3, 0, 1, 20.0), "gpt-6-luna", "staging", "gpt-6.1-sol")
    assert told.message.startswith("Rate limit reached for gpt-6-luna in organization")
    assert told.public == told.message.partition(" (rule")[0].replace("gpt-6-luna", "gpt-6.1-sol")
