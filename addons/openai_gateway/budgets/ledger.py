"""Reserves and books what calls cost, in one store for all gateways or in this process' own.

The store decides who may spend. The ledger sees to it that it is told everything once, also where
an answer is lost or the store was away, and that the table outlives both.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final, NamedTuple

from openai_gateway.budgets.books import Books
from openai_gateway.budgets.memory import LEASE_S
from openai_gateway.budgets.overrides import newest
from openai_gateway.budgets.rule import Rule
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
from openai_gateway.budgets.table import SpendTable
from openai_gateway.core.clock import Clock

TICK_S: Final = 2.0
RENEW_S: Final = LEASE_S / 4
# A response in the background, or one that nobody reads: so long its money stays reserved.
PENDING_S: Final = 86_400
PENDING_MAX: Final = 10_000
UNSETTLED_MAX: Final = 10_000


class Part(NamedTuple):
    """A call's share in one budget: what is reserved of which limit, in nano-dollars."""

    rule: Rule
    account: Account
    limit: int
    amount: int


type Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """A budget's spend has reached a share of its limit, for the first time in this period.

    `kept` tells whether that is written down, so that it is not told again after a restart.
    """

    rule: Rule
    share: str
    spent: int
    limit: int
    resets_at: int | None
    kept: Callable[[], bool]


class _Debt(NamedTuple):
    """A bill that the store has not confirmed: what each part comes to."""

    lease: str
    parts: Parts
    amounts: tuple[int, ...]
    granted: bool


class Ledger:
    """One for the process; it outlives every configuration. Used by the event loop alone."""

    def __init__(
        self,
        store: SpendStore,
        table: SpendTable,
        clock: Clock,
        reached: Callable[[Reached], None] = lambda _: None,
    ) -> None:
        """`reached` is told of thresholds; it must not wait."""
        self._books = Books(table, store.shared)
        self._store = store
        self._table = table
        self._clock = clock
        self._reached = reached
        self._live: dict[str, Parts] = {}
        self._ending: set[str] = set()  # of those, whose bills are on their way
        self._pending: OrderedDict[str, Parts] = OrderedDict()
        self._unsettled: deque[_Debt] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._renew_at = 0.0

    def part(self, rule: Rule, amount: int, now: float) -> Part:
        """What a call that begins now asks of a budget."""
        return Part(rule, self._books.account(rule, now), self._books.limit(rule, now), amount)

    def owing(self, rule: Rule, account: Account, now: float) -> Part:
        """A share that was reserved elsewhere, or before a restart, in this account."""
        return Part(rule, account, self._books.limit(rule, now), 0)

    def status(self, rule: Rule, now: float) -> tuple[Account, int, Balance]:
        """The budget's account now, its limit, and its balance; from now on also what others do."""
        account = self._books.account(rule, now)
        self._books.watch(account)
        return account, self._books.limit(rule, now), self._books.balance(account)

    @property
    def overrides(self) -> Mapping[str, Override]:
        """Those that held at the last look, by budget."""
        return self._books.overrides

    def reserve(self, parts: Parts, lease: str) -> Reserved | Awaitable[Reserved]:
        """All of them or none. Raises: Unavailable, at once or when awaited."""
        if not self._books.readable() and any(part.rule.hard for part in parts):
            raise Unavailable("what was spent before the start could not be read yet")
        said = self._store.reserve([self._ask(part) for part in parts], lease)
        if isinstance(said, Reserved):
            return self._granted(parts, lease, said)
        return self._awaited(parts, lease, said)

    async def _awaited(self, parts: Parts, lease: str, said: Awaitable[Reserved]) -> Reserved:
        return self._granted(parts, lease, await said)

    def _granted(self, parts: Parts, lease: str, said: Reserved) -> Reserved:
        for part, balance in zip(parts, said.balances, strict=True):
            self._books.learn(part.account, balance)
        if said.admitted:
            self._live[lease] = parts
        return said

    def settle(self, lease: str, parts: Parts, amounts: Sequence[int], granted: bool) -> None:
        """Books what a call has cost each part, and ends its reservation; 0 gives it back.

        `granted`: they are known to be reserved, so that what the store has heard already, though
        its answer was lost, can be told from what it has not. Never waits and never raises.
        """
        for part, amount in zip(parts, amounts, strict=True):
            if amount:
                self._table.add(*part.account[:3], amount)
        debt = _Debt(lease, parts, tuple(amounts), granted)
        try:
            said = self._store.settle(self._bills(debt), lease)
        except Unavailable:
            self._owe(debt)
            return
        if isinstance(said, tuple):
            self._settled(debt, said)
        else:
            self._ending.add(lease)
            self._spawn(self._settled_later(debt, said))

    async def _settled_later(self, debt: _Debt, said: Awaitable[tuple[Settled, ...]]) -> None:
        try:
            self._settled(debt, await said)
        except Unavailable:
            self._owe(debt)
        finally:
            self._ending.discard(debt.lease)

    def _owe(self, debt: _Debt) -> None:
        """The store is told later; the reservation goes on until then."""
        if len(self._unsettled) >= UNSETTLED_MAX:
            self._live.pop(self._unsettled.popleft().lease, None)
        self._unsettled.append(debt)

    def _settled(self, debt: _Debt, said: Sequence[Settled]) -> None:
        self._live.pop(debt.lease, None)
        for part, (balance, reached) in zip(debt.parts, said, strict=True):
            self._books.learn(part.account, balance)
            if reached:
                self._tell(part, balance, reached)

    def _tell(self, part: Part, balance: Balance, reached: Sequence[str]) -> None:
        ticket = self._table.add(*part.account[:3], 0, reached)
        limit = self._books.limit(part.rule, self._clock.now())
        for share in reached:
            end = part.account.end
            kept = lambda: self._table.booked(ticket)  # noqa: E731  # the same for all of them
            self._reached(Reached(part.rule, share, balance.spent, limit, end, kept))

    def keep(self, lease: str, parts: Parts, name: str) -> None:
        """The call has ended but its bill comes later, under this name: the money stays reserved.

        `settle` with that name as its lease ends it, on whichever gateway.
        """
        self._live.pop(lease, None)
        self._pending[name] = parts
        if len(self._pending) > PENDING_MAX:
            self._pending.popitem(last=False)
        try:
            said = self._store.keep([part.account for part in parts], lease, name, PENDING_S)
        except Unavailable:
            return
        if said is not None:
            self._spawn(_quietly(said))

    def pending(self, name: str) -> Parts:
        """The budgets that wait for this bill, as far as this process knows; asked once."""
        return self._pending.pop(name, ())

    async def tick(self) -> None:
        """To be called every TICK_S: looks what others have spent and said, tells the store what it
        has lost or missed, renews what is reserved. Raises: Unavailable; the next time may do."""
        if self._store.shared:
            await self._look()
        await self._retry()
        now = self._clock.monotonic()
        if now >= self._renew_at and self._live:
            leases = {lease: [one.account for one in parts] for lease, parts in self._live.items()}
            await _answer(self._store.renew(leases))
            self._renew_at = now + RENEW_S
        said = await _answer(self._store.overrides())
        self._books.overrides = newest(said, self._table.overrides(), self._clock.now())
        self._books.forget(self._clock.now())

    async def _retry(self) -> None:
        """What it may have heard counts only where it is still reserved."""
        for _ in range(len(self._unsettled)):
            debt = self._unsettled[0]
            said = self._store.settle(self._bills(debt), debt.lease, again=debt.granted)
            self._settled(debt, await _answer(said))
            if self._unsettled and self._unsettled[0] is debt:
                self._unsettled.popleft()

    async def _look(self) -> None:
        """Reads what all gateways have spent, and reserves again what the store has lost.

        A bill that it may have heard is reserved again only where it has lost what it knew.
        """
        owed = {debt.lease for debt in self._unsettled}
        running, accounts = self._running(), self._books.accounts()
        seen = await _answer(self._store.read(accounts))
        held: dict[Account, int] = {}
        for lease in running & self._running():
            for part in self._live[lease]:
                held[part.account] = held.get(part.account, 0) + part.amount
        for account, balance in zip(accounts, seen, strict=True):
            lost = balance.spent < self._books.balance(account).spent
            self._books.learn(account, balance)
            if lost or held.get(account, 0) > balance.reserved:
                await self._again(account, running | owed if lost else running)

    def _running(self) -> set[str]:
        """The leases whose calls have not ended."""
        return self._live.keys() - self._ending - {debt.lease for debt in self._unsettled}

    async def _again(self, account: Account, leases: set[str]) -> None:
        for lease in leases - self._ending:
            parts = [part for part in self._live.get(lease, ()) if part.account == account]
            asks = [self._ask(part)._replace(limit=None) for part in parts]
            if asks:
                await _answer(self._store.reserve(asks, lease))

    def _ask(self, part: Part) -> Ask:
        limit = part.limit if part.rule.hard else None
        return Ask(part.account, part.amount, limit, self._books.floor(part.account))

    def _bills(self, debt: _Debt) -> list[Bill]:
        books, now = self._books, self._clock.now()
        return [
            Bill(
                part.account, amount, books.floor(part.account),
                books.thresholds(part.rule, part.account, books.limit(part.rule, now)),
            )
            for part, amount in zip(debt.parts, debt.amounts, strict=True)
        ]  # fmt: skip

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Waits for what the store is being told; each of it has its own time limit."""
        while self._tasks:
            await asyncio.gather(*self._tasks)


async def _answer[T](said: T | Awaitable[T]) -> T:
    return await said if isawaitable(said) else said


async def _quietly(work: Awaitable[None]) -> None:
    """The reservation lapses where the store was not told."""
    try:
        await work
    except Unavailable:
        return
