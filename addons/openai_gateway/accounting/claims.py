"""Who is charged where several gateways see the end of the same work: whoever claims it first.

A claim is decided in the transaction that writes the call's row: no two gateways are both charged,
and a process that is killed between them has done neither.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from openai_gateway.accounting.record import Row
from openai_gateway.accounting.schema import CHARGES


@dataclass(frozen=True, slots=True)
class Decision:
    """`known`: the work was announced, or charged, by a gateway; else reading it is nobody's bill.

    `budgets`: what its announcement told of the budgets that wait for the bill, as JSON.
    """

    won: bool = False
    known: bool = False
    budgets: str | None = None


NOBODYS: Final = Decision()


@dataclass(frozen=True, slots=True)
class Bid:
    """A call that has seen the end of `name`, and its row for the case that it is charged.

    `decided` is called once, in the writer's thread; a call whose row is lost has not won.
    """

    name: str
    call: str
    paid: Row
    decided: Callable[[Decision], None]


def decide(connection: Connection, bids: Sequence[Bid], at: datetime) -> dict[str, Decision]:
    """The decisions by call, noted in `charges` with this transaction.

    Asked again after a commit whose answer was lost, it decides the same. The rows are locked in
    the order of their ids, so that two gateways do not wait for each other.
    """
    names = {bid.name for bid in bids}
    asked = select(CHARGES).where(CHARGES.c.id.in_(names)).order_by(CHARGES.c.id)
    found = {row.id: row for row in connection.execute(asked.with_for_update())}
    winners = {name: row.call for name, row in found.items() if row.charged}
    for bid in bids:
        if bid.name in found:
            winners.setdefault(bid.name, bid.call)
    made = {bid.call: _decision(bid, found.get(bid.name), winners) for bid in bids}
    won = [{"name": bid.name, "by": bid.call, "then": at} for bid in bids if made[bid.call].won]
    if won:
        connection.execute(_WIN, sorted(won, key=lambda one: str(one["name"])))
    return made


def _decision(bid: Bid, found: Any, winners: Mapping[str, str | None]) -> Decision:
    if found is None:
        return NOBODYS
    return Decision(winners[bid.name] == bid.call, True, found.budgets)


_WIN: Final = (
    update(CHARGES)
    .where(CHARGES.c.id == bindparam("name"))
    .values(charged=True, call=bindparam("by"), at=bindparam("then"))
)
