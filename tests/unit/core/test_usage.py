"""Each token is counted once, whatever an answer's details claim."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.core.usage import Usage, disjoint, split

KINDS = {
    *("input", "cached_input", "cache_write", "output", "reasoning"),
    *("audio_input", "audio_output", "image_input", "image_output"),
}
COUNT = st.integers(0, 5_000)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Details that need not fit their totals."""
    return Usage(
        input_tokens=draw(COUNT),
        cached_input_tokens=draw(COUNT),
        cache_write_tokens=draw(COUNT),
        cache_write_12h_tokens=draw(COUNT),
        output_tokens=draw(COUNT),
        reasoning_tokens=draw(COUNT),
        audio_input_tokens=draw(COUNT),
        audio_output_tokens=draw(COUNT),
        image_input_tokens=draw(COUNT),
        image_output_tokens=draw(COUNT),
        cached_audio_tokens=draw(st.none() | COUNT),
        cached_image_tokens=draw(st.none() | COUNT),
        cached_text_tokens=draw(st.none() | COUNT),
    )


@given(usages())
def test_the_nine_kinds_add_up_to_all_tokens_and_none_is_negative(usage: Usage) -> None:
    kinds = disjoint(usage)
    assert kinds.keys() == KINDS
    assert min(kinds.values()) >= 0
    assert sum(kinds.values()) == usage.input_tokens + usage.output_tokens


@given(usages())
def test_the_priced_kinds_are_the_nine_cut_finer(usage: Usage) -> None:
    fine, kinds = split(usage), disjoint(usage)
    assert min(fine.values()) >= 0
    cached = ("cached_input", "cached_audio_input", "cached_image_input")
    assert kinds["cached_input"] == sum(fine.pop(name) for name in cached)
    assert kinds["cache_write"] == fine.pop("cache_write") + fine.pop("cache_write_12h")
    assert all(kinds[name] == count for name, count in fine.items())


def test_chat_tokens_are_told_apart() -> None:
    usage = Usage(
        input_tokens=5000,
        cached_input_tokens=1024,
        cache_write_tokens=3000,
        output_tokens=800,
        reasoning_tokens=512,
    )
    told = {name: count for name, count in disjoint(usage).items() if count}
    assert told == {
        "input": 976,
        "cached_input": 1024,
        "cache_write": 3000,
        "output": 288,
        "reasoning": 512,
    }


def test_cached_audio_is_taken_from_audio_where_realtime_tells_it() -> None:
    usage = Usage(
        input_tokens=500,
        audio_input_tokens=381,
        cached_input_tokens=320,
        cached_text_tokens=64,
        cached_audio_tokens=256,
    )
    kinds = split(usage)
    assert (kinds["input"], kinds["audio_input"]) == (500 - 381 - 64, 381 - 256)
    assert (kinds["cached_input"], kinds["cached_audio_input"]) == (64, 256)


def test_cached_tokens_of_an_untold_kind_are_text_as_far_as_there_is_text() -> None:
    usage = Usage(input_tokens=1000, audio_input_tokens=900, cached_input_tokens=500)
    kinds = split(usage)
    assert (kinds["cached_input"], kinds["cached_audio_input"]) == (100, 400)
    assert (kinds["input"], kinds["audio_input"]) == (0, 500)


def test_more_cached_than_sent_is_clamped() -> None:
    kinds = disjoint(Usage(input_tokens=10, cached_input_tokens=50, cache_write_tokens=7))
    assert (kinds["input"], kinds["cached_input"], kinds["cache_write"]) == (0, 10, 0)


@pytest.mark.parametrize(
    "fault",
    [
        {"input_tokens": -1},
        {"cached_audio_tokens": -1},
        *(
            {"units": {"second": Decimal(amount)}}
            for amount in ("-0.1", "NaN", "Infinity", "1e999")
        ),
        {"units": {"second": Decimal("1e-9999")}},
        {"units": {"image": -1}},
    ],
)
def test_a_negative_or_absurd_count_is_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="negative or absurd"):
        Usage(**fault)


@pytest.mark.parametrize("amount", [Decimal(0), Decimal("0.000"), Decimal("12.5"), 0, 3])
def test_an_amount_from_zero_on_is_kept(amount: Decimal | int) -> None:
    assert Usage(units={"second": amount}).units == {"second": amount}
