"""One bucket of a simulation: the gateway's own, with what is added up of it.

A store answers for all limits at once and tells their states each time, which takes longer than
the buckets themselves; a million calls are counted here without.
"""

import math
from typing import Final

from openai_gateway.limits.bucket import PERIODS_US, Bucket, Places
from openai_gateway.limits.limit import Limit, State

type Wants = tuple["Gauge | PlacesGauge", int]


class Tally:
    """What is told of a limit: of its bucket, or of all those that are too many to tell.

    `peak` is the most that was used at once, in the bucket's own units, of which it holds `full`.
    """

    __slots__ = (
        "calls", "delayed", "first_us", "full", "limit", "longest_s", "peak", "refused",
        "too_large",
    )  # fmt: skip

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.full = limit.amount * PERIODS_US.get(limit.kind, 1)
        self.calls = self.refused = self.too_large = self.delayed = self.peak = 0
        self.longest_s = 0.0
        self.first_us: int | None = None

    def refuses(self, at_us: int, wait_s: float) -> None:
        """A call that hears of it; one that is too large for it would wait without an end."""
        self.refused += 1
        if self.first_us is None:
            self.first_us = at_us
        if math.isinf(wait_s):
            self.too_large += 1
        else:
            self.longest_s = max(self.longest_s, wait_s)

    def delays(self, wait_s: float) -> None:
        """A call that waited for it, and then passed."""
        self.delayed += 1
        self.longest_s = max(self.longest_s, wait_s)

    @property
    def used_share(self) -> float:
        """The most that was used of it at once; 1 is all that it holds."""
        return min(1.0, self.peak / self.full)


class Gauge:
    """A bucket that refills."""

    __slots__ = ("amount", "bucket", "full", "limit", "period", "tally")

    def __init__(self, limit: Limit, tally: Tally, now: int) -> None:
        self.limit = limit
        self.tally = tally
        self.amount = limit.amount
        self.period: Final = PERIODS_US[limit.kind]
        self.full = self.amount * self.period
        self.bucket = Bucket(self.period, self.amount, now)

    def fits(self, asked: int, _lease: str, now: int) -> bool:
        """Whether a call may take that many tokens now."""
        bucket = self.bucket
        bucket.settle(self.amount, now)
        return not asked or bucket.used + asked * self.period <= self.full

    def take(self, asked: int, lease: str, now: int) -> None:
        """Takes them, for one call more."""
        bucket, tally = self.bucket, self.tally
        bucket.take(asked, lease, now)
        tally.calls += 1
        if bucket.used > tally.peak:
            tally.peak = bucket.used

    def adjust(self, amount: int, now: int) -> None:
        """Corrects it, both ways."""
        bucket, tally = self.bucket, self.tally
        bucket.settle(self.amount, now)
        bucket.take(amount, "", now)
        if bucket.used > tally.peak:
            tally.peak = bucket.used

    def state(self, asked: int, lease: str) -> State:
        """What a call is told that was refused."""
        return self.bucket.state(self.limit, asked, lease)

    def is_full(self, now: int) -> bool:
        """Whether it is as good as a new one."""
        return self.bucket.full_in(now) <= 0


class PlacesGauge:
    """A limit of concurrency."""

    __slots__ = ("amount", "limit", "places", "tally")

    def __init__(self, limit: Limit, tally: Tally) -> None:
        self.limit = limit
        self.tally = tally
        self.amount = limit.amount
        self.places = Places(self.amount)

    def fits(self, asked: int, lease: str, now: int) -> bool:
        """Whether there is a place; a call that holds one needs no other."""
        self.places.settle(self.amount, now)
        leases = self.places.leases
        return not asked or len(leases) - (lease in leases) + asked <= self.amount

    def take(self, asked: int, lease: str, now: int) -> None:
        """Takes a place, for one call more."""
        self.tally.calls += 1
        self.places.take(asked, lease, now)
        self.tally.peak = max(self.tally.peak, len(self.places.leases))

    def adjust(self, amount: int, now: int) -> None:
        """A place is no amount."""

    def state(self, asked: int, lease: str) -> State:
        """What a call is told that was refused."""
        return self.places.state(self.limit, asked, lease)

    def is_full(self, now: int) -> bool:
        """Whether no call holds a place."""
        return self.places.full_in(now) <= 0


def gauge(limit: Limit, tally: Tally, now: int) -> Gauge | PlacesGauge:
    """Of one limit, with a new bucket."""
    return Gauge(limit, tally, now) if limit.kind in PERIODS_US else PlacesGauge(limit, tally)
