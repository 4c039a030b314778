"""What a call costs, line by line: rules/prices.yaml, and a team's own prices on top of it.
Nothing is guessed silently: what has no price makes the cost unknown, what was assumed is noted."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Self

from openai_gateway.api.bill import FREE, Bill, Cost, about_second, add_tokens, tier_of
from openai_gateway.api.price_file import Fault, PriceFileError, read
from openai_gateway.api.price_sheet import Sheet, sheet
from openai_gateway.api.rates import STANDARD, Entry, entry
from openai_gateway.core.money import Pico
from openai_gateway.core.usage import Usage

_SNAPSHOT: Final = re.compile(r"(.+)-[0-9]{4}-[0-9]{2}-[0-9]{2}")
# What a model without a price for it may tell beside the tokens that it bills.
_TOLD: Final = frozenset({"second", "character", "image"})
_UNNAMED: Final = "unknown"


class PriceTable:
    """All models with their prices; built once, read by every call."""

    __slots__ = ("_entries", "_sheet", "as_of", "names")

    def __init__(self, found: Sheet) -> None:
        """`found` is without faults: `load` judges."""
        self._sheet = found
        entries = {name: entry(name, one, found.models) for name, one in found.models.items()}
        led = {name: entries[_led(found, name)] for name in found.aliases}
        self._entries: Mapping[str, Entry] = entries | led
        self.as_of = found.as_of
        self.names = frozenset(self._entries) | found.unpriced

    @classmethod
    def load(cls, path: Path, extra: Path | None = None) -> Self:
        """The list at `path`; an entry of `extra` takes the place of the list's whole entry.

        Raises: OSError; PriceFileError with every fault's file, line and column.
        """
        found, faults = _read(path)
        if extra is not None:
            own, own_faults = _read(extra)
            found, faults = found.under(own), faults + own_faults
        faults += _dangling(found)
        if not found.models:
            faults.append(Fault(str(path), 1, 1, "models", "lists no models"))
        if faults:
            raise PriceFileError(faults)
        return cls(found)

    def lookup(self, model: str) -> Entry | None:
        """The entry of a name: exactly, without its date, or as a fine-tune of its base.

        Never by a prefix: gpt-5 is not gpt-5.6.
        """
        found = self._entries.get(model)
        if found is not None or model in self._sheet.unpriced:
            return found
        if model.startswith("ft:"):
            base = ":".join(model.split(":", 2)[:2])
            return self._entries.get(base) or self._entries.get(undated(base))
        return self._entries.get(undated(model))

    def cost(
        self,
        usage: Usage,
        *,
        endpoint: str,
        requested_model: str | None,
        tier: str | None = None,
        batch: bool = False,
        background_window: str | None = None,
        regional: bool = False,
    ) -> Cost:
        """What the call costs.

        `tier` counts where the answer names none. `batch`: a line of a batch's output; a whole
        batch (`batches.*`) always is one, and the sum of many calls. `background_window`: as the
        answer proves it. `regional`: the project has data residency.
        """
        if endpoint.startswith("moderations."):
            return FREE
        summed = endpoint.startswith("batches.")
        decided = _decided(endpoint, batch=batch or summed)
        bill = Bill(tier, decided, summed, regional=regional)
        self._window(bill, background_window)
        for one, fallback in _bills(usage, requested_model):
            self._charge(bill, one, one.model or fallback)
        return bill.total(known=bool(bill.lines) or bill.free or usage.source != "none")

    def _window(self, bill: Bill, window: str | None) -> None:
        if window is None:
            return
        bill.factor = self._sheet.windows.get(window)
        if bill.factor is None:
            bill.notes.append("unknown completion window: full price")

    def _charge(self, bill: Bill, usage: Usage, model: str | None) -> None:
        found = self.lookup(model) if model else None
        if found is None:
            bill.free = False
            bill.unpriced = model or _UNNAMED
        elif not found.free:
            bill.free = False
            self._priced(bill, usage, model or found.name, found)

    def _priced(self, bill: Bill, usage: Usage, model: str, found: Entry) -> None:
        tier = tier_of(bill, usage, found)
        if tier is None:
            bill.unpriced = model
            return
        used = usage.input_tokens or usage.output_tokens
        if used:
            add_tokens(bill, usage, model, found, tier)
        if usage.units or (used and found.name in self._sheet.chat_search):
            self._units(bill, usage, model, found, tier)

    def _units(self, bill: Bill, usage: Usage, model: str, found: Entry, tier: str) -> None:
        units = dict(usage.units)
        if found.name in self._sheet.chat_search:
            units.setdefault("web_search", 1)  # such a model searches in every call
        told = _TOLD if usage.input_tokens or usage.output_tokens else frozenset()
        for unit, quantity in units.items():
            price = self._unit(bill, usage, unit, model, found, tier) if quantity else 0
            if price is None and unit not in told:
                bill.unpriced = model
            elif price:
                bill.add(unit, quantity, price, model)

    def _unit(
        self, bill: Bill, usage: Usage, unit: str, model: str, found: Entry, tier: str
    ) -> Pico | None:
        """Pico-dollars a unit: the model's own price, or a tool's fee."""
        base, _, size = unit.partition(":")
        own = found.units[tier] if tier in found.units else found.units[STANDARD]
        if base == "video_second":
            return own.get(unit if size and found.by_size else base)
        if base == "second" and base not in own and usage.source in ("estimated", "reserved"):
            return about_second(bill, usage, own)
        if base == "trained_token":
            return self._sheet.training.get(model)
        return own[base] if base in own else self._fee(bill, base, size, found)

    def _fee(self, bill: Bill, tool: str, size: str, found: Entry) -> Pico | None:
        tools = self._sheet.tools
        if tool == "container":
            bill.notes.append("a container is charged its minimum: its time is not visible")
            return tools.get(f"container:{size or '1g'}")
        if tool == "web_search" and found.name in self._sheet.chat_search:
            return self._sheet.chat_search[found.name]
        if tool == "web_search_preview" and found.name in self._sheet.non_reasoning:
            return tools.get("web_search_preview_non_reasoning")
        return tools.get(tool)


def _decided(endpoint: str, *, batch: bool) -> str | None:
    """The prices that an endpoint has of its own, whatever tier is named."""
    if endpoint.startswith("decisions."):
        return "decisions"
    return "batch" if batch else None


def _bills(usage: Usage, requested: str | None) -> Iterator[tuple[Usage, str | None]]:
    """The call's own use, unless all of it is in its parts; then those, with their own models."""
    if usage.input_tokens or usage.output_tokens or usage.units or not usage.parts:
        yield usage, requested
    for part in usage.parts:
        yield part, None


def undated(model: str) -> str:
    """A model's name without the date of a snapshot."""
    found = _SNAPSHOT.fullmatch(model)
    return found[1] if found else model


def _read(path: Path) -> tuple[Sheet, list[Fault]]:
    top = read(path)
    return sheet(top), top.faults


def _dangling(found: Sheet) -> list[Fault]:
    """Faults for names that lead nowhere, or in a circle."""
    faults: list[Fault] = []
    for name, (value, target) in found.aliases.items():
        if _led(found, name) not in found.models:
            faults.append(value.said(f"leads to no listed model ({target})"))
    for listed in found.models.values():
        for value, target in listed.by_size.values():
            if target not in found.models:
                faults.append(value.said(f"is no listed model ({target})"))
    return faults


def _led(found: Sheet, name: str) -> str:
    """Where `same_as` leads; a circle ends at one of its own names, which is no model."""
    for _ in range(len(found.aliases)):
        if name not in found.aliases:
            break
        name = found.aliases[name][1]
    return name
