"""How much of a budget a call is given before it goes: what such a call lately cost, or the most
that it can.
"""

from collections import OrderedDict, deque
from typing import Final

from openai_gateway.api.bill import tier_named
from openai_gateway.api.prices import PriceTable
from openai_gateway.api.rates import STANDARD, Entry
from openai_gateway.budgets import dearest
from openai_gateway.budgets.asked import Asked
from openai_gateway.core.money import Pico, nano
from openai_gateway.core.usage import Usage

LATELY: Final = 16
MOST_MODELS: Final = 512
# An estimate from bytes may be short of the truth by so much (facts of api/tokens.py).
IN_DOUBT: Final = 13
SURE: Final = 10
# What a model without a listed limit takes and makes: as the largest of today do.
MOST_READ: Final = 1_050_000
MOST_WRITTEN: Final = 128_000
# Such a model searches in every call.
SEARCHING: Final = "-search-"
DRAWS_WITH: Final = "gpt-image-1"
LARGEST_PICTURE: Final = 6240
# No single call costs a million dollars; and so many of them fit into 64 bits.
MOST: Final = 10**15
_INPUT: Final = ("input", "cached_input", "cache_write", "audio_input", "image_input")
_LONG_CACHE: Final = (*_INPUT, "cache_write_12h")
_OUTPUT: Final = ("output", "reasoning", "audio_output", "image_output")


class Lately:
    """What calls of each model cost, in nano-dollars: the mean of the last LATELY; bounded."""

    __slots__ = ("_models", "_most")

    def __init__(self, most: int = MOST_MODELS) -> None:
        self._most = most
        self._models: OrderedDict[str, deque[int]] = OrderedDict()

    def of(self, model: str) -> int | None:
        """The mean, rounded up; None of a model that nobody has called yet."""
        seen = self._models.get(model)
        return -(-sum(seen) // len(seen)) if seen else None

    def note(self, model: str, cost: int) -> None:
        """One call more."""
        seen = self._models.get(model)
        if seen is None:
            seen = self._models[model] = deque(maxlen=LATELY)
        seen.append(cost)
        self._models.move_to_end(model)
        while len(self._models) > self._most:
            self._models.popitem(last=False)


class Estimates:
    """Nano-dollars, from 1 on: even a call that nobody can price needs a budget with money left."""

    def __init__(self, prices: PriceTable, lately: Lately, assume_max: bool = False) -> None:
        """`assume_max`: a model without a price is charged as the dearest of the list."""
        self._prices = prices
        self._lately = lately
        self._assume_max = assume_max
        self._dearest = dearest.dearest(prices)
        self._dear: dict[tuple[str, str, bool, bool], tuple[Pico, Pico]] = {}

    def expected(self, asked: Asked, endpoint: str, model: str | None) -> int:
        """What such a call lately cost: not below its own input's price, nor above its worst."""
        found = self._entry(asked, model)
        if found is None:
            return 1
        lately = self._lately.of(model or "")
        outputs = asked.likely if asked.bound is None else min(asked.likely, asked.bound)
        likely = self._likely(asked, endpoint, found, 0 if lately else outputs * asked.answers)
        return min(max(1, likely, lately or 0), self.worst(asked, endpoint, model))

    def worst(self, asked: Asked, endpoint: str, model: str | None) -> int:
        """The most: all input at the dearest kind, all output that it may make, every tool."""
        found = self._entry(asked, model)
        if found is None and asked.any_model and model is None:
            found = self._dearest
        if found is None:
            return 1
        read = -(-asked.read * IN_DOUBT // SURE)
        if asked.unseen:
            read = max(read, found.max_input or MOST_READ)
        bound = found.max_output or MOST_WRITTEN if asked.bound is None else asked.bound
        if found.max_output is not None:
            bound = min(bound, found.max_output)
        written = bound * asked.answers
        tiers = _tiers(asked, endpoint, found)
        most = max(
            nano(self._dearly(found, tier, read, written, asked.long_cache)) for tier in tiers
        )
        most += self._units(asked, endpoint, found, most=True) + self._drawn(asked)
        return min(max(1, most), MOST)

    def dearest(self, usage: Usage) -> int:
        """What this use would cost at the dearest prices."""
        return min(dearest.cost(self._dearest, usage), MOST)

    @property
    def assume_max(self) -> bool:
        """Whether a model without a price is charged all the same."""
        return self._assume_max

    def note(self, model: str | None, cost: int) -> None:
        """A call has ended and cost so much."""
        self._lately.note(model or "", cost)

    def _entry(self, asked: Asked, model: str | None) -> Entry | None:
        named = model or asked.default
        if named is None:
            return self._dearest if self._assume_max else None
        found = self._prices.lookup(named)
        if found is None:
            return self._dearest if self._assume_max else None
        return found

    def _likely(self, asked: Asked, endpoint: str, found: Entry, written: int) -> int:
        rates, _ = found.rate(_tiers(asked, endpoint, found)[-1], asked.read)
        spoken = max(rates.get("output", 0), rates.get("audio_output", 0))
        drawn = rates.get("image_output", 0) if found.mode == "image_generation" else 0
        cost = asked.read * rates.get("input", 0) + written * (drawn or spoken)
        return nano(cost) + self._units(asked, endpoint, found, most=False)

    def _dearly(self, found: Entry, tier: str, read: int, written: int, long_cache: bool) -> Pico:
        rates, long = found.rate(tier, read)
        known = self._dear.get((found.name, tier, long, long_cache))
        if known is None:
            kinds = _LONG_CACHE if long_cache else _INPUT
            known = (
                max(rates.get(kind, 0) for kind in kinds),
                max(rates.get(kind, 0) for kind in _OUTPUT),
            )
            self._dear[found.name, tier, long, long_cache] = known
        return read * known[0] + written * known[1]

    def _units(self, asked: Asked, endpoint: str, found: Entry, *, most: bool) -> int:
        """What is billed but is no token: as the price list says, or the dearest one."""
        units = asked.most_units if most else asked.units
        if SEARCHING in found.name and "web_search" not in units:
            units = {**units, "web_search": 1}
        if not units:
            return 0
        usage = Usage(units=units, source="reserved")
        if found is self._dearest:
            return dearest.cost(found, usage)
        cost = self._prices.cost(usage, endpoint=endpoint, requested_model=found.name)
        return cost.nano_usd or 0

    def _drawn(self, asked: Asked) -> int:
        """What a tool may draw, at the price of the model that it takes where none is named."""
        found = self._prices.lookup(DRAWS_WITH) if asked.pictures else None
        if found is None:
            return 0
        rates, _ = found.rate(STANDARD, 0)
        return nano(asked.pictures * LARGEST_PICTURE * rates.get("image_output", 0))


def _tiers(asked: Asked, endpoint: str, found: Entry) -> tuple[str, ...]:
    """Those that the call may be billed by, the one that was asked for last."""
    if endpoint.startswith("decisions.") and ("decisions", False) in found.rates:
        return ("decisions",)
    named = tier_named(asked.tier)
    known = named is not None and (named, False) in found.rates
    return (STANDARD, named) if known and named is not None else (STANDARD,)
