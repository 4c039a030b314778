"""The spend of one process, in its memory: no operation waits, so each is one step of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from openai_gateway.budgets.store import Account, Ask, Balance, Bill, Override, Reserved, Settled
from openai_gateway.core.clock import Clock

LEASE_S: Final = 60
# Books of an ended period: a call that began in it may still end.
KEPT_S: Final = 2 * 86_400


@dataclass(slots=True)
class _Book:
    """One account. `leases` are (amount, when it ends by the monotonic clock)."""

    spent: int = 0
    reserved: int = 0
    leases: dict[str, tuple[int, float]] = field(default_factory=dict)
    alerted: frozenset[str] = frozenset()
    lapses_at: float = inf
    """No lease ends before it."""

    def hold(self, lease: str, amount: int, until: float) -> None:
        self.reserved += amount
        self.leases[lease] = (amount, until)
        self.lapses_at = min(self.lapses_at, until)

    def end(self, lease: str) -> bool:
        found = self.leases.pop(lease, None)
        if found is not None:
            self.reserved -= found[0]
        return found is not None

    def balance(self) -> Balance:
        return Balance(self.spent, self.reserved, self.alerted)


class MemorySpend:
    """A SpendStore, for one gateway; used by the event loop alone."""

    shared: Final = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._books: dict[Account, _Book] = {}
        self._overrides: dict[str, Override] = {}

    def reserve(self, asks: Sequence[Ask], lease: str) -> Reserved:
        now = self._clock.monotonic()
        books = [self._opened(ask.account, ask.floor) for ask in asks]
        for book in books:
            book.end(lease)
        if not _fit(asks, books):
            for book in books:
                _lapse(book, now)
            if not _fit(asks, books):
                return Reserved(False, tuple(book.balance() for book in books))
        for ask, book in zip(asks, books, strict=True):
            book.hold(lease, ask.amount, now + LEASE_S)
        return Reserved(True, tuple(book.balance() for book in books))

    def settle(self, bills: Sequence[Bill], lease: str, again: bool = False) -> tuple[Settled, ...]:
        return tuple(self._settled(bill, lease, again) for bill in bills)

    def _settled(self, bill: Bill, lease: str, again: bool) -> Settled:
        book = self._opened(bill.account, bill.floor)
        if book.end(lease) or not again:
            book.spent += bill.amount
        reached = tuple(
            share
            for share, amount in bill.thresholds
            if book.spent >= amount and share not in book.alerted
        )
        if reached:
            book.alerted |= frozenset(reached)
        return Settled(book.balance(), reached)

    def keep(self, accounts: Sequence[Account], lease: str, name: str, for_s: int) -> None:
        until = self._clock.monotonic() + for_s
        for account in accounts:
            book = self._opened(account)
            found = book.leases.get(lease)
            if found is not None:
                book.end(lease)
                book.end(name)
                book.hold(name, found[0], until)

    def renew(self, leases: Mapping[str, Sequence[Account]]) -> None:
        until = self._clock.monotonic() + LEASE_S
        for lease, accounts in leases.items():
            for account in accounts:
                book = self._books.get(account)
                if book is not None and lease in book.leases:
                    book.leases[lease] = (book.leases[lease][0], until)

    def read(self, accounts: Sequence[Account]) -> tuple[Balance, ...]:
        now = self._clock.monotonic()
        found = [self._books.get(account) or _Book() for account in accounts]
        for book in found:
            _lapse(book, now)
        return tuple(book.balance() for book in found)

    def override(self, said: Override) -> None:
        self._overrides[said.budget] = said

    def overrides(self) -> tuple[Override, ...]:
        return tuple(self._overrides.values())

    def _opened(self, account: Account, floor: int = 0) -> _Book:
        book = self._books.get(account)
        if book is None:
            self._forget()
            book = self._books[account] = _Book()
        if book.spent < floor:
            book.spent = floor
        return book

    def _forget(self) -> None:
        """A new period begins: those that ended long ago go."""
        before = self._clock.now() - KEPT_S
        gone = [one for one in self._books if one.end is not None and one.end < before]
        for account in gone:
            del self._books[account]


def _fit(asks: Sequence[Ask], books: Sequence[_Book]) -> bool:
    for ask, book in zip(asks, books, strict=True):
        if ask.limit is not None and book.spent + book.reserved + ask.amount > ask.limit:
            return False
    return True


def _lapse(book: _Book, now: float) -> None:
    """Ends what nobody has renewed."""
    if now < book.lapses_at:
        return
    for lease in [name for name, (_, until) in book.leases.items() if until <= now]:
        book.end(lease)
    book.lapses_at = min((until for _, until in book.leases.values()), default=inf)
