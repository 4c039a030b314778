"""Waits, within bounds, for what another process does when it gets to it."""

import asyncio
import time
from collections.abc import Callable

EVERY_S = 0.05


async def until(met: Callable[[], bool], seconds: float) -> bool:
    """Looks again and again; false where the time is over first."""
    limit = time.monotonic() + seconds
    while not met():
        if time.monotonic() > limit:
            return False
        await asyncio.sleep(EVERY_S)
    return True
