"""Brings a call whose charge is open to the call log, and the log's decision back into the loop.

The client has its answer by then. Row, metrics and budgets are all told the same: what the database
has written. Until then the call only reads again, and its work's money stays reserved.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from typing import Final

import orjson

from openai_gateway.accounting.charges import DurableCharged
from openai_gateway.accounting.claims import Bid, Decision
from openai_gateway.accounting.record import row
from openai_gateway.core.call import Call, Content, Wait

LOOK_S: Final = 0.02


class Bidding:
    """The claims that are not decided yet; used by the event loop alone."""

    def __init__(self, charged: DurableCharged) -> None:
        self._charged = charged
        self._undecided: set[str] = set()

    def bid(self, call: Call, won: Callable[[Call], None]) -> Bid | None:
        """What the log needs to decide; None where there is nothing to decide.

        `won` gets a copy of the call, as it is charged.
        """
        if call.claim is None:
            return None
        paid, name = copy(call), call.claim.name
        paid.content, paid.meter, paid.hold, paid.claim = Content(), None, None, None
        call.claim.charge(paid)
        loop = asyncio.get_running_loop()

        def decided(said: Decision) -> None:
            with suppress(RuntimeError):  # the loop is closed: the process has ended
                loop.call_soon_threadsafe(self._decided, name, paid, said, won)

        self._undecided.add(call.id)
        return Bid(name, call.id, row(paid), decided)

    def _decided(self, name: str, paid: Call, said: Decision, won: Callable[[Call], None]) -> None:
        self._undecided.discard(paid.id)
        if said.known:
            self._charged.told(name, True)
            self._charged.tell(name, True)
        if said.won:
            paid.waits = _read(said.budgets)
            won(paid)

    async def finish(self, within_s: float) -> None:
        """Waits for the decisions under way, within the time: what they charge is to be booked."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        while self._undecided and loop.time() < until:  # noqa: ASYNC110  # also a time limit
            await asyncio.sleep(LOOK_S)


def told(waits: tuple[Wait, ...]) -> str:
    """Budgets that wait for a bill, as the table of charges holds them."""
    return orjson.dumps(waits).decode()


def _read(text: str | None) -> tuple[Wait, ...]:
    if text is None:
        return ()
    found = orjson.loads(text)
    return tuple((name, period, start, end) for name, period, start, end in found)
