"""What one call has taken from its limits, kept on it from its admission until it is settled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from openai_gateway.limits.estimate import NOTHING, Estimate
from openai_gateway.limits.limit import Admission, Charge, Limit, State

OF_TOKENS: Final = frozenset(("tpm", "tpd"))


@dataclass(frozen=True, slots=True)
class Reservation:
    """`said` is the store's last word; `charges` what it took, nothing where it refused.

    `shown`: whether clients may see the states; under `observe` they may not.
    """

    said: Admission | None = None
    charges: tuple[Charge, ...] = ()
    estimate: Estimate = NOTHING
    shown: bool = True

    @property
    def states(self) -> tuple[State, ...]:
        """What the store said of each limit."""
        return self.said.states if self.said is not None else ()

    @property
    def places(self) -> tuple[Limit, ...]:
        """The limits of concurrency in which the call holds a place."""
        return tuple(c.limit for c in self.charges if c.limit.kind == "concurrency")


def charges_of(limits: Sequence[Limit], estimate: Estimate) -> tuple[Charge, ...]:
    """What a call asks of each of its limits."""
    amounts = {"tpm": estimate.tokens, "tpd": estimate.tokens, "ipm": estimate.images}
    return tuple([Charge(limit, amounts.get(limit.kind, 1)) for limit in limits])
