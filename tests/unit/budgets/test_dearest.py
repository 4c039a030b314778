"""A model without a price, charged as the dearest of the list."""

from openai_gateway.budgets.dearest import cost, dearest
from openai_gateway.core.usage import Usage
from tests.budgets.rig import prices


def test_no_listed_model_is_dearer_than_the_dearest() -> None:
    entry = dearest(prices())
    usage = Usage(input_tokens=1000, cached_input_tokens=300, output_tokens=500,
                  reasoning_tokens=100, source="reported", units={"web_search": 0})  # fmt: skip
    for name in prices().names:
        for tier in (None, "priority", "flex"):
            told = (
                prices()
                .cost(usage, endpoint="chat.create", requested_model=name, tier=tier)
                .nano_usd
            )
            # a search model's own fee is no token
            assert (told or 0) <= cost(entry, usage) + 25_000_000, name


def test_the_dearest_counts_parts_and_units() -> None:
    entry = dearest(prices())
    part = Usage(output_tokens=10, source="reported")
    one = cost(entry, part)
    assert one == 10 * entry.rates["standard", False]["output"] // 1000
    assert cost(entry, Usage(parts=(part, part))) == 2 * one
    assert cost(entry, Usage(units={"second": 60})) == int(
        60 * entry.units["standard"]["second"] / 1000
    )
