"""Rounds by turns: first the no-op, then the gateway, again and again, each turn accounted for."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from tests.bench import machine
from tests.bench.load import Took
from tests.bench.plan import LEAST_ROUNDS
from tests.bench.rig import Rig, Side

type Load = Callable[[Side, int], Awaitable[Took]]
SETTLE_S: Final = 0.7  # the gateway writes its rows within half a second


@dataclass(slots=True)
class Turns:
    """What one proxy's turns took. `cpu_s` runs from the start of a turn to the start of the
    proxy's next one: the rows of a turn are written after it, and have to be paid for."""

    cpu_s: list[float] = field(default_factory=list)
    took: list[Took] = field(default_factory=list, repr=False)
    _mark: float | None = None

    def mark(self, pid: int) -> None:
        now = machine.cpu_s(pid)
        if self._mark is not None:
            self.cpu_s.append(now - self._mark)
        self._mark = now

    def cpu_each(self, unit: float = 1e6) -> list[float]:
        """CPU time a call, one number a round; microseconds unless told otherwise."""
        pairs = zip(self.cpu_s, self.took, strict=True)
        return [cpu * unit / len(took.times) for cpu, took in pairs]

    def times(self) -> list[float]:
        return [seconds for took in self.took for seconds in took.times]


@dataclass(slots=True)
class Rounds:
    """The turns of both, and the share of the machine that other processes took meanwhile."""

    noop: Turns = field(default_factory=Turns)
    gateway: Turns = field(default_factory=Turns)
    others: float = 0.0


async def by_turns(
    rig: Rig, load: Load, rounds: int, seconds: float, least: int = LEAST_ROUNDS
) -> Rounds:
    """At most `rounds` rounds; after `seconds` no further one begins, if there were `least`."""
    result, until = Rounds(), time.monotonic() + seconds
    others = machine.Others(rig.own)
    turns = tuple(zip(rig.sides, (result.noop, result.gateway), strict=True))
    for number in range(rounds):
        if number >= least and time.monotonic() > until:
            break
        for side, turn in turns:
            turn.mark(side.pid)
            turn.took.append(await load(side, number))
    result.others = others.share()
    await asyncio.sleep(SETTLE_S)
    for side, turn in turns:
        turn.mark(side.pid)
    gc.collect()
    return result
