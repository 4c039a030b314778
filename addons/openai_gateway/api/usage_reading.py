"""Reads numbers that OpenAI tells and that money hangs on: what is no sensible number is not
believed, and is named, so that it can be counted."""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from openai_gateway.core.usage import Usage

# More than any call can use; at the dearest price it still fits into 64 bits of nano-dollars.
MOST: Final = 10**12
LONGEST_NAME: Final = 256
_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{1,6})?")
NOTHING: Final[Mapping[str, object]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What an answer tells of its bill.

    usage: None where there is nothing to charge, or nothing yet (`final` is False).
    anomalies: wrong_type, negative, absurd, part_above_whole, total_mismatch, unknown_shape.
    charge_id: charged once under this id, wherever it is seen first; None: no id tells it apart.
    cumulative: the id's sum so far, of which only the growth is to be charged.
    guessed: the answer told no usage (that a container's time is not told is no such guess).
    containers: (id, unit) of those that usage.units counts, each charged at its first sight.
    """

    usage: Usage | None = None
    anomalies: tuple[str, ...] = ()
    charge_id: str | None = None
    final: bool = True
    cumulative: bool = False
    guessed: bool = False
    containers: tuple[tuple[str, str], ...] = ()

    def first_sight(self, seen: Container[str]) -> Usage | None:
        """The usage without the containers that were charged before."""
        known = [unit for name, unit in self.containers if name in seen]
        if self.usage is None or not known:
            return self.usage
        units = dict(self.usage.units)
        for unit in known:
            units[unit] -= 1
        units = {unit: amount for unit, amount in units.items() if amount}
        told = len(known) == len(self.containers) and not self.guessed
        source = "reported" if told else self.usage.source
        return replace(self.usage, units=units, source=source)


class Reader:
    """Takes numbers and names out of JSON objects, and keeps what was wrong with them."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    @property
    def anomalies(self) -> tuple[str, ...]:
        """What was found, each kind once, in the order of its first sight."""
        return tuple(self._found)

    def note(self, anomaly: str) -> None:
        """Remembers an anomaly."""
        self._found[anomaly] = None

    def inner(self, holder: Mapping[str, object], *names: str) -> Mapping[str, object]:
        """The first of these members that is an object; an empty one where there is none."""
        for name in names:
            value = holder.get(name)
            if isinstance(value, dict):
                return value
            if value is not None:
                self.note("wrong_type")
        return NOTHING

    def text(self, holder: Mapping[str, object], name: str) -> str | None:
        """A member that is a name."""
        value = holder.get(name)
        return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME else None

    def count(self, holder: Mapping[str, object], *names: str) -> int | None:
        """The first of these members that is told, as a count; None where none can be believed."""
        value = next((v for name in names if (v := holder.get(name)) is not None), None)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            self.note("wrong_type")
            return None
        return self._sane(value)

    def amount(self, holder: Mapping[str, object], name: str) -> Decimal | None:
        """A member that is a number of seconds, exactly as it was written."""
        value = holder.get(name)
        if value is None:
            return None
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            return Decimal(value)
        if not isinstance(value, int | float) or isinstance(value, bool) or value != value:
            self.note("wrong_type")
            return None
        sane = self._sane(value)
        return None if sane is None else Decimal(str(sane))

    def part(self, whole: int, count: int | None) -> int:
        """A count that lies inside another."""
        if count is not None and count > whole:
            self.note("part_above_whole")
        return min(whole, count or 0)

    def _sane[Number: (int, float)](self, value: Number) -> Number | None:
        if value < 0:
            self.note("negative")
            return None
        if value > MOST:
            self.note("absurd")
            return type(value)(MOST)
        return value
