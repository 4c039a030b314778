"""Money is exact until it is rounded, and it is rounded half up."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.core.money import decimal, nano, pico, whole


@pytest.mark.parametrize(
    ("amount", "exact"),
    [
        ("0.0025", Decimal("0.0025")),
        (0.1, Decimal("0.1")),
        (0.0025, Decimal("0.0025")),
        (1e-05, Decimal("0.00001")),
        ("2.5e-3", Decimal("0.0025")),
        (".5", Decimal("0.5")),
        (30, Decimal(30)),
        (Decimal("0.017"), Decimal("0.017")),
    ],
)
def test_an_amount_is_what_was_written_and_not_the_float_beside_it(
    amount: str | float | Decimal, exact: Decimal
) -> None:
    assert decimal(amount) == exact


@pytest.mark.parametrize(
    "amount",
    ["", "-1", "-0.5", "1,5", "nan", "inf", "1e999", "1e10", "0x10", "1_000", "ten", True],
)  # fmt: skip
def test_what_is_no_amount_is_refused(amount: str | float) -> None:
    with pytest.raises(ValueError, match="from 0 to a billion"):
        decimal(amount)


def test_a_price_becomes_pico_dollars_exactly() -> None:
    assert pico("0.0025", 1_000_000) == 2_500
    assert pico("0.05") == 50_000_000_000
    assert pico(0.1, 1_000_000) == 100_000
    assert pico("2.5", 1_000) == 2_500_000_000


def test_a_price_finer_than_a_pico_dollar_is_refused() -> None:
    assert pico("0.000001", 1_000_000) == 1
    with pytest.raises(ValueError, match="finer than a pico-dollar"):
        pico("0.0000001", 1_000_000)


@pytest.mark.parametrize(
    ("picos", "nanos"),
    [(0, 0), (499, 0), (500, 1), (1499, 1), (1500, 2), (25_602_500, 25_603), (2_500, 3)],
)  # fmt: skip
def test_half_a_nano_dollar_is_rounded_up_also_after_an_even_one(picos: int, nanos: int) -> None:
    assert nano(picos) == nanos


def test_a_fraction_of_a_pico_dollar_decides_a_half() -> None:
    assert nano(Fraction(1499, 3)) == 0
    assert nano(Fraction(1500, 3)) == 1


def test_whole_gives_an_int_where_there_is_one() -> None:
    assert whole(Fraction(6, 3)) == 2
    assert isinstance(whole(Fraction(6, 3)), int)
    assert whole(Fraction(1, 3)) == Fraction(1, 3)


@given(st.fractions(min_value=0, max_value=10**20))
def test_rounding_is_never_off_by_more_than_half_a_nano_dollar(amount: Fraction) -> None:
    rounded = nano(amount)
    assert isinstance(rounded, int)
    assert -500 < rounded * 1000 - amount <= 500


@given(st.decimals(min_value=0, max_value=10_000, places=6))
def test_a_price_survives_the_way_through_text_and_back(price: Decimal) -> None:
    assert Fraction(pico(str(price), 1_000_000), 1_000_000) == Fraction(price)
