"""What becomes of a reservation: corrected by what the call really used, and its place freed.

Buckets are corrected both ways. An answer that broke off is taken for its estimate, never for
nothing; a call that failed without usage gives its tokens back, and stays counted as a request.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Final

from openai_gateway.core.call import Call
from openai_gateway.limits.estimate import Estimate, Recent
from openai_gateway.limits.failing import StoreUnavailable
from openai_gateway.limits.limit import (
    LEASE_S,
    Admission,
    Charge,
    Limit,
    Store,
    StoreFault,
)
from openai_gateway.limits.reservation import OF_TOKENS, Reservation
from openai_gateway.limits.waiting import Waiting

SUCCESS: Final = range(200, 300)
LEFT: Final = "client_closed"
# A place is renewed well before it expires.
RENEW_S: Final = LEASE_S / 3
MOST_TASKS: Final = 10_000
# A store that is silent counts that itself; what it was not told it forgets in time.
SILENT: Final = (StoreUnavailable, StoreFault)


class Settlement:
    """Settles calls, renews the places of those that run, and owns the tasks that this takes."""

    __slots__ = ("_held", "_recent", "_renewing", "_store", "_tasks", "_waiting", "dropped")

    def __init__(self, store: Store, recent: Recent, waiting: Waiting) -> None:
        self._store = store
        self._recent = recent
        self._waiting = waiting
        self._held: dict[str, tuple[Limit, ...]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._renewing: asyncio.Task[None] | None = None
        self.dropped = 0  # corrections that were not made, as too many were under way

    def start(self) -> None:
        """Begins to renew; called in the event loop."""
        if self._renewing is None:
            self._renewing = asyncio.get_running_loop().create_task(self._renews())

    async def stop(self) -> None:
        """Ends what runs; corrections under way get RENEW_S to come through."""
        renewing, self._renewing = self._renewing, None
        if renewing is not None:
            renewing.cancel()
        tasks = [task for task in (renewing, *self._tasks) if task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=RENEW_S)
            for task in late:
                task.cancel()

    def hold(self, call: Call, reservation: Reservation) -> None:
        """The call was admitted: what it has taken stays on it, and its place is kept for it."""
        call.reserved = reservation
        places = reservation.places
        if places:
            self._held[call.id] = places

    def settle(self, call: Call, *, broken: bool = False) -> None:
        """The call has ended, with its usage written into it. A second time does nothing.

        `broken`: its answer did not come to its end.
        """
        held = call.reserved
        if not isinstance(held, Reservation) or not held.charges:
            return
        call.reserved = Reservation(held.said, (), held.estimate, held.shown)
        self._learn(call, held.estimate)
        telling = self._tell(held, corrections(call, held, broken=broken), call.id)
        if telling is not None:
            self._run(telling)

    def give_back(self, asked: Awaitable[Admission], charges: Sequence[Charge], lease: str) -> None:
        """Whoever asked has gone away before the store had answered: what it took is returned."""
        self._run(self._returned(asked, charges, lease))

    def _learn(self, call: Call, estimate: Estimate) -> None:
        usage = call.usage
        if usage is not None and usage.source == "reported" and usage.output_tokens:
            each = -(-usage.output_tokens // estimate.answers)
            self._recent.note(call.model_sent or call.model_requested, each)

    def _tell(
        self, held: Reservation, corrected: tuple[Charge, ...], lease: str
    ) -> Coroutine[None, None, None] | None:
        """Tells the store. One that answers at once leaves nothing to wait for."""
        self._held.pop(lease, None)
        changed = self._store.adjust(corrected, lease) if corrected else None
        freed = self._store.release(held.places, lease) if held.places else None
        if changed is None and freed is None:
            self._waiting.nudge(charge.limit for charge in held.charges)
            return None
        return self._told(held, [one for one in (changed, freed) if one is not None])

    async def _told(self, held: Reservation, answers: Sequence[Awaitable[None]]) -> None:
        for answer in answers:
            with contextlib.suppress(*SILENT):
                await answer
        self._waiting.nudge(charge.limit for charge in held.charges)

    async def _returned(
        self, asked: Awaitable[Admission], charges: Sequence[Charge], lease: str
    ) -> None:
        with contextlib.suppress(*SILENT):
            if not (await asked).admitted:
                return
            back = tuple(Charge(one.limit, -one.amount) for one in charges if not _is_place(one))
            telling = self._tell(Reservation(charges=tuple(charges)), back, lease)
            if telling is not None:
                await telling

    async def _renews(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            for lease, places in list(self._held.items()):
                if lease in self._held:
                    with contextlib.suppress(*SILENT):
                        answer = self._store.renew(places, lease)
                        if answer is not None:
                            await answer

    def _run(self, work: Coroutine[None, None, None]) -> None:
        if len(self._tasks) >= MOST_TASKS:
            self.dropped += 1
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def corrections(call: Call, held: Reservation, *, broken: bool) -> tuple[Charge, ...]:
    """By how much each bucket has to change: more where a call used more than was reserved."""
    change = {
        "ipm": -held.estimate.images if _failed(call) else 0,
        **dict.fromkeys(OF_TOKENS, tokens_of(call, held.estimate, broken=broken)),
    }
    changed = ((one.limit, change.get(one.limit.kind, 0)) for one in held.charges)
    return tuple(Charge(limit, amount) for limit, amount in changed if amount)


def tokens_of(call: Call, estimate: Estimate, *, broken: bool) -> int:
    """What the call used, less what was reserved for it."""
    usage = call.usage
    told = usage.input_tokens + usage.output_tokens if usage is not None else 0
    if told and broken:
        # The estimate of what broke off counts what came; it went in whole.
        told = max(told, estimate.input_tokens)
    left = call.error_code == LEFT
    return correction(
        told, estimate.input_tokens, estimate.output_tokens, failed=_failed(call), left=left
    )


def correction(told: int, read: int, written: int, *, failed: bool, left: bool) -> int:
    """What was used (`told`, 0 where nobody said), less the input and output reserved for it."""
    if told:
        return told - read - written
    if not failed:
        return 0
    # OpenAI worked on what a client did not wait for: its input stays charged.
    return -written if left else -read - written


def _failed(call: Call) -> bool:
    return call.status not in SUCCESS


def _is_place(charge: Charge) -> bool:
    return charge.limit.kind == "concurrency"
