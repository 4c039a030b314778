"""The figures of a long life: memory and CPU after thousands of calls."""

import statistics
from dataclasses import dataclass
from typing import Final

from tests.bench import machine
from tests.bench.figures import Figure
from tests.bench.load import Took, flat_out
from tests.bench.plan import BLOCK, Plan
from tests.bench.rig import Rig, Side
from tests.bench.rounds import by_turns

CONNECTIONS: Final = 16
SIXTHS: Final = 6


@dataclass(frozen=True, slots=True)
class Blocks:
    """One proxy's life in blocks of calls: after each its memory, and what a call of it took."""

    rss_mb: list[float]
    cpu_us: list[float]

    def grown(self, of: list[float]) -> float:
        """The last sixth against the second: by then every pool is full."""
        size = len(of) // SIXTHS
        middle = statistics.median
        return middle(of[-size:]) / middle(of[size : 2 * size])


async def life(rig: Rig, plan: Plan) -> list[Figure]:
    """Many calls to fresh processes: memory against the no-op's, and whether either grows."""
    size = min(BLOCK, plan.memory_calls // SIXTHS)
    rss: dict[str, list[float]] = {side.name: [] for side in rig.sides}

    async def load(side: Side, _: int) -> Took:
        took = await flat_out(side.connections[:CONNECTIONS], side.small, size)
        rss[side.name].append(machine.rss_mb(side.pid))
        return took

    rounds = await by_turns(rig, load, plan.memory_calls // size, plan.stage_s, SIXTHS)
    noop = Blocks(rss["no-op"], rounds.noop.cpu_each())
    gateway = Blocks(rss["gateway"], rounds.gateway.cpu_each())
    return grown(noop, gateway, size, rounds.others)


def grown(noop: Blocks, gateway: Blocks, size: int, others: float) -> list[Figure]:
    """Small blocks are too short for their CPU to be compared."""
    first, last = noop.rss_mb[-1], gateway.rss_mb[-1]
    flat = noop.grown(noop.rss_mb), gateway.grown(gateway.rss_mb)
    slower = noop.grown(noop.cpu_us), gateway.grown(gateway.cpu_us)
    bar = 1.1 if size >= BLOCK else None
    return [
        Figure(f"RSS after {size * len(gateway.rss_mb)} calls", "MB", first, last,
               "difference", last - first, 60.0, 25.0),
        Figure("RSS, last / second sixth", "", *flat, "value", None, 1.1),
        Figure("CPU, last / second sixth", "", *slower, "ratio", slower[1] / slower[0], bar,
               others=others),
    ]  # fmt: skip
