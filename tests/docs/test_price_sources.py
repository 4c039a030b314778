"""rules/prices.yaml beside the package genai-prices: each difference is listed here with its reason.

A difference that is not listed fails, and so does a listed one that is gone: then look at OpenAI's
page, and change the file or this list.
"""

import fnmatch
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from openai_gateway.api.prices import PriceTable
from openai_gateway.api.rates import STANDARD, Entry

genai = pytest.importorskip(
    "genai_prices.data", reason="the development package genai-prices is not installed"
)

FILE: Final = Path(__file__).parents[2] / "rules/prices.yaml"
TABLE: Final = PriceTable.load(FILE)
LISTED: Final[Mapping[str, Any]] = yaml.safe_load(FILE.read_text())["models"]
AT: Final = datetime(2026, 11, 24, tzinfo=UTC)
OPENAI: Final = next(provider for provider in genai.providers if provider.id == "openai")
TIERS: Final = {
    STANDARD: {},
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

# `MODEL TIER KIND` (kinds of prices above the long threshold begin with long_), or `MODEL`
# where one of the two does not know it; * stands for any text.
PRICES: Final = {
    "gpt-4o*-transcribe* audio_input": "OpenAI's page lists one input price for text and audio",
    "gpt-5.5-pro flex long_*": "no long price listed by either; here the higher of tier and standard long holds",
    "gpt-5.5-pro batch long_*": "no long price listed by either; here the higher of tier and standard long holds",
}
TIERS_HERE: Final = {
    "babbage-002 batch": "OpenAI's page lists it (completion models, batch)",
    "davinci-002 batch": "OpenAI's page lists it (completion models, batch)",
    "chatgpt-image-latest batch": "OpenAI's page lists it with gpt-image-1.5",
    "ft:gpt-4o-2024-08-06 batch": "OpenAI's page lists it; genai-prices has fine-tunes without batch",
    "ft:gpt-4o-mini-2024-07-18 batch": "",
    "gpt-4o-search-preview batch": "litellm lists it; shut down",
    "gpt-6-astra ultrafast": "by invitation; genai-prices has no such tier",
    "gpt-6.1-sol ultrafast": "by invitation; genai-prices has no such tier",
    "text-embedding-* batch": "litellm lists half the price",
}
TIERS_THERE: Final = {
    "gpt-4o-mini-search-preview priority": "genai-prices matches it to gpt-4o-mini",
    "gpt-5*-chat* *": "genai-prices matches it to its family, whose tiers it does not have",
    "gpt-5*-codex* *": "genai-prices matches it to its family, whose tiers it does not have",
}
MODELS_HERE: Final = {}
