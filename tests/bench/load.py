"""The ways to load a proxy: as fast as it goes over some connections, or paced; and what came."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.bench.client import BenchError, Kept, Reply


@dataclass(slots=True)
class Took:
    """What a turn brought: the time of each call in seconds, and the replies of streams."""

    times: list[float] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list, repr=False)

    def add(self, reply: Reply, seconds: float, keep: bool = False) -> None:
        """Counts an answer. Raises BenchError where it is not the one that was asked for."""
        if reply.status != 200:
            text = b"".join(piece for _, piece in reply.pieces)[:300]
            raise BenchError(f"a call was answered {reply.status}: {text.decode(errors='replace')}")
        self.times.append(seconds)
        if keep:
            self.replies.append(reply)


async def flat_out(
    connections: Sequence[Kept], requests: Iterator[bytes], calls: int, keep: bool = False
) -> Took:
    """`calls` calls; each connection sends its next as soon as it has its answer."""
    took, numbers = Took(), iter(range(calls))

    async def work(kept: Kept) -> None:
        for _ in numbers:
            reply = await kept.call(next(requests))
            took.add(reply, reply.seconds, keep)

    await _together([work(kept) for kept in connections])
    return took


async def paced(
    connections: Sequence[Kept], requests: Iterator[bytes], rate: float, seconds: float, seed: int
) -> Took:
    """Calls that begin at random times, `rate` a second, whether or not earlier ones have ended.

    A call that finds no free connection waits for one, and that wait counts.
    """
    took, loop = Took(), asyncio.get_running_loop()
    free: asyncio.LifoQueue[Kept] = asyncio.LifoQueue()
    for kept in connections:
        free.put_nowait(kept)

    async def one(begun: float) -> None:
        kept = await free.get()
        waited = loop.time() - begun
        reply = await kept.call(next(requests))
        took.add(reply, waited + reply.seconds)
        free.put_nowait(kept)

    await _scheduled(one, starts(rate, seconds, seed))
    return took


def starts(rate: float, seconds: float, seed: int) -> list[float]:
    """Random times from 0 to `seconds`, in order; the same for the same seed."""
    chance, at, times = random.Random(seed), 0.0, []  # noqa: S311 -- no secret is drawn
    while (at := at + chance.expovariate(rate)) < seconds:
        times.append(at)
    return times


async def _scheduled(one: Callable[[float], Awaitable[None]], times: Sequence[float]) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()

    async def later(at: float) -> None:
        await asyncio.sleep(begun + at - loop.time())
        await one(loop.time())

    await _together([later(at) for at in times])


async def _together(works: Sequence[Awaitable[None]]) -> None:
    """All of them; the first that fails ends the others."""

    async def run(work: Awaitable[None]) -> None:
        await work

    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(run(work))
    except* BenchError as several:
        raise BenchError(str(several.exceptions[0])) from several
