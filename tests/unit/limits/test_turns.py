"""Turns at the store: who waits is not counted as its silence, and nobody waits without end."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from openai_gateway.limits.limit import StoreFault
from openai_gateway.limits.turns import AT_ONCE, MOST_WAITING, Turns
from tests.unit.limits.virtual import VirtualClock, run

ANSWER_S, TURN_S = 0.25, 1.0
# The slice in which a question was asked does not count.
LATEST_S = ANSWER_S * 1.1


@dataclass
class Far:
    """A store that takes its time, or never answers; it counts how often it was asked."""

    seconds: float | None = 0.2
    asked: int = 0
    never: asyncio.Future[int] = field(default_factory=lambda: asyncio.Future())

    async def answers(self) -> int:
        self.asked += 1
        if self.seconds is None:
            return await asyncio.shield(self.never)
        await asyncio.sleep(self.seconds)
        return self.asked


@dataclass
class Call:
    """What became of one question, and when."""

    said: int | str = ""
    at: float = 0.0


async def calls(
    turns: Turns, clock: VirtualClock, count: int, question: Callable[[], Awaitable[int]]
) -> list[Call]:
    """So many at once."""
    began = clock.monotonic()

    async def call() -> Call:
        try:
            said: int | str = await turns.ask(question)
        except StoreFault as fault:
            said = str(fault)
        return Call(said, clock.monotonic() - began)

    return await asyncio.gather(*[call() for _ in range(count)])


def test_waiting_for_a_turn_is_not_the_stores_silence() -> None:
    """Three rounds of 0.2 s each: 0.6 s in all, and none is above the limit of 0.25 s."""

    async def scenario(clock: VirtualClock) -> None:
        told = await calls(Turns(ANSWER_S, TURN_S), clock, 3 * AT_ONCE, Far(0.2).answers)
        assert all(isinstance(call.said, int) for call in told)
        assert max(call.at for call in told) == pytest.approx(0.6)

    run(scenario)


def test_a_store_that_hangs_makes_a_thousand_calls_wait_once() -> None:
    async def scenario(clock: VirtualClock) -> None:
        far = Far(None)
        told = await calls(Turns(ANSWER_S, TURN_S), clock, 1_000, far.answers)
        assert far.asked == AT_ONCE
        assert {call.said for call in told} == {
            "no answer within 0.25 s", "it has left an earlier question unanswered",
        }  # fmt: skip
        assert all(ANSWER_S <= call.at <= LATEST_S for call in told)

    run(scenario)


def test_who_comes_after_the_silence_asks_again() -> None:
    async def scenario(clock: VirtualClock) -> None:
        turns, far = Turns(ANSWER_S, TURN_S), Far(None)
        await calls(turns, clock, AT_ONCE, far.answers)
        await asyncio.sleep(0.01)
        (told,) = await calls(turns, clock, 1, Far(0.1).answers)
        assert told.said == 1

    run(scenario)


def test_one_question_that_is_lost_is_the_only_one() -> None:
    """The others are answered meanwhile: the store is not silent."""

    async def scenario(clock: VirtualClock) -> None:
        turns, lost, well = Turns(ANSWER_S, TURN_S), Far(None), Far(0.1)
        waits = asyncio.create_task(calls(turns, clock, 1, lost.answers))
        await asyncio.sleep(0)
        told = await calls(turns, clock, 4 * AT_ONCE, well.answers)
        assert all(isinstance(call.said, int) for call in told)
        assert [call.said for call in await waits] == ["no answer within 0.25 s"]

    run(scenario)


def test_nobody_waits_longer_than_a_turn_and_an_answer() -> None:
    """0.2 s an answer, 16 at once: 80 in the first second. The others give up at its end."""

    async def scenario(clock: VirtualClock) -> None:
        far = Far(0.2)
        told = await calls(Turns(ANSWER_S, TURN_S), clock, 200, far.answers)
        said = Counter(call.said if isinstance(call.said, str) else "answered" for call in told)
        assert said == {"answered": far.asked, "no turn to ask within 1 s": 200 - far.asked}
        assert far.asked in (5 * AT_ONCE, 6 * AT_ONCE)  # at 1 s, both may come first
        assert max(call.at for call in told) <= TURN_S + 0.2 + 1e-6

    run(scenario)


def test_who_finds_too_many_waiting_is_answered_at_once() -> None:
    async def scenario(clock: VirtualClock) -> None:
        turns, far = Turns(ANSWER_S, TURN_S), Far(None)
        told = await calls(turns, clock, AT_ONCE + MOST_WAITING + 3, far.answers)
        at_once = [call for call in told if call.at == 0.0]
        assert [call.said for call in at_once] == [
            f"{MOST_WAITING} wait already for their turn to ask"
        ] * 3
        assert far.asked == AT_ONCE

    run(scenario)


def test_what_our_own_loop_takes_is_not_the_stores_silence() -> None:
    """The loop stands for a second while the answer is on its way."""

    async def scenario(clock: VirtualClock) -> None:
        turns = Turns(ANSWER_S, TURN_S)
        loop = asyncio.get_running_loop()

        def stands() -> None:
            clock._loop.moment += 1.0

        loop.call_later(0.05, stands)
        (told,) = await calls(turns, clock, 1, Far(0.1).answers)
        assert told.said == 1
        assert told.at > 1.0

    run(scenario)


@pytest.mark.parametrize("waits", [True, False])
def test_who_goes_away_leaves_the_turn_to_others(waits: bool) -> None:
    async def scenario(clock: VirtualClock) -> None:
        turns, far = Turns(ANSWER_S, TURN_S), Far(None)
        under_way = [asyncio.create_task(turns.ask(far.answers)) for _ in range(AT_ONCE)]
        await asyncio.sleep(0)
        leaving = under_way
        if waits:
            leaving = [asyncio.create_task(turns.ask(far.answers)) for _ in range(10)]
            await asyncio.sleep(0)
        for task in leaving:
            task.cancel()
        if waits:
            for task in under_way[:1]:
                task.cancel()
        told = await calls(turns, clock, 3, Far(0.01).answers)
        assert all(isinstance(call.said, int) and call.at < 0.1 for call in told)
        gone = await asyncio.gather(*under_way, *leaving, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError | StoreFault) for one in gone)

    run(scenario)


def test_a_question_that_fails_frees_its_turn() -> None:
    async def scenario(clock: VirtualClock) -> None:
        turns = Turns(ANSWER_S, TURN_S)

        async def refused() -> int:
            raise StoreFault("connection refused")

        told = await calls(turns, clock, 3 * AT_ONCE, refused)
        assert {call.said for call in told} == {"connection refused"}
        (last,) = await calls(turns, clock, 1, Far(0.1).answers)
        assert last.said == 1

    run(scenario)


def test_nothing_is_left_ticking_once_all_is_answered() -> None:
    async def scenario(clock: VirtualClock) -> None:
        turns = Turns(ANSWER_S, TURN_S)
        await calls(turns, clock, 3, Far(0.2).answers)
        await asyncio.sleep(1)
        assert turns._tick is None

    run(scenario)
