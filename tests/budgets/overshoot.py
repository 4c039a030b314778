"""By how much `reserve: expected` passes a hard budget when many calls come at once:
`python -m tests.budgets.overshoot` prints the table of docs/budgets.md, the same each time.

All calls of a storm are asked before the first of them ends: the worst there is, as nothing can be
learned on the way. One gateway, its store in memory; no network, no clock.
"""

import asyncio
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Final

from openai_gateway.budgets.estimate import Lately
from openai_gateway.core.money import NANO_PER_USD
from openai_gateway.core.verdict import Refuse
from tests.budgets.rig import Rig, budget, chat

HEAD: Final = "| output lengths | model | calls at once | median of 20 | worst of 20 |"
STORMS: Final = 20
# All calls of a storm would cost so many times the limit.
HOLDS: Final = 5
WARMING: Final = 200
AT_ONCE: Final = (100, 1000)
MODEL: Final = "gpt-4.1"
# of its output, a token; the input of these calls is next to nothing
OUT_NANO: Final = 8000
MEAN: Final = 500
MOST: Final = 16_384

type Length = Callable[[random.Random], int]

LENGTHS: Final[dict[str, Length]] = {
    "steady": lambda _: MEAN,
    "uniform": lambda chance: chance.randint(1, 2 * MEAN - 1),
    # a mean of 500 with a median of 162: exp(mu + sigma²/2) with sigma 1.5
    "heavy-tailed": lambda chance: min(MOST, max(1, round(chance.lognormvariate(5.0896, 1.5)))),
}


@dataclass(frozen=True, slots=True)
class Row:
    """Shares of the limit: the median storm and the worst, below 0 where money was left."""

    lengths: str
    known: bool
    calls: int
    median: float
    worst: float

    def __str__(self) -> str:
        model = "known" if self.known else "never seen"
        shares = f"{self.median:+.0%} | {self.worst:+.0%}"
        return f"| {self.lengths} | {model} | {self.calls:,} | {shares} |"


async def storm(lengths: Length, known: bool, calls: int, seed: int) -> float:
    """Gives what was spent beyond the limit, as a share of it."""
    chance = random.Random(seed)  # noqa: S311 - a storm that can be had again
    lately = Lately()
    for _ in range(WARMING if known else 0):
        lately.note(MODEL, lengths(chance) * OUT_NANO)
    limit = calls * MEAN * OUT_NANO // HOLDS
    rig = Rig(budget(usd=limit / NANO_PER_USD), lately=lately)
    asked = [chat({"model": MODEL, "max_completion_tokens": MOST}) for _ in range(calls)]
    passed = [one for one in asked if not isinstance(await rig.check(one), Refuse)]
    for one in passed:
        rig.end(one, lengths(chance) * OUT_NANO)
    return rig.spent() / limit - 1


async def measured(storms: int = STORMS) -> list[Row]:
    """Every kind of storm, each so many times."""
    return [
        Row(name, known, calls, *await _shares(lengths, known, calls, storms))
        for (name, lengths), known, calls in product(LENGTHS.items(), (True, False), AT_ONCE)
    ]


async def _shares(lengths: Length, known: bool, calls: int, storms: int) -> tuple[float, float]:
    found = [await storm(lengths, known, calls, seed) for seed in range(storms)]
    return statistics.median(found), max(found)


def table(rows: list[Row]) -> str:
    """As it stands in docs/budgets.md."""
    return "\n".join((HEAD, "|---|---|---|---|---|", *map(str, rows)))


if __name__ == "__main__":
    print(table(asyncio.run(measured())))  # noqa: T201 - it is what this is for
