"""rules/prices.yaml beside the package genai-prices: each difference is listed with its reason.

One that is not listed fails, and so does a listed one that is gone: then look at OpenAI's page, and
change the price file or this list.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pytest

from openai_gateway.api.prices import PriceTable
from openai_gateway.api.rates import STANDARD, Entry
from openai_gateway.core.money import PICO_PER_USD, Pico

TABLE: Final = PriceTable.load(Path(__file__).parents[2] / "rules/prices.yaml")
AT: Final = datetime(2026, 11, 24, tzinfo=UTC)
TIERS: Final[Mapping[str, Mapping[str, str]]] = {
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "ultrafast": {"service_tier": "ultrafast"},
    "batch": {"processing": "batch"},
}
KINDS: Final = {
    "input_mtok": "input",
    "cache_read_mtok": "cached_input",
    "cache_write_mtok": "cache_write",
    "output_mtok": "output",
    "input_audio_mtok": "audio_input",
    "cache_audio_read_mtok": "cached_audio_input",
    "output_audio_mtok": "audio_output",
    "input_image_mtok": "image_input",
    "cache_image_read_mtok": "cached_image_input",
    "output_image_mtok": "image_output",
}
UNITS: Final = {"input_mchars": ("character", 1_000_000), "audio_hours": ("second", 3600)}

# `*` stands for any text.
REASONS: Final = {
    "gpt-4o*-transcribe* standard audio_input: *": "OpenAI's page lists one input price",
    "gpt-5.5-pro * long *: *": "listed nowhere; here the higher of tier and standard long",
    "babbage-002 batch: only here": "OpenAI's page lists it",
    "davinci-002 batch: only here": "OpenAI's page lists it",
    "chatgpt-image-latest batch: only here": "OpenAI's page lists it",
    "ft:gpt-4o-2024-08-06 batch: only here": "OpenAI's page lists it",
    "gpt-4o-search-preview batch: only here": "litellm lists it; shut down in July 2026",
    "text-embedding-* batch: only here": "litellm lists half the price",
    "gpt-6*-* ultrafast: only here": "by invitation; genai-prices has no such tier",
    "gpt-6-luna decisions: only here": "an endpoint of its own; genai-prices knows tiers only",
    "gpt-4o-mini-search-preview priority: only there": "genai-prices takes it for gpt-4o-mini",
    "gpt-5*-chat* *: only there": "genai-prices takes it for its family, whose tiers it never had",
    "gpt-5-chat *: only there": "genai-prices takes it for its family, whose tiers it never had",
    "gpt-5*-codex* *: only there": "genai-prices takes it for its family, whose tiers it never had",
    "ft:*: only here": "OpenAI's page lists it",
    "gpt-4o-mini-transcribe-2025-03-20: only here": "litellm lists this snapshot",
    "gpt-5.5-cyber-preview: only here": "litellm lists it",
    "gpt-6-astra-law: only here": "litellm lists it",
    "gpt-6.2-*: only here": "released after this release of genai-prices",
    "gpt-image-2.6-*: only here": "released after this release of genai-prices",
    "sora-2*: only here": "OpenAI's page lists it; genai-prices has no video",
    "tts-1*-1106: only here": "litellm lists this snapshot",
}


def differences() -> Iterator[str]:
    """What the two do not say alike, of each model that has an entry of its own here."""
    data = importlib.import_module("genai_prices.data")
    openai = next(provider for provider in data.providers if provider.id == "openai")
    for name in sorted(TABLE.names):
        entry = TABLE.lookup(name)
        if entry is None or entry.name != name:
            continue
        there = openai.find_model(name)
        if there is None:
            yield f"{name}: only here"
        else:
            yield from _model(entry, there)


def _model(entry: Entry, there: Any) -> Iterator[str]:
    known = {STANDARD: {}} | {
        tier: when
        for tier, when in TIERS.items()
        if any(variant.when == when for variant in there.price_variants or ())
    }
    tiers = {tier for tier, _ in entry.rates}
    for tier in sorted(tiers ^ known.keys()):
        yield f"{entry.name} {tier}: only {'here' if tier in tiers else 'there'}"
    for tier in sorted(tiers & known.keys()):
        yield from _tier(entry, tier, vars(there.get_prices(AT, known[tier])))


def _tier(entry: Entry, tier: str, prices: Mapping[str, Any]) -> Iterator[str]:
    short, long = entry.rates[tier, False], entry.rates.get((tier, True))
    for key, price in prices.items():
        if price is None:
            continue
        base, above, start = _both(price)
        if key in UNITS:
            unit, per = UNITS[key]
            yield from _told(f"{entry.name} {tier} {unit}", entry.units[tier].get(unit), base, per)
        elif key in KINDS:
            kind = KINDS[key]
            yield from _told(f"{entry.name} {tier} {kind}", short.get(kind), base)
            if long or start:
                yield from _told(f"{entry.name} {tier} long {kind}", (long or {}).get(kind), above)
            if start and start != entry.long_above:
                yield f"{entry.name} {tier} threshold: here {entry.long_above}, there {start}"


def _both(price: Any) -> tuple[Decimal, Decimal, int | None]:
    """(Short price, long price, the threshold between them) of genai-prices."""
    if isinstance(price, Decimal):
        return price, price, None
    (tier,) = price.tiers
    return price.base, tier.price, tier.start


def _told(name: str, here: Pico | None, there: Decimal, per: int = 1_000_000) -> Iterator[str]:
    if here is None:
        yield f"{name}: only there"
    elif here * per != Fraction(there) * PICO_PER_USD:
        yield f"{name}: here {float(here * per / PICO_PER_USD):g}, there {there}"


def test_each_difference_to_genai_prices_has_its_reason(
    record_property: Callable[[str, object], None],
) -> None:
    pytest.importorskip("genai_prices", reason="the dev package genai-prices is not installed")
    found = list(differences())
    reasons = {one: _reason(one) for one in found}
    assert [one for one, reason in reasons.items() if reason is None] == []
    gone = [glob for glob in REASONS if not any(fnmatchcase(one, glob) for one in found)]
    assert gone == []
    for one, reason in reasons.items():
        record_property("price difference", f"{one} ({reason})")


def _reason(difference: str) -> str | None:
    return next((why for glob, why in REASONS.items() if fnmatchcase(difference, glob)), None)
