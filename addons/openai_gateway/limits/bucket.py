"""One bucket and its arithmetic, exact: memory, Redis and the simulator count by this alone.

A bucket keeps what is used of it, not what is left, so one that is full again is nothing at all
and may be forgotten. Time is whole microseconds. One unit of use is 1/period of a token, so that
`amount` units drain each microsecond and no rounding ever adds up; bucket.lua holds the same
number as whole tokens and a rest, since its numbers end at 53 bits.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from openai_gateway.limits.limit import LEASE_S, Admission, Charge, Kind, Limit, State

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
DAY_US: Final = 24 * 60 * MINUTE_US
LEASE_US: Final = round(LEASE_S * SECOND_US)
# Nobody knows when a call under way will end: what a refused one is told to wait.
PLACE_WAIT_S: Final = 1.0
# A clock that went back by less is waited for: it gives and takes nothing. By more, the bucket
# goes on from the new time, or it would stand still for as long as the step was.
STEP_US: Final = SECOND_US

PERIODS_US: Final[dict[Kind, int]] = {
    "rpm": MINUTE_US,
    "tpm": MINUTE_US,
    "ipm": MINUTE_US,
    "rpd": DAY_US,
    "tpd": DAY_US,
}


def state(limit: Limit, used: int, asked: int) -> State:
    """What a limit tells when `used` units of it are gone and a call asks for `asked` tokens.

    The wait is OpenAI's own: (used + requested - limit) * period / limit.
    """
    amount = limit.amount
    period = PERIODS_US[limit.kind]
    free = amount * period - used
    wait_s = 0.0
    if asked > amount:
        wait_s = math.inf
    elif asked and asked * period > free:
        wait_s = (asked * period - free + amount - 1) // amount / SECOND_US
    remaining = free // period if free > 0 else 0
    return State(limit, remaining, (used + amount - 1) // amount / SECOND_US, wait_s)


def place_state(limit: Limit, held: int, others: int, asked: int) -> State:
    """The same for concurrency: places `held` in all, and `others` than the asking call's."""
    amount = limit.amount
    wait_s = PLACE_WAIT_S if asked and others + asked > amount else 0.0
    if asked > amount:
        wait_s = math.inf
    return State(limit, max(0, amount - held), PLACE_WAIT_S if held else 0.0, wait_s)


class Admitted(Admission):
    """An admission whose states are worked out once somebody looks: most are never shown.

    `used` is what is used of each limit, or held, with the call's own.
    """

    __slots__ = ("_charges", "_used")

    def __init__(self, charges: Sequence[Charge], used: Sequence[int], at: float) -> None:
        self.admitted = True
        self.at = at
        self._charges = charges
        self._used = used
        self._states = ()

    @property
    def states(self) -> tuple[State, ...]:
        """In the order of the charges, as they were when the store answered."""
        if not self._states:
            told = zip(self._charges, self._used, strict=True)
            self._states = tuple([_after(charge.limit, used) for charge, used in told])
        return self._states


def _after(limit: Limit, used: int) -> State:
    if limit.kind in PERIODS_US:
        return state(limit, used, 0)
    return place_state(limit, used, used, 0)


def scaled(used: int, period: int, old: int, new: int) -> int:
    """What is used of a bucket whose limit was changed: the same share of it.

    Full stays full and empty stays empty, whichever way; two gateways that disagree for a while
    give nothing away. In floating point, step by step as bucket.lua does it, to agree with it.
    """
    if new == old or not used:
        return used
    whole, rest = divmod(used, period)
    share = (whole + rest / period) * new / old
    whole = math.floor(share)
    return whole * period + math.floor((share - whole) * period)


class Bucket:
    """A refilling bucket: `used` units of `amount` tokens, as they were at the microsecond `at`.

    `full` is the limit in units: all that it holds.
    """

    __slots__ = ("amount", "at", "full", "period", "used")

    def __init__(self, period: int, amount: int, at: int) -> None:
        self.period = period
        self.amount = amount
        self.full = amount * period
        self.at = at
        self.used = 0

    def settle(self, amount: int, now: int, asked: int = 0, _lease: str = "") -> bool:
        """Lets time pass, and a changed limit come into force; says whether `asked` tokens fit."""
        if amount != self.amount:
            self._change(amount)
        used = self.used
        elapsed = now - self.at
        if elapsed > 0:
            self.at = now
            if used:
                used -= elapsed * amount
                if used < 0:
                    used = 0
                self.used = used
        elif elapsed < -STEP_US:
            self.at = now
        return not asked or used + asked * self.period <= self.full

    def take(self, asked: int, _lease: str = "", _now: int = 0) -> int:
        """Takes tokens, or gives them back: also below nothing left, never above full.

        Gives what is used then.
        """
        used = self.used + asked * self.period
        if used < 0:
            used = 0
        self.used = used
        return used

    def state(self, limit: Limit, asked: int, _lease: str = "") -> State:
        """What it tells, once settled."""
        return state(limit, self.used, asked)

    def glance(self, limit: Limit, now: int) -> State:
        """What it would tell at a time, changing nothing: other threads may ask."""
        used = scaled(self.used, self.period, self.amount, limit.amount)
        return state(limit, max(0, used - max(0, now - self.at) * limit.amount), 0)

    def full_in(self, now: int) -> int:
        """Microseconds until it is as good as a new one; below 0 since when."""
        return -(-self.used // self.amount) - (now - self.at)

    def _change(self, amount: int) -> None:
        self.used = scaled(self.used, self.period, self.amount, amount)
        self.amount = amount
        self.full = amount * self.period


class Places:
    """The places of a concurrency limit: leases by their calls' names, the oldest first."""

    __slots__ = ("amount", "leases")

    def __init__(self, amount: int) -> None:
        self.amount = amount
        self.leases: OrderedDict[str, int] = OrderedDict()

    def settle(self, amount: int, now: int, asked: int = 0, lease: str = "") -> bool:
        """Frees the places of calls that were not heard of for LEASE_S; says whether there is one
        for this call. One that holds a place needs no other."""
        self.amount = amount
        leases = self.leases
        while leases and next(iter(leases.values())) <= now:
            leases.popitem(last=False)
        return not asked or len(leases) - (lease in leases) + asked <= amount

    def take(self, asked: int, lease: str, now: int) -> int:
        """Takes a place, or keeps the one that the call has. Gives how many are held then."""
        if asked:
            self.hold(lease, now)
        return len(self.leases)

    def hold(self, lease: str, now: int) -> None:
        """A place for another LEASE_S from now."""
        self.leases[lease] = now + LEASE_US
        self.leases.move_to_end(lease)

    def free(self, lease: str) -> None:
        """The call has ended, or never held a place."""
        self.leases.pop(lease, None)

    def state(self, limit: Limit, asked: int, lease: str) -> State:
        """What it tells, once settled."""
        return place_state(limit, len(self.leases), self._others(lease), asked)

    def glance(self, limit: Limit, now: int) -> State:
        """What it would tell at a time, changing nothing: other threads may ask."""
        held = sum(deadline > now for deadline in list(self.leases.values()))
        return place_state(limit, held, held, 0)

    def full_in(self, now: int) -> int:
        """Microseconds until it is as good as a new one; below 0 since when."""
        return next(reversed(self.leases.values())) - now if self.leases else 0

    def _others(self, lease: str) -> int:
        return len(self.leases) - (lease in self.leases)
