"""A model without a price, charged as the dearest of the list (`models.unpriced: assume_max`).

For budgets alone: the row's cost stays unknown.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from openai_gateway.api.prices import PriceTable
from openai_gateway.api.rates import STANDARD, Entry
from openai_gateway.core.money import Pico, nano
from openai_gateway.core.usage import Usage, split


def dearest(prices: PriceTable) -> Entry:
    """An entry that no call of a listed model costs more than, kind by kind and tier by tier."""
    listed = [found for name in prices.names if (found := prices.lookup(name)) is not None]
    rates: dict[str, int] = {}
    units: dict[str, Pico] = {}
    for found in listed:
        for own in found.rates.values():
            for kind, price in own.items():
                rates[kind] = max(price, rates.get(kind, 0))
        for told in found.units.values():
            for unit, each in told.items():
                base = unit.partition(":")[0]
                units[base] = max(each, units.get(base, 0))
    return Entry(
        name="",
        mode="chat",
        free=False,
        regional_x=Fraction(1),
        long_above=None,
        rates={(STANDARD, False): rates},
        units={STANDARD: units},
        by_size=False,
        max_input=max((found.max_input or 0 for found in listed), default=0),
        max_output=max((found.max_output or 0 for found in listed), default=0),
    )


def cost(entry: Entry, usage: Usage) -> int:
    """What this use comes to at the entry's prices, in nano-dollars."""
    rates, units = entry.rates[STANDARD, False], entry.units[STANDARD]
    total: Pico = 0
    for bill in (usage, *usage.parts):
        for kind, count in split(bill).items():
            total += count * rates.get(kind, 0)
        for name, amount in _units(bill):
            total += Fraction(amount) * units.get(name, 0)
    return nano(total)


def _units(usage: Usage) -> Iterator[tuple[str, Decimal | int]]:
    for unit, amount in usage.units.items():
        yield unit.partition(":")[0], amount
