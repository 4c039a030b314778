"""The bill of one call while it is added up: its lines, what had to be assumed, and the tokens.
The price table hands in the entry; which tier counts and what has no price is decided here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Final

from openai_gateway.api.rates import STANDARD, Entry
from openai_gateway.core.money import Pico, nano, whole
from openai_gateway.core.usage import Usage, split

_TIERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("", "auto", "default", "scale", STANDARD), STANDARD),
    "flex": "flex",
    "priority": "priority",
    "fast": "priority",
    "ultrafast": "ultrafast",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the bill; `pico` is quantity times pico_per_unit, exactly."""

    kind: str
    quantity: int | Decimal
    pico_per_unit: Pico
    pico: Pico
    model: str


@dataclass(frozen=True, slots=True)
class Cost:
    """`nano_usd` is None where any part has no price (`unpriced_model` says whose) or nothing is
    known of the use; `notes` are what had to be assumed: with one, the cost is an estimate."""

    nano_usd: int | None
    lines: tuple[Line, ...] = ()
    unpriced_model: str | None = None
    free: bool = False
    notes: tuple[str, ...] = ()


FREE: Final = Cost(0, free=True)


@dataclass(slots=True)
class Bill:
    """What one call comes to, while it is added up."""

    asked: str | None
    decided: str | None
    sum_of_many: bool
    factor: Fraction | None = None
    regional: bool = False
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unpriced: str | None = None
    free: bool = True

    def add(self, kind: str, quantity: int | Decimal, price: Pico, model: str) -> None:
        exact = quantity if isinstance(quantity, int) else Fraction(quantity)
        self.lines.append(Line(kind, quantity, price, whole(exact * price), model))

    def total(self, known: bool) -> Cost:
        lines, notes = tuple(self.lines), tuple(dict.fromkeys(self.notes))
        if self.unpriced is not None or not known:
            return Cost(None, lines, self.unpriced, notes=notes)
        amount = nano(sum((line.pico for line in lines), start=0))
        return Cost(amount, lines, free=self.free, notes=notes)


def add_tokens(bill: Bill, usage: Usage, model: str, found: Entry, tier: str) -> None:
    rates, _ = found.rate(tier, 0 if bill.sum_of_many else usage.input_tokens)
    kinds = split(usage)
    if found.mode == "image_generation" and not kinds["image_output"]:
        # its streams give no details of output, and it answers with nothing else
        kinds["image_output"], kinds["output"] = kinds["output"], 0
    factor = (bill.factor or 1) * (found.regional_x if bill.regional else 1)
    for kind, quantity in kinds.items():
        if not quantity:
            continue
        price: Pico | None = rates.get(kind)
        if price is None:
            bill.unpriced = model
            continue
        bill.add(kind, quantity, price if factor == 1 else whole(price * factor), model)


def tier_named(word: str | None) -> str | None:
    """The tier that a request's or an answer's word means; None for a word that is none."""
    return _TIERS.get(word or "")


def tier_of(bill: Bill, usage: Usage, found: Entry) -> str | None:
    """The tier to price by; None for a word that is no tier."""
    tier = bill.decided or tier_named(usage.service_tier or bill.asked)
    if tier is None:
        bill.notes.append("unknown service tier: no price")
    elif tier != STANDARD and (tier, False) not in found.rates:
        bill.notes.append(f"{found.name} has no {tier} price: standard")
        return STANDARD
    return tier


def about_second(bill: Bill, usage: Usage, own: Mapping[str, Pico]) -> Pico | None:
    """OpenAI's estimate for a model that bills tokens, where only the time is known."""
    if usage.input_tokens or usage.output_tokens or "about_second" not in own:
        return None
    bill.notes.append("priced by OpenAI's estimate a minute")
    return own["about_second"]
