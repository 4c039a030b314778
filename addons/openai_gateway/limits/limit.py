"""The words that everything about limits shares: what is limited, what a call asks, what is left.

A store answers one question for all limits of a call together, so that none is taken in vain.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, Protocol

LEASE_S: Final = 15.0

type Kind = Literal["rpm", "tpm", "rpd", "tpd", "ipm", "concurrency"]


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit on one bucket, as a rule, a profile or a tier says it."""

    kind: Kind
    amount: int
    """The limit itself; its bucket holds as much."""
    bucket: str
    """Which bucket: the rule (tier, profile) and the values of its `per`. Equal means shared."""
    rule: str
    """Its name, for messages."""
    where: str = ""
    """gateway.yaml:LINE, for messages."""
    labels: tuple[str, str] = ("all", "all")
    """(key, model) for the metrics; "all" where the limit is not per that."""
    name: str = field(init=False, repr=False, compare=False)
    """By which stores tell buckets apart, made once: a call looks each of its buckets up."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.kind}:{self.bucket}")


class Charge(NamedTuple):
    """One limit and how much the call asks of it: a request is 1, so is a place of concurrency."""

    limit: Limit
    amount: int


@dataclass(frozen=True, slots=True)
class State:
    """One limit after a question."""

    limit: Limit
    remaining: int
    """What is left, rounded down, never shown below 0."""
    reset_s: float
    """Until the bucket is full."""
    wait_s: float
    """Until the asked amount would fit; 0 where it fits, math.inf where it never will: it asks
    for more than the whole limit."""


class Admission:
    """What a store says to a call. Refused means that nothing was taken from any bucket.

    `at` is the store's clock, in seconds; it compares with nothing but itself.
    """

    __slots__ = ("_states", "admitted", "at")

    def __init__(self, admitted: bool, states: tuple[State, ...], at: float) -> None:
        self.admitted = admitted
        self._states = states
        self.at = at

    @property
    def states(self) -> tuple[State, ...]:
        """In the order of the charges, as they were when the store answered."""
        return self._states

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Admission):
            return NotImplemented
        mine, theirs = (self.admitted, self.at), (other.admitted, other.at)
        return mine == theirs and self.states == other.states

    __hash__ = None  # type: ignore[assignment]  # it is compared, and no key of anything

    def __repr__(self) -> str:
        return f"Admission({self.admitted}, {self.states}, {self.at})"


class StoreFault(Exception):
    """The store did not answer, or not as it should. Its text holds no password."""


class Store(Protocol):
    """Where the buckets are. A plain answer or an awaitable one: memory costs no task.

    No two charges of one question are on the same bucket: a call has one limit of a kind.
    """

    def take(self, charges: Sequence[Charge], lease: str) -> Admission | Awaitable[Admission]:
        """All or nothing; `lease` (the call's id) names its places of concurrency.

        Amounts are 0 or more; what asks for 0 always fits. A lease that holds a place already
        takes no second one.
        """
        ...

    def adjust(self, charges: Sequence[Charge], lease: str = "") -> Awaitable[None] | None:
        """A negative amount gives back, a positive one takes more, also below 0. Never refused.

        `lease` is the one of the call's `take`: what was admitted while the store was away is
        corrected where it was taken, not in the store.
        """
        ...

    def renew(self, limits: Sequence[Limit], lease: str) -> Awaitable[None] | None:
        """The call still runs: its places of concurrency are kept for another LEASE_S.

        A place that had expired is taken again, also above the limit: the call is under way.
        """
        ...

    def release(self, limits: Sequence[Limit], lease: str) -> Awaitable[None] | None:
        """The call has ended: its places of concurrency are free. Saying it twice does no harm."""
        ...

    def peek(self, limits: Sequence[Limit]) -> tuple[State, ...] | Awaitable[tuple[State, ...]]:
        """What is left, taking nothing: for the metrics."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...
