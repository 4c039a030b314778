"""A budget is spent once, for the call and for each unit, and says when something was left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.leaks.reading.budget import (
    CALL,
    FILES,
    LIMIT_S,
    LOOKS,
    PER_BYTE,
    UNIT,
    Budget,
    budget_for,
)


class HandClock:
    """A clock that goes when told to."""

    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def budget(size: int = 0) -> Budget:
    return budget_for(size, HandClock())


def test_a_fresh_budget_has_left_out_nothing() -> None:
    fresh = budget()
    assert (fresh.bytes_left, fresh.candidates_left, fresh.over) == (CALL, UNIT, False)


def test_it_grows_with_the_call_and_with_the_unit() -> None:
    grown = budget(1000)
    grown.unit(10)
    assert grown.bytes_left == CALL + PER_BYTE * 1000
    assert grown.candidates_left == UNIT + PER_BYTE * 10


@given(st.lists(st.integers(0, UNIT)))
def test_what_is_taken_is_paid_for_and_what_is_refused_is_not(sizes: list[int]) -> None:
    spent = budget()
    taken = sum(size for size in sizes if spent.take(size))
    assert spent.bytes_left == CALL - taken
    assert spent.candidates_left == UNIT - taken >= 0
    assert spent.over == (taken < sum(sizes))


def test_one_unit_cannot_use_up_the_share_of_the_next() -> None:
    spent = budget()
    assert spent.take(UNIT)
    assert not spent.take(1)
    spent.unit(0)
    assert spent.take(UNIT)


def test_all_units_together_are_bounded() -> None:
    spent = budget()
    for _ in range(CALL // UNIT):
        spent.unit(0)
        assert spent.take(UNIT)
    spent.unit(0)
    assert not spent.take(1)
    assert spent.over


def test_once_something_was_left_out_it_stays_said() -> None:
    spent = budget()
    assert not spent.take(CALL + 1)
    assert spent.take(1)
    assert spent.over


def test_files_have_a_share_of_their_own() -> None:
    spent = budget()
    assert spent.take_file(FILES)
    assert not spent.take_file(1)
    assert spent.over
    assert spent.take(1)


@pytest.mark.parametrize("take", [Budget.take, Budget.take_file])
def test_nothing_is_taken_after_the_deadline(take: object) -> None:
    clock = HandClock()
    late = budget_for(0, clock)
    assert not late.is_late()
    clock.at += LIMIT_S
    assert callable(take)
    assert not take(late, 1)
    assert late.over
    assert late.is_late()


def test_larger_calls_have_more_time() -> None:
    assert budget(10 << 20).deadline > budget().deadline


def test_the_time_limit_is_given_by_the_caller() -> None:
    assert budget_for(0, HandClock(), limit_s=1.5).deadline == 101.5


def test_the_clock_is_asked_now_and_then_and_then_nothing_more_is_looked_at() -> None:
    clock = HandClock()
    spent = budget_for(0, clock)
    clock.at += LIMIT_S + 1
    assert [spent.may_look() for _ in range(2 * LOOKS)].count(True) == LOOKS - 1
    assert spent.over


def test_in_time_everything_may_be_looked_at() -> None:
    spent = budget()
    assert all(spent.may_look() for _ in range(3 * LOOKS))
    assert not spent.over
