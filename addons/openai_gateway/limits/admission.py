"""Asks the store for a call: admitted, held in line, refused, or with `observe` only counted.

With `on_limit: wait` a call above a limit is held in the order of arrival. `observe` takes and
counts as `enforce` would, and lets everything pass; it never waits.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final, Protocol

from openai_gateway.api.errors import refusal
from openai_gateway.core.call import Call
from openai_gateway.core.clock import Clock
from openai_gateway.core.verdict import PASS, Pass, Refuse, Verdict
from openai_gateway.limits.estimate import Estimate
from openai_gateway.limits.limit import Admission, Charge, Limit, Store
from openai_gateway.limits.messages import longest, refused
from openai_gateway.limits.reservation import Reservation, charges_of
from openai_gateway.limits.settle import SILENT, Settlement
from openai_gateway.limits.waiting import Drained, Waiting

WOULD: Final = "throttled"
UNNAMED: Final = "the default model"


class Policy(Protocol):
    """What of the section `limits` of gateway.yaml says what happens to a call above a limit."""

    @property
    def mode(self) -> str: ...
    @property
    def on_limit(self) -> str: ...
    @property
    def max_wait_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One call's question to the store."""

    call: Call
    charges: tuple[Charge, ...]
    estimate: Estimate


class Gate:
    """Lets calls through by what the store says and the policy wants."""

    __slots__ = (
        "_clock", "_enforces", "_environment", "_max_wait_s", "_settlement", "_store", "_waiting",
    )  # fmt: skip

    def __init__(
        self,
        policy: Policy,
        store: Store,
        settlement: Settlement,
        waiting: Waiting,
        clock: Clock,
        environment: str,
    ) -> None:
        self._enforces = policy.mode == "enforce"
        waits = self._enforces and policy.on_limit == "wait"
        self._max_wait_s = policy.max_wait_s if waits else None
        self._store = store
        self._settlement = settlement
        self._waiting = waiting
        self._clock = clock
        self._environment = environment

    @property
    def longest_s(self) -> float:
        """How long a call may be held."""
        return self._max_wait_s or 0.0

    def ask(
        self, call: Call, limits: tuple[Limit, ...], guess: Estimate
    ) -> Verdict | Awaitable[Verdict]:
        """Takes from all these limits what the call asks for, or says why not."""
        asked = Asked(call, charges_of(limits, guess), guess)
        if self._max_wait_s is not None and self._waiting.line_of(asked.charges) is not None:
            return self._waited(asked, None)
        try:
            said = self._store.take(asked.charges, call.id)
        except SILENT:
            return self._silent()
        if isinstance(said, Admission):
            return self._judged(asked, said)
        return self._answered(asked, said)

    async def _answered(self, asked: Asked, answer: Awaitable[Admission]) -> Verdict:
        try:
            said = self._judged(asked, await self._kept(asked, answer))
        except SILENT:
            return self._silent()
        return await said if isinstance(said, Awaitable) else said

    def _judged(self, asked: Asked, said: Admission) -> Verdict | Awaitable[Verdict]:
        if said.admitted:
            self._admit(asked, said)
            return PASS
        return self._refused(asked, said) if self._max_wait_s is None else self._waited(asked, said)

    def _admit(self, asked: Asked, said: Admission) -> None:
        held = Reservation(said, asked.charges, asked.estimate, self._enforces)
        self._settlement.hold(asked.call, held)

    def _refused(self, asked: Asked, said: Admission) -> Verdict:
        """Refuses the call, or with `observe` notes that it would have. Nothing was taken."""
        call = asked.call
        call.reserved = Reservation(said, (), asked.estimate, self._enforces)
        subject = call.model_sent or call.model_requested or UNNAMED
        asked_for = call.model_requested or ""
        told = refused(said.states, asked.charges, subject, self._environment, asked_for)
        kind = said.states[longest(said.states)].limit.kind
        if self._enforces:
            call.throttled.append((kind, "rejected"))
            return Refuse(told)
        call.throttled.append((kind, "would_reject"))
        call.note_would(WOULD)
        return Pass(f"would_be_{WOULD}: {told.reason}")

    async def _waited(self, asked: Asked, said: Admission | None) -> Verdict:
        """Holds the call in line, and counts how long."""
        call, began = asked.call, self._clock.monotonic()
        kind = self._holds_up(asked, said)
        try:
            said = await self._waiting.waits(
                asked.charges, lambda: self._taken(asked), said, self.longest_s
            )
        except SILENT:
            return self._silent()
        except Drained:
            return Refuse(refusal("gateway_not_ready"))
        finally:
            waited_ms = (self._clock.monotonic() - began) * 1000
            call.injected_ms += waited_ms
        if not said.admitted:
            return self._refused(asked, said)
        self._admit(asked, said)
        call.throttled.append((kind, "delayed"))
        return Pass(f"delayed by {kind}, wait_ms={waited_ms:.0f}")

    def _holds_up(self, asked: Asked, said: Admission | None) -> str:
        """The kind of the limit that the call waits for first."""
        if said is not None:
            return said.states[longest(said.states)].limit.kind
        line = self._waiting.line_of(asked.charges)
        return line[0] if line else ""

    async def _taken(self, asked: Asked) -> Admission:
        said = self._store.take(asked.charges, asked.call.id)
        return said if isinstance(said, Admission) else await self._kept(asked, said)

    async def _kept(self, asked: Asked, answer: Awaitable[Admission]) -> Admission:
        """The store's answer; where the call is cut off before it, what was taken is given back."""
        task = asyncio.ensure_future(answer)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._settlement.give_back(task, asked.charges, asked.call.id)
            raise

    def _silent(self) -> Verdict:
        """`on_store_error: closed`. What only observes lets the call pass."""
        if self._enforces:
            return Refuse(refusal("gateway_store_unavailable"))
        return Pass("store unavailable")
