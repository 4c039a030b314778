"""The books over periods, restarts, other gateways and a store that fails."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_gateway.budgets.ledger import RENEW_S, UNSETTLED_MAX, Ledger, Part
from openai_gateway.budgets.memory import LEASE_S, MemorySpend
from openai_gateway.budgets.rule import rules
from openai_gateway.budgets.store import Balance, Override, Reserved, SpendStore, Unavailable
from tests.budgets.rig import USD, Far, HandClock, Table, answer, budget

DAY = 1_795_478_400  # 2026-11-24T00:00:00Z
KEY = ("team", "day", DAY)


class Books:
    """A ledger, and what it told."""

    def __init__(self, store: SpendStore | None = None, table: Table | None = None, **known: Any):
        self.clock = getattr(store, "clock", None) or HandClock()
        self.store = store or MemorySpend(self.clock)
        self.table = table or Table()
        self.told: list[tuple[str, int]] = []
        self.ledger = Ledger(
            self.store, self.table, self.clock, lambda one: self.told.append((one.share, one.spent))
        )
        (self.rule,) = rules([budget(**known)])

    def part(self, amount: int) -> tuple[Part, ...]:
        return (self.ledger.part(self.rule, amount, self.clock.now()),)

    async def reserve(self, lease: str, amount: int) -> Reserved:
        return await answer(self.ledger.reserve(self.part(amount), lease))

    async def spend(self, amount: int, lease: str = "a") -> bool:
        """A call that costs what was reserved."""
        parts = self.part(amount)
        if not (await answer(self.ledger.reserve(parts, lease))).admitted:
            return False
        self.ledger.settle(lease, parts, [amount], granted=True)
        await self.ledger.close()
        return True

    def balance(self) -> Balance:
        return self.ledger.status(self.rule, self.clock.now())[2]


@pytest.fixture(params=["memory", "far"])
def books(request: pytest.FixtureRequest) -> Books:
    return Books(Far(HandClock()) if request.param == "far" else None)


async def test_spend_is_kept_in_the_table_and_counts(books: Books) -> None:
    assert await books.spend(USD // 4)
    assert await books.spend(USD // 2)
    assert books.balance()[:2] == (3 * USD // 4, 0)
    assert sum(row[3] for row in books.table.added) == 3 * USD // 4
    assert {row[:3] for row in books.table.added} == {KEY}
    assert not await books.spend(USD // 4 + 1)
    assert await books.spend(USD // 4)


async def test_a_new_period_begins_at_nothing_and_ends_what_began_before_it(books: Books) -> None:
    books.clock.to("2026-11-24T23:59:59Z")
    parts = books.part(USD)
    assert (await answer(books.ledger.reserve(parts, "a"))).admitted
    books.clock.to("2026-11-25T00:00:00Z")
    assert await books.spend(USD, "b")
    books.ledger.settle("a", parts, [USD], granted=True)
    await books.ledger.close()
    assert books.balance()[:2] == (USD, 0)
    assert {(row[2], row[3]) for row in books.table.added if row[3]} == {
        (DAY, USD),
        (DAY + 86_400, USD),
    }


async def test_after_a_restart_the_table_tells_what_was_spent(books: Books) -> None:
    await books.spend(6 * USD // 10)
    after = Books(table=books.table.after_restart())
    assert after.balance().spent == 6 * USD // 10
    assert not await after.spend(USD // 2)
    assert await after.spend(4 * USD // 10)
    again = Books(table=after.table.after_restart())
    assert again.balance().spent == USD


async def test_a_shared_store_is_not_told_twice_what_it_knows() -> None:
    far = Far(HandClock())
    first = Books(far)
    await first.spend(6 * USD // 10)
    second = Books(far, first.table.after_restart())
    assert await second.spend(USD // 10, "b")
    assert second.balance().spent == 7 * USD // 10


async def test_a_shared_store_that_came_back_empty_takes_up_what_is_known() -> None:
    far = Far(HandClock())
    first = Books(far)
    await first.spend(6 * USD // 10)
    far.forget()
    assert not await first.spend(USD // 2, "b")
    far.forget()
    restarted = Books(far, first.table.after_restart())
    assert not await restarted.spend(USD // 2, "c")
    assert await restarted.spend(4 * USD // 10, "d")


async def test_what_runs_is_reserved_again_in_a_store_that_has_lost_it() -> None:
    far = Far(HandClock())
    books = Books(far)
    for lease in "abc":
        assert (await books.reserve(lease, USD // 4)).admitted
    far.forget()
    await books.ledger.tick()
    assert books.balance()[:2] == (0, 0)  # as it was read: only then it was found missing
    assert not (await books.reserve("d", USD // 2)).admitted
    await books.ledger.tick()
    assert books.balance()[:2] == (0, 3 * USD // 4)


async def test_as_long_as_the_table_is_unread_a_hard_budget_lets_nothing_pass() -> None:
    table = Table((*KEY, 9 * USD // 10, ("0.5",)))
    table.unread = True
    books = Books(table=table)
    with pytest.raises(Unavailable, match="before the start"):
        await books.reserve("a", 1)
    books.ledger.settle("b", books.part(0), [USD // 20], granted=False)
    table.unread = False
    assert not (await books.reserve("a", USD // 10)).admitted
    assert books.balance().spent == 95 * USD // 100
    assert (await books.reserve("a", USD // 20)).admitted


async def test_a_soft_budget_counts_while_the_table_is_unread() -> None:
    table = Table((*KEY, USD, ()))
    table.unread = True
    books = Books(table=table, hard=False)
    assert await books.spend(5 * USD)
    table.unread = False
    assert await books.spend(USD)
    assert books.balance().spent == 7 * USD


async def test_each_threshold_is_told_once_also_after_a_restart(books: Books) -> None:
    for _ in range(4):
        await books.spend(USD // 4)
    assert books.told == [("0.5", USD // 2), ("0.8", USD), ("0.95", USD), ("1.0", USD)]
    after = Books(table=books.table.after_restart())
    after.ledger.settle("x", after.part(0), [USD], granted=False)
    assert after.told == []
    after.clock.to("2026-11-25T12:00:00Z")
    after.ledger.settle("y", after.part(0), [USD // 2], granted=False)
    assert after.told == [("0.5", USD // 2)]


async def test_gateways_that_share_a_store_tell_a_threshold_once() -> None:
    far = Far(HandClock())
    gateways = [Books(far), Books(far)]
    for number in range(10):
        assert await gateways[number % 2].spend(USD // 10, str(number))
    told = [one for gateway in gateways for one in gateway.told]
    assert sorted(share for share, _ in told) == ["0.5", "0.8", "0.95", "1.0"]
    for gateway in gateways:
        await gateway.ledger.tick()
    far.forget()
    for gateway in gateways:
        gateway.ledger.settle("x", gateway.part(0), [USD], granted=False)
        await gateway.ledger.close()
    assert [one for gateway in gateways for one in gateway.told] == told


async def test_a_bill_that_the_store_did_not_hear_is_told_later_and_once() -> None:
    far = Far(HandClock())
    books = Books(far)
    parts = books.part(USD // 2)
    await answer(books.ledger.reserve(parts, "a"))
    far.away = True
    books.ledger.settle("a", parts, [USD // 4], granted=True)
    await books.ledger.close()
    with pytest.raises(Unavailable):
        await books.ledger.tick()
    far.away = False
    await books.ledger.tick()
    await books.ledger.tick()
    assert books.balance()[:2] == (USD // 4, 0)
    assert sum(row[3] for row in books.table.added) == USD // 4


async def test_a_bill_whose_answer_was_lost_is_not_booked_twice() -> None:
    far = Far(HandClock())
    books = Books(far)
    parts = books.part(USD // 2)
    await answer(books.ledger.reserve(parts, "a"))
    far.loses_answers = True
    books.ledger.settle("a", parts, [USD // 4], granted=True)
    await books.ledger.close()
    far.loses_answers = False
    await books.ledger.tick()
    assert books.balance()[:2] == (USD // 4, 0)


async def test_a_bill_that_waits_survives_a_store_that_came_back_empty() -> None:
    far = Far(HandClock())
    books = Books(far)
    await books.spend(USD // 4)
    parts = books.part(USD // 2)
    await answer(books.ledger.reserve(parts, "b"))
    far.away = True
    books.ledger.settle("b", parts, [USD // 2], granted=True)
    await books.ledger.close()
    far.away = False
    far.forget()
    for _ in range(3):
        await books.ledger.tick()
    assert sum(row[3] for row in books.table.added) == 3 * USD // 4
    assert books.balance()[:2] == (3 * USD // 4, 0)


async def test_a_lost_answer_beside_running_calls_is_not_taken_for_a_lost_store() -> None:
    far = Far(HandClock())
    books = Books(far)
    parts = books.part(USD // 4)
    for lease in "ab":
        await answer(books.ledger.reserve(parts, lease))
    far.loses_answers = True
    books.ledger.settle("a", parts, [USD // 5], granted=True)
    await books.ledger.close()
    far.loses_answers = False
    for _ in range(2):
        await books.ledger.tick()
    assert books.balance()[:2] == (USD // 5, USD // 4)


async def test_a_bill_on_its_way_is_not_taken_for_a_lost_reservation() -> None:
    far = Far(HandClock())
    books = Books(far)
    parts = books.part(USD // 4)
    for lease in "abc":
        await answer(books.ledger.reserve(parts, lease))
    books.ledger.settle("a", parts, [USD // 5], granted=True)
    looking = asyncio.create_task(books.ledger.tick())
    await asyncio.sleep(0)
    books.ledger.settle("b", parts, [USD // 5], granted=True)
    await looking
    await books.ledger.close()
    await books.ledger.tick()
    assert far.asked.count("reserve") == 3
    assert books.balance()[:2] == (2 * (USD // 5), USD // 4)


async def test_what_waits_to_be_told_is_bounded() -> None:
    far = Far(HandClock())
    books = Books(far)
    far.away = True
    for number in range(UNSETTLED_MAX + 5):
        books.ledger.settle(str(number), books.part(0), [1], granted=False)
        if number % 1000 == 0:
            await books.ledger.close()
    await books.ledger.close()
    assert len(books.ledger._unsettled) == UNSETTLED_MAX


async def test_a_reservation_lasts_as_long_as_its_call(books: Books) -> None:
    await books.reserve("a", USD)
    for _ in range(10):
        books.clock.at += RENEW_S
        await books.ledger.tick()
    assert not (await books.reserve("b", 1)).admitted


async def test_a_gateway_that_died_holds_money_no_longer_than_its_lease() -> None:
    far = Far(HandClock())
    dead, other = Books(far), Books(far)
    await dead.reserve("a", USD)
    far.clock.at += LEASE_S - 1
    assert not (await other.reserve("b", USD)).admitted
    far.clock.at += 1
    assert (await other.reserve("b", USD)).admitted


async def test_money_stays_reserved_for_a_bill_that_comes_later(books: Books) -> None:
    parts = books.part(USD)
    await answer(books.ledger.reserve(parts, "a"))
    books.ledger.keep("a", parts, "bill:resp_1")
    await books.ledger.close()
    books.clock.at += 3600
    await books.ledger.tick()
    assert not (await books.reserve("b", 1)).admitted
    assert books.ledger.pending("bill:resp_1") == parts
    assert books.ledger.pending("bill:resp_1") == ()
    books.ledger.settle("bill:resp_1", parts, [USD // 4], granted=False)
    await books.ledger.close()
    assert books.balance()[:2] == (USD // 4, 0)


async def test_an_override_raises_the_limit_until_it_ends(books: Books) -> None:
    assert await books.spend(USD)
    assert not await books.spend(1)
    until = books.clock.at + 3600
    await answer(books.store.override(Override("team", 2 * USD, until, "ana", books.clock.at)))
    await books.ledger.tick()
    assert await books.spend(USD)
    assert not await books.spend(1)
    books.clock.at = until
    assert books.ledger.status(books.rule, books.clock.now())[1] == USD


async def test_an_override_of_the_table_holds_too_and_none_ever_lowers(books: Books) -> None:
    books.table.raised = [("team", USD // 2, books.clock.at + 60, "ana", books.clock.at)]
    await books.ledger.tick()
    assert await books.spend(USD)
    books.table.raised = [("team", 3 * USD, books.clock.at + 60, "ana", books.clock.at + 1)]
    await books.ledger.tick()
    assert await books.spend(2 * USD)


async def test_what_others_spend_is_seen_within_a_tick() -> None:
    far = Far(HandClock())
    here, there = Books(far), Books(far)
    assert here.balance().spent == 0
    await there.spend(USD // 2)
    await here.ledger.tick()
    assert here.balance().spent == USD // 2


async def test_ended_periods_are_forgotten(books: Books) -> None:
    for _ in range(100):
        await books.spend(1)
        books.clock.at += 86_400
        await books.ledger.tick()
    assert len(books.ledger._books.accounts()) <= 5


async def test_a_thousand_at_once_keep_to_the_limit(books: Books) -> None:
    said = await asyncio.gather(*(books.spend(USD // 100, str(n)) for n in range(1000)))
    assert sum(said) == 100
    assert books.balance()[:2] == (USD, 0)


WEATHER = st.sampled_from(["fine", "fine", "away", "loses answers"])
DOINGS = st.lists(
    st.tuples(WEATHER, st.sampled_from(["begin", "begin", "end", "tick"]), st.integers(0, 30)),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(DOINGS)
async def test_whatever_the_store_does_every_bill_is_booked_once(
    doings: list[tuple[str, str, int]],
) -> None:
    far = Far(HandClock())
    gateways = [Books(far, usd=1e-7), Books(far, usd=1e-7)]
    assert [one.balance().spent for one in gateways] == [0, 0]
    running: list[tuple[Books, str, tuple[Part, ...]]] = []
    spent = 0
    for number, (weather, what, amount) in enumerate(doings):
        far.away, far.loses_answers = weather == "away", weather == "loses answers"
        books = gateways[number % 2]
        if what == "begin":
            parts, lease = books.part(amount), str(number)
            try:
                admitted = (await answer(books.ledger.reserve(parts, lease))).admitted
            except Unavailable:  # refused, and given back
                books.ledger.settle(lease, parts, [0], granted=False)
                admitted = False
            if admitted:
                running.append((books, lease, parts))
        elif what == "end" and running:
            its, lease, parts = running.pop(number % len(running))
            cost = min(amount, parts[0].amount)
            spent += cost
            its.ledger.settle(lease, parts, [cost], granted=True)
        elif what == "tick":
            with suppress(Unavailable):
                await books.ledger.tick()
        for one in gateways:
            await one.ledger.close()
        assert spent <= 100  # the limit, in nano-dollars
    far.away = far.loses_answers = False
    for one in (*gateways, *gateways):
        await one.ledger.tick()
    held = sum(parts[0].amount for _, _, parts in running)
    assert gateways[0].balance()[:2] == gateways[1].balance()[:2] == (spent, held)
    assert sum(row[3] for one in gateways for row in one.table.added) == spent
