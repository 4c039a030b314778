"""One suite over every store: what is reserved, booked, told and forgotten."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_gateway.budgets.memory import MemorySpend
from openai_gateway.budgets.store import Account, Ask, Balance, Bill, Override, SpendStore
from tests.budgets.rig import HandClock, answer

DAY = Account("team", "day", 1_795_478_400, 1_795_564_800)
TOTAL = Account("all", "total", 0, None)
# Lua's numbers would round it: 2**53 and a bit
VAST = 9_007_199_254_740_993


async def reserve(store: SpendStore, lease: str, *asks: Ask) -> tuple[bool, list[tuple[int, int]]]:
    said = await answer(store.reserve(asks, lease))
    return said.admitted, [(one.spent, one.reserved) for one in said.balances]


async def settle(store: SpendStore, lease: str, *bills: Bill, again: bool = False) -> list[Balance]:
    return [one.balance for one in await answer(store.settle(bills, lease, again))]


async def read(store: SpendStore, *accounts: Account) -> list[tuple[int, int]]:
    return [(one.spent, one.reserved) for one in await answer(store.read(accounts))]


async def test_what_is_reserved_is_taken_until_the_limit_is_full(store: SpendStore) -> None:
    assert await reserve(store, "a", Ask(DAY, 60, 100)) == (True, [(0, 60)])
    assert await reserve(store, "b", Ask(DAY, 41, 100)) == (False, [(0, 60)])
    assert await reserve(store, "c", Ask(DAY, 40, 100)) == (True, [(0, 100)])
    assert await reserve(store, "d", Ask(DAY, 1, 100)) == (False, [(0, 100)])


async def test_the_cost_takes_the_reservations_place_both_ways(store: SpendStore) -> None:
    await reserve(store, "a", Ask(DAY, 60, 100))
    await reserve(store, "b", Ask(DAY, 40, 100))
    assert await settle(store, "a", Bill(DAY, 25)) == [Balance(25, 40)]
    assert await settle(store, "b", Bill(DAY, 90)) == [Balance(115, 0)]
    assert await reserve(store, "c", Ask(DAY, 1, 100)) == (False, [(115, 0)])
    assert await reserve(store, "d", Ask(DAY, 1, None)) == (True, [(115, 1)])


async def test_all_budgets_of_a_call_or_none(store: SpendStore) -> None:
    asks = (Ask(DAY, 10, 100), Ask(TOTAL, 10, 9))
    assert await reserve(store, "a", *asks) == (False, [(0, 0), (0, 0)])
    assert await read(store, DAY, TOTAL) == [(0, 0), (0, 0)]
    asks = (Ask(DAY, 10, 100), Ask(TOTAL, 9, 9))
    assert await reserve(store, "a", *asks) == (True, [(0, 10), (0, 9)])


async def test_a_call_that_failed_gives_everything_back(store: SpendStore) -> None:
    await reserve(store, "a", Ask(DAY, 100, 100))
    assert await settle(store, "a", Bill(DAY, 0)) == [Balance(0, 0)]
    assert await reserve(store, "b", Ask(DAY, 100, 100)) == (True, [(0, 100)])


async def test_a_question_that_is_asked_again_takes_nothing_twice(store: SpendStore) -> None:
    for _ in range(2):
        assert await reserve(store, "a", Ask(DAY, 60, 100)) == (True, [(0, 60)])


async def test_a_bill_that_is_told_again_counts_once(store: SpendStore) -> None:
    await reserve(store, "a", Ask(DAY, 60, 100))
    await settle(store, "a", Bill(DAY, 50))
    assert await settle(store, "a", Bill(DAY, 50), again=True) == [Balance(50, 0)]
    await reserve(store, "b", Ask(DAY, 10, 100))
    assert await settle(store, "b", Bill(DAY, 7), again=True) == [Balance(57, 0)]


async def test_what_was_never_reserved_is_booked_all_the_same(store: SpendStore) -> None:
    assert await settle(store, "a", Bill(DAY, 50)) == [Balance(50, 0)]


async def test_a_store_that_knows_less_than_was_spent_takes_it_up(store: SpendStore) -> None:
    assert await reserve(store, "a", Ask(DAY, 10, 100, floor=95)) == (False, [(95, 0)])
    assert await reserve(store, "b", Ask(DAY, 5, 100, floor=40)) == (True, [(95, 5)])
    assert await settle(store, "b", Bill(DAY, 2, floor=96)) == [Balance(98, 0)]


async def test_periods_and_budgets_have_books_of_their_own(store: SpendStore) -> None:
    tomorrow = DAY._replace(start=DAY.start + 86_400, end=(DAY.end or 0) + 86_400)
    await settle(store, "a", Bill(DAY, 50))
    assert await reserve(store, "b", Ask(tomorrow, 100, 100)) == (True, [(0, 100)])
    assert await read(store, DAY, tomorrow, TOTAL) == [(50, 0), (0, 100), (0, 0)]


async def test_each_share_is_reached_once(store: SpendStore) -> None:
    shares = (("0.5", 50), ("0.8", 80), ("1.0", 100))

    async def spend(amount: int) -> tuple[tuple[str, ...], frozenset[str]]:
        said = await answer(store.settle([Bill(DAY, amount, 0, shares)], "x"))
        return said[0].reached, said[0].balance.alerted

    assert await spend(49) == ((), frozenset())
    assert await spend(1) == (("0.5",), {"0.5"})
    assert await spend(1) == ((), {"0.5"})
    assert await spend(60) == (("0.8", "1.0"), {"0.5", "0.8", "1.0"})
    assert await spend(60) == ((), {"0.5", "0.8", "1.0"})
    assert [one.alerted for one in await answer(store.read([DAY]))] == [{"0.5", "0.8", "1.0"}]


async def test_many_at_once_reach_a_share_once(store: SpendStore) -> None:
    bill = Bill(DAY, 10, 0, (("0.5", 50), ("1.0", 100)))
    said = await asyncio.gather(*(_settled(store, bill, str(place)) for place in range(50)))
    assert sorted(share for reached in said for share in reached) == ["0.5", "1.0"]


async def _settled(store: SpendStore, bill: Bill, lease: str) -> tuple[str, ...]:
    return (await answer(store.settle([bill], lease)))[0].reached


async def test_nano_dollars_are_exact_beyond_nine_million_dollars(store: SpendStore) -> None:
    assert await settle(store, "a", Bill(DAY, VAST)) == [Balance(VAST, 0)]
    assert await settle(store, "b", Bill(DAY, 1)) == [Balance(VAST + 1, 0)]
    assert await reserve(store, "c", Ask(DAY, 2, VAST + 2)) == (False, [(VAST + 1, 0)])
    assert await reserve(store, "c", Ask(DAY, 1, VAST + 2)) == (True, [(VAST + 1, 1)])
    huge = 10**18
    assert await reserve(store, "d", Ask(TOTAL, 10**15, huge, floor=huge - 10**15)) == (
        True,
        [(huge - 10**15, 10**15)],
    )


async def test_what_is_kept_under_another_name_is_ended_by_that(store: SpendStore) -> None:
    await reserve(store, "a", Ask(DAY, 60, 100), Ask(TOTAL, 60, 100))
    await answer(store.keep([DAY, TOTAL], "a", "bill:resp_1", 600))
    assert await settle(store, "a", Bill(DAY, 0), again=True) == [Balance(0, 60)]
    assert await settle(store, "bill:resp_1", Bill(DAY, 20), Bill(TOTAL, 20)) == [
        Balance(20, 0),
        Balance(20, 0),
    ]


async def test_what_is_not_renewed_lapses(store: SpendStore) -> None:
    for lease in ("a", "b"):
        await reserve(store, lease, Ask(DAY, 50, 100))
        await answer(store.keep([DAY], lease, f"{lease}2", 0))
    await answer(store.renew({"a2": [DAY], "gone": [DAY]}))
    assert await reserve(store, "c", Ask(DAY, 50, 100)) == (True, [(0, 100)])
    assert await reserve(store, "d", Ask(DAY, 1, 100)) == (False, [(0, 100)])
    assert await settle(store, "a2", Bill(DAY, 30), again=True) == [Balance(30, 50)]
    assert await settle(store, "b2", Bill(DAY, 30), again=True) == [Balance(30, 50)]


async def test_thousands_of_leases_lapse_and_are_renewed(store: SpendStore) -> None:
    names = [str(place) for place in range(1200)]
    for name in names:
        await reserve(store, name, Ask(DAY, 1, None))
    await answer(store.renew({name: [DAY] for name in names}))
    assert await read(store, DAY) == [(0, 1200)]
    for name in names:
        await answer(store.keep([DAY], name, f"{name}x", 0))
    for _ in range(3):
        found = await read(store, DAY)
    assert found == [(0, 0)]


async def test_an_override_is_seen_and_replaced(store: SpendStore) -> None:
    first = Override("team", 50 * 10**9, 1_795_564_800.0, "ana", 1_795_500_000.0)
    other = Override("all", 10**18, 1_795_564_800.0, 'ö, "x"', 1_795_500_000.5)
    await answer(store.override(first))
    await answer(store.override(other))
    assert set(await answer(store.overrides())) == {first, other}
    later = Override("team", 60 * 10**9, 1_795_564_800.0, "bo", 1_795_500_001.0)
    await answer(store.override(later))
    assert set(await answer(store.overrides())) == {later, other}


def test_the_memory_forgets_periods_that_ended_long_ago() -> None:
    clock = HandClock()
    store = MemorySpend(clock)
    for day in range(400):
        start = DAY.start + day * 86_400
        clock.at = float(start)
        store.settle([Bill(DAY._replace(start=start, end=start + 86_400), 1)], "a")
    assert len(store._books) <= 5


LEASES = st.sampled_from("abcde")
AMOUNTS = st.integers(0, 40)
STEPS = st.lists(
    st.tuples(st.sampled_from(["reserve", "settle", "back", "again"]), LEASES, AMOUNTS),
    max_size=40,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
async def test_spend_and_reservations_add_up_whatever_comes(
    store: SpendStore, steps: list[tuple[str, str, int]]
) -> None:
    account = DAY._replace(start=DAY.start + hash(str(steps)) % 10**9)
    held: dict[str, int] = {}
    spent = 0
    for what, lease, amount in steps:
        if what == "reserve":
            held.pop(lease, None)
            admitted, [(_, reserved)] = await reserve(store, lease, Ask(account, amount, 100))
            assert admitted == (spent + sum(held.values()) + amount <= 100)
            if admitted:
                held[lease] = amount
            assert reserved == sum(held.values())
            continue
        cost = {"settle": min(amount, held.get(lease, 0)), "again": amount}.get(what, 0)
        known = held.pop(lease, None) is not None
        spent += cost if known or what != "again" else 0
        told = await settle(store, lease, Bill(account, cost), again=what == "again")
        assert told == [Balance(spent, sum(held.values()))]


@pytest.mark.parametrize("floor", [0, 3])
async def test_a_bill_of_nothing_tells_the_balance(store: SpendStore, floor: int) -> None:
    assert await settle(store, "a", Bill(DAY, 0, floor)) == [Balance(floor, 0)]
