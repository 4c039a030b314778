"""The line before a limit: in order, bounded, left at once, and gone when the gateway stops.

Time is virtual: what would wait passes at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_gateway.limits.limit import Admission, Charge, Limit
from openai_gateway.limits.memory import Memory
from openai_gateway.limits.waiting import Drained, Waiting
from tests.unit.limits.virtual import VirtualClock, run

RPM = Limit("rpm", 3, "b", "r")  # one gives way every 20 s
TPM = Limit("tpm", 600, "b", "r")  # 10 a second
PLACE = Limit("concurrency", 1, "b", "r")
ONE = (Charge(RPM, 1),)


class Door:
    """A memory store and the line before it, and who came through when."""

    def __init__(self, clock: VirtualClock, most: int = 1000) -> None:
        self.clock = clock
        self.store = Memory(clock)
        self.waiting = Waiting(clock, most)
        self.through: list[tuple[str, float]] = []
        self.began = clock.monotonic()

    def take(self, charges: tuple[Charge, ...], name: str) -> Callable[[], Awaitable[Admission]]:
        async def asked() -> Admission:
            await asyncio.sleep(0)  # as a store elsewhere
            return self.store.take(charges, name)

        return asked

    async def comes(
        self, name: str, charges: tuple[Charge, ...] = ONE, max_wait_s: float = 300.0
    ) -> Admission:
        """A call as the stage brings it: behind a line it does not ask first."""
        said = None
        if self.waiting.line_of(charges) is None:
            said = self.store.take(charges, name)
        if said is None or not said.admitted:
            said = await self.waiting.waits(charges, self.take(charges, name), said, max_wait_s)
        if said.admitted:
            self.through.append((name, round(self.clock.monotonic() - self.began, 3)))
        return said


def test_calls_come_through_in_the_order_in_which_they_came() -> None:
    async def scenario(clock: VirtualClock) -> list:
        door = Door(clock)
        await asyncio.gather(*(door.comes(str(number)) for number in range(6)))
        assert len(door.waiting) == 0
        return door.through

    assert run(scenario) == [
        ("0", 0.0), ("1", 0.0), ("2", 0.0), ("3", 20.0), ("4", 40.0), ("5", 60.0),
    ]  # fmt: skip


def test_a_newcomer_does_not_overtake_those_in_line() -> None:
    async def scenario(clock: VirtualClock) -> list:
        door = Door(clock)
        door.store.take([Charge(TPM, 600)], "full")
        large = asyncio.create_task(door.comes("large", (Charge(TPM, 300),)))
        await asyncio.sleep(5.0)  # 50 tokens are back: enough for the small one, not for the large
        small = asyncio.create_task(door.comes("small", (Charge(TPM, 20),)))
        await asyncio.gather(large, small)
        return door.through

    assert run(scenario) == [("large", 30.0), ("small", 32.0)]


def test_lines_of_different_buckets_do_not_hold_each_other_up() -> None:
    other = (Charge(Limit("rpm", 60, "other", "r"), 1),)

    async def scenario(clock: VirtualClock) -> list:
        door = Door(clock)
        await asyncio.gather(*(door.comes(str(n)) for n in range(4)), door.comes("free", other))
        return door.through

    assert ("free", 0.0) in run(scenario)


def test_a_wait_that_would_be_too_long_is_refused_at_once() -> None:
    async def scenario(clock: VirtualClock) -> tuple:
        door = Door(clock)
        door.store.take([Charge(RPM, 3)], "full")
        said = await door.comes("late", max_wait_s=19.0)
        return said.admitted, said.states[0].wait_s, clock.monotonic() - door.began

    assert run(scenario) == (False, 20.0, 0.0)


def test_what_can_never_fit_does_not_wait() -> None:
    async def scenario(clock: VirtualClock) -> tuple:
        door = Door(clock)
        said = await door.comes("huge", (Charge(TPM, 601),))
        return said.admitted, clock.monotonic() - door.began

    assert run(scenario) == (False, 0.0)


def test_whoever_is_not_served_in_time_is_refused_with_what_is_known() -> None:
    async def scenario(clock: VirtualClock) -> tuple:
        door = Door(clock)
        door.store.take([Charge(RPM, 3)], "full")
        first = asyncio.create_task(door.comes("first", max_wait_s=30.0))
        await asyncio.sleep(0)
        said = await door.comes("second", max_wait_s=30.0)
        at = clock.monotonic() - door.began
        await first
        return said.admitted, at, said.states[0].limit, said.states[0].wait_s, door.through

    # at 20 s the first is through; the second asks, and is told that it has to wait 20 s more
    assert run(scenario) == (False, 20.0, RPM, 20.0, [("first", 20.0)])


def test_a_line_has_an_end() -> None:
    async def scenario(clock: VirtualClock) -> list[bool]:
        door = Door(clock, most=2)
        door.store.take([Charge(RPM, 3)], "full")
        tasks = [asyncio.create_task(door.comes(str(number))) for number in range(4)]
        await asyncio.sleep(0.0)
        refused = [task.done() for task in tasks]
        await asyncio.gather(*tasks)
        return [*refused, [name for name, _ in door.through] == ["0", "1"]]

    assert run(scenario) == [False, False, True, True, True]


@pytest.mark.parametrize("leaver", [0, 1])
def test_a_call_that_goes_away_frees_its_place_at_once(leaver: int) -> None:
    async def scenario(clock: VirtualClock) -> tuple:
        door = Door(clock)
        door.store.take([Charge(RPM, 3)], "full")
        tasks = [asyncio.create_task(door.comes(str(number))) for number in range(3)]
        await asyncio.sleep(1.0)
        tasks[leaver].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return door.through, len(door.waiting)

    left = [str(number) for number in range(3) if number != leaver]
    assert run(scenario) == ([(left[0], 20.0), (left[1], 40.0)], 0)


def test_a_place_that_is_freed_is_taken_at_once() -> None:
    charges = (Charge(PLACE, 1),)

    async def scenario(clock: VirtualClock) -> list:
        door = Door(clock)
        door.store.take(charges, "running")
        task = asyncio.create_task(door.comes("next", charges))
        await asyncio.sleep(0.3)
        door.store.release([PLACE], "running")
        door.waiting.nudge([PLACE])
        await task
        return door.through

    assert run(scenario) == [("next", 0.3)]


def test_tokens_that_are_given_back_shorten_the_wait() -> None:
    charges = (Charge(TPM, 300),)

    async def scenario(clock: VirtualClock) -> list:
        door = Door(clock)
        door.store.take([Charge(TPM, 600)], "full")
        task = asyncio.create_task(door.comes("next", charges))
        await asyncio.sleep(2.0)
        door.store.adjust([Charge(TPM, -500)])
        door.waiting.nudge([TPM])
        await task
        return door.through

    assert run(scenario) == [("next", 2.0)]


def test_a_call_moves_to_the_line_of_the_limit_that_holds_it_up_next() -> None:
    both = (Charge(RPM, 1), Charge(TPM, 600))

    async def scenario(clock: VirtualClock) -> list:
        door = Door(clock)
        door.store.take([Charge(RPM, 3)], "full")
        task = asyncio.create_task(door.comes("both", both))
        await asyncio.sleep(19.0)
        door.store.take([Charge(TPM, 600)], "other")  # full again at 79 s
        await task
        return door.through

    assert run(scenario) == [("both", 79.0)]


def test_whoever_waits_is_let_go_when_the_gateway_stops() -> None:
    async def scenario(clock: VirtualClock) -> tuple:
        door = Door(clock)
        door.store.take([Charge(RPM, 3)], "full")
        tasks = [asyncio.create_task(door.comes(str(number))) for number in range(3)]
        await asyncio.sleep(1.0)
        door.waiting.drain()
        told = await asyncio.gather(*tasks, return_exceptions=True)
        with pytest.raises(Drained):
            await door.comes("late")
        return [type(one) for one in told], clock.monotonic() - door.began, len(door.waiting)

    assert run(scenario) == ([Drained] * 3, 1.0, 0)


def test_a_fault_of_the_store_reaches_the_call_and_frees_its_place() -> None:
    async def scenario(clock: VirtualClock) -> int:
        door = Door(clock)

        async def silent() -> Admission:
            raise OSError("away")

        door.store.take([Charge(RPM, 3)], "full")
        said = door.store.take(ONE, "x")
        with pytest.raises(OSError, match="away"):
            await door.waiting.waits(ONE, silent, said, 60.0)
        return len(door.waiting)

    assert run(scenario) == 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(1, 200), st.integers(5, 60)),
        min_size=1,
        max_size=25,
    )
)
def test_nobody_waits_too_long_nobody_overtakes_and_nobody_is_forgotten(calls: list) -> None:
    async def scenario(clock: VirtualClock) -> None:
        door = Door(clock)

        arrived = count()

        async def arrives(at: int, tokens: int, patience: int) -> None:
            await asyncio.sleep(at)
            began, name = clock.monotonic(), f"{next(arrived):02d}"
            said = await door.comes(name, (Charge(TPM, tokens),), patience)
            assert clock.monotonic() - began <= patience + 0.001
            assert said.admitted or said.states[0].wait_s > 0

        await asyncio.gather(*(arrives(*call) for call in calls))
        assert len(door.waiting) == 0
        order = [name for name, _ in door.through]
        assert order == sorted(order)

    run(scenario)
