"""What calls meet while the shared store is away: no hang, the policy's answer, and back again."""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import pytest

from openai_gateway.limits.failing import Guarded, Patience, Policy, StoreUnavailable
from openai_gateway.limits.limit import Admission, Charge, Limit, State, StoreFault
from openai_gateway.limits.memory import Memory
from openai_gateway.limits.turns import AT_ONCE

RPM = Limit("rpm", 10, "b", "rule")
TPM = Limit("tpm", 1_000, "b", "rule")
PLACES = Limit("concurrency", 4, "b", "rule")
QUICK = Patience(answer_s=0.02, gone_s=1.0, probe_s=0.005, probed_s=0.02)


@dataclass
class HandClock:
    at: float = 1_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@dataclass
class Far:
    """A store behind a wire that can fall silent or be cut."""

    memory: Memory
    wire: Literal["up", "silent", "cut"] = "up"
    asked: Counter[str] = field(default_factory=Counter)
    closed: bool = False

    async def take(self, charges: Sequence[Charge], lease: str) -> Admission:
        await self._cross("take")
        return self.memory.take(charges, lease)

    async def adjust(self, charges: Sequence[Charge], lease: str = "") -> None:
        await self._cross("adjust")
        self.memory.adjust(charges, lease)

    async def renew(self, limits: Sequence[Limit], lease: str) -> None:
        await self._cross("renew")
        self.memory.renew(limits, lease)

    async def release(self, limits: Sequence[Limit], lease: str) -> None:
        await self._cross("release")
        self.memory.release(limits, lease)

    async def peek(self, limits: Sequence[Limit]) -> tuple[State, ...]:
        await self._cross("peek")
        return self.memory.peek(limits)

    async def close(self) -> None:
        await self._cross("close")
        self.closed = True

    async def _cross(self, question: str) -> None:
        self.asked[question] += 1
        if self.wire == "silent":
            await asyncio.get_running_loop().create_future()
        if self.wire == "cut":
            raise StoreFault("connection refused")


@dataclass
class Rig:
    clock: HandClock
    far: Far
    store: Guarded
    counted: Counter[str]

    def left(self, limit: Limit) -> int:
        """What is left in the store itself."""
        return self.far.memory.peek([limit])[0].remaining

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not holds():  # noqa: ASYNC110  # what it waits for tells nobody
                await asyncio.sleep(0.002)

    async def lose(self) -> None:
        """The store is silent, one call has met it, and a second has passed."""
        self.far.wire = "silent"
        await self.store.adjust([Charge(RPM, 0)], "before")
        self.clock.at += 1.0


@asynccontextmanager
async def rig(policy: Policy = "local", instances: int = 2) -> AsyncIterator[Rig]:
    clock, counted = HandClock(), Counter[str]()
    far = Far(Memory(clock))

    def count(name: str) -> None:
        counted[name] += 1

    made = Rig(clock, far, Guarded(far, policy, instances, clock, count, QUICK), counted)
    yield made
    made.far.wire = "up"
    await made.store.close()


async def test_a_store_that_answers_is_asked_and_nothing_is_counted() -> None:
    async with rig() as made:
        admission = await made.store.take([Charge(RPM, 1), Charge(PLACES, 1)], "call")
        assert admission.admitted
        assert [told.remaining for told in admission.states] == [9, 3]
        await made.store.adjust([Charge(RPM, 2)], "call")
        await made.store.renew([PLACES], "call")
        assert (await made.store.peek([RPM]))[0].remaining == 7
        await made.store.release([PLACES], "call")
        assert made.left(PLACES) == 4
        assert made.counted == {}
        assert not made.store.gone


async def test_a_refusal_is_an_answer_and_no_failure() -> None:
    async with rig() as made:
        assert not (await made.store.take([Charge(RPM, 11)], "call")).admitted
        assert made.counted == {}


@pytest.mark.parametrize("wire", ["silent", "cut"])
async def test_local_admits_by_its_share_of_the_limit(wire: Literal["silent", "cut"]) -> None:
    async with rig("local", instances=3) as made:
        made.far.wire = wire
        told = [await made.store.take([Charge(RPM, 1)], f"call-{n}") for n in range(5)]
        # floor(10 / 3) = 3
        assert [admission.admitted for admission in told] == [True] * 3 + [False] * 2
        assert told[0].states[0].limit.amount == 3
        assert told[3].states[0].wait_s == 20.0
        assert made.counted == {"local": 5}


async def test_the_share_is_at_least_1() -> None:
    async with rig("local", instances=100) as made:
        made.far.wire = "cut"
        assert (await made.store.take([Charge(RPM, 1)], "a")).admitted
        assert not (await made.store.take([Charge(RPM, 1)], "b")).admitted


@pytest.mark.parametrize("wire", ["silent", "cut"])
async def test_closed_refuses_and_is_counted(wire: Literal["silent", "cut"]) -> None:
    async with rig("closed") as made:
        made.far.wire = wire
        with pytest.raises(StoreUnavailable):
            await made.store.take([Charge(RPM, 1)], "call")
        with pytest.raises(StoreUnavailable):
            await made.store.peek([RPM])
        assert made.counted == {"closed": 2}


async def test_within_a_second_each_question_still_reaches_the_store() -> None:
    async with rig() as made:
        made.far.wire = "cut"
        await made.store.take([Charge(RPM, 1)], "a")
        made.clock.at += 0.99
        assert not made.store.gone
        await made.store.take([Charge(RPM, 1)], "b")
        assert made.far.asked["take"] == 2


async def test_after_a_second_of_silence_no_call_asks_it() -> None:
    async with rig() as made:
        await made.lose()
        assert made.store.gone
        for number in range(3):
            assert (await made.store.take([Charge(RPM, 1)], f"call-{number}")).admitted
        assert made.far.asked["take"] == 0
        assert made.counted == {"local": 4}


async def test_a_single_answer_ends_the_silence() -> None:
    async with rig() as made:
        made.far.wire = "cut"
        await made.store.take([Charge(RPM, 1)], "a")
        made.far.wire = "up"
        made.clock.at += 0.5
        await made.store.take([Charge(RPM, 1)], "b")
        made.clock.at += 5
        assert not made.store.gone


async def test_it_is_used_again_once_it_is_back_without_any_call() -> None:
    async with rig() as made:
        await made.lose()
        await made.until(lambda: made.far.asked["peek"] >= 2)
        assert made.store.gone
        made.far.wire = "up"
        await made.until(lambda: not made.store.gone)
        assert (await made.store.take([Charge(RPM, 1)], "call")).admitted
        assert made.left(RPM) == 9


async def test_what_was_admitted_locally_is_never_charged_to_the_store() -> None:
    async with rig() as made:
        await made.lose()
        charges = [Charge(RPM, 1), Charge(TPM, 300), Charge(PLACES, 1)]
        assert (await made.store.take(charges, "call")).admitted
        made.far.wire = "up"
        await made.until(lambda: not made.store.gone)
        await made.store.adjust([Charge(TPM, 150)], "call")
        await made.store.renew([PLACES], "call")
        await made.store.release([PLACES], "call")
        assert [made.left(limit) for limit in (RPM, TPM, PLACES)] == [10, 1_000, 4]
        assert made.far.asked["adjust"] == 1, "the one that met the silence"
        made.far.wire = "cut"
        looked = await made.store.peek([RPM, TPM, PLACES])
        # the shares are 5, 500 and 2
        assert [told.remaining for told in looked] == [4, 50, 2]


async def test_a_call_above_the_share_but_within_the_limit_passes_on_a_whole_share() -> None:
    async with rig("local", instances=2) as made:
        made.far.wire = "cut"
        first = await made.store.take([Charge(TPM, 800)], "a")
        assert first.admitted
        second = await made.store.take([Charge(TPM, 1)], "b")
        assert not second.admitted
        # 800 of a share of 500 are taken: (800 + 1 - 500) * 60 / 500
        assert second.states[0].wait_s == pytest.approx(36.12)


async def test_only_what_the_whole_limit_could_never_hold_is_too_large() -> None:
    async with rig("local", instances=2) as made:
        made.far.wire = "cut"
        told = await made.store.take([Charge(TPM, 1_001)], "a")
        assert not told.admitted
        assert told.states[0].wait_s == math.inf


@pytest.mark.parametrize("policy", ["local", "closed"])
async def test_what_follows_a_call_never_fails_and_is_counted(policy: Policy) -> None:
    async with rig(policy) as made:
        assert (await made.store.take([Charge(PLACES, 1)], "call")).admitted
        made.far.wire = "silent"
        await made.store.adjust([Charge(TPM, -5)], "call")
        await made.store.renew([PLACES], "call")
        await made.store.release([PLACES], "call")
        assert made.counted == {policy: 3}


async def test_a_client_that_goes_away_while_the_store_is_silent_is_no_failure() -> None:
    async with rig() as made:
        made.far.wire = "silent"
        task = asyncio.create_task(made.store.take([Charge(RPM, 1)], "call"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert made.counted == {}


async def test_closing_ends_the_probe_and_does_not_wait_for_a_silent_store() -> None:
    async with rig() as made:
        await made.lose()
        await made.store.close()
        assert not made.far.closed
        before = made.far.asked["peek"]
        await asyncio.sleep(0.02)
        assert made.far.asked["peek"] == before


async def test_who_never_came_to_a_turn_is_counted_and_says_nothing_of_the_store() -> None:
    clock, counted = HandClock(), Counter[str]()
    far = Far(Memory(clock), wire="silent")
    patience = Patience(turn_s=0.01, answer_s=30.0, gone_s=1.0, probe_s=30.0)
    store = Guarded(far, "local", 2, clock, lambda name: counted.update([name]), patience)
    asking = [asyncio.create_task(store.take([Charge(RPM, 0)], f"a-{n}")) for n in range(AT_ONCE)]
    await asyncio.sleep(0)
    assert (await store.take([Charge(RPM, 1)], "late")).states[0].limit.amount == 5
    assert counted == {"local": 1}
    clock.at += 10
    assert not store.gone
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    far.wire = "up"
    await store.close()


async def test_a_lost_question_of_a_store_that_answers_others_does_not_age_its_silence() -> None:
    async with rig() as made:
        made.far.wire = "silent"
        lost = asyncio.create_task(made.store.adjust([Charge(RPM, 0)], "lost"))
        await asyncio.sleep(0)
        made.clock.at += 0.9
        made.far.wire = "up"
        await made.store.adjust([Charge(RPM, 0)], "well")
        await lost
        made.clock.at += 0.9
        assert not made.store.gone, "silent for 0.9 s only, since it answered"
