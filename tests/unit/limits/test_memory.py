"""What is particular to the memory store; what all stores do is in tests/limits."""

import asyncio
from dataclasses import dataclass

from openai_gateway.limits.limit import Charge, Limit
from openai_gateway.limits.memory import FEW, Memory


@dataclass
class HandClock:
    at: float = 1_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def rpm(name: str, amount: int = 60) -> Limit:
    return Limit("rpm", amount, name, "rule")


def take(store: Memory, name: str, requests: int = 1) -> bool:
    return store.take([Charge(rpm(name), requests)], "call").admitted


def test_full_buckets_are_forgotten() -> None:
    clock = HandClock()
    store = Memory(clock)
    for number in range(5 * FEW):
        take(store, f"model-{number}")
        clock.at += 0.01  # each is full again after 1 s
    assert len(store) <= FEW + 1


def test_there_are_never_more_than_so_many() -> None:
    store = Memory(HandClock(), most=50)
    for number in range(500):
        take(store, f"model-{number}")
        assert len(store) <= 51


def test_of_too_many_those_go_that_would_be_full_first() -> None:
    store = Memory(HandClock(), most=3)
    take(store, "much", 60)
    for number in range(100):
        take(store, f"little-{number}", 1)
    assert not take(store, "much")


def test_a_new_bucket_of_a_call_never_drops_another_of_the_same_call() -> None:
    clock = HandClock()
    store = Memory(clock, most=2)
    limits = [Limit(kind, 3, "b", "rule") for kind in ("rpm", "tpm", "rpd", "tpd", "ipm")]
    admitted = 0
    for _ in range(5):
        admitted += store.take([Charge(limit, 1) for limit in limits], "call").admitted
    assert admitted == 3


def test_a_place_under_way_outlives_the_flood() -> None:
    clock = HandClock()
    store = Memory(clock, most=10)
    place = [Charge(Limit("concurrency", 1, "b", "rule"), 1)]
    assert store.take(place, "first").admitted
    for number in range(1_000):
        take(store, f"model-{number}")
    assert not store.take(place, "second").admitted


def test_the_metrics_may_look_while_nothing_changes() -> None:
    clock = HandClock()
    store = Memory(clock)
    place = Limit("concurrency", 2, "b", "rule")
    store.take([Charge(rpm("a"), 60), Charge(place, 1)], "call")
    clock.at += 30
    looked = store.peek([rpm("a"), rpm("never seen"), place])
    assert [told.remaining for told in looked] == [30, 60, 2]
    assert len(store) == 2


def test_closing_is_nothing() -> None:
    asyncio.run(Memory(HandClock()).close())
