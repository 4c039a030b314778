"""Money without floats: prices become pico-dollars exactly, sums are rounded once to nano-dollars.
A float would lose a fraction of a nano-dollar here and there, and the books would not balance."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Final

type Pico = int | Fraction  # a Fraction only where a price does not divide (a minute by 60 s)

PICO_PER_USD: Final = 10**12
PICO_PER_NANO: Final = 1000
NANO_PER_USD: Final = 10**9

_MOST: Final = 10**9
_AMOUNT: Final = re.compile(
    r"(?:[0-9]{1,9}(?:\.[0-9]{0,24})?|\.[0-9]{1,24})(?:[eE][-+]?[0-9]{1,2})?"
)


def decimal(amount: str | float | Decimal) -> Decimal:
    """The amount as it was written: 0.0025 is 25/10000, not the float beside it.

    Raises: ValueError for what is no number from 0 to a billion.
    """
    text = str(amount).strip()
    if isinstance(amount, bool) or not _AMOUNT.fullmatch(text) or Decimal(text) > _MOST:
        raise ValueError("must be a number from 0 to a billion, like 0.25")
    return Decimal(text)


def pico(usd: str | float | Decimal, per: int = 1) -> int:
    """`usd` divided by `per`, in pico-dollars.

    Raises: ValueError for no number, and for a price finer than a pico-dollar.
    """
    exact = Fraction(decimal(usd)) * PICO_PER_USD / per
    if exact.denominator != 1:
        raise ValueError("is finer than a pico-dollar (a millionth of a millionth of a dollar)")
    return exact.numerator


def whole(amount: Pico) -> Pico:
    """The same amount, as an int where it is one."""
    return amount.numerator if amount.denominator == 1 else amount


def nano(amount: Pico) -> int:
    """Nano-dollars, rounded half up; `amount` is never negative. Once a call, at its end."""
    return (2 * amount + PICO_PER_NANO) // (2 * PICO_PER_NANO)


def dollars(nano_usd: int) -> str:
    """An amount exactly, with two decimals at least: $25.00, $0.00035, -$0.50."""
    whole, rest = divmod(abs(nano_usd), NANO_PER_USD)
    cents = f"{rest:09d}".rstrip("0")
    return f"{'-' if nano_usd < 0 else ''}${whole}.{cents:0<2}"
