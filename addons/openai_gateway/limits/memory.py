"""The store of one gateway alone: its buckets are objects, and one question is one step.

Nothing here awaits, so that two calls on one event loop never see the same token twice.
"""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import islice
from typing import Final

from openai_gateway.core.clock import Clock
from openai_gateway.limits.bucket import (
    PERIODS_US,
    SECOND_US,
    Admitted,
    Bucket,
    Places,
    place_state,
    state,
)
from openai_gateway.limits.limit import Admission, Charge, Limit, State

# A bucket is some 300 bytes; a rule per model meets whatever names clients make up.
MOST_BUCKETS: Final = 100_000
# Each new bucket looks at so many of the oldest: more than one, so that full ones run out.
LOOKED_AT: Final = 4
# Fewer than so many are not worth a look.
FEW: Final = 1_000


class Memory:
    """The buckets of this process, forgotten once full: some `most` of them at the most."""

    def __init__(self, clock: Clock, most: int = MOST_BUCKETS) -> None:
        self._monotonic = clock.monotonic
        self._most = most
        self._buckets: OrderedDict[str, Bucket | Places] = OrderedDict()
        self._few = self._tidied = min(FEW, most)

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, charges: Sequence[Charge], lease: str) -> Admission:
        """All or nothing. Every call passes here: no frame and no object more than it takes."""
        now = round(self._monotonic() * SECOND_US)
        if len(self._buckets) > self._tidied:
            self._tidy(now)
        asking: list[tuple[Bucket | Places, int]] = []
        for limit, asked in charges:
            bucket = self._buckets.get(limit.name) or self._new(limit, now)
            if not bucket.settle(limit.amount, now, asked, lease):
                return self._refused(charges, lease, now)
            asking.append((bucket, asked))
        used = [bucket.take(asked, lease, now) for bucket, asked in asking]
        return Admitted(charges, used, now / SECOND_US)

    def adjust(self, charges: Sequence[Charge], lease: str = "") -> None:
        """Corrects buckets both ways; a place of concurrency is no amount."""
        now = self._now()
        if len(self._buckets) > self._tidied:
            self._tidy(now)
        for charge in charges:
            bucket = self._settled(charge.limit, now)
            if isinstance(bucket, Bucket):
                bucket.take(charge.amount, lease, now)

    def renew(self, limits: Sequence[Limit], lease: str) -> None:
        """Keeps the places of a call that still runs."""
        now = self._now()
        if len(self._buckets) > self._tidied:
            self._tidy(now)
        for limit in limits:
            bucket = self._settled(limit, now) if limit.kind == "concurrency" else None
            if isinstance(bucket, Places):
                bucket.hold(lease, now)

    def release(self, limits: Sequence[Limit], lease: str) -> None:
        """Frees the places of a call that has ended."""
        for limit in limits:
            bucket = self._buckets.get(limit.name)
            if isinstance(bucket, Places):
                bucket.free(lease)

    def peek(self, limits: Sequence[Limit]) -> tuple[State, ...]:
        """What is left. Changes nothing, so that the metrics' thread may ask."""
        now = self._now()
        return tuple([self._glance(limit, now) for limit in limits])

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _now(self) -> int:
        return round(self._monotonic() * SECOND_US)

    def _refused(self, charges: Sequence[Charge], lease: str, now: int) -> Admission:
        states = [self._settled(limit, now).state(limit, asked, lease) for limit, asked in charges]
        return Admission(False, tuple(states), now / SECOND_US)

    def _glance(self, limit: Limit, now: int) -> State:
        bucket = self._buckets.get(limit.name)
        if bucket is not None:
            return bucket.glance(limit, now)
        return state(limit, 0, 0) if limit.kind in PERIODS_US else place_state(limit, 0, 0, 0)

    def _settled(self, limit: Limit, now: int) -> Bucket | Places:
        bucket = self._buckets.get(limit.name) or self._new(limit, now)
        bucket.settle(limit.amount, now)
        return bucket

    def _new(self, limit: Limit, now: int) -> Bucket | Places:
        period = PERIODS_US.get(limit.kind)
        made = Places(limit.amount) if period is None else Bucket(period, limit.amount, now)
        self._buckets[limit.name] = made
        return made

    def _tidy(self, now: int) -> None:
        """Before a question, for what the last ones added: drops the full ones of the oldest.

        Where there are too many and none is full, those go that would be full first.
        """
        count = len(self._buckets)
        oldest = list(islice(self._buckets.items(), LOOKED_AT * (count - self._tidied)))
        excess = count - self._most
        soonest = sorted((bucket.full_in(now), name) for name, bucket in oldest)
        for place, (full_in, name) in enumerate(soonest):
            if full_in <= 0 or place < excess:
                del self._buckets[name]
            else:
                self._buckets.move_to_end(name)
        self._tidied = max(self._few, len(self._buckets))
