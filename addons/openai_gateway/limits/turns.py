"""Who may ask the shared store now, and when its silence is long enough to call it one.

Time a call waits for its turn is not the store's, and neither is what our own event loop takes: the
time limit is for the answer alone. It runs in slices, and a slice ends only when the loop turns.
"""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Final

from openai_gateway.limits.limit import StoreFault

# Fewer than there are connections: whoever waits for one must not be taken for unanswered.
AT_ONCE: Final = 16
# Each is a coroutine that waits; who comes beyond them is answered by the policy at once.
MOST_WAITING: Final = 5_000
SLICES: Final = 10


class Turns:
    """The questions under way, and those that wait for one of them to end."""

    __slots__ = (
        "_answer_s", "_asked", "_free", "_heard", "_silent_at", "_slice", "_tick", "_turn_s",
        "_waiting",
    )  # fmt: skip

    def __init__(self, answer_s: float, turn_s: float) -> None:
        self._answer_s = answer_s
        self._turn_s = turn_s
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._asked: dict[asyncio.Timeout, int] = {}
        self._slice = self._heard = 0
        self._tick: asyncio.TimerHandle | None = None
        self._silent_at = 0.0

    async def ask[T](self, question: Callable[[], T | Awaitable[T]]) -> T:
        """Asks once its turn has come, within `turn_s`, and gives the answer, within `answer_s`.

        All who wait give up with the first that meets the store's silence: one that hangs makes a
        thousand calls wait once, not one after another. Raises: StoreFault.
        """
        came_at = asyncio.get_running_loop().time()
        await self._turn()
        try:
            if self._silent_at >= came_at:
                raise StoreFault("it has left an earlier question unanswered")
            return await self._answer(question)
        finally:
            self._free.release()

    async def _answer[T](self, question: Callable[[], T | Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(None) as patience:
                self._asked[patience] = self._slice
                self._watch()
                try:
                    answer = question()
                    told = await answer if isawaitable(answer) else answer
                finally:
                    del self._asked[patience]
        except TimeoutError as error:
            if self._slice - self._heard > SLICES:
                self._silent_at = asyncio.get_running_loop().time()
            raise StoreFault(f"no answer within {self._answer_s:g} s") from error
        self._heard = self._slice
        return told

    async def _turn(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        if self._waiting >= MOST_WAITING:
            raise StoreFault(f"{MOST_WAITING} wait already for their turn to ask")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._turn_s):
                await self._free.acquire()
        except TimeoutError as error:
            raise StoreFault(f"no turn to ask within {self._turn_s:g} s") from error
        finally:
            self._waiting -= 1

    def _watch(self) -> None:
        """While any question is under way, time is counted."""
        if self._tick is None:
            loop = asyncio.get_running_loop()
            self._tick = loop.call_later(self._answer_s / SLICES, self._ticked)

    def _ticked(self) -> None:
        """A slice is over; the one in which a question was asked does not count."""
        self._tick = None
        self._slice += 1
        now = asyncio.get_running_loop().time()
        for patience, since in self._asked.items():
            if self._slice - since > SLICES and not patience.expired():
                patience.reschedule(now)
        if self._asked:
            self._watch()
