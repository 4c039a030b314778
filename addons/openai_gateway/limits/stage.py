"""The stage that holds a call to its limits: all of them admit it together, or it is refused.

A WebSocket's handshake takes nothing; each `response.create` on it is a call of its own.
"""

import asyncio
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final

from openai_gateway.api.asking import created, may_create
from openai_gateway.core.call import Call
from openai_gateway.core.clock import Clock
from openai_gateway.core.verdict import PASS, Verdict
from openai_gateway.limits import estimate
from openai_gateway.limits.admission import Gate, Policy
from openai_gateway.limits.estimate import NOTHING, Estimate, Recent
from openai_gateway.limits.limit import Store
from openai_gateway.limits.rulings import Facts, Rulings
from openai_gateway.limits.settle import Settlement
from openai_gateway.limits.waiting import Waiting

# The store's own time limit is 250 ms; a large body's estimate takes the rest.
ANSWERS_S: Final = 5.0
# A frame's model goes into buckets' names and messages.
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}")


@dataclass(frozen=True, slots=True)
class Shared:
    """What outlives a reload: the buckets, what is owed to them, who waits, what models wrote."""

    store: Store
    settlement: Settlement
    waiting: Waiting
    recent: Recent
    clock: Clock


class Limits:
    """The stage, for one configuration."""

    name: Final = "limits"

    def __init__(self, policy: Policy, rulings: Rulings, shared: Shared, environment: str) -> None:
        self._on = policy.mode != "off"
        self._rulings = rulings
        self._recent = shared.recent
        self._gate = Gate(
            policy, shared.store, shared.settlement, shared.waiting, shared.clock, environment
        )

    @property
    def limit_s(self) -> float:
        """How long a call may stand here."""
        return ANSWERS_S + self._gate.longest_s

    def check(self, call: Call) -> Verdict | Awaitable[Verdict]:
        """Takes what the call asks for from all its buckets, or refuses it."""
        if not self._on or call.websocket:
            return PASS
        ruling = self._rulings.of(facts_of(call))
        if not ruling.limits:
            return PASS
        if not ruling.weighs:
            return self._gate.ask(call, ruling.limits, NOTHING)
        if estimate.is_heavy(call.content.data):
            return self._in_thread(call)
        guess = estimate.of_call(call, self._recent)
        return self._gate.ask(call, ruling.at(guess.input_tokens), guess)

    def admit_frame(self, socket: Call, call: Call, frame: bytes) -> Verdict | Awaitable[Verdict]:
        """The same for a message on an open WebSocket: each `response.create` is `call`, any other
        passes. Sets the call's model, to that of the frame or of its socket."""
        if not self._on or not may_create(frame):
            return PASS
        if estimate.is_heavy(frame):
            return self._frame_in_thread(socket, call, frame)
        guess = self._read(socket, call, frame)
        return PASS if guess is None else self._ask(call, guess)

    async def _in_thread(self, call: Call) -> Verdict:
        guess = await asyncio.to_thread(estimate.of_call, call, self._recent)
        return await _awaited(self._ask(call, guess))

    async def _frame_in_thread(self, socket: Call, call: Call, frame: bytes) -> Verdict:
        guess = await asyncio.to_thread(self._read, socket, call, frame)
        return PASS if guess is None else await _awaited(self._ask(call, guess))

    def _read(self, socket: Call, call: Call, frame: bytes) -> Estimate | None:
        """What a frame may use; None where it asks for no response."""
        asked = created(frame)
        if asked is None:
            return None
        model = asked.get("model")
        named = model if isinstance(model, str) and _MODEL.fullmatch(model) else None
        call.name_model(socket, named)
        return estimate.of_request(asked, call.endpoint, model_of(call), self._recent)

    def _ask(self, call: Call, guess: Estimate) -> Verdict | Awaitable[Verdict]:
        limits = self._rulings.of(facts_of(call)).at(guess.input_tokens)
        return self._gate.ask(call, limits, guess) if limits else PASS


def facts_of(call: Call) -> Facts:
    """What the limits of a call hang on."""
    return Facts(call.key, model_of(call) or "", call.client, call.endpoint)


def model_of(call: Call) -> str | None:
    """The model that leaves."""
    return call.model_sent or call.model_requested


async def _awaited(said: Verdict | Awaitable[Verdict]) -> Verdict:
    return await said if isinstance(said, Awaitable) else said
