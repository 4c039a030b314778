"""What each kind of token costs in each tier, short and long: the file's rules for a price that
is not listed, worked out once at load so that a call only multiplies."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from openai_gateway.api.price_sheet import Listed, Prices
from openai_gateway.core.money import Pico, whole

STANDARD: Final = "standard"

type Rates = Mapping[str, int]  # pico-dollars a token, by the kinds of core.usage.split


@dataclass(frozen=True, slots=True)
class Entry:
    """A model with all its prices; `name` is the one of the entry that `same_as` led to."""

    name: str
    mode: str
    free: bool
    regional_x: Fraction
    long_above: int | None
    rates: Mapping[tuple[str, bool], Rates]  # by (tier, long)
    units: Mapping[str, Mapping[str, Pico]]  # pico-dollars a unit, by tier
    by_size: bool  # a second of video costs by its size
    max_input: int | None = None  # tokens, where the list knows it
    max_output: int | None = None
    shutdown: str | None = None  # the day from which it answers no more, as YYYY-MM-DD

    def rate(self, tier: str, input_tokens: int) -> tuple[Rates, bool]:
        """The prices of a call with that much input, and whether they are the long ones."""
        long = self.long_above is not None and input_tokens > self.long_above
        return self.rates[tier, long], long


def entry(name: str, listed: Listed, models: Mapping[str, Listed]) -> Entry:
    """The entry of a model; `models` has those that its video sizes name."""
    rates: dict[tuple[str, bool], Rates] = {(STANDARD, False): resolved(listed.prices)}
    if listed.long_above is not None:
        rates[STANDARD, True] = resolved(_over(listed.prices, listed.long))
    for tier, (short, long) in listed.tiers.items():
        rates[tier, False] = resolved(_over(listed.prices, short))
        if listed.long_above is not None:
            rates[tier, True] = _long(listed, rates, tier, long)
    return Entry(
        name=name,
        mode=listed.mode,
        free=listed.free,
        regional_x=listed.regional_x,
        long_above=listed.long_above,
        rates=rates,
        units={tier: _units(listed, models, tier) for tier in (STANDARD, *listed.tiers)},
        by_size=bool(listed.by_size),
        max_input=listed.max_input,
        max_output=listed.max_output,
        shutdown=listed.shutdown,
    )


def resolved(listed: Prices) -> Rates:
    """Every kind that has a price or takes another's; the others are left out.

    Cached tokens without a price cost what they cost uncached, cache writes too; audio and image
    cost the text price; a model that answers in one kind only has one price of output.
    """
    prices = dict(listed)
    chosen = {
        "input": ("input",),
        "cached_input": ("cached_input", "input"),
        "cached_audio_input": ("cached_audio_input", "cached_input", "audio_input", "input"),
        "cached_image_input": ("cached_image_input", "cached_input", "image_input", "input"),
        "cache_write": ("cache_write", "input"),
        "cache_write_12h": ("cache_write_12h", "cache_write", "input"),
        "audio_input": ("audio_input", "input"),
        "image_input": ("image_input", "input"),
        "output": ("output", "audio_output", "image_output"),
        "reasoning": ("output", "audio_output", "image_output"),
        "audio_output": ("audio_output", "output"),
        "image_output": ("image_output", "output"),
    }
    found = {kind: next((n for n in names if n in prices), None) for kind, names in chosen.items()}
    return {kind: prices[name] for kind, name in found.items() if name is not None}


def _over(standard: Prices, own: Prices) -> Prices:
    """A tier's own prices, and the standard ones of the kinds that it does not list.

    A tier that lists one price of cache writes means it for both ages (decisions do).
    """
    merged = {**standard, **own}
    if "cache_write" in own and "cache_write_12h" not in own:
        merged.pop("cache_write_12h", None)
    return merged


def _long(
    listed: Listed, rates: Mapping[tuple[str, bool], Rates], tier: str, long: Prices
) -> Rates:
    standard = rates[STANDARD, True]
    if long:
        return resolved(_over(_over(listed.prices, listed.long), long))
    short = rates[tier, False]
    return {kind: max(price, standard.get(kind, 0)) for kind, price in short.items()}


def _units(listed: Listed, models: Mapping[str, Listed], tier: str) -> Mapping[str, Pico]:
    own = {**listed.units, **listed.tier_units.get(tier, {})}
    for size, (_, name) in listed.by_size.items():
        other = models[name]
        sized = {**other.units, **other.tier_units.get(tier, {})}
        if "video_second" in sized:
            own[f"video_second:{size}"] = sized["video_second"]
    return {unit: whole(price) for unit, price in own.items()}
