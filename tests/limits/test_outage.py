"""A real Redis that is frozen, killed and brought back, under the policy and on the real clock."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from openai_gateway.config.store_url import parse
from openai_gateway.core.clock import SystemClock
from openai_gateway.limits.failing import Guarded, Patience, Policy, StoreUnavailable
from openai_gateway.limits.limit import Admission
from openai_gateway.limits.redis import RedisStore, Scripts
from openai_gateway.limits.stores import open_store
from tests.limits.rig import ask, limit
from tests.limits.server import Server

# The contract's: 0.25 s a question, 1 s until it is gone, 5 s until it is used again. The rest is
# for a machine that is busy.
ANSWERED_S = 0.25 + 0.25
BACK_S = 5.0


@pytest.fixture
def lone(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that may be ill-treated."""
    request.getfixturevalue("server")
    made = Server()
    yield made
    made.remove()


@dataclass
class Gateway:
    store: Guarded
    counted: Counter[str]
    slowest_s: float = 0.0

    async def admits(self, amount: int = 10**6, lease: str = "call") -> bool:
        began = time.monotonic()
        try:
            charges = [ask("rpd", amount), ask("tpm", 10**9, 5), ask("concurrency", 10**6)]
            admitted = (await self.store.take(charges, lease)).admitted
            await self.store.adjust([ask("tpm", 10**9, -1)], lease)
            await self.store.release([limit("concurrency", 10**6)], lease)
        finally:
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        return admitted

    async def until_back(self) -> float:
        """Seconds until it asks the store again, with calls coming in meanwhile."""
        began = time.monotonic()
        while time.monotonic() - began < 2 * BACK_S:
            before = self.counted.total()
            with suppress(StoreUnavailable):
                await self.store.take([ask("rpd", 10**6)], "call")
            if self.counted.total() == before and not self.store.gone:
                return time.monotonic() - began
            await asyncio.sleep(0.02)
        raise AssertionError("the store was not used again")


@asynccontextmanager
async def gateway(server: Server, policy: Policy) -> AsyncIterator[Gateway]:
    counted: Counter[str] = Counter()

    def count(name: str) -> None:
        counted[name] += 1

    store = open_store(server.url, "staging", policy, 2, SystemClock(), count).store
    assert isinstance(store, Guarded)
    try:
        yield Gateway(store, counted)
    finally:
        await store.close()


@pytest.mark.parametrize("policy", ["local", "closed"])
async def test_a_frozen_server_delays_a_call_by_250_ms_and_then_none(
    lone: Server, policy: Policy
) -> None:
    async with gateway(lone, policy) as gate:
        await gate.store.take([ask("rpd", 10**6)], "warm")
        lone.freeze()
        began = time.monotonic()
        while not gate.store.gone:
            asked = time.monotonic()
            try:
                assert (await gate.store.take([ask("rpd", 10**6)], "call")).admitted
                assert policy == "local"
            except StoreUnavailable:
                assert policy == "closed"
            assert time.monotonic() - asked < ANSWERED_S
        assert time.monotonic() - began < 1.0 + ANSWERED_S
        asked = time.monotonic()
        for _ in range(100):
            try:
                await gate.store.take([ask("rpd", 10**6)], "call")
            except StoreUnavailable:
                assert policy == "closed"
        assert time.monotonic() - asked < ANSWERED_S, "a store that is gone is not waited for"
        assert set(gate.counted) == {policy}
        lone.thaw()
        assert await gate.until_back() < BACK_S


async def test_a_killed_server_is_used_again_once_it_is_there(lone: Server) -> None:
    async with gateway(lone, "local") as gate:
        assert await gate.admits()
        lone.kill()
        began = time.monotonic()
        while not gate.store.gone:
            assert await gate.admits()
            await asyncio.sleep(0.01)
        assert time.monotonic() - began < 1.0 + ANSWERED_S
        lone.start()
        assert await gate.until_back() < BACK_S
        # the server lost all that it knew, its script too
        assert (await gate.store.peek([limit("rpd", 100)]))[0].limit.amount == 100


async def test_calls_never_hang_nor_fail_while_the_server_comes_and_goes(lone: Server) -> None:
    async with gateway(lone, "local") as gate:
        stop = asyncio.Event()

        async def client(name: int) -> int:
            calls = 0
            while not stop.is_set():
                await gate.admits(lease=f"{name}-{calls}")
                calls += 1
                await asyncio.sleep(0.001)
            return calls

        clients = [asyncio.create_task(client(number)) for number in range(20)]
        for _ in range(2):
            lone.freeze()
            await asyncio.sleep(0.4)
            lone.thaw()
            await asyncio.sleep(0.2)
            lone.kill()
            await asyncio.sleep(0.2)
            await asyncio.to_thread(lone.start)
            await asyncio.sleep(0.2)
        stop.set()
        calls = await asyncio.wait_for(asyncio.gather(*clients), 5)
        assert min(calls) > 10
        # a call asks three times: admitted by the store, then corrected and ended without it
        assert gate.slowest_s < 3 * ANSWERED_S
        assert await gate.until_back() < BACK_S
        last = [ask("rpd", 100, bucket="last")]
        takes = [gate.store.take(last, f"last-{number}") for number in range(200)]
        assert sum(told.admitted for told in await asyncio.gather(*takes)) == 100


async def test_two_thousand_calls_at_once_are_all_answered_by_a_store_that_is_well(
    lone: Server,
) -> None:
    """However long they wait for their turns: that is not the store's silence."""
    counted: Counter[str] = Counter()
    address = Scripts(parse(lone.url))
    patient = Patience(turn_s=60.0)
    store = Guarded(
        RedisStore(address, "staging"), "closed", 1, SystemClock(),
        lambda name: counted.update([name]), patient,
    )  # fmt: skip
    charges = [ask("rpd", 1_500), ask("tpm", 10**9, 5), ask("concurrency", 10**6)]
    try:
        told = await asyncio.gather(*[store.take(charges, str(n)) for n in range(2_000)])
        assert sum(admission.admitted for admission in told) == 1_500
        assert counted == {}
        left = await store.peek([limit("rpd", 1_500), limit("concurrency", 10**6)])
        assert [state.remaining for state in left] == [0, 10**6 - 1_500]
    finally:
        await store.close()


@pytest.mark.parametrize("policy", ["local", "closed"])
async def test_a_thousand_calls_at_once_wait_for_a_frozen_store_once(
    lone: Server, policy: Policy
) -> None:
    async with gateway(lone, policy) as gate:
        await gate.store.take([ask("rpd", 10**6)], "warm")
        lone.freeze()
        began = time.monotonic()
        takes = [gate.store.take([ask("rpd", 10**6)], str(n)) for n in range(1_000)]
        told = await asyncio.gather(*takes, return_exceptions=True)
        # sixteen at a time, one after another, it would be 15 s
        assert time.monotonic() - began < 5
        kind = Admission if policy == "local" else StoreUnavailable
        assert all(isinstance(one, kind) for one in told)
        assert gate.counted == {policy: 1_000}
