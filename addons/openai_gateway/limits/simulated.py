"""What a simulation found: of each limit how often it refused, and how near calls came to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from openai_gateway.limits.arrival import Arrival
from openai_gateway.limits.gauge import Tally
from openai_gateway.limits.limit import Limit


@dataclass(frozen=True, slots=True)
class Met:
    """A call that was refused, or delayed: by which limit. `wait_s` is what it would have been
    told to wait, or waited; math.inf for one that is too large."""

    call: Arrival
    limit: Limit
    wait_s: float
    delayed: bool


@dataclass(frozen=True, slots=True)
class Simulated:
    """What became of the calls of a log. `tallies` are in order: the most refused first.

    `models` and `unlimited` count calls by model: all, and those for which no limit is known.
    `first`: the first call that was refused. `met`: the first ones that were refused or delayed.
    `set_back`: calls that came before the one before them, and were taken to come with it.
    """

    calls: int
    refused: int
    delayed: int
    longest_delay_s: float
    began_us: int | None
    ended_us: int | None
    first: Met | None
    met: Sequence[Met]
    tallies: Sequence[Tally]
    models: Mapping[str, int]
    unlimited: Mapping[str, int]
    set_back: int

    @property
    def share(self) -> float:
        """Of the calls, those that were refused."""
        return self.refused / self.calls if self.calls else 0.0


def in_order(tallies: Iterable[Tally]) -> list[Tally]:
    """The most refused first, then the most delayed, then the nearest to its limit."""
    return sorted(
        tallies,
        key=lambda t: (-t.refused, -t.delayed, -t.used_share, t.limit.bucket, t.limit.kind),
    )
