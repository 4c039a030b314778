"""The words between the ledger and the place where spend is kept: a store of this process, or one
that many gateways share.

A store answers for all budgets of a call together: it reserves in each of them or in none.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Unavailable(Exception):
    """The store does not answer, or what it should know could not be read yet."""


class Account(NamedTuple):
    """The books of one budget in one period: `start` and `end` in seconds since the epoch."""

    budget: str
    period: str
    start: int
    end: int | None


class Ask(NamedTuple):
    """What a call asks of an account, in nano-dollars."""

    account: Account
    amount: int
    limit: int | None
    """What must hold it together with all that is spent and reserved; None refuses nothing."""
    floor: int = 0
    """What is known to have been spent: a store that knows less has lost it, and takes this."""


class Bill(NamedTuple):
    """What a call has cost an account, in nano-dollars."""

    account: Account
    amount: int
    floor: int = 0
    thresholds: tuple[tuple[str, int], ...] = ()
    """Shares not claimed yet, and the spend that reaches each."""


class Balance(NamedTuple):
    """An account as it is now, in nano-dollars; `alerted` are the shares that were claimed."""

    spent: int
    reserved: int
    alerted: frozenset[str] = frozenset()


class Reserved(NamedTuple):
    """What a store says to a call: refused means that nothing was reserved anywhere.

    The balances are in the order of the asks, after them where they were granted.
    """

    admitted: bool
    balances: tuple[Balance, ...]


class Settled(NamedTuple):
    """An account after a bill, and the shares that this very bill was the first to reach."""

    balance: Balance
    reached: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Override:
    """Another limit for a budget, in nano-dollars, until a moment; who said so, and when."""

    budget: str
    limit: int
    until: float
    by: str
    at: float


class SpendStore(Protocol):
    """Plain answers or awaitable ones: memory costs no task. All raise Unavailable.

    `lease` names a call's reservation, which lasts as long as it is renewed. Every operation says
    itself whether it may be said twice: an answer may be lost on the way.
    """

    @property
    def shared(self) -> bool:
        """Whether it outlives this process, and so knows what was spent before."""
        ...

    def reserve(self, asks: Sequence[Ask], lease: str) -> Reserved | Awaitable[Reserved]:
        """All or nothing. Said twice, the second takes the first's place."""
        ...

    def settle(
        self, bills: Sequence[Bill], lease: str, again: bool = False
    ) -> tuple[Settled, ...] | Awaitable[tuple[Settled, ...]]:
        """Ends the reservation and adds the cost. `again`: only where it is still reserved, as an
        answer was lost and the store may have heard it the first time."""
        ...

    def keep(
        self, accounts: Sequence[Account], lease: str, name: str, for_s: int
    ) -> Awaitable[None] | None:
        """Goes on with a reservation under another name, unrenewed: its bill comes later."""
        ...

    def renew(self, leases: Mapping[str, Sequence[Account]]) -> Awaitable[None] | None:
        """The calls still run; what is not reserved (any more) is left so."""
        ...

    def read(
        self, accounts: Sequence[Account]
    ) -> tuple[Balance, ...] | Awaitable[tuple[Balance, ...]]:
        """The balances, changing nothing."""
        ...

    def override(self, said: Override) -> Awaitable[None] | None:
        """Keeps another limit for a budget, in the place of an earlier one."""
        ...

    def overrides(self) -> tuple[Override, ...] | Awaitable[tuple[Override, ...]]:
        """Those that are kept; some may have ended."""
        ...
