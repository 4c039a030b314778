"""One bucket of a simulation: the gateway's own, with what is added up of it.

A store looks each bucket up by its name and reads a clock, which takes longer than the buckets
themselves; a million calls are counted here without.
"""

import math

from openai_gateway.limits.bucket import PERIODS_US, Bucket, Places
from openai_gateway.limits.limit import Limit

type Wants = tuple["Gauge", int]


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
    """A limit's bucket, and its tally. `places`: the bucket again, where it is of concurrency."""

    __slots__ = ("amount", "bucket", "limit", "places", "tally")

    def __init__(self, limit: Limit, tally: Tally, now: int) -> None:
        self.limit = limit
        self.tally = tally
        self.amount = limit.amount
        period = PERIODS_US.get(limit.kind)
        self.bucket: Bucket | Places
        self.places: Places | None = None
        if period is None:
            self.bucket = self.places = Places(limit.amount)
        else:
            self.bucket = Bucket(period, limit.amount, now)

    def fits(self, asked: int, lease: str, now: int) -> bool:
        """Whether a call may take so much now."""
        return self.bucket.settle(self.amount, now, asked, lease)

    def take(self, asked: int, lease: str, now: int) -> None:
        """Takes it, for one call more."""
        tally = self.tally
        tally.calls += 1
        used = self.bucket.take(asked, lease, now)
        if used > tally.peak:
            tally.peak = used

    def adjust(self, amount: int, now: int) -> None:
        """Corrects it, both ways; a place is no amount."""
        if self.places is None:
            self.bucket.settle(self.amount, now)
            self.tally.peak = max(self.tally.peak, self.bucket.take(amount, "", now))
