"""The arithmetic of one bucket, against values worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.limits.bucket import (
    DAY_US,
    LEASE_US,
    MINUTE_US,
    SECOND_US,
    Bucket,
    Places,
    scaled,
    state,
)
from openai_gateway.limits.limit import Kind, Limit


def limit(kind: Kind, amount: int) -> Limit:
    return Limit(kind, amount, "b", "rule")


def bucket(amount: int, used: int = 0, period: int = MINUTE_US) -> Bucket:
    made = Bucket(period, amount, 0)
    made.take(used)
    return made


def fits(made: Bucket, asked: int) -> bool:
    return made.settle(made.amount, made.at, asked)


def test_rpm_3_holds_three_and_gives_one_back_every_20_s() -> None:
    made = bucket(3)
    for _ in range(3):
        assert fits(made, 1)
        made.take(1)
    assert not fits(made, 1)
    made.settle(3, 20 * SECOND_US - 1)
    assert not fits(made, 1)
    made.settle(3, 20 * SECOND_US)
    assert fits(made, 1)
    made.take(1)
    assert not fits(made, 1)


@pytest.mark.parametrize(
    ("kind", "amount", "used", "asked", "remaining", "reset_s", "wait_s"),
    [
        # OpenAI's own example: (14567 + 24754 - 30000) * 60 / 30000 = 18.642
        ("tpm", 30_000, 14_567, 24_754, 15_433, 29.134, 18.642),
        # (3000 + 1 - 3000) * 60 / 3000 = 0.02
        ("rpm", 3_000, 3_000, 1, 0, 60.0, 0.02),
        ("rpm", 3, 3, 1, 0, 60.0, 20.0),
        ("rpm", 3, 0, 1, 3, 0.0, 0.0),
        ("rpm", 3, 2, 1, 1, 40.0, 0.0),
        # a day: 86400 s / 200 = 432 s each
        ("rpd", 200, 200, 1, 0, 86_400.0, 432.0),
        ("tpd", 1_000_000, 250_000, 0, 750_000, 21_600.0, 0.0),
        # in debt by 20 of 100: 0.6 s each, until one fits 21 of them
        ("tpm", 100, 120, 1, 0, 72.0, 12.6),
        ("tpm", 100, 120, 0, 0, 72.0, 0.0),
        ("ipm", 5, 5, 5, 0, 60.0, 60.0),
        ("tpm", 30_000, 0, 31_538, 30_000, 0.0, math.inf),
    ],
)
def test_state_tells_what_is_left_until_full_and_how_long_to_wait(
    kind: Kind, amount: int, used: int, asked: int, remaining: int, reset_s: float, wait_s: float
) -> None:
    period = DAY_US if kind in ("rpd", "tpd") else MINUTE_US
    told = state(limit(kind, amount), used * period, asked)
    assert (told.remaining, told.reset_s, told.wait_s) == (remaining, reset_s, wait_s)


def test_what_is_left_is_rounded_down() -> None:
    made = bucket(3, 3)
    made.settle(3, 39 * SECOND_US)  # 1.95 are back
    assert made.state(limit("rpm", 3), 1).remaining == 1


@given(
    amount=st.integers(1, 10**12),
    period=st.sampled_from([MINUTE_US, DAY_US]),
    used=st.integers(0, 10**13),
    asked=st.integers(1, 10**12),
)
def test_the_wait_is_exact_to_the_microsecond(
    amount: int, period: int, used: int, asked: int
) -> None:
    made = bucket(amount, used, period)
    told = state(limit("tpm" if period == MINUTE_US else "tpd", amount), made.used, asked)
    if asked > amount:
        assert told.wait_s == math.inf
        assert not fits(made, asked)
        return
    missing = (used + asked - amount) * period
    wait = max(0, -(-missing // amount))
    assert told.wait_s == wait / SECOND_US
    if wait:
        made.settle(amount, wait - 1)
        assert not fits(made, asked)
    made.settle(amount, wait)
    assert fits(made, asked)


@given(
    amount=st.integers(1, 10**12),
    used=st.integers(0, 10**12),
    steps=st.lists(st.integers(0, DAY_US), max_size=20),
)
def test_looking_often_changes_nothing(amount: int, used: int, steps: list[int]) -> None:
    often, once = bucket(amount, used, DAY_US), bucket(amount, used, DAY_US)
    now = 0
    for step in steps:
        now += step
        often.settle(amount, now)
    once.settle(amount, now)
    assert often.used == once.used


def test_a_correction_goes_below_nothing_and_never_above_full() -> None:
    made = bucket(100, 100)
    made.take(50)
    assert made.used == 150 * MINUTE_US
    made.take(-500)
    assert made.used == 0
    made.settle(100, 1)
    assert made.used == 0


def test_a_small_step_back_of_the_clock_neither_gives_nor_takes() -> None:
    made = bucket(60, 60)
    made.settle(60, 10 * SECOND_US)
    used = made.used
    made.settle(60, 10 * SECOND_US - 900_000)
    assert made.used == used
    made.settle(60, 10 * SECOND_US)
    assert made.used == used
    made.settle(60, 11 * SECOND_US)
    assert made.used == used - 60 * SECOND_US


def test_after_a_large_step_back_the_bucket_goes_on_from_there() -> None:
    made = bucket(60, 60)
    made.settle(60, 3600 * SECOND_US)
    made.take(60)
    made.settle(60, 10 * SECOND_US)
    assert made.used == 60 * MINUTE_US
    made.settle(60, 11 * SECOND_US)
    assert made.used == 59 * MINUTE_US


@pytest.mark.parametrize(
    ("used", "old", "new", "expected"),
    [(0, 3, 10, 0), (3, 3, 10, 10), (10, 10, 3, 3), (5, 10, 200, 100), (20, 10, 5, 10)],
)
def test_a_changed_limit_keeps_the_share_that_is_used(
    used: int, old: int, new: int, expected: int
) -> None:
    made = bucket(old, used)
    made.settle(new, 0)
    assert made.used == expected * MINUTE_US


@given(
    used=st.integers(0, 10**9 * MINUTE_US),
    old=st.integers(1, 10**9),
    new=st.integers(1, 10**9),
)
def test_two_gateways_that_disagree_give_nothing_away(used: int, old: int, new: int) -> None:
    there = scaled(used, MINUTE_US, old, new)
    back = scaled(there, MINUTE_US, new, old)
    assert back == pytest.approx(used, rel=1e-9, abs=2 * MINUTE_US * max(1, old / new) / 1e6)


def test_a_bucket_knows_when_it_is_as_good_as_new() -> None:
    made = bucket(60, 30)
    assert made.full_in(0) == 30 * SECOND_US
    assert made.full_in(29 * SECOND_US) == SECOND_US
    assert made.full_in(31 * SECOND_US) == -SECOND_US


def test_places_are_counted_by_lease_and_free_themselves() -> None:
    two = limit("concurrency", 2)
    places = Places(2)
    places.hold("a", 0)
    places.hold("b", 5)
    assert not places.settle(places.amount, 0, 1, "c")
    assert places.state(two, 1, "c").wait_s == 1.0
    assert places.state(two, 0, "a").remaining == 0
    assert places.settle(places.amount, 0, 1, "a"), "who holds a place needs no other"
    places.settle(2, LEASE_US - 1)
    assert not places.settle(places.amount, 0, 1, "c")
    places.settle(2, LEASE_US)
    assert places.settle(places.amount, 0, 1, "c")
    assert places.state(two, 0, "c").remaining == 1


def test_a_renewed_place_lasts_from_then_on() -> None:
    places = Places(1)
    places.hold("a", 0)
    places.hold("a", 10 * SECOND_US)
    places.settle(1, LEASE_US + 10 * SECOND_US - 1)
    assert not places.settle(places.amount, 0, 1, "b")
    places.settle(1, LEASE_US + 10 * SECOND_US)
    assert places.settle(places.amount, 0, 1, "b")


def test_a_place_is_freed_once_and_saying_it_again_does_no_harm() -> None:
    places = Places(1)
    places.hold("a", 0)
    places.free("a")
    places.free("a")
    places.hold("b", 0)
    places.free("a")
    assert not places.settle(places.amount, 0, 1, "c")
