"""Which model takes which one's place, and what of the section is wrong before any call."""

from datetime import date

import pytest

from openai_gateway.staging.pairs import Pairs, remarks
from tests.unit.staging.rig import CAPABILITIES, LUNA, PRICES, SOL, TODAY

GLOBS = {
    "*": "gpt-6.1-terra",
    "gpt-5*": LUNA,
    "gpt-5.?": "gpt-5.6-luna",
    "gpt-5.5": "gpt-5.4-mini",
}


def pairs(substitute: dict[str, str]) -> Pairs:
    return Pairs(substitute, PRICES, CAPABILITIES)


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        ("gpt-5.5", "gpt-5.4-mini"),  # its own name
        ("gpt-5.4", "gpt-5.6-luna"),  # six letters of its own
        ("gpt-5-mini", LUNA),
        (SOL, "gpt-6.1-terra"),
        ("gpt-6.1-terra", None),  # itself
        (LUNA, "gpt-6.1-terra"),
    ],
)
def test_the_most_exact_pattern_decides_and_is_not_chained(model: str, sent: str | None) -> None:
    pair = pairs(GLOBS).of(model, TODAY)
    assert (pair and pair.sent.name) == sent


@pytest.mark.parametrize(
    ("requested", "sent", "why"),
    [
        (SOL, LUNA, ""),
        ("gpt-5.6", LUNA, ""),  # an alias of the price list
        ("gpt-4o-2024-08-06", LUNA, ""),
        (LUNA, SOL, "dearer"),
        ("gpt-5-nano", LUNA, "dearer"),
        ("gpt-9-unheard-of", LUNA, "unpriced"),
        (SOL, "gpt-9-unheard-of", "unpriced"),
        ("gpt-4", "gpt-4.1-nano", "shut_down"),
        ("gpt-realtime-2.1", LUNA, "class"),
        ("text-embedding-3-large", "text-embedding-3-small", "class"),
        ("gpt-image-2", "gpt-image-1-mini", "class"),
        ("chat-latest", LUNA, "unknown"),
        ("ft:gpt-4.1-2025-04-14:acme::x", LUNA, "unknown"),
        ("gpt-realtime-2.1", "gpt-realtime-mini", "unknown"),
    ],
)
def test_what_forbids_a_pair_whatever_the_call(requested: str, sent: str, why: str) -> None:
    assert pairs({}).pair(requested, sent, TODAY).why == why


def test_a_model_is_shut_down_on_its_day_and_not_before() -> None:
    found = pairs({})
    assert found.pair("gpt-5", "gpt-5-mini", date(2026, 12, 10)).why == ""
    assert found.pair("gpt-5", "gpt-5-mini", date(2026, 12, 11)).why == "shut_down"


@pytest.mark.parametrize(
    ("substitute", "grave", "words"),
    [
        ({SOL: "gpt-6-*"}, True, "must name one model, not a pattern"),
        ({SOL: SOL}, True, "names itself"),
        ({LUNA: SOL}, True, "costs more for input"),
        ({SOL: "gpt-9-x"}, True, "gpt-9-x has no price"),
        ({"gpt-9*": "gpt-9-x"}, True, "gpt-9-x has no price"),
        ({"gpt-9*": "gpt-4.1-nano"}, True, "was shut down on 2026-10-23"),
        ({"omni*": LUNA}, True, "of the class moderation, not chat"),
        ({"gpt-9*": LUNA}, False, "fits no model of the price list"),
        ({"gpt-5*": LUNA}, False, "never holds for gpt-5-nano"),
        ({"chat-latest": LUNA}, False, "does not know chat-latest"),
        ({"gpt-5": "gpt-5.6-luna", "gpt-5.6-luna": LUNA}, False, "nothing is chained"),
    ],
)
def test_what_is_wrong_is_told_at_the_start(
    substitute: dict[str, str], grave: bool, words: str
) -> None:
    told = next(remarks(substitute, PRICES, CAPABILITIES, TODAY))
    assert (told.pattern, told.grave) == (next(iter(substitute)), grave)
    assert words in told.message


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_a_circle_is_told_for_each_of_its_entries(names: str) -> None:
    circle = dict(zip(names, names[1:] + names[:1], strict=True))
    told = list(remarks(circle, PRICES, CAPABILITIES, TODAY))
    assert [one.pattern for one in told] == list(names)
    assert all(one.grave and "leads back to itself" in one.message for one in told)


def test_a_good_section_has_no_remark() -> None:
    good = {SOL: LUNA, "gpt-realtime-2.1": "gpt-realtime-2.1-mini", "tts-1-hd": "tts-1"}
    assert list(remarks(good, PRICES, CAPABILITIES, TODAY)) == []
