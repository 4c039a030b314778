"""A substitute never costs more for any kind of use; prices as rules/prices.yaml has them."""

from pathlib import Path

import pytest

from openai_gateway.api.dearer import dearer
from openai_gateway.api.prices import PriceTable

PRICES = PriceTable.load(Path("rules/prices.yaml"))


@pytest.mark.parametrize(
    ("requested", "sent", "kind"),
    [
        ("gpt-6.1-sol", "gpt-6-luna", None),  # 2/10 and 0.1/0.5
        ("gpt-6-luna", "gpt-6-luna", None),  # as dear is not dearer
        ("gpt-5-nano", "gpt-6-luna", "input"),  # 0.05 and 0.1
        ("gpt-3.5-turbo", "gpt-6.1-terra", "input"),
        ("gpt-6-sol", "gpt-6.1-sol", None),  # 2/0.2/10 and 2/0.1/10
        ("gpt-6.1-sol", "gpt-6-sol", "cached_input"),
        ("gpt-4.1-mini", "gpt-5.6-luna", "cache_write above 272000 input tokens"),
        ("gpt-realtime-2.1", "gpt-realtime-2.1-mini", None),
        ("gpt-realtime-2.1-mini", "gpt-realtime-2.1", "input"),
        ("gpt-audio-1.5", "gpt-audio-mini", None),
        ("tts-1-hd", "tts-1", None),  # characters
        ("tts-1", "tts-1-hd", "character"),
        ("whisper-1", "gpt-transcribe", None),  # 0.006 and 0.0045 a minute
        ("gpt-4o-transcribe", "gpt-transcribe", None),  # by OpenAI's estimate a minute
        ("gpt-4o-mini-transcribe", "gpt-transcribe", "second"),  # 0.003 a minute
        ("gpt-6-luna", "tts-1", "character"),
        ("omni-moderation-latest", "gpt-6-luna", "a price at all"),
    ],
)
def test_what_costs_more(requested: str, sent: str, kind: str | None) -> None:
    one, other = PRICES.lookup(requested), PRICES.lookup(sent)
    assert one is not None
    assert other is not None
    assert dearer(one, other) == kind


def test_the_tier_that_a_call_asks_for_is_compared() -> None:
    sol, luna = PRICES.lookup("gpt-6.1-sol"), PRICES.lookup("gpt-6-luna")
    assert sol is not None
    assert luna is not None
    for tier in ("flex", "priority"):
        assert dearer(sol, luna, tier) is None
        assert dearer(luna, sol, tier) is not None
