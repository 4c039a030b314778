"""Budgets under test: a clock that is set by hand, calls, and stores that fail on demand."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from inspect import isawaitable
from pathlib import Path
from typing import Any

import orjson

from openai_gateway.api.endpoints import EndpointTable
from openai_gateway.api.prices import PriceTable
from openai_gateway.budgets.ledger import Ledger, Reached
from openai_gateway.budgets.memory import MemorySpend
from openai_gateway.budgets.stage import Budgets
from openai_gateway.budgets.store import (
    Account,
    Ask,
    Balance,
    Bill,
    Override,
    Reserved,
    Settled,
    SpendStore,
    Unavailable,
)
from openai_gateway.budgets.table import Kept, Raised, SpendTable
from openai_gateway.config.policy import Budget
from openai_gateway.core.call import Call, Content, Request
from openai_gateway.core.verdict import Verdict
from openai_gateway.endpoints.stage import NameEndpoint

RULES = Path(__file__).parents[2] / "rules"
USD = 10**9


@cache
def prices() -> PriceTable:
    return PriceTable.load(RULES / "prices.yaml")


@cache
def endpoints() -> EndpointTable:
    return EndpointTable.load(RULES / "endpoints.yaml")


class HandClock:
    """A clock that is set by hand."""

    def __init__(self, at: str = "2026-11-24T12:00:00Z") -> None:
        self.at = datetime.fromisoformat(at).timestamp()

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    def to(self, at: str) -> None:
        self.at = datetime.fromisoformat(at).timestamp()


class Table:
    """A table in memory. `unread`: the database has not been read yet."""

    def __init__(self, *kept: Kept) -> None:
        self.kept = list(kept)
        self.unread = False
        self.added: list[tuple[str, str, int, int, tuple[str, ...]]] = []
        self.raised: list[Raised] = []

    def load(self) -> Sequence[Kept] | None:
        return None if self.unread else self.kept

    def add(
        self, budget: str, period: str, start: int, nano_usd: int, alerted: Sequence[str] = ()
    ) -> int:
        self.added.append((budget, period, start, nano_usd, tuple(alerted)))
        return len(self.added)

    def booked(self, ticket: int) -> bool:
        return ticket <= len(self.added)

    def overrides(self) -> Sequence[Raised]:
        return self.raised

    def after_restart(self) -> "Table":
        """What the next process reads."""
        sums: dict[tuple[str, str, int], tuple[int, tuple[str, ...]]] = {}
        for *key, nano_usd, alerted in (*self.kept, *self.added):
            spent, known = sums.get((*key,), (0, ()))  # type: ignore[arg-type]
            sums[(*key,)] = (spent + nano_usd, known + alerted)  # type: ignore[index]
        return Table(*((*key, *told) for key, told in sums.items()))  # type: ignore[arg-type]


class Far:
    """A store that many share and that lies elsewhere: its answers are awaited, it may be away, and
    an answer may be lost on its way. What it does is a MemorySpend's."""

    shared = True

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.inner = MemorySpend(clock)
        self.away = False
        self.loses_answers = False
        self.asked: list[str] = []

    async def _do[T](self, name: str, work: Callable[[], T]) -> T:
        self.asked.append(name)
        if self.away:
            raise Unavailable("away")
        said = work()
        if self.loses_answers:
            raise Unavailable("lost")
        return said

    def forget(self) -> None:
        """It comes back empty."""
        self.inner = MemorySpend(self.clock)

    async def reserve(self, asks: Sequence[Ask], lease: str) -> Reserved:
        return await self._do("reserve", lambda: self.inner.reserve(asks, lease))

    async def settle(
        self, bills: Sequence[Bill], lease: str, again: bool = False
    ) -> tuple[Settled, ...]:
        return await self._do("settle", lambda: self.inner.settle(bills, lease, again))

    async def keep(self, accounts: Sequence[Account], lease: str, name: str, for_s: int) -> None:
        await self._do("keep", lambda: self.inner.keep(accounts, lease, name, for_s))

    async def renew(self, leases: Mapping[str, Sequence[Account]]) -> None:
        await self._do("renew", lambda: self.inner.renew(leases))

    async def read(self, accounts: Sequence[Account]) -> tuple[Balance, ...]:
        return await self._do("read", lambda: self.inner.read(accounts))

    async def override(self, said: Override) -> None:
        await self._do("override", lambda: self.inner.override(said))

    async def overrides(self) -> tuple[Override, ...]:
        return await self._do("overrides", self.inner.overrides)


class Rig:
    """Budgets on a store, with everything that they told."""

    def __init__(
        self,
        *budgets: Budget,
        store: SpendStore | None = None,
        table: SpendTable | None = None,
        clock: HandClock | None = None,
        **how: Any,
    ) -> None:
        self.clock = clock or HandClock()
        self.store = store or MemorySpend(self.clock)
        self.table = table or Table()
        self.reached: list[Reached] = []
        self.ledger = Ledger(self.store, self.table, self.clock, self.reached.append)
        self.budgets = Budgets(budgets, prices(), self.ledger, self.clock, **how)

    async def check(self, call: Call) -> Verdict:
        return await answer(self.budgets.check(call))

    def end(self, call: Call, cost: int | None, **known: Any) -> tuple[tuple[str, int], ...]:
        """The call went through, and cost so many nano-dollars."""
        call.admitted, call.status, call.cost_nano_usd = True, 200, cost
        for name, value in known.items():
            setattr(call, name, value)
        return self.budgets.settle(call)

    def spent(self, budget: str = "team") -> int:
        return next(one.spent for one in self.status() if one.name == budget)

    def reserved(self, budget: str = "team") -> int:
        return next(one.reserved for one in self.status() if one.name == budget)

    def status(self) -> list[Any]:
        return self.budgets.status(self.clock.now())


async def answer[T](said: T | Awaitable[T]) -> T:
    return await said if isawaitable(said) else said


def budget(name: str = "team", usd: float = 1.0, period: Any = "day", **known: Any) -> Budget:
    return Budget.model_validate({"name": name, "usd": usd, "period": period, **known})


def chat(
    body: dict[str, object] | None = None,
    target: bytes = b"/v1/chat/completions",
    method: str = "POST",
    key: str = "default",
    client: str = "ci",
) -> Call:
    """A call as the stages before have left it."""
    parsed = {"model": "gpt-4.1", "messages": [], "max_completion_tokens": 100} | (body or {})
    made = Call(Request(method, "api.openai.com", target, [], orjson.dumps(parsed)))
    made.content = Content(made.request.body, "json", parsed)
    made.key, made.client = key, client
    model = parsed.get("model")
    made.model_requested = made.model_sent = model if isinstance(model, str) else None
    NameEndpoint(endpoints()).check(made)
    return made
