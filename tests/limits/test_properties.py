"""What holds for any traffic: on a simulated clock, and memory and Redis agreeing to the unit."""

import asyncio
import itertools
import random
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_gateway.config.store_url import parse
from openai_gateway.limits.limit import Admission, Kind, State
from tests.limits.rig import HandScripts, Rig, ask, limit, memory, redis
from tests.limits.server import Server

MINUTE_S: Final = 60.0
KINDS: Final[tuple[Kind, ...]] = ("rpm", "tpm", "rpd", "tpd", "concurrency")
NAMES = itertools.count()

amounts = st.one_of(st.integers(1, 20), st.integers(1, 10**12))
steps = st.one_of(st.integers(0, 3_000_000), st.integers(0, 10**11))
asked = st.one_of(st.integers(0, 30), st.integers(0, 10**12))
kinds = st.lists(st.sampled_from(KINDS), unique=True, min_size=1, max_size=5)
takes = st.tuples(st.just("take"), kinds, asked, st.sampled_from("abc"))
corrections = st.tuples(st.just("adjust"), kinds, st.integers(-(10**6), 10**6), st.just(""))
endings = st.sampled_from(["renew", "release"])
leases = st.tuples(endings, st.just(["concurrency"]), st.just(0), st.sampled_from("abc"))
questions = st.lists(st.tuples(steps, st.one_of(takes, corrections, leases)), max_size=15)


async def asks(
    rig: Rig, step: int, question: tuple[str, list[Kind], int, str], amount: int
) -> tuple[Admission | None, list[State]]:
    """One question after a step of the clock, and what all limits say then."""
    rig.clock.at_us += step
    what, kinds, number, lease = question
    admission = None
    charges = [ask(k, amount, min(number, 1) if k == "concurrency" else number) for k in kinds]
    if what == "take":
        admission = await rig.take(*charges, lease=lease)
    elif what == "adjust":
        await rig.adjust(*charges)
    else:
        end = rig.renew if what == "renew" else rig.release
        await end(limit("concurrency", amount), lease)
    return admission, [await rig.look(limit(kind, amount)) for kind in KINDS]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=150)
@given(amount=amounts, later=amounts, asked=questions)
def test_memory_and_redis_agree_to_the_unit(
    server: Server,
    amount: int,
    later: int,
    asked: list[tuple[int, tuple[str, list[Kind], int, str]]],
) -> None:
    async def compare() -> None:
        scripts = HandScripts(parse(server.url))
        near, far = memory(), redis(scripts, f"agree-{next(NAMES)}")
        try:
            for number, (step, question) in enumerate(asked):
                now = amount if number < 10 else later  # a reload on the way
                assert await asks(near, step, question, now) == await asks(far, step, question, now)
        finally:
            await scripts.close()

    asyncio.run(compare())


def saturated(
    amount: int, each: Callable[[], int], gap: Callable[[], float], lasts_s: float
) -> list[tuple[float, int]]:
    """Asks without end; gives what passed, and when."""
    rig = memory()
    begin = rig.clock.now()
    passed = []
    while rig.clock.now() - begin < lasts_s:
        tokens = each()
        if rig.store.take([ask("tpm", amount, tokens)], "call").admitted:  # type: ignore[union-attr]
            passed.append((rig.clock.now() - begin, tokens))
        rig.wait(gap())
    return passed


def most_in_a_minute(passed: list[tuple[float, int]]) -> int:
    """The largest sum in any 60 s."""
    best = total = first = 0
    for at, tokens in passed:
        total += tokens
        while passed[first][0] <= at - MINUTE_S:
            total -= passed[first][1]
            first += 1
        best = max(best, total)
    return best


@settings(deadline=None, max_examples=40)
@given(amount=st.integers(20, 2_000), seed=st.integers(0, 2**32))
def test_in_any_minute_at_most_limit_and_burst_pass_and_nearly_all_of_the_limit_does(
    amount: int, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  # traffic, not a secret
    minutes = 5
    passed = saturated(
        amount,
        lambda: chance.randint(1, max(1, amount // 20)),
        lambda: chance.random() * MINUTE_S / amount,
        minutes * MINUTE_S,
    )
    assert most_in_a_minute(passed) <= 2 * amount
    after_burst = sum(tokens for at, tokens in passed if at >= MINUTE_S)
    assert after_burst >= 0.95 * amount * (minutes - 1)


@pytest.mark.parametrize("rpm", [1, 3, 60, 500])
def test_a_saturated_rpm_passes_its_burst_and_then_its_limit_each_minute(rpm: int) -> None:
    passed = saturated(rpm, lambda: 1, lambda: 0.01, 3 * MINUTE_S)
    # the burst at once, then one each 60 / rpm s: 3 minutes' worth, the last of them not quite
    assert len(passed) in (4 * rpm - 1, 4 * rpm)
    assert most_in_a_minute(passed) <= 2 * rpm


@settings(deadline=None, max_examples=50)
@given(
    charges=st.lists(st.tuples(st.integers(1, 50), st.integers(-40, 40)), max_size=40),
    gaps=st.lists(st.integers(0, 2_000), min_size=40, max_size=40),
)
def test_a_correction_leaves_the_books_as_if_the_truth_had_been_known(
    charges: list[tuple[int, int]], gaps: list[int]
) -> None:
    """Reserved and corrected at once is the same as asked rightly: no token is made or lost."""

    async def compare() -> None:
        guessed, known = memory(), memory()
        for (estimate, error), gap in zip(charges, gaps, strict=False):
            for rig in (guessed, known):
                rig.wait(gap / 1_000)
            truth = max(0, estimate + error)
            if await guessed.admits(ask("tpm", 100, estimate)):
                await guessed.adjust(ask("tpm", 100, truth - estimate))
                await known.adjust(ask("tpm", 100, truth))
        assert await guessed.look(limit("tpm", 100)) == await known.look(limit("tpm", 100))

    asyncio.run(compare())
