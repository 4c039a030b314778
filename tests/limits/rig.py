"""A store under test with a clock that is set by hand, the same for memory and for Redis."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from openai_gateway.limits.bucket import SECOND_US
from openai_gateway.limits.limit import Admission, Charge, Kind, Limit, State, Store
from openai_gateway.limits.memory import Memory
from openai_gateway.limits.redis import RedisStore, Scripts

TIME = "redis.call('TIME')"
# Far ahead of the server's own clock, so that no key expires under a test.
BEGIN_US = 4_000_000_000 * SECOND_US


@dataclass
class HandClock:
    at_us: int = BEGIN_US

    def now(self) -> float:
        return self.at_us / SECOND_US

    def monotonic(self) -> float:
        return self.at_us / SECOND_US


class HandScripts(Scripts):
    """Runs the real script on a real server, told the time instead of asking for it."""

    clock: HandClock

    async def run(self, script: str, keys: Sequence[bytes], arguments: Sequence[str | int]) -> Any:
        assert script.count(TIME) == 1
        script = script.replace(TIME, "{ARGV[#ARGV - 1], ARGV[#ARGV]}")
        seconds, rest = divmod(self.clock.at_us, SECOND_US)
        return await super().run(script, keys, [*arguments, seconds, rest])


async def told[T](answer: T | Awaitable[T]) -> T:
    """A store's answer, whether it came at once or not."""
    return await answer if isawaitable(answer) else answer


@dataclass
class Rig:
    """What the tests say to a store, in seconds and amounts."""

    store: Store
    clock: HandClock

    def wait(self, seconds: float) -> None:
        self.clock.at_us += round(seconds * SECOND_US)

    async def take(self, *charges: Charge, lease: str = "call") -> Admission:
        return await told(self.store.take(charges, lease))

    async def admits(self, *charges: Charge, lease: str = "call") -> bool:
        return (await self.take(*charges, lease=lease)).admitted

    async def adjust(self, *charges: Charge) -> None:
        await told(self.store.adjust(charges))

    async def renew(self, limit: Limit, lease: str) -> None:
        await told(self.store.renew([limit], lease))

    async def release(self, limit: Limit, lease: str) -> None:
        await told(self.store.release([limit], lease))

    async def left(self, limit: Limit) -> int:
        return (await self.look(limit)).remaining

    async def look(self, limit: Limit) -> State:
        return (await told(self.store.peek([limit])))[0]


def memory() -> Rig:
    clock = HandClock()
    return Rig(Memory(clock), clock)


def redis(scripts: HandScripts, namespace: str) -> Rig:
    clock = HandClock()
    scripts.clock = clock
    return Rig(RedisStore(scripts, namespace), clock)


def limit(kind: Kind, amount: int, bucket: str = "b") -> Limit:
    return Limit(kind, amount, bucket, "rule")


def ask(kind: Kind, amount: int, asked: int = 1, bucket: str = "b") -> Charge:
    return Charge(limit(kind, amount, bucket), asked)
