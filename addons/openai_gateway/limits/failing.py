"""What becomes of a call when the shared store does not answer: own buckets, or a refusal.

One question unanswered in `answer_s` has failed, and the policy answers it. A store that answered
none for `gone_s` is gone: calls wait for it no longer, and a probe asks until it is back.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Literal

from openai_gateway.core.clock import Clock
from openai_gateway.limits.limit import Admission, Charge, Limit, State, Store, StoreFault
from openai_gateway.limits.memory import Memory
from openai_gateway.limits.turns import Turns

type Policy = Literal["local", "closed"]

# Calls that were admitted here: their corrections must not reach the store.
MOST_LOCAL: Final = 50_000


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds: for a turn to ask, for the answer, and the probe for its own."""

    turn_s: float = 3.0
    answer_s: float = 0.25
    gone_s: float = 1.0
    probe_s: float = 1.0
    probed_s: float = 2.0


class StoreUnavailable(Exception):
    """`limits.on_store_error` is closed, and the store does not answer."""


class Guarded:
    """A store in front of which no call hangs, and whose faults end here.

    Every question that it leaves unanswered, or that it is not asked while gone, is counted with
    the policy's name.
    """

    def __init__(
        self,
        store: Store,
        policy: Policy,
        instances: int,
        clock: Clock,
        count: Callable[[str], None],
        patience: Patience = Patience(),
    ) -> None:
        self._store = store
        self._policy: Policy = policy
        self._instances = instances
        self._clock = clock
        self._count = count
        self._patience = patience
        self._turns = Turns(patience.answer_s, patience.turn_s)
        # It may have to find the store first, past a host that is silent.
        self._probing = Turns(patience.probed_s, patience.turn_s)
        self._heard_at = clock.monotonic()
        self._local = Memory(clock)
        self._admitted_here: OrderedDict[str, None] = OrderedDict()
        self._silent_since: float | None = None
        self._last_asked: Sequence[Limit] = ()
        self._probe: asyncio.Task[None] | None = None

    async def take(self, charges: Sequence[Charge], lease: str) -> Admission:
        """All or nothing, from the store or by the policy.

        Raises: StoreUnavailable, and nothing else.
        """
        limits = [charge.limit for charge in charges]
        try:
            admission = await self._ask(limits, lambda: self._store.take(charges, lease))
        except StoreFault as fault:
            self._refuse_if_closed(fault)
            return self._take_here(charges, lease)
        self._admitted_here.pop(lease, None)
        return admission

    async def adjust(self, charges: Sequence[Charge], lease: str = "") -> None:
        """Corrects where it was taken. A correction that fails is counted and lost."""
        if lease in self._admitted_here:
            self._local.adjust([self._share(charge) for charge in charges])
            return
        limits = [charge.limit for charge in charges]
        with suppress(StoreFault):
            await self._ask(limits, lambda: self._store.adjust(charges, lease))

    async def renew(self, limits: Sequence[Limit], lease: str) -> None:
        """Keeps the places of a call that still runs, where they were taken."""
        if lease in self._admitted_here:
            self._local.renew(self._shares(limits), lease)
            return
        with suppress(StoreFault):
            await self._ask(limits, lambda: self._store.renew(limits, lease))

    async def release(self, limits: Sequence[Limit], lease: str) -> None:
        """Frees the places of a call that has ended. The store forgets what it is not told."""
        if lease in self._admitted_here:
            self._local.release(self._shares(limits), lease)
            return
        with suppress(StoreFault):
            await self._ask(limits, lambda: self._store.release(limits, lease))

    async def peek(self, limits: Sequence[Limit]) -> tuple[State, ...]:
        """What is left, from the store or by the policy.

        Raises: StoreUnavailable.
        """
        try:
            return await self._ask(limits, lambda: self._store.peek(limits))
        except StoreFault as fault:
            self._refuse_if_closed(fault)
            return self._local.peek(self._shares(limits))

    async def close(self) -> None:
        """Ends the probe and lets go of the store."""
        if self._probe is not None:
            self._probe.cancel()
            with suppress(asyncio.CancelledError):
                await self._probe
        with suppress(StoreFault, TimeoutError):
            async with asyncio.timeout(self._patience.answer_s):
                await self._store.close()

    @property
    def gone(self) -> bool:
        """Whether the store is given up until a probe succeeds."""
        since = self._silent_since
        return since is not None and self._clock.monotonic() - since >= self._patience.gone_s

    def _refuse_if_closed(self, fault: StoreFault) -> None:
        if self._policy == "closed":
            raise StoreUnavailable(str(fault)) from fault

    async def _ask[T](self, limits: Sequence[Limit], question: Callable[[], T | Awaitable[T]]) -> T:
        if self.gone:
            self._count(self._policy)
            self._watch()
            raise StoreFault("it has not answered for a while")
        asked_at: list[float] = []

        def asks() -> T | Awaitable[T]:
            asked_at.append(self._clock.monotonic())
            return question()

        try:
            answer = await self._turns.ask(asks)
        except StoreFault:
            self._failed(limits, asked_at)
            raise
        self._heard()
        return answer

    def _heard(self) -> None:
        self._heard_at = self._clock.monotonic()
        self._silent_since = None

    def _failed(self, limits: Sequence[Limit], asked_at: Sequence[float]) -> None:
        """What came to no turn says nothing of the store."""
        self._count(self._policy)
        if not asked_at:
            return
        self._last_asked = limits
        if self._silent_since is None:
            self._silent_since = max(asked_at[0], self._heard_at)
        self._watch()

    def _watch(self) -> None:
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._until_back(), name="limits-store-probe")

    async def _until_back(self) -> None:
        """Asks what cannot harm, until an answer comes."""
        while self._silent_since is not None:
            await asyncio.sleep(self._patience.probe_s)
            with suppress(StoreFault):
                await self._probing.ask(lambda: self._store.peek(self._last_asked))
                self._heard()

    def _take_here(self, charges: Sequence[Charge], lease: str) -> Admission:
        """From the own shares. A call above the share but within the limit passes when the share
        is whole, and leaves it in debt: only what the limit could never hold is too large."""
        shares = [self._share(charge) for charge in charges]
        asked = [
            share._replace(amount=min(share.amount, share.limit.amount))
            if share.amount <= charge.limit.amount
            else share
            for share, charge in zip(shares, charges, strict=True)
        ]
        admission = self._local.take(asked, lease)
        if admission.admitted:
            self._admitted_here[lease] = None
            if len(self._admitted_here) > MOST_LOCAL:
                self._admitted_here.popitem(last=False)
            self._local.adjust(
                [
                    share._replace(amount=share.amount - taken.amount)
                    for share, taken in zip(shares, asked, strict=True)
                    if share.amount > taken.amount
                ]
            )
        return admission

    def _share(self, charge: Charge) -> Charge:
        return charge._replace(limit=self._shares([charge.limit])[0])

    def _shares(self, limits: Sequence[Limit]) -> list[Limit]:
        """What is this gateway's part of each limit, at least 1."""
        parts = self._instances
        return [replace(limit, amount=max(1, limit.amount // parts)) for limit in limits]
