"""Time as a thing that is handed in, so that tests need no sleep."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where the gateway reads the time."""

    def now(self) -> float:
        """Wall clock: seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward: for durations and time limits."""
        ...


class SystemClock:
    """The machine's own clock."""

    __slots__ = ()
    # As they are: a frame of our own would cost more than the reading.
    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)
