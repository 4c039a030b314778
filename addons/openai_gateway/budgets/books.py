"""What this process knows of each budget: its period, its limit now, what was spent as last seen.

The table told it what was spent before the start, the store's answers what was since.
"""

from collections.abc import Mapping
from typing import Final

from openai_gateway.budgets.memory import KEPT_S
from openai_gateway.budgets.period import Kind, Span, span_at
from openai_gateway.budgets.rule import Rule, Thresholds
from openai_gateway.budgets.store import Account, Balance, Override
from openai_gateway.budgets.table import SpendTable

_NOTHING: Final = Balance(0, 0)


class Books:
    """Used by the event loop alone. `shared`: the store knows what was spent before by itself."""

    def __init__(self, table: SpendTable, shared: bool) -> None:
        self.overrides: Mapping[str, Override] = {}
        self._table = table
        self._shared = shared
        self._spans: dict[tuple[Kind, str], Span] = {}
        self._known: dict[Account, Balance] = {}
        self._opened: set[Account] = set()
        self._watched: set[Account] = set()
        self._earlier: Mapping[tuple[str, str, int], Balance] | None = None
        self._thresholds: dict[tuple[tuple[float, ...], int], Thresholds] = {}

    def account(self, rule: Rule, now: float) -> Account:
        """The books of the budget in the period that `now` lies in."""
        span = self._spans.get((rule.period, rule.zone))
        if span is None or not span.holds(now):
            span = span_at(rule.period, rule.zone, now)
            self._spans[rule.period, rule.zone] = span
        return Account(rule.name, rule.period, span.start, span.end)

    def limit(self, rule: Rule, now: float) -> int:
        """What holds now: gateway.yaml's amount, or an override above it."""
        said = self.overrides.get(rule.name)
        return max(rule.limit, said.limit) if said and now < said.until else rule.limit

    def balance(self, account: Account) -> Balance:
        """The account as it was last seen.

        A store of this process begins at nothing, so what the table tells comes on top, until the
        store was told; a shared one knew it all along, if it has lost nothing.
        """
        seen = self._known.get(account, _NOTHING)
        if account in self._opened:
            return seen
        before = self._before(account)
        spent = max(seen.spent, before.spent) if self._shared else seen.spent + before.spent
        return Balance(spent, seen.reserved, seen.alerted | before.alerted)

    def floor(self, account: Account) -> int:
        """What is known to have been spent. Told to the store at once: it may not know less."""
        balance = self.balance(account)
        if account not in self._opened and self._earlier is not None:
            self._known[account] = balance
            self._opened.add(account)
        return balance.spent

    def thresholds(self, rule: Rule, account: Account, limit: int) -> Thresholds:
        """The amounts of this limit at which somebody is told, that are not known to be claimed."""
        amounts = self._thresholds.get((rule.shares, limit))
        if amounts is None:
            if len(self._thresholds) > len(self._known) + 64:
                self._thresholds.clear()
            amounts = self._thresholds[rule.shares, limit] = rule.thresholds(limit)
        claimed = self.balance(account).alerted
        return tuple(one for one in amounts if one[0] not in claimed) if claimed else amounts

    def learn(self, account: Account, seen: Balance) -> None:
        """A balance that the store told. Answers may overtake one another: spend only grows."""
        known = self._known.get(account, _NOTHING)
        if seen.spent < known.spent or not known.alerted <= seen.alerted:
            alerted = known.alerted | seen.alerted
            seen = Balance(max(known.spent, seen.spent), seen.reserved, alerted)
        self._known[account] = seen

    def watch(self, account: Account) -> None:
        """Asks to be told what others spend of it."""
        self._watched.add(account)

    def accounts(self) -> list[Account]:
        """Those that are of interest."""
        return list(self._known.keys() | self._watched)

    def forget(self, now: float) -> None:
        """Drops those whose period ended long ago."""
        before = now - KEPT_S
        gone = {one for one in self.accounts() if one.end is not None and one.end < before}
        for account in gone:
            self._known.pop(account, None)
        self._opened -= gone
        self._watched -= gone

    def readable(self) -> bool:
        """Whether what was spent before is known; a shared store knows it by itself."""
        if self._earlier is None and (kept := self._table.load()) is not None:
            self._earlier = {one[:3]: Balance(one[3], 0, frozenset(one[4])) for one in kept}
        return self._earlier is not None or self._shared

    def _before(self, account: Account) -> Balance:
        """What the table told of it."""
        if self._earlier is None:
            self.readable()
        return self._earlier.get(account[:3], _NOTHING) if self._earlier else _NOTHING
