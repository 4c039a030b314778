"""All buckets of a simulation: which of them hold a kind of call, and where it is counted."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

from openai_gateway.limits.arrival import Usual
from openai_gateway.limits.gauge import Gauge, Tally, Wants
from openai_gateway.limits.limit import Limit
from openai_gateway.limits.memory import MOST_BUCKETS
from openai_gateway.limits.reservation import OF_TOKENS
from openai_gateway.limits.rulings import MOST_CACHED, WEIGHED, Facts, Rulings

# Clients make up models, and addresses are many; what is above is told as one.
MOST_TOLD: Final = 10_000
OTHERS: Final = "(others)"


@dataclass(frozen=True, slots=True)
class Part:
    """One limit of a call: `wants` where every call asks the same, else of tokens or images."""

    gauge: Gauge
    wants: Wants | None
    of_tokens: bool


@dataclass(frozen=True, slots=True)
class Held:
    """What is the same for all calls of a kind. `long` holds where the input is above `above`.

    `fixed`: all that such a call asks for, where nothing of it is tokens or images; `places`:
    whether any of them is of concurrency.
    """

    model: str
    usual: Usual
    parts: tuple[Part, ...]
    above: int | None
    long: tuple[Part, ...]
    weighs: bool
    places: bool
    fixed: tuple[Wants, ...]


class Gauges:
    """Made as calls come; buckets that are full again are forgotten where they are too many."""

    __slots__ = ("_gauges", "_kinds", "_most", "_rulings", "_usual", "models", "tallies")

    def __init__(self, rulings: Rulings) -> None:
        self._rulings = rulings
        self._most = MOST_BUCKETS
        self._kinds: dict[Facts, Held] = {}
        self._gauges: dict[str, Gauge] = {}
        self._usual: dict[str, Usual] = {}
        self.tallies: dict[str, Tally] = {}
        self.models: Counter[str] = Counter()

    def of(self, facts: Facts, now: int) -> Held:
        """What holds calls like this."""
        return self._kinds.get(facts) or self._kind(facts, now)

    def tally(self, limit: Limit) -> Tally:
        """Of its bucket; those of too many are one for each limit of a rule."""
        found = self.tallies.get(limit.name)
        if found is not None:
            return found
        if len(self.tallies) >= MOST_TOLD:
            rule = limit.bucket.partition("|")[0]
            limit = replace(limit, bucket=f"{rule}|{limit.amount}|{OTHERS}")
        return self.tallies.setdefault(limit.name, Tally(limit))

    def _kind(self, facts: Facts, now: int) -> Held:
        if len(self._kinds) >= MOST_CACHED or len(self._gauges) >= self._most:
            self._tidy(now)
        ruling = self._rulings.of(facts)
        known = facts.model in self.models or len(self.models) < MOST_TOLD
        model = facts.model if known else OTHERS
        parts = self._parts(ruling.limits, now)
        made = Held(
            model,
            self._usual.setdefault(model, Usual()),
            parts,
            ruling.above,
            self._parts(ruling.long, now),
            ruling.weighs,
            any(limit.kind == "concurrency" for limit in (*ruling.limits, *ruling.long)),
            tuple(part.wants for part in parts if part.wants is not None),
        )
        self._kinds[facts] = made
        return made

    def _parts(self, limits: tuple[Limit, ...], now: int) -> tuple[Part, ...]:
        return tuple(self._part(limit, now) for limit in limits)

    def _part(self, limit: Limit, now: int) -> Part:
        name = limit.name
        found = self._gauges.get(name)
        if found is None:
            found = self._gauges[name] = Gauge(limit, self.tally(limit), now)
        weighed = limit.kind in WEIGHED
        return Part(found, None if weighed else (found, 1), limit.kind in OF_TOKENS)

    def _tidy(self, now: int) -> None:
        """Forgets kinds of calls; also buckets that are full, where they are too many: a new one is
        as good. A call that still runs on one corrects it in vain."""
        self._kinds.clear()
        if len(self._gauges) >= self._most:
            self._gauges = {
                n: one for n, one in self._gauges.items() if one.bucket.full_in(now) > 0
            }
            self._most = max(MOST_BUCKETS, 2 * len(self._gauges))
