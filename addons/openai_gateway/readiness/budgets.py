"""Where each budget stands: what the call log's table, and the store that gateways share, know.

With a store in each gateway's memory, what calls under way hold is known to that gateway alone; it
is then unknown here, and never 0.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from openai_gateway.accounting.spend import SpendBook, read_overrides, read_sums
from openai_gateway.budgets.ledger import Ledger
from openai_gateway.budgets.memory import MemorySpend
from openai_gateway.budgets.redis import RedisSpend
from openai_gateway.budgets.rule import Rule
from openai_gateway.budgets.status import BudgetStatus, status_of
from openai_gateway.budgets.store import Override, SpendStore, Unavailable
from openai_gateway.config.spending import Spending
from openai_gateway.config.store_url import StoreUrlFault
from openai_gateway.core.clock import Clock
from openai_gateway.limits.limit import StoreFault
from openai_gateway.limits.stores import open_store
from openai_gateway.readiness.source import Log

# The first question opens a connection, which a store's own limit of time is too short for.
CONNECT_S: Final = 3.0
_NOTHING: Final = "return 1"
_KEY: Final = b"{gw}"


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget now. `reserved`: None where it cannot be told; `start`: of the period, in seconds
    since the epoch."""

    rule: Rule
    status: BudgetStatus
    reserved: int | None
    start: int
    alerted: tuple[str, ...]
    override: Override | None

    @property
    def remaining(self) -> int:
        """What a call may still take, in nano-dollars; below nothing is nothing."""
        status = self.status
        return max(0, status.limit - status.spent - (self.reserved or 0))

    @property
    def per_mille(self) -> int:
        """Of the limit, spent; rounded down, so that a thousand is all of it."""
        return self.status.spent * 1000 // self.status.limit


@dataclass(frozen=True, slots=True)
class Standings:
    """`why_not`: why the shared store could not be asked; then only the table has spoken."""

    budgets: tuple[Standing, ...]
    why_not: str = ""


@asynccontextmanager
async def shared_store(said: Spending, clock: Clock) -> AsyncIterator[RedisSpend]:
    """The store that gateways share. Raises: Unavailable, also for what fails while it is used."""
    if said.store is None:
        raise Unavailable(said.why_not)
    try:
        opened = open_store(
            said.store.reveal(), said.environment, "closed", 1, clock, lambda _: None
        )
    except StoreUrlFault as error:
        raise Unavailable(str(error)) from error
    if opened.scripts is None:
        raise Unavailable("limits.store is memory")
    try:
        await asyncio.wait_for(opened.scripts.run(_NOTHING, [_KEY], []), CONNECT_S)
        yield RedisSpend(opened.scripts, said.environment, (OSError, StoreFault))
    except (StoreFault, TimeoutError, OSError) as error:
        raise Unavailable("the store of limits.store does not answer") from error
    finally:
        await opened.store.close()


def standings(log: Log, rules: Sequence[Rule], said: Spending, clock: Clock) -> Standings:
    """Where the budgets of gateway.yaml stand. Raises: what the log raises."""
    book = SpendBook()
    book.told(read_sums(log, clock.now()), read_overrides(log))
    return asyncio.run(_read(book, rules, said, clock))


async def _read(book: SpendBook, rules: Sequence[Rule], said: Spending, clock: Clock) -> Standings:
    if not said.shared:
        return Standings(await _told(MemorySpend(clock), book, rules, clock))
    try:
        async with shared_store(said, clock) as store:
            return Standings(await _told(store, book, rules, clock))
    except Unavailable as error:
        return Standings(await _told(MemorySpend(clock), book, rules, clock), str(error))


async def _told(
    store: SpendStore, book: SpendBook, rules: Sequence[Rule], clock: Clock
) -> tuple[Standing, ...]:
    ledger = Ledger(store, book, clock)
    now = clock.now()
    for rule in rules:
        ledger.status(rule, now)  # from now on the ledger looks at it
    await ledger.tick()
    return tuple(_standing(ledger, rule, now, store.shared) for rule in rules)


def _standing(ledger: Ledger, rule: Rule, now: float, shared: bool) -> Standing:
    account, limit, balance = ledger.status(rule, now)
    override = ledger.overrides.get(rule.name)
    return Standing(
        rule,
        status_of(account, limit, balance, now, rule.hard),
        balance.reserved if shared else None,
        account.start,
        tuple(str(share) for share in rule.shares if str(share) in balance.alerted),
        override if override is not None and override.limit > rule.limit else None,
    )
