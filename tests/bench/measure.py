"""The figures of small calls and of streams: what is sent, and which bars it is held against."""

from collections.abc import Callable, Iterator
from typing import Final

from tests.bench.bodies import Requests, chat
from tests.bench.figures import Figure, compared, percentile
from tests.bench.load import Took, flat_out, paced
from tests.bench.plan import LOAD_SHARE, Plan
from tests.bench.rig import SMALL, Rig, Side
from tests.bench.rounds import Rounds, by_turns

MS: Final = 1e3
US: Final = 1e6
PACED_CONNECTIONS: Final = 16


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
    requests = each(rig, lambda key: chat(key, SMALL, stream=True))

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
