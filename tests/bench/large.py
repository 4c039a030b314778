"""The figures of large bodies: what they cost above the no-op, and what their neighbours feel."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from tests.bench.bodies import Requests, chat, upload
from tests.bench.figures import Figure, compared, paired_difference
from tests.bench.load import Took, flat_out
from tests.bench.measure import MS, at_share, each
from tests.bench.plan import Plan
from tests.bench.rig import Rig, Side
from tests.bench.rounds import Rounds, by_turns

KINDS: Final = (
    ("100 kB text", 100_000, False),
    ("1 MB text", 1_000_000, False),
    ("1 MB image", 1_000_000, True),
)
UPLOAD_BYTES: Final = 10_000_000
LEAST_MS: Final = 0.2  # below it a ratio would compare noise
PAUSE_S: Final = 0.002  # between the small calls beside an upload


@dataclass(frozen=True, slots=True)
class Heavy:
    """What large requests of one kind took: CPU a call in ms, one number a round."""

    noop: list[float]
    gateway: list[float]
    rounds: Rounds

    @property
    def above(self) -> float:
        return paired_difference(self.noop, self.gateway)


async def heavy(
    rig: Rig, plan: Plan, make: Callable[[str], Requests], calls: int, seconds: float
) -> Heavy:
    requests = each(rig, make)

    async def load(side: Side, _: int) -> Took:
        return await flat_out(side.connections[:1], requests[side.name], calls)

    rounds = await by_turns(rig, load, plan.rounds, seconds)
    return Heavy(rounds.noop.cpu_each(MS), rounds.gateway.cpu_each(MS), rounds)


async def bodies(rig: Rig, plan: Plan) -> list[Figure]:
    """Large bodies: what they cost above the no-op, and whether that grows with the size alone."""
    figures, above = [], {}
    for name, size, image in KINDS:
        make = partial(chat, size=size, image=image, different=8)
        took = await heavy(rig, plan, make, plan.large, plan.stage_s / len(KINDS))
        above[name] = took.above
        figures.append(large_figure(f"CPU, {name}", took, size))
    text, image_ms, small = above["1 MB text"], above["1 MB image"], above["100 kB text"]
    figures.append(law("above no-op, 1 MB / 100 kB", text / max(small, LEAST_MS), 11.0))
    figures.append(law("above no-op, image / text", image_ms / max(text, LEAST_MS), 3.0))
    return figures


def large_figure(name: str, took: Heavy, size: int) -> Figure:
    """Held against a bar only where there is one: at 1 MB."""
    bar, aim = (10.0, 4.0) if size >= 1_000_000 else (None, None)
    noop, gateway = took.noop, took.gateway
    return compared(name, "ms", noop, gateway, judged="difference", bar=bar, aim=aim)


def law(name: str, value: float, bar: float, unit: str = "") -> Figure:
    return Figure(name, unit, None, value, "value", None, bar)


async def uploads(rig: Rig, plan: Plan) -> list[Figure]:
    """Files of 10 MB as multipart."""
    make = partial(upload, size=UPLOAD_BYTES)
    took = await heavy(rig, plan, make, plan.uploads, plan.stage_s)
    return [
        compared("CPU, 10 MB upload", "ms", took.noop, took.gateway),
        at_share("time, 10 MB upload", took.rounds, 0.5),
    ]


async def beside(rig: Rig, plan: Plan) -> list[Figure]:
    """Small calls on one connection while another uploads files of 10 MB."""
    requests = each(rig, partial(upload, size=UPLOAD_BYTES))

    async def load(side: Side, _: int) -> Took:
        large = asyncio.create_task(
            flat_out(side.connections[:1], requests[side.name], plan.uploads)
        )
        took = Took()
        while not large.done():
            reply = await side.connections[1].call(next(side.small))
            took.add(reply, reply.seconds)
            await asyncio.sleep(PAUSE_S)
        await large
        return took

    rounds = await by_turns(rig, load, plan.rounds, plan.stage_s)
    return [
        at_share("p50 beside uploads", rounds, 0.5),
        at_share("p99 beside uploads", rounds, 0.99),
    ]
