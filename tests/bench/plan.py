"""How much is measured: the number of rounds and calls, and the time after which rounds stop."""

import time
from dataclasses import dataclass, field, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of one run. `stage_s` bounds each stage: once it is over, no further round begins."""

    rounds: int
    calls: int  # of one turn, at 1 kept connection; twice as many at 16 and 64
    memory_calls: int
    paced_s: float
    streams: int
    events: int
    large: int  # calls of one turn with a 100 kB or 1 MB body
    uploads: int
    watched: int
    stage_s: float
    total_s: float


DEFAULT: Final = Plan(9, 150, 6_000, 1.2, 4, 120, 8, 2, 1_500, 18.0, 195.0)
QUICK: Final = Plan(3, 30, 300, 0.4, 2, 40, 2, 1, 150, 2.0, 20.0)
LONG: Final = Plan(15, 300, 50_000, 2.0, 4, 200, 10, 3, 5_000, 900.0, 3_600.0)
LEAST_ROUNDS: Final = 3
CONNECTIONS: Final = (1, 16, 64)
LOAD_SHARE: Final = 0.4  # of what the no-op could take, for the paced rounds
BLOCK: Final = 1_000  # calls between two looks at the memory


@dataclass(slots=True)
class Timetable:
    """Shares out what is left of a run's time, so that a slow machine measures less, not longer."""

    plan: Plan
    weights: list[float]  # of the stages to come
    ends: float = field(init=False)

    def __post_init__(self) -> None:
        self.ends = time.monotonic() + self.plan.total_s

    def stage(self) -> Plan:
        """The plan for the next stage."""
        left, weight = max(0.0, self.ends - time.monotonic()), self.weights[0]
        share = left * weight / sum(self.weights)
        del self.weights[0]
        return replace(self.plan, stage_s=min(self.plan.stage_s * weight, share))
