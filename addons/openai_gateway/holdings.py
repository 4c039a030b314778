"""What limits and budgets hold beyond one call and one configuration: buckets, lines, books.

Built once, for the first configuration, in this process' memory or in the store that is shared.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from openai_gateway.budgets.alerts import Alerts
from openai_gateway.budgets.estimate import Lately
from openai_gateway.budgets.ledger import TICK_S, Ledger
from openai_gateway.budgets.memory import MemorySpend
from openai_gateway.budgets.redis import RedisSpend
from openai_gateway.budgets.store import SpendStore, Unavailable
from openai_gateway.budgets.table import SpendTable
from openai_gateway.config.model import Config
from openai_gateway.core.clock import Clock, SystemClock
from openai_gateway.limits.estimate import Recent
from openai_gateway.limits.limit import StoreFault
from openai_gateway.limits.settle import Settlement
from openai_gateway.limits.stage import Shared
from openai_gateway.limits.stores import Opened, open_store
from openai_gateway.limits.waiting import Waiting

log: Final = logging.getLogger("openai_gateway")


class Counts(Protocol):
    """Where it is counted what went wrong, and what became of alerts."""

    @property
    def webhooks(self) -> "Results": ...
    def store_error(self, policy: str) -> None: ...


class Results(Protocol):
    """A counter by result."""

    def add(self, result: str, rows: int) -> None: ...


@dataclass(slots=True)
class Holdings:
    """`limits` and `ledger` are used by the event loop alone."""

    limits: Shared
    ledger: Ledger
    lately: Lately
    alerts: Alerts
    clock: Clock
    _ticking: "asyncio.Task[None] | None" = field(default=None, repr=False)

    def start(self, looked: Callable[[], None]) -> None:
        """Begins to renew leases and to look what others spend; called in the event loop."""
        self.limits.settlement.start()
        self._ticking = asyncio.get_running_loop().create_task(self._ticks(looked))

    async def _ticks(self, looked: Callable[[], None]) -> None:
        while True:
            try:
                await self.ledger.tick()
            except Unavailable:
                pass  # counted where it failed; the next look may do
            except Exception as error:  # noqa: BLE001  # the next look must come, whatever came
                log.error("budgets could not be looked at (%s)", type(error).__name__)
            looked()
            await asyncio.sleep(TICK_S)

    async def stop(self) -> None:
        """Tells the stores what they have to know, within their own time limits."""
        if self._ticking is not None:
            self._ticking.cancel()
        await self.limits.settlement.stop()
        await self.ledger.close()
        await self.alerts.stop()
        await self.limits.store.close()


def holdings(config: Config, table: SpendTable, counts: Counts) -> Holdings:
    """For this configuration. Raises: StoreUrlFault."""
    clock, said = SystemClock(), config.limits
    opened = open_store(
        said.store.secret.reveal(),
        config.environment,
        said.on_store_error,
        said.instances,
        clock,
        counts.store_error,
    )
    waiting, recent = Waiting(clock), Recent()
    settlement = Settlement(opened.store, recent, waiting)
    alerts = Alerts(counts.webhooks, config.environment, config.upstream.proxy)
    ledger = Ledger(_spend(opened, config, clock, counts), table, clock, alerts.put)
    limits = Shared(opened.store, settlement, waiting, recent, clock)
    return Holdings(limits, ledger, Lately(), alerts, clock)


def _spend(opened: Opened, config: Config, clock: Clock, counts: Counts) -> SpendStore:
    if opened.scripts is None:
        return MemorySpend(clock)
    return RedisSpend(
        opened.scripts,
        config.environment,
        faults=(OSError, StoreFault),
        failed=lambda: counts.store_error("closed"),
    )
