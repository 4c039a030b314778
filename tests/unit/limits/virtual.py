"""An event loop whose time passes only when nobody has anything to do: waits without sleeping."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

THREADS_S = 5.0


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.moment = 1000.0
        super().__init__(Skipping(self))

    def time(self) -> float:
        return self.moment


class Skipping(selectors.DefaultSelector):
    """Where a real one would wait, the time jumps."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(THREADS_S if timeout is None else 0)
        if not events and timeout:
            self.loop.moment += timeout
        return events


class VirtualClock:
    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> float:
        return self._loop.time()

    def monotonic(self) -> float:
        return self._loop.time()


def run[T](scenario: Callable[[VirtualClock], Coroutine[None, None, T]]) -> T:
    """Runs the scenario to its end, in no time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(scenario(VirtualClock(loop)))
    finally:
        loop.close()
