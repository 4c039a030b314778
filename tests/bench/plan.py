"""How much is measured: the number of rounds and calls, and the time after which rounds stop."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of one run. `stage_s` bounds each figure: once it is over, no further round begins."""

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


DEFAULT: Final = Plan(9, 150, 6_000, 1.2, 4, 120, 8, 2, 2_000, 18.0)
QUICK: Final = Plan(3, 30, 600, 0.4, 2, 40, 2, 1, 200, 2.0)
LONG: Final = Plan(15, 300, 50_000, 2.0, 4, 200, 10, 3, 5_000, 60.0)
LEAST_ROUNDS: Final = 3
CONNECTIONS: Final = (1, 16, 64)
LOAD_SHARE: Final = 0.4  # of what the no-op could take, for the paced rounds
BLOCK: Final = 1_000  # calls between two looks at the memory
