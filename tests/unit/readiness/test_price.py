"""A bill worked out from its row comes to what was logged, or says why it does not."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_gateway.accounting.meter import charge
from openai_gateway.accounting.record import row as row_of
from openai_gateway.api.prices import PriceTable
from openai_gateway.config.rules import rule_file
from openai_gateway.core.call import Call, Request
from openai_gateway.core.usage import Usage
from openai_gateway.readiness.price import PRICES, Priced, plain, priced, usage_of
from openai_gateway.readiness.rows import Row
from tests.support.call_log import made_row

ROOT = Path("/nonexistent")
TABLE = PriceTable.load(rule_file(ROOT, PRICES))
COUNT = st.integers(0, 300_000)


def logged(usage: Usage, endpoint: str = "chat.create") -> Row:
    """The row of a call that used this."""
    call = Call(
        Request("POST", "api.openai.com", b"/v1/x", []), endpoint=endpoint, admitted=True,
        status=200, outcome="forwarded", model_requested="gpt-5.4-mini",
    )  # fmt: skip
    charge(call, usage, TABLE)
    return {"leaks": None, "fault": None, **row_of(call)}


def bill(usage: Usage, endpoint: str = "chat.create") -> Priced:
    return priced(logged(usage, endpoint), ROOT)


def test_the_lines_are_those_of_the_call() -> None:
    usage = Usage(
        input_tokens=2006, cached_input_tokens=1920, output_tokens=300, reasoning_tokens=128,
        total_tokens=2306, source="reported", model="gpt-5.4-mini-2026-03-17",
    )  # fmt: skip
    made = bill(usage)
    # gpt-5.4-mini: 0.75, cached 0.075, out 4.50 USD per million
    assert [(line.kind, line.quantity, line.pico) for line in made.lines] == [
        ("input", 86, 86 * 750_000),
        ("cached_input", 1920, 1920 * 75_000),
        ("output", 172, 172 * 4_500_000),
        ("reasoning", 128, 128 * 4_500_000),
    ]
    assert (made.nano_usd, made.notes) == (1_558_500, [])
    first = made.as_json()["lines"]
    assert isinstance(first, list)
    assert (first[0]["usd_per_unit"], first[0]["usd"]) == ("0.00000075", "0.0000645")


@given(
    counts=st.tuples(COUNT, COUNT, COUNT, COUNT),
    tier=st.sampled_from([None, "default", "flex", "priority"]),
    searches=st.integers(0, 3),
)
@settings(max_examples=25, deadline=None)
def test_what_the_row_keeps_wholly_comes_to_the_logged_cost(
    counts: tuple[int, int, int, int], tier: str | None, searches: int
) -> None:
    made, cached, out, thought = counts
    usage = Usage(
        input_tokens=made, cached_input_tokens=cached, output_tokens=out, reasoning_tokens=thought,
        total_tokens=made + out, source="reported", service_tier=tier, model="gpt-5.4-mini",
        units={"web_search": searches} if searches else {},
    )  # fmt: skip
    row = logged(usage)
    again = priced(row, ROOT)
    assert usage_of(row) == usage
    assert again.nano_usd == row["cost_nano_usd"]
    assert "the logged cost counts" not in " ".join(again.notes)


def test_seconds_are_as_exact_as_they_were() -> None:
    usage = Usage(units={"second": Decimal("12.34")}, source="reported", model="whisper-1")
    made = bill(usage, "audio.transcriptions.create")
    assert made.lines[0].quantity == Decimal("12.34")
    assert made.nano_usd == logged(usage, "audio.transcriptions.create")["cost_nano_usd"]


def test_a_second_bill_has_its_own_lines_and_a_note() -> None:
    part = Usage(input_tokens=10, output_tokens=20, model="gpt-image-1", source="reported")
    usage = Usage(input_tokens=5, output_tokens=5, total_tokens=10, source="reported",
                  model="gpt-5.4-mini", parts=(part,))  # fmt: skip
    made = bill(usage)
    assert {line.model for line in made.lines} == {"gpt-5.4-mini", "gpt-image-1"}
    assert "of a second model's bill" in made.notes[0]


def test_what_the_row_does_not_keep_is_told_and_the_logged_cost_counts() -> None:
    usage = Usage(
        input_tokens=100, cached_input_tokens=50, audio_input_tokens=90, cached_audio_tokens=45,
        cached_text_tokens=5, cached_image_tokens=0, output_tokens=1, total_tokens=101,
        source="reported", model="gpt-realtime",
    )  # fmt: skip
    made = bill(usage, "realtime")
    assert any("which cached tokens were audio" in note for note in made.notes)
    assert made.notes[-1].startswith("the logged cost counts")


def test_cache_writes_may_have_been_for_longer() -> None:
    usage = Usage(input_tokens=9, cache_write_tokens=9, total_tokens=9, source="reported")
    assert any("12 hours" in note for note in bill(usage).notes)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"cost_nano_usd": 0}, "nothing was used that has a price"),
        ({"cost_nano_usd": None}, "is not known"),
        ({"input_tokens": 3, "cost_nano_usd": 0, "model_sent": "gpt-5.4-mini"}, "charged 0"),
        ({"input_tokens": 3, "cost_nano_usd": None, "model_sent": "x"}, "x has no price"),
        ({"input_tokens": 3, "billed_units": "{"}, "cannot be read"),
        ({"input_tokens": -3}, "cannot be read"),
    ],
)
def test_a_row_without_a_bill_says_why(values: dict[str, object], words: str) -> None:
    row = {"leaks": None, "fault": None, **made_row(), "usage_source": "reported", **values}
    made = priced(row, ROOT)
    assert words in " ".join(made.notes)
    assert json.dumps(made.as_json())


def test_a_broken_price_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/prices.yaml").write_text("models: 7\n")
    made = priced({**made_row(), "input_tokens": 3}, tmp_path)
    assert "cannot be used" in made.notes[0]


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (100, "100"), (Decimal("1E+3"), "1000"), (Decimal("1.50"), "1.5")],
)
def test_numbers_are_plain(number: int | Decimal, text: str) -> None:
    assert plain(number) == text
