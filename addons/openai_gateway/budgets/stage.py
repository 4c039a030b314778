"""Reserves a call's money in every budget that it falls under, or refuses it.

Hard budgets refuse; soft ones count, and note what they would have done.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable
from typing import Final

from openai_gateway.api.asking import created, may_create
from openai_gateway.api.errors import refusal
from openai_gateway.api.prices import PriceTable
from openai_gateway.budgets import messages
from openai_gateway.budgets.asked import Asked, asked
from openai_gateway.budgets.estimate import Estimates, Lately
from openai_gateway.budgets.ledger import Ledger, Part, Parts
from openai_gateway.budgets.matching import Matching, traits
from openai_gateway.budgets.rule import Rule, rules
from openai_gateway.budgets.settle import Booked, Hold, settle
from openai_gateway.budgets.status import BudgetStatus, status_of
from openai_gateway.budgets.store import Account, Balance, Reserved, Unavailable
from openai_gateway.config.policy import Budget
from openai_gateway.core.call import Call, Content
from openai_gateway.core.clock import Clock
from openai_gateway.core.secret import Secret
from openai_gateway.core.verdict import PASS, Pass, Refuse, Verdict

WOULD: Final = "over_budget"
# Up to here an estimate takes well below 1 ms; above, a thread makes it.
INLINE: Final = 64 * 1024
# A frame's model is what matches name.
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}")


class Budgets:
    """The stage, and what settles its calls. One a configuration; the ledger outlives it."""

    name: Final = "budgets"
    limit_s: Final = 5.0

    def __init__(
        self,
        budgets: Sequence[Budget],
        prices: PriceTable,
        ledger: Ledger,
        clock: Clock,
        *,
        lately: Lately | None = None,
        assume_max: bool = False,
        where: Callable[[str], str] = lambda _: "",
        webhooks: Sequence[Secret] = (),
    ) -> None:
        """`lately`: what calls cost, remembered over a reload; `assume_max`: models.unpriced;
        `where`: the file and line of a field of gateway.yaml; `webhooks`: alerts.webhooks."""
        self.rules = rules(budgets, where, webhooks)
        self._matching = Matching(
            [(one.match, rule) for one, rule in zip(budgets, self.rules, strict=True)]
        )
        self._estimates = Estimates(prices, lately or Lately(), assume_max)
        self._ledger = ledger
        self._clock = clock

    def check(self, call: Call) -> Verdict | Awaitable[Verdict]:
        """Reserves, and leaves what it reserved on the call. An open WebSocket reserves nothing:
        each response on it is a call of its own (`admit_frame`)."""
        if not self._matching or not (found := self._matching.of(traits(call))):
            return PASS
        if len(call.content.data) > INLINE:
            return self._check_large(call, found)
        return self._reserve(call, found, asked(call))

    def admit_frame(self, socket: Call, call: Call, frame: bytes) -> Verdict | Awaitable[Verdict]:
        """The same for a message on an open WebSocket: each `response.create` is `call`, any other
        passes. Sets the call's model, to that of the frame or of its socket."""
        if not self._matching or not may_create(frame) or (wanted := created(frame)) is None:
            return PASS
        model = wanted.get("model")
        named = model if isinstance(model, str) and _MODEL.fullmatch(model) else None
        call.name_model(socket, named)
        call.content = Content(frame, "json", wanted)
        return self.check(call)

    async def _check_large(self, call: Call, found: Sequence[Rule]) -> Verdict:
        said = self._reserve(call, found, await asyncio.to_thread(asked, call))
        return await said if isawaitable(said) else said

    def _reserve(
        self, call: Call, found: Sequence[Rule], wanted: Asked | None
    ) -> Verdict | Awaitable[Verdict]:
        if wanted is None:
            return PASS
        hold = Hold(call.id, self._parts(call, found, wanted))
        if not call.websocket:
            # before the question: whatever becomes of it, `settle` must give it back
            hold.asked = True
            call.hold = hold
        try:
            said = self._ledger.reserve(hold.parts, hold.lease)
        except Unavailable as fault:
            return self._unread(hold, fault)
        if isinstance(said, Reserved):
            return self._verdict(call, hold, said)
        return self._awaited(call, hold, said)

    async def _awaited(self, call: Call, hold: Hold, said: Awaitable[Reserved]) -> Verdict:
        try:
            return self._verdict(call, hold, await said)
        except Unavailable as fault:
            return self._unread(hold, fault)

    def _parts(self, call: Call, found: Sequence[Rule], wanted: Asked) -> Parts:
        now, model = self._clock.now(), call.model_sent or call.model_requested
        amounts: dict[bool, int] = {}
        for worst in {rule.worst for rule in found}:
            estimate = self._estimates.worst if worst else self._estimates.expected
            amounts[worst] = 1 if call.websocket else estimate(wanted, call.endpoint, model)
        return tuple(self._ledger.part(rule, amounts[rule.worst], now) for rule in found)

    def _verdict(self, call: Call, hold: Hold, said: Reserved) -> Verdict:
        if call.websocket:
            self._ledger.settle(hold.lease, hold.parts, [0] * len(hold.parts), True)
        if not said.admitted:
            hold.asked, hold.settled = False, True
            return Refuse(messages.refused(hold.parts, said.balances))
        hold.granted = True
        over = self._over(hold.parts, said.balances)
        if over is None:
            return PASS
        call.note_would(WOULD)
        return Pass(f"would_be_{WOULD}: {over}")

    def _over(self, parts: Sequence[Part], balances: Sequence[Balance]) -> str | None:
        """The soft budget that this call goes beyond."""
        for part, balance in zip(parts, balances, strict=True):
            if not part.rule.hard and balance.spent + balance.reserved > part.limit:
                return part.rule.name
        return None

    def _unread(self, hold: Hold, fault: Unavailable) -> Verdict:
        """A hard budget that cannot be read lets nothing pass; a soft one is told later."""
        hard = next((part.rule for part in hold.parts if part.rule.hard), None)
        if hard is None:
            return Pass("unread")
        message = (
            f"The hard budget {hard.name} cannot be read: {fault}. The call was refused, as it "
            f"could cost more than is left. It is tried again by itself."
        )
        return Refuse(refusal("gateway_store_unavailable", message, reason=hard.name))

    def settle(self, call: Call) -> Booked:
        """To be called once a call has ended and its cost is known; a second time does nothing.

        What no reservation was made for (a stored response, a response on a socket) is charged to
        the budgets that match now.
        """
        hold = call.hold if isinstance(call.hold, Hold) else None
        if hold is None:
            if not self._matching or call.websocket or (not call.cost_nano_usd and not call.bill):
                return ()
            hold = call.hold = Hold(call.id, self._now(call), self._told(call))
        if hold.settled:
            return ()
        hold.settled = True
        return settle(call, hold, self._ledger, self._estimates)

    def _now(self, call: Call) -> Parts:
        now = self._clock.now()
        found = self._matching.of(traits(call))
        return tuple(self._ledger.part(rule, 0, now) for rule in found)

    def _told(self, call: Call) -> Parts:
        """The budgets that wait for the call's bill, as far as they are still in force."""
        known, now = {rule.name: rule for rule in self.rules}, self._clock.now()
        return tuple(
            self._ledger.owing(known[account.budget], account, now)
            for account in (Account(*wait) for wait in call.waits)
            if account.budget in known
        )

    def status(self, now: float) -> list[BudgetStatus]:
        """Where each budget stands."""
        return [status_of(*self._ledger.status(rule, now), now, rule.hard) for rule in self.rules]
