"""Both proxies up at once on one processor, load and upstream on the other; ends what it began."""

import asyncio
import contextlib
import gc
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench import machine, proxies
from tests.bench.bodies import chat
from tests.bench.client import Kept, trusting
from tests.bench.upstream import Upstream
from tests.support.gateway_process import SCRIPT, GatewayProcess
from tests.support.gateway_settings import fresh_keys

SMALL: Final = 2_000


@dataclass(slots=True)
class Side:
    """One of the two proxies, with its kept connections and the calls that it has answered."""

    name: str
    process: GatewayProcess
    key: str = field(repr=False)
    connections: list[Kept] = field(default_factory=list, repr=False)
    small: Iterator[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.small = iter(chat(self.key, SMALL))

    @property
    def pid(self) -> int:
        return self.process.pid

    async def connect(self, number: int) -> None:
        """Opens connections until there are `number`, and sends one call over each new one."""
        trust = trusting(self.process.ca_file)
        while len(self.connections) < number:
            kept = await Kept.open(self.process.port, trust)
            self.connections.append(kept)
            await kept.call(next(self.small))


@dataclass(slots=True)
class Rig:
    """The upstream and the two sides. The gateway's clients use the production key, the others a
    key of their own, so that the upstream can tell whose call it was."""

    upstream: Upstream
    noop: Side
    gateway: Side
    staging_key: str = field(repr=False)
    pinned: tuple[int, int] | None

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.noop, self.gateway

    @property
    def own(self) -> tuple[int, ...]:
        return os.getpid(), self.noop.pid, self.gateway.pid

    async def connect(self, number: int) -> None:
        for side in self.sides:
            await side.connect(number)


@contextlib.asynccontextmanager
async def rig(
    gateway_script: Path = SCRIPT, noop_script: Path = proxies.HERE / "noop.py"
) -> AsyncIterator[Rig]:
    """Everything up and pinned; on leaving, both proxies are stopped and their folders are gone."""
    keys, others = fresh_keys(), fresh_keys()
    with _undisturbed(), ExitStack() as stack, tempfile.TemporaryDirectory(prefix="bench-") as name:
        async with Upstream() as upstream:
            ca_file = Path(name) / "upstream-ca.pem"
            ca_file.write_bytes(upstream.ca_pem)
            empty = proxies.noop(upstream.port, ca_file, noop_script)
            full = proxies.gateway(upstream.port, ca_file, keys, gateway_script)
            for process in (empty, full):
                await asyncio.to_thread(stack.enter_context, process)
            sides = Side("no-op", empty, others.production), Side("gateway", full, keys.production)
            try:
                yield Rig(upstream, *sides, keys.staging, _pin(*sides))
            finally:
                for side in sides:
                    for kept in side.connections:
                        kept.close()
                await asyncio.to_thread(stack.close)


def _pin(*sides: Side) -> tuple[int, int] | None:
    pair = machine.cores()
    if pair is not None:
        for side in sides:
            machine.pin(side.pid, pair[0])
        machine.pin(os.getpid(), pair[1])
    return pair


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """The load's own collections of garbage would look like the proxies' slowness."""
    allowed = os.sched_getaffinity(0)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        os.sched_setaffinity(0, allowed)
