"""What a call costs. The golden sums are worked out by hand here: quantity times nano-dollars."""

import timeit
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.api.bill import Cost
from openai_gateway.api.prices import PriceTable
from openai_gateway.core.money import nano
from openai_gateway.core.usage import Usage

FILE: Final = Path(__file__).parents[3] / "rules/prices.yaml"
TABLE: Final = PriceTable.load(FILE)
CHAT: Final = "chat.completions.create"

type Products = list[tuple[int | str, int | str | Fraction]]


def usage(model: str | None = None, **counts: Any) -> Usage:
    """A reported usage in short: `input`, `cached`, `audio_input` … for their fields."""
    names = {"cached": "cached_input_tokens", "units": "units", "parts": "parts"}
    names |= {"tier": "service_tier", "source": "source"}
    fields = {names.get(name, f"{name}_tokens"): value for name, value in counts.items()}
    return Usage(**{"source": "reported", "model": model, **fields})


def cost(used: Usage, **how: Any) -> Cost:
    return TABLE.cost(used, **{"endpoint": CHAT, "requested_model": None, **how})


def half_up(products: Products) -> int:
    """The sum of quantity times nano-dollars, rounded once."""
    exact = sum((Fraction(count) * Fraction(price) for count, price in products), start=Fraction())
    return int(exact + Fraction(1, 2))


@dataclass(frozen=True)
class Golden:
    """A case of OpenAI's usage: what it comes to as products, and the sum itself."""

    number: str
    used: Usage
    products: Products
    total: int
    how: Mapping[str, Any] = field(default_factory=dict)


CACHED: Final = {"input": 5000, "cached": 1024, "cache_write": 3000, "output": 800}
GOLDEN: Final = [
    Golden("1", usage("gpt-6-luna", input=1000, output=500), [(1000, 100), (500, 500)], 350_000),
    Golden(
        "2",
        usage("gpt-5.4-mini", input=2006, cached=1920, output=300, reasoning=128),
        [(86, 750), (1920, 75), (300, 4500)],
        1_558_500,
    ),
    Golden(
        "3",
        usage("gpt-6.1-sol", **CACHED, reasoning=512),
        [(976, 2000), (1024, 100), (3000, 2500), (800, 10_000)],
        17_554_400,
        {"endpoint": "responses.create"},
    ),
    Golden(
        "4",
        usage("gpt-6.1-sol", **CACHED, reasoning=512, cache_write_12h=2000),
        [(976, 2000), (1024, 100), (1000, 2500), (2000, 5000), (800, 10_000)],
        22_554_400,
        {"endpoint": "responses.create"},
    ),
    Golden(
        "5",
        usage("gpt-6-luna", input=300_000, cached=200_000, output=1000),
        [(100_000, 200), (200_000, 20), (1000, 750)],
        24_750_000,
    ),
    Golden(
        "6 at the threshold",
        usage("gpt-6-luna", input=272_000, output=1000),
        [(272_000, 100), (1000, 500)],
        27_700_000,
    ),
    Golden(
        "6 above it",
        usage("gpt-6-luna", input=272_001, output=1000),
        [(272_001, 200), (1000, 750)],
        55_150_200,
    ),
    Golden(
        "7",
        usage("gpt-5-nano", input=1001, cached=1, output=3, tier="flex"),
        [(1000, 25), (1, "2.5"), (3, 200)],
        25_603,
    ),
    Golden(
        "8 answered priority",
        usage("gpt-5.5", input=1000, output=100, tier="priority"),
        [(1000, 12_500), (100, 75_000)],
        20_000_000,
        {"tier": "fast"},
    ),
    Golden(
        "8 answered default",
        usage("gpt-5.5", input=1000, output=100, tier="default"),
        [(1000, 5000), (100, 30_000)],
        8_000_000,
        {"tier": "fast"},
    ),
    Golden(
        "9",
        usage("gpt-5.4", input=1_000_000, cached=100_000, output=200_000),
        [(900_000, 1250), (100_000, 130), (200_000, 7500)],
        2_638_000_000,
        {"endpoint": "batches.get"},
    ),
    Golden(
        "10",
        usage("gpt-audio-1.5", input=300, audio_input=100, output=450, audio_output=400),
        [(200, 2500), (100, 32_000), (50, 10_000), (400, 64_000)],
        29_800_000,
    ),
    Golden(
        "11",
        usage("text-embedding-3-small", input=8),
        [(8, 20)],
        160,
        {"endpoint": "embeddings.create"},
    ),
    Golden(
        "12",
        usage("gpt-image-2", input=1050, image_input=1000, output=1056),
        [(50, 5000), (1000, 8000), (1056, 30_000)],
        39_930_000,
        {"endpoint": "images.edit"},
    ),
    Golden(
        "13",
        usage("gpt-4o-mini-transcribe", input=140, audio_input=126, output=45),
        [(140, 1250), (45, 5000)],
        400_000,
        {"endpoint": "audio.transcriptions"},
    ),
    Golden(
        "14 gpt-transcribe",
        usage("gpt-transcribe", units={"second": Decimal("12.5")}),
        [("12.5", "75000")],  # 0.0045 USD / 60 s
        937_500,
        {"endpoint": "audio.transcriptions"},
    ),
    Golden(
        "14 whisper-1",
        usage("whisper-1", units={"second": 9}),
        [(9, 100_000)],  # 0.006 USD / 60 s
        900_000,
        {"endpoint": "audio.transcriptions"},
    ),
    Golden(
        "15 by characters",
        usage("tts-1", units={"character": 1234}),
        [(1234, 15_000)],
        18_510_000,
        {"endpoint": "audio.speech"},
    ),
    Golden(
        "15 by tokens",
        usage("gpt-4o-mini-tts", input=14, output=101),
        [(14, 600), (101, 12_000)],
        1_220_400,
        {"endpoint": "audio.speech"},
    ),
    Golden(
        "16",
        usage(
            "gpt-realtime-2.1",
            input=500,
            audio_input=381,
            cached=320,
            cached_text=64,
            cached_audio=256,
            output=200,
            audio_output=160,
        ),
        [(55, 4000), (125, 32_000), (64, 400), (256, 400), (40, 24_000), (160, 64_000)],
        15_548_000,
        {"endpoint": "realtime.connect"},
    ),
    Golden(
        "17",
        usage("gpt-live-1", units={"second": Decimal("93.0")}),
        [(93, Fraction(50_000_000, 60))],  # 0.05 USD a minute
        77_500_000,
        {"endpoint": "live.connect"},
    ),
    Golden(
        "18",
        usage("gpt-6-luna", input=9000, output=300, units={"web_search": 2}),
        [(9000, 100), (300, 500), (2, 10_000_000)],
        21_050_000,
        {"endpoint": "responses.create"},
    ),
    Golden(
        "19",
        usage("gpt-6-luna", input=2000, output=400, units={"file_search": 1, "container:1g": 1}),
        [(2000, 100), (400, 500), (1, 2_500_000), (5, 1_500_000)],  # 0.03 USD for 20 minutes
        10_400_000,
        {"endpoint": "responses.create"},
    ),
    Golden(
        "20",
        usage("sora-2-pro", units={"video_second:1280x720": 8}),
        [(8, 300_000_000)],
        2_400_000_000,
        {"endpoint": "videos.create"},
    ),
    Golden(
        "21",
        usage("ft:gpt-4.1-mini-2025-04-14:acme::x", input=1000, cached=200, output=100),
        [(800, 800), (200, 200), (100, 3200)],
        1_000_000,
    ),
    Golden(
        "22",  # accepted and rejected prediction tokens lie inside output
        usage("gpt-4.1", input=100, output=250),
        [(100, 2000), (250, 8000)],
        2_200_000,
    ),
    Golden(
        "23",
        usage("gpt-6-luna", input=1200, output=40),
        [(1200, 100), (40, 0)],
        120_000,
        {"endpoint": "decisions.create"},
    ),
]


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.number)
def test_the_golden_cases_cost_what_their_products_add_up_to(case: Golden) -> None:
    assert half_up(case.products) == case.total
    found = cost(case.used, **case.how)
    assert found.nano_usd == case.total
    assert found.unpriced_model is None
    assert not found.free


def test_golden_24_a_model_without_a_price_has_no_cost_and_is_named() -> None:
    found = cost(usage("gpt-6.2-astra-law", input=1000, output=10))
    assert (found.nano_usd, found.unpriced_model, found.free) == (None, "gpt-6.2-astra-law", False)


@pytest.mark.parametrize("model", ["omni-moderation-latest", "omni-moderation", None])
def test_golden_25_moderation_is_free(model: str | None) -> None:
    found = cost(usage(model), endpoint="moderations.create")
    assert (found.nano_usd, found.free, found.unpriced_model) == (0, True, None)


# names


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("gpt-5.4", "gpt-5.4"),
        ("gpt-5.4-2026-03-05", "gpt-5.4"),
        ("gpt-5.4-2031-12-31", "gpt-5.4"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),  # dearer than gpt-4o: exact wins
        ("gpt-5.6", "gpt-5.6-sol"),
        ("ft:gpt-4.1-mini-2025-04-14:acme::x", "ft:gpt-4.1-mini-2025-04-14"),
        ("ft:gpt-4.1-mini-2025-04-14:acme::x:ckpt-step-10", "ft:gpt-4.1-mini-2025-04-14"),
        ("ft:gpt-3.5-turbo:acme:my-2025-01-01:y", "ft:gpt-3.5-turbo"),
    ],
)
def test_a_name_leads_to_its_entry(name: str, entry: str) -> None:
    found = TABLE.lookup(name)
    assert found is not None
    assert found.name == entry


@pytest.mark.parametrize(
    "name",
    [
        *("gpt-5.9", "gpt-6-luna-x", "gpt-5.4-2026-03", "GPT-5.4", "", "gpt", "gpt-6"),
        *("ft:gpt-4.1", "ft:gpt-6-luna:acme::x", "ft:", "gpt-4o-audio-preview-2024-10-01"),
    ],
)
def test_a_name_is_never_found_by_a_prefix(name: str) -> None:
    assert TABLE.lookup(name) is None


def test_the_answers_model_decides_and_what_was_asked_stands_in_where_it_names_none() -> None:
    asked = {"requested_model": "gpt-6-luna"}
    assert cost(usage("gpt-6.1-sol", input=1), **asked).nano_usd == 2000
    assert cost(usage(None, input=1), **asked).nano_usd == 100
    unknown = cost(usage("gpt-99", input=1), **asked)
    assert (unknown.nano_usd, unknown.unpriced_model) == (None, "gpt-99")
    assert cost(usage(None, input=1)).unpriced_model == "unknown"


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("gpt-4.1", (1_047_576, 32_768)),
        ("gpt-4-turbo-2024-04-09", (128_000, 4096)),
        ("gpt-image-1", (None, None)),
    ],
)
def test_an_entry_tells_how_much_a_model_takes_and_makes(
    name: str, most: tuple[int | None, int | None]
) -> None:
    found = TABLE.lookup(name)
    assert found is not None
    assert (found.max_input, found.max_output) == most


def test_the_set_of_names_holds_those_without_a_price_too() -> None:
    known = {"gpt-6-luna", "gpt-5.4-2026-03-05", "gpt-6.2-astra-law", "dall-e-3"}
    assert known <= TABLE.names


# tiers


@pytest.mark.parametrize("word", [None, "auto", "default", "scale", "standard"])
def test_standard_has_many_names(word: str | None) -> None:
    assert cost(usage("gpt-5.4", input=1000, tier=word)).nano_usd == 1000 * 2500
    assert cost(usage("gpt-5.4", input=1000), tier=word).nano_usd == 1000 * 2500


def test_fast_is_priority_and_counts_where_the_answer_names_no_tier() -> None:
    assert cost(usage("gpt-5.4", input=1000), tier="fast").nano_usd == 1000 * 5000
    assert cost(usage("gpt-5.4", input=1000, tier="flex"), tier="fast").nano_usd == 1000 * 1250
    assert cost(usage("gpt-6-astra", input=10, tier="ultrafast")).nano_usd == 10 * 60_000


def test_a_word_that_is_no_tier_has_no_price() -> None:
    for word in ("turbo", "batch", "decisions", "Priority"):
        found = cost(usage("gpt-5.4", input=1000), tier=word)
        assert (found.nano_usd, found.unpriced_model) == (None, "gpt-5.4")
        assert found.notes == ("unknown service tier: no price",)


def test_a_kind_that_a_tier_does_not_list_costs_the_standard_price() -> None:
    found = cost(usage("gpt-4.1", input=1000, cached=400, output=10), batch=True)
    assert found.nano_usd == 600 * 1000 + 400 * 500 + 10 * 4000
    assert found.notes == ()


def test_a_tier_that_a_model_does_not_list_costs_standard_and_says_so() -> None:
    found = cost(usage("gpt-6.2-sol", input=1000, tier="flex"))
    assert found.nano_usd == 1000 * 2000
    assert found.notes == ("gpt-6.2-sol has no flex price: standard",)


def test_a_tier_without_long_prices_costs_the_higher_of_tier_and_standard_long() -> None:
    priority = cost(usage("gpt-5.5", input=300_000, output=100, tier="priority"))
    assert priority.nano_usd == 300_000 * 12_500 + 100 * 75_000  # above 10,000 and 45,000
    batch = cost(usage("gpt-5.5-pro", input=300_000, output=100), batch=True)
    assert batch.nano_usd == 300_000 * 60_000 + 100 * 270_000  # above 15,000 and 90,000


def test_a_line_of_a_batch_is_long_by_itself_and_a_whole_batch_is_not() -> None:
    used = usage("gpt-5.4", input=300_000, output=100)
    assert cost(used, batch=True).nano_usd == 300_000 * 2500 + 100 * 11_250
    assert cost(used, endpoint="batches.get").nano_usd == 300_000 * 1250 + 100 * 7500
    assert cost(replace(used, service_tier="priority"), batch=True).nano_usd == 751_125_000


def test_decisions_charge_every_input_token_the_same_and_nothing_else() -> None:
    used = usage("gpt-6-luna", input=1000, cached=300, cache_write=200, cache_write_12h=100)
    assert cost(used, endpoint="decisions.create").nano_usd == 1000 * 100


# kinds


def test_older_models_write_to_the_cache_at_the_price_of_input() -> None:
    used = usage("gpt-5.4-mini", input=1000, cache_write=500, cache_write_12h=200)
    assert cost(used).nano_usd == 1000 * 750


def test_a_model_without_a_cached_price_charges_cached_tokens_in_full() -> None:
    assert cost(usage("gpt-5-pro", input=1000, cached=900)).nano_usd == 1000 * 15_000
    audio = usage("gpt-audio-1.5", input=1000, audio_input=900, cached=500)
    assert cost(audio).nano_usd == 100 * 2500 + 900 * 32_000


def test_a_kind_without_a_price_of_its_own_costs_the_text_price() -> None:
    assert cost(usage("gpt-6-luna", input=1000, image_input=900)).nano_usd == 1000 * 100
    assert cost(usage("gpt-5.4", output=100, audio_output=90)).nano_usd == 100 * 15_000


def test_cached_images_have_their_own_price() -> None:
    used = usage("gpt-image-2", input=1000, image_input=900, cached=600, cached_image=550)
    assert cost(used).nano_usd == 50 * 5000 + 50 * 1250 + 350 * 8000 + 550 * 2000


def test_an_image_model_that_does_not_tell_what_it_answered_has_drawn() -> None:
    assert cost(usage("gpt-image-1.5", output=1000)).nano_usd == 1000 * 32_000
    told = usage("gpt-image-1.5", output=1000, image_output=900)
    assert cost(told).nano_usd == 900 * 32_000 + 100 * 10_000


def test_tokens_of_a_model_that_bills_minutes_have_no_price() -> None:
    assert cost(usage("whisper-1", input=10)).unpriced_model == "whisper-1"
    assert cost(usage("text-embedding-3-small", input=1, output=1)).nano_usd is None


# units and tools


def test_a_second_that_does_not_divide_is_exact_until_the_end() -> None:
    three = cost(usage("gpt-live-transcribe", units={"second": 3}))  # 0.017 USD / 60 s
    assert three.nano_usd == 850_000
    assert three.lines[0].pico_per_unit == Fraction(17 * 10**9, 60)
    assert cost(usage("gpt-live-transcribe", units={"second": 1})).nano_usd == 283_333


@pytest.mark.parametrize(
    ("unit", "nanos"),
    [
        ("video_second", 300_000_000),
        ("video_second:1792x1024", 500_000_000),
        ("video_second:1080x1920", 700_000_000),
    ],
)
def test_a_second_of_video_costs_by_its_size(unit: str, nanos: int) -> None:
    for model in ("sora-2-pro", "sora-2-pro-2025-10-06"):
        assert cost(usage(model, units={unit: 4})).nano_usd == 4 * nanos
    assert cost(usage("sora-2-pro", units={unit: 4}), batch=True).nano_usd == 2 * nanos


def test_a_model_with_one_price_a_second_of_video_has_it_for_every_size() -> None:
    assert cost(usage("sora-2", units={"video_second:720x1280": 4})).nano_usd == 4 * 100_000_000


def test_an_unlisted_size_of_video_has_no_price() -> None:
    assert cost(usage("sora-2-pro", units={"video_second:9x9": 4})).unpriced_model == "sora-2-pro"


def test_searches_cost_by_tool_and_model() -> None:
    def fee(model: str, **units: int) -> int | None:
        return cost(usage(model, units=units)).nano_usd

    assert fee("gpt-5.4", web_search=3) == 3 * 10_000_000
    assert fee("gpt-5.4", web_search_preview=3) == 3 * 10_000_000
    assert fee("gpt-4o-2024-08-06", web_search_preview=3) == 3 * 25_000_000
    assert fee("gpt-4o", web_search=1) == 10_000_000


def test_a_chat_search_model_pays_a_search_in_every_call() -> None:
    used = usage("gpt-4o-search-preview-2025-03-11", input=1000, output=10)
    assert cost(used).nano_usd == 1000 * 2500 + 10 * 10_000 + 25_000_000
    told = replace(used, units={"web_search": 2})
    assert cost(told).nano_usd == 1000 * 2500 + 10 * 10_000 + 2 * 25_000_000
    assert cost(Usage(model="gpt-5-search-api")).nano_usd is None  # it failed: nothing to pay


def test_a_container_is_charged_its_minimum_and_noted() -> None:
    found = cost(usage("gpt-6-luna", units={"container:4g": 2, "container": 1}))
    assert found.nano_usd == 2 * 30_000_000 + 7_500_000
    assert len(found.notes) == 1
    assert cost(usage("gpt-6-luna", units={"container:3g": 1})).nano_usd is None


def test_a_unit_beside_tokens_is_told_and_alone_it_needs_a_price() -> None:
    beside = usage("gpt-image-2", output=1056, units={"image": 1})
    assert cost(beside).nano_usd == 1056 * 30_000
    assert cost(usage("gpt-image-2", units={"image": 1})).unpriced_model == "gpt-image-2"
    assert cost(usage("gpt-6-luna", input=1, units={"teapot": 1})).nano_usd is None
    assert cost(usage("gpt-6-luna", input=1, units={"teapot": 0})).nano_usd == 100


def test_time_prices_a_token_model_only_where_nothing_better_is_known() -> None:
    used = usage("gpt-4o-transcribe", units={"second": 60}, source="estimated")
    assert cost(used).nano_usd == 6_000_000
    assert cost(used).notes == ("priced by OpenAI's estimate a minute",)
    assert cost(replace(used, source="reported")).nano_usd is None
    billed = cost(replace(used, model="whisper-1"))
    assert (billed.nano_usd, billed.notes) == (6_000_000, ())


def test_trained_tokens_cost_the_training_price_of_their_base() -> None:
    used = usage("gpt-4.1-mini-2025-04-14", units={"trained_token": 1000})
    assert cost(used, endpoint="fine_tuning.get").nano_usd == 1000 * 5000
    assert cost(replace(used, model="gpt-6-luna")).nano_usd is None


# second bills, factors, nothing


def test_second_bills_cost_their_own_models_price_and_all_is_rounded_once() -> None:
    nano_flex = usage("gpt-5-nano", input=1, cached=1, tier="flex")  # 2.5 nano-dollars
    assert cost(nano_flex).nano_usd == 3
    both = cost(replace(nano_flex, parts=(nano_flex,)))
    assert both.nano_usd == 5
    image = usage("gpt-image-2", input=100, output=1000)
    svg = usage("gpt-5.4-mini", input=10, output=20)
    found = cost(replace(image, parts=(svg,)), endpoint="images.generate")
    assert found.nano_usd == 100 * 5000 + 1000 * 30_000 + 10 * 750 + 20 * 4500
    assert {line.model for line in found.lines} == {"gpt-image-2", "gpt-5.4-mini"}


def test_a_call_that_is_all_parts_needs_no_model_of_its_own() -> None:
    part = usage("gpt-transcribe", units={"second": 60})
    assert cost(usage(None, parts=(part,))).nano_usd == 4_500_000


def test_a_part_without_a_model_is_not_taken_for_the_one_that_was_asked() -> None:
    found = cost(usage(None, input=1, parts=(usage(input=1),)), requested_model="gpt-6-luna")
    assert (found.nano_usd, found.unpriced_model) == (None, "unknown")


def test_one_part_without_a_price_leaves_the_whole_without() -> None:
    found = cost(usage("gpt-6-luna", input=1000, parts=(usage("gpt-99", input=1),)))
    assert (found.nano_usd, found.unpriced_model) == (None, "gpt-99")
    assert [line.pico for line in found.lines] == [1000 * 100_000]


def test_factors_hold_for_tokens_and_not_for_fees() -> None:
    used = usage("gpt-6-luna", input=1000, units={"web_search": 1})
    assert cost(used, regional=True).nano_usd == 1000 * 110 + 10_000_000
    assert cost(used, background_window="2h").nano_usd == 1000 * 70 + 10_000_000
    assert cost(used, background_window="8h", regional=True).nano_usd == 1000 * 66 + 10_000_000
    assert cost(usage("gpt-4.1", input=1000), regional=True).nano_usd == 1000 * 2000


def test_an_unknown_window_costs_the_full_price_and_is_noted() -> None:
    found = cost(usage("gpt-6-luna", input=1000), background_window="9h")
    assert found.nano_usd == 1000 * 100
    assert found.notes == ("unknown completion window: full price",)


def test_nothing_known_is_no_cost_and_nothing_used_is_zero() -> None:
    assert cost(Usage(model="whisper-1")).nano_usd is None
    assert cost(usage("gpt-6-luna")) == Cost(0)


# what always holds

COUNT = st.integers(0, 50_000)
MODELS = st.sampled_from(sorted(n for n in TABLE.names if (e := TABLE.lookup(n)) and e.rates))
TIERS = st.sampled_from([None, "default", "flex", "priority", "ultrafast"])
KINDS = (
    *("input", "cached", "cache_write", "cache_write_12h", "output", "reasoning"),
    *("audio_input", "audio_output", "image_input", "image_output"),
)
COUNTS = st.fixed_dictionaries(dict.fromkeys(KINDS, COUNT))


@given(MODELS, COUNTS, TIERS, st.booleans(), st.booleans())
def test_a_cost_is_the_rounded_sum_of_its_lines_and_never_negative(
    model: str, counts: dict[str, int], tier: str | None, batch: bool, regional: bool
) -> None:
    found = cost(usage(model, **counts, tier=tier), batch=batch, regional=regional)
    for line in found.lines:
        assert line.pico == Fraction(line.quantity) * line.pico_per_unit >= 0
    if found.nano_usd is not None:
        assert isinstance(found.nano_usd, int)
        assert found.nano_usd == nano(sum((line.pico for line in found.lines), start=Fraction()))


@given(MODELS, COUNT, COUNT, COUNT, COUNT, TIERS)
def test_two_calls_cost_together_what_they_cost_apart_before_rounding(
    model: str, first: int, second: int, answered: int, again: int, tier: str | None
) -> None:
    def picos(used: Usage) -> Fraction:
        return sum((line.pico for line in cost(used).lines), start=Fraction())

    one = usage(model, input=first, output=answered, tier=tier)
    other = usage(model, input=second, output=again, tier=tier)
    both = usage(model, input=first + second, output=answered + again, tier=tier)
    if "-search-" not in model:  # which pay a fee a call
        assert picos(one) + picos(other) == picos(both)


@given(MODELS, st.integers(0, 400_000), COUNT, COUNT, TIERS, st.booleans())
def test_more_tokens_never_cost_less(
    model: str, sent: int, more: int, answered: int, tier: str | None, batch: bool
) -> None:
    less = cost(usage(model, input=sent, output=answered, tier=tier), batch=batch)
    for greater in (
        usage(model, input=sent + more, output=answered, tier=tier),
        usage(model, input=sent, output=answered + more, tier=tier),
    ):
        found = cost(greater, batch=batch)
        if less.nano_usd is not None and found.nano_usd is not None:
            assert found.nano_usd >= less.nano_usd


def test_a_plain_chat_call_is_priced_in_microseconds() -> None:
    used = usage("gpt-5.4-mini-2026-03-17", input=2006, cached=1920, output=300, reasoning=128)
    best = min(timeit.repeat(lambda: cost(used), number=200, repeat=20)) / 200
    assert best < 60e-6  # 10 measured; a shared machine gets the rest
