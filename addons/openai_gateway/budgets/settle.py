"""After a call: what it has cost its budgets, and what goes back to them."""

from dataclasses import dataclass

from openai_gateway.budgets.estimate import MOST, Estimates
from openai_gateway.budgets.ledger import Ledger, Parts
from openai_gateway.core.call import Call, Wait

type Booked = tuple[tuple[str, int], ...]
"""Budgets, and what was booked to each, in nano-dollars."""


@dataclass(slots=True)
class Hold:
    """What the stage left on a call: its share in each budget that matches, under this lease.

    `asked`: the store was asked to reserve it, and may have done so; `granted`: it said it had.
    `told`: what another gateway, or an earlier process, has reserved for the same bill.
    """

    lease: str
    parts: Parts
    told: Parts = ()
    asked: bool = False
    granted: bool = False
    settled: bool = False


def settle(call: Call, hold: Hold, ledger: Ledger, how: Estimates) -> Booked:
    """Books what the call has cost, and ends its reservation."""
    name, final = call.bill or ("", True)
    if hold.asked and name and not final and call.cost_nano_usd == 0:
        ledger.keep(hold.lease, hold.parts, _pending(name))
        call.waits = tuple(_wait(*part.account) for part in hold.parts)
        return ()
    if hold.asked:
        return _reserved(call, hold, ledger, how)
    if not final:
        return ()  # somebody looked whether it is over
    return _unreserved(call, hold, ledger, how)


def _wait(name: str, period: str, start: int, end: int | None) -> Wait:
    return name, period, start, end


def _reserved(call: Call, hold: Hold, ledger: Ledger, how: Estimates) -> Booked:
    cost = owed(call, how)
    amounts = [part.amount if cost is None else cost for part in hold.parts]
    ledger.settle(hold.lease, hold.parts, amounts, hold.granted)
    if cost:
        how.note(call.model_sent or call.model_requested, cost)
    return _booked(hold.parts, amounts)


def _unreserved(call: Call, hold: Hold, ledger: Ledger, how: Estimates) -> Booked:
    """What was reserved when the work was ordered is charged where it was; and besides, to the
    budgets that this call itself falls under."""
    lease = _pending(call.bill[0]) if call.bill else hold.lease
    waiting = ledger.pending(lease) or hold.told
    known = {part.rule.name for part in waiting}
    parts = (*waiting, *(part for part in hold.parts if part.rule.name not in known))
    amounts = [owed(call, how) or 0] * len(parts)
    if waiting or (parts and amounts[0]):
        ledger.settle(lease, parts, amounts, False)
    return _booked(parts, amounts)


def owed(call: Call, how: Estimates) -> int | None:
    """What the call costs its budgets; None where it is not known: then it is not nothing."""
    if call.cost_nano_usd is not None:
        return min(call.cost_nano_usd, MOST)
    if call.unpriced_model is not None and not how.assume_max:
        return 0
    return how.dearest(call.usage) if call.usage is not None and how.assume_max else None


def _pending(name: str) -> str:
    """The reservation of what is billed later, under the id of its bill."""
    return f"bill:{name}"


def _booked(parts: Parts, amounts: list[int]) -> Booked:
    named = zip((part.rule.name for part in parts), amounts, strict=True)
    return tuple((name, amount) for name, amount in named if amount)
