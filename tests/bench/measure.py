"""The figures, one function each: what is sent, and which bars it is held against."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from tests.bench import machine
from tests.bench.bodies import Requests, chat, upload
from tests.bench.figures import Figure, compared, paired_difference, percentile
from tests.bench.load import Took, flat_out, paced
from tests.bench.plan import BLOCK, LOAD_SHARE, Plan
from tests.bench.rig import Rig, Side
from tests.bench.rounds import Rounds, by_turns

MS: Final = 1e3
US: Final = 1e6
LARGE: Final = (("100 kB text", 100_000, False), ("1 MB text", 1_000_000, False),
         ("1 MB image", 1_000_000, True))  # fmt: skip
UPLOAD_BYTES: Final = 10_000_000
PACED_CONNECTIONS: Final = 16
SIXTHS: Final = 6
LEAST_MS: Final = 0.2  # below it a ratio would compare noise


async def kept(rig: Rig, plan: Plan, connections: int) -> list[Figure]:
    """CPU per call and times with so many kept connections, each always busy."""
    calls = plan.calls if connections == 1 else 2 * plan.calls

    async def load(side: Side, _: int) -> Took:
        return await flat_out(side.connections[:connections], side.small, calls)

    rounds = await by_turns(rig, load, plan.rounds, plan.stage_s)
    bar, aim = (1.25, 1.0) if connections == 1 else (None, None)
    name = f"c{connections}"
    return [
        cpu_figure(f"CPU per call, {name}", rounds, bar=1.25, aim=1.0),
        at_share(f"p50, {name}", rounds, 0.5, bar, aim),
        at_share(f"p99, {name}", rounds, 0.99),
    ]


async def at_pace(rig: Rig, plan: Plan, cpu_us: float) -> list[Figure]:
    """Times at 40 % of the load that the no-op can take."""
    rate = LOAD_SHARE * US / cpu_us

    async def load(side: Side, number: int) -> Took:
        connections = side.connections[:PACED_CONNECTIONS]
        return await paced(connections, side.small, rate, plan.paced_s, number)

    rounds = await by_turns(rig, load, plan.rounds, plan.stage_s)
    return [
        at_share(f"p50, paced {rate:.0f}/s", rounds, 0.5, 1.25, 1.0),
        at_share(f"p99, paced {rate:.0f}/s", rounds, 0.99, 2.0, 1.2),
    ]


def cpu_figure(name: str, rounds: Rounds, *, bar: float, aim: float) -> Figure:
    noop, gateway = rounds.noop.cpu_each(), rounds.gateway.cpu_each()
    return compared(name, "us", noop, gateway, bar=bar, aim=aim)


def at_share(
    name: str, rounds: Rounds, share: float, bar: float | None = None, aim: float | None = None
) -> Figure:
    """A percentile of the calls' times: of each round for the middle, of all rounds together for
    the tail, as one turn holds too few calls to have one."""
    sides = (rounds.noop, rounds.gateway)
    if share > 0.9:
        noop, gateway = ([percentile(side.times(), share) * MS] for side in sides)
    else:
        noop, gateway = (
            [percentile(took.times, share) * MS for took in side.took] for side in sides
        )
    return compared(name, "ms", noop, gateway, bar=bar, aim=aim, others=rounds.others)


async def streams(rig: Rig, plan: Plan) -> list[Figure]:
    """Several event streams at once, one event each 5 ms."""
    rig.upstream.events = plan.events
    requests = each(rig, lambda key: chat(key, 2_000, stream=True))

    async def load(side: Side, _: int) -> Took:
        connections = side.connections[: plan.streams]
        return await flat_out(connections, requests[side.name], plan.streams, keep=True)

    rounds = await by_turns(rig, load, plan.rounds, plan.stage_s)
    sides = (rounds.noop, rounds.gateway)
    events = plan.streams * plan.events
    cpu = [[cpu_s * US / events for cpu_s in side.cpu_s] for side in sides]
    delays = [[event_delay_ms(took) for took in side.took] for side in sides]
    first = [[first_event_ms(took) for took in side.took] for side in sides]
    return [
        compared("CPU per event of a stream", "us", *cpu, bar=1.3, aim=1.1),
        compared("event delay p50", "ms", *delays, bar=1.5, aim=1.15, others=rounds.others),
        compared("first event p50", "ms", *first, others=rounds.others),
    ]


def event_delay_ms(took: Took) -> float:
    delays = [delay for reply in took.replies for delay in reply.event_delays()]
    return percentile(delays, 0.5) * MS


def first_event_ms(took: Took) -> float:
    return percentile([reply.first_event_s() for reply in took.replies], 0.5) * MS


def each(rig: Rig, make: Callable[[str], Requests]) -> dict[str, Iterator[bytes]]:
    """Requests of this kind for both sides, each with its key."""
    return {side.name: iter(make(side.key)) for side in rig.sides}


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
    for name, size, image in LARGE:
        make = partial(chat, size=size, image=image, different=8)
        took = await heavy(rig, plan, make, plan.large, plan.stage_s / len(LARGE))
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


async def memory(rig: Rig, plan: Plan) -> list[Figure]:
    """Many calls to fresh processes: memory against the no-op's, and whether either grows."""
    size = min(BLOCK, plan.memory_calls // SIXTHS)
    rss: dict[str, list[float]] = {side.name: [] for side in rig.sides}

    async def load(side: Side, _: int) -> Took:
        took = await flat_out(side.connections[:PACED_CONNECTIONS], side.small, size)
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
