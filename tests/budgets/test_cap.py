"""A thousand calls at once: with `worst` no hard budget is ever passed, with `expected` it is known
by how much.
"""

import asyncio
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_gateway.budgets.store import SpendStore
from openai_gateway.core.verdict import Refuse
from tests.budgets.rig import USD, HandClock, Rig, budget, chat

CALLS = 1000
# gpt-4.1: 8000 nano-dollars a token out
OUT = 8000


async def storm(rig: Rig, seed: int, most: int, calls: int = CALLS) -> tuple[int, int]:
    """Calls that all come at once, each with a maximum of output of its own, and answers between
    nothing and that; some fail. Gives what was spent, and the most that ever was."""
    chance = random.Random(seed)  # noqa: S311 - a storm that can be had again
    highest = 0
    spent = 0

    async def one() -> None:
        nonlocal spent, highest
        bound = chance.randint(1, most)
        call = chat({"max_completion_tokens": bound})
        said = await rig.check(call)
        if isinstance(said, Refuse):
            assert said.refusal.code == "project_spend_limit_exceeded"
            rig.budgets.settle(call)
            return
        for _ in range(chance.randint(0, 5)):
            await asyncio.sleep(0)
        failed = chance.random() < 0.1
        cost = 0 if failed else chance.choice((bound, chance.randint(0, bound))) * OUT
        spent += cost
        highest = max(highest, spent)
        rig.end(call, cost, status=500 if failed else 200)

    await asyncio.gather(*(one() for _ in range(calls)))
    await rig.ledger.close()
    return spent, highest


async def test_a_thousand_at_once_never_pass_a_hard_cap(
    store: SpendStore, clock: HandClock
) -> None:
    limit = 0.05
    rig = Rig(
        budget("team", limit, reserve="worst"),
        budget("all", 10.0, "total", reserve="worst"),
        store=store,
        clock=clock,
    )
    spent, highest = await storm(rig, seed=1, most=500)
    await rig.ledger.tick()
    assert rig.spent() == rig.spent("all") == spent
    assert highest <= limit * USD
    assert spent > 0.5 * limit * USD  # nobody came again when money came back
    assert rig.reserved() == rig.reserved("all") == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(1, 3000), st.floats(0.0001, 0.2))
async def test_no_storm_passes_a_cap_with_worst(seed: int, most: int, limit: float) -> None:
    rig = Rig(budget(usd=limit, reserve="worst"))
    spent, highest = await storm(rig, seed, most, calls=200)
    assert highest <= limit * USD + 1
    assert (rig.spent(), rig.reserved()) == (spent, 0)


async def test_gateways_that_share_a_store_share_the_cap(
    store: SpendStore, clock: HandClock
) -> None:
    if not store.shared:
        pytest.skip("this store is of one gateway")
    limit = 0.05
    rigs = [Rig(budget(usd=limit, reserve="worst"), store=store, clock=clock) for _ in range(3)]
    storms = [storm(rig, seed, 500, calls=400) for seed, rig in enumerate(rigs)]
    spent = sum(one for one, _ in await asyncio.gather(*storms))
    assert 0.5 * limit * USD < spent <= limit * USD
    for rig in rigs:
        await rig.ledger.tick()
        assert rig.spent() == spent


async def test_expected_may_pass_a_cap_by_what_was_under_way(
    store: SpendStore, clock: HandClock
) -> None:
    """Once the model's cost is known, what is spent beyond is the error of a mean."""
    limit = 0.2
    rig = Rig(budget(usd=limit), store=store, clock=clock)
    for seed in range(16):
        await storm(rig, seed, most=500, calls=2)
    spent, _ = await storm(rig, seed=99, most=500)
    await rig.ledger.tick()
    print(f"overshoot: {rig.spent() / (limit * USD) - 1:+.1%}")  # noqa: T201  # seen with -s
    assert rig.spent() <= 1.25 * limit * USD
    assert spent > 0
