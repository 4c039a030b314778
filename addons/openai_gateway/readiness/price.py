"""What a call of the log cost, line by line, worked out anew from its row.

A row keeps less than the answer said. What it does not keep is told, and so is a sum that differs.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from openai_gateway.accounting.schema import TOKENS
from openai_gateway.api.bill import Cost, Line
from openai_gateway.api.price_file import PriceFileError
from openai_gateway.api.prices import PriceTable
from openai_gateway.config.rules import PRICES, price_files
from openai_gateway.core.money import Pico
from openai_gateway.core.usage import Usage
from openai_gateway.readiness.rows import Row


@dataclass(frozen=True, slots=True)
class Priced:
    """`nano_usd` is what the lines come to; `notes` say what is not exact, and why."""

    lines: Sequence[Line] = ()
    nano_usd: int | None = None
    notes: Sequence[str] = ()

    def as_json(self) -> dict[str, object]:
        """Amounts as decimal text: a float would not be what was charged."""
        lines = [
            {
                "kind": line.kind,
                "model": line.model,
                "quantity": plain(line.quantity),
                "usd_per_unit": usd_of(line.pico_per_unit),
                "usd": usd_of(line.pico),
            }
            for line in self.lines
        ]
        return {"lines": lines, "nano_usd": self.nano_usd, "notes": list(self.notes)}


def priced(row: Row, root: Path, own: str | None = None) -> Priced:
    """The bill of the call by the prices of the gateway that starts in `root`; `own` is the file
    that its models.prices names."""
    if row["input_tokens"] is None:
        return Priced(notes=_nothing(row))
    try:
        usage = usage_of(row)
        prices = PriceTable.load(*price_files(root, own))
    except (OSError, PriceFileError):
        named = own or PRICES
        return Priced(notes=[f"{named} cannot be used; `openai-gateway config check` tells why"])
    except (ValueError, ArithmeticError):
        return Priced(notes=["its counts cannot be read"])
    model = row["model_sent"] or row["model_requested"]
    cost = prices.cost(usage, endpoint=row["endpoint"], requested_model=model)
    return Priced(cost.lines, cost.nano_usd, _notes(row, usage, cost))


def usage_of(row: Row) -> Usage:
    """The usage as far as the row keeps it. Raises: ValueError, ArithmeticError."""
    billed: Mapping[str, Any] = json.loads(row["billed_units"] or "{}", parse_float=Decimal)
    source = row["usage_source"]
    parts = tuple(
        Usage(
            input_tokens=value["input_tokens"],
            output_tokens=value["output_tokens"],
            model=None if name == "other" else name,
            source=source,
        )
        for name, value in billed.items()
        if isinstance(value, dict)
    )
    return Usage(
        **{name: row[name] or 0 for name in TOKENS},
        units={name: value for name, value in billed.items() if not isinstance(value, dict)},
        source=source,
        model=row["model_response"],
        service_tier=row["service_tier"],
        parts=parts,
    )


def usd_of(amount: Pico) -> str:
    """Pico-dollars as US dollars, every digit of them (a third is cut at 28)."""
    return plain(Decimal(amount.numerator) / Decimal(amount.denominator) / 10**12)


def plain(number: int | Decimal) -> str:
    """Without an exponent, without zeros at the end."""
    text = f"{Decimal(number):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _nothing(row: Row) -> list[str]:
    if row["cost_nano_usd"] is None:
        return ["what it used is not known, so its cost is not"]
    return ["nothing was used that has a price"]


def _notes(row: Row, usage: Usage, cost: Cost) -> list[str]:
    notes = list(cost.notes)
    if usage.parts:
        notes.append("of a second model's bill the row keeps the sums, not what was cached")
    if usage.cached_input_tokens and (usage.audio_input_tokens or usage.image_input_tokens):
        notes.append("the row does not keep which cached tokens were audio or images")
    if usage.cache_write_tokens:
        notes.append("the row does not keep how many cache writes were for 12 hours")
    if cost.unpriced_model is not None:
        notes.append(f"{cost.unpriced_model} has no price for all of it")
    if cost.nano_usd != row["cost_nano_usd"]:
        notes.append(_differs(row))
    return notes


def _differs(row: Row) -> str:
    if row["cost_nano_usd"] == 0:
        return "it was charged 0: it failed, or only reads again what was charged before"
    return "the logged cost counts: it knew all of the usage, and the prices of its day"
