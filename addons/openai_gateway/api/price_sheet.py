"""What a price file says, in pico-dollars and judged, but with nothing filled in yet.
One place knows the file's fields; rates.py knows what a price that is not listed costs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from openai_gateway.api.price_file import Value
from openai_gateway.core.money import pico

type Prices = Mapping[str, int]  # pico-dollars per token, by kind

KINDS: Final = (
    *("input", "cached_input", "cache_write", "cache_write_12h", "output"),
    *("audio_input", "cached_audio_input", "audio_output"),
    *("image_input", "cached_image_input", "image_output"),
)
TIERS: Final = ("flex", "priority", "ultrafast", "batch", "decisions")
MODES: Final = frozenset(
    {
        *("chat", "responses", "completion", "embedding", "image_generation", "moderation"),
        *("audio_transcription", "audio_speech", "realtime", "video_generation"),
    }
)
_UNITS: Final = {
    "usd_per_minute": ("second", 60),
    "about_usd_per_minute": ("about_second", 60),
    "usd_per_video_second": ("video_second", 1),
    "usd_per_million_characters": ("character", 1_000_000),
}
_TIER: Final = frozenset({"usd_per_million", "long_usd_per_million", "usd_per_video_second"})
_MODEL: Final = frozenset(
    {
        *("same_as", "mode", "free", "usd_per_million", "long", "tiers", "regional_x", "by_size"),
        *_UNITS,
        *("limits", "shutdown", "endpoints", "check"),
    }
)
_TOP: Final = frozenset(
    {
        *("as_of", "models", "tools", "fine_tuned", "background_windows", "unpriced"),
        *("source", "check", "units", "fields", "rules", "image_estimates"),
    }
)
_TOOLS: Final = frozenset(
    {
        *("web_search", "web_search_preview", "chat_search_models", "file_search"),
        *("file_search_storage", "container", "count"),
    }
)
_LIMITS: Final = ("max_input_tokens", "max_output_tokens")
_SAID: Final = frozenset({"content_tokens", "scope", "billing", "unit", "check", "note"})


@dataclass(frozen=True, slots=True)
class Listed:
    """One model as listed. `tiers` are (short prices, long prices or nothing) by name."""

    at: Value
    mode: str = "chat"
    free: bool = False
    prices: Prices = field(default_factory=dict)
    long_above: int | None = None
    long: Prices = field(default_factory=dict)
    tiers: Mapping[str, tuple[Prices, Prices]] = field(default_factory=dict)
    units: Mapping[str, Fraction] = field(default_factory=dict)
    tier_units: Mapping[str, Mapping[str, Fraction]] = field(default_factory=dict)
    by_size: Mapping[str, tuple[Value, str]] = field(default_factory=dict)
    regional_x: Fraction = Fraction(1)
    max_input: int | None = None
    max_output: int | None = None
    shutdown: str | None = None


@dataclass(slots=True)
class Sheet:
    """A whole file. `tools` are pico-dollars a unit (`web_search`, `container:1g`, …)."""

    as_of: str = ""
    models: dict[str, Listed] = field(default_factory=dict)
    aliases: dict[str, tuple[Value, str]] = field(default_factory=dict)
    tools: dict[str, int] = field(default_factory=dict)
    chat_search: dict[str, int] = field(default_factory=dict)
    non_reasoning: frozenset[str] = frozenset()
    training: dict[str, int] = field(default_factory=dict)
    windows: dict[str, Fraction] = field(default_factory=dict)
    unpriced: frozenset[str] = frozenset()

    def under(self, own: "Sheet") -> "Sheet":
        """This sheet with another one's entries in the place of its own of the same name."""
        named = own.models.keys() | own.aliases.keys()
        kept = {name: one for name, one in self.models.items() if name not in named}
        also = {name: one for name, one in self.aliases.items() if name not in named}
        return Sheet(
            max(self.as_of, own.as_of),
            kept | own.models,
            also | own.aliases,
            self.tools | own.tools,
            self.chat_search | own.chat_search,
            self.non_reasoning | own.non_reasoning,
            self.training | own.training,
            self.windows | own.windows,
            self.unpriced | own.unpriced,
        )


def sheet(top: Value) -> Sheet:
    """Judges a file; what is wrong is among `top.faults` afterwards."""
    fields = top.mapping(_TOP)
    found = Sheet()
    if "as_of" in fields:
        found.as_of = fields["as_of"].date()
    else:
        top.fault("needs as_of: the day of these prices, like 2026-11-24")
    for name, value in fields["models"].mapping().items() if "models" in fields else ():
        _model(found, name, value)
    if "tools" in fields:
        _tools(found, fields["tools"])
    if "fine_tuned" in fields:
        _training(found, fields["fine_tuned"])
    if "background_windows" in fields:
        windows = fields["background_windows"].mapping()
        windows.pop("check", None)
        found.windows = {name: Fraction(value.number()) for name, value in windows.items()}
    if "unpriced" in fields:
        found.unpriced = _names(found, fields["unpriced"])
    return found


def _names(found: Sheet, value: Value) -> frozenset[str]:
    for one in value.items():
        if one.text() in found.models or one.text() in found.aliases:
            one.fault("is unpriced and has a price above; keep one")
    return frozenset(one.text() for one in value.items())


def _model(found: Sheet, name: str, value: Value) -> None:
    fields = value.mapping(_MODEL)
    if "same_as" in fields:
        found.aliases[name] = (fields["same_as"], fields["same_as"].text())
        if len(fields) > 1:
            value.fault("has same_as, which takes over everything; leave the rest out")
        return
    listed = _listed(value, fields)
    found.models[name] = listed
    if not (listed.free or listed.prices or listed.units.keys() - {"about_second"}):
        value.fault("has no price; list it under `unpriced`, or say free: true")
    if not listed.long and any(long for _, long in listed.tiers.values()):
        value.fault("has long prices in a tier; say in `long` above how many input tokens")


def _listed(value: Value, fields: Mapping[str, Value]) -> Listed:
    tiers = fields["tiers"].mapping(TIERS) if "tiers" in fields else {}
    above, long = _long(fields.get("long"))
    most = fields["limits"].mapping(_LIMITS) if "limits" in fields else {}
    _described(fields)
    return Listed(
        at=value,
        mode=fields["mode"].word(MODES) if "mode" in fields else "chat",
        free="free" in fields and fields["free"].true(),
        prices=_prices(fields.get("usd_per_million")),
        long_above=above,
        long=long,
        tiers={name: _tier(one) for name, one in tiers.items()},
        units=_units(fields),
        tier_units={name: _units(one.mapping()) for name, one in tiers.items()},
        by_size=_sizes(fields.get("by_size")),
        regional_x=_factor(fields.get("regional_x")),
        max_input=_count(most.get("max_input_tokens")),
        max_output=_count(most.get("max_output_tokens")),
        shutdown=fields["shutdown"].date() if "shutdown" in fields else None,
    )


def _described(fields: Mapping[str, Value]) -> None:
    """What costs nothing but must be well-formed all the same."""
    if "endpoints" in fields:
        for endpoint in fields["endpoints"].items():
            endpoint.text()


def _count(value: Value | None) -> int | None:
    return value.count() if value else None


def _prices(value: Value | None) -> Prices:
    fields = value.mapping(KINDS) if value else {}
    return {kind: _pico(price, 1_000_000) for kind, price in fields.items()}


def _long(value: Value | None) -> tuple[int | None, Prices]:
    if value is None:
        return None, {}
    fields = value.mapping(("above_input_tokens", "usd_per_million"))
    if len(fields) < 2:
        value.fault("needs above_input_tokens and usd_per_million")
        return None, {}
    return fields["above_input_tokens"].count(), _prices(fields["usd_per_million"])


def _tier(value: Value) -> tuple[Prices, Prices]:
    fields = value.mapping(_TIER)
    if not fields:
        value.fault("lists no price; leave it out")
    return _prices(fields.get("usd_per_million")), _prices(fields.get("long_usd_per_million"))


def _units(fields: Mapping[str, Value]) -> Mapping[str, Fraction]:
    """Pico-dollars for a second, a character …: a minute's price need not divide by 60."""
    return {
        unit: Fraction(_pico(fields[name]), per)
        for name, (unit, per) in _UNITS.items()
        if name in fields
    }


def _sizes(value: Value | None) -> Mapping[str, tuple[Value, str]]:
    fields = value.mapping() if value else {}
    return {size: (name, name.text()) for size, name in fields.items()}


def _factor(value: Value | None) -> Fraction:
    return Fraction(value.number()) if value else Fraction(1)


def _tools(found: Sheet, value: Value) -> None:
    fields = value.mapping(_TOOLS)
    for tool in ("web_search", "file_search"):
        if tool in fields:
            found.tools[tool] = _fee(fields[tool], {"usd_per_1000_calls", *_SAID})
    if "web_search_preview" in fields:
        _preview(found, fields["web_search_preview"])
    models = fields["chat_search_models"].mapping() if "chat_search_models" in fields else {}
    found.chat_search = {
        name: _pico(price, 1000) for name, price in models.items() if name not in _SAID
    }
    if "container" in fields:
        _containers(found, fields["container"])


def _fee(value: Value, known: Collection[str], name: str = "usd_per_1000_calls") -> int:
    fields = value.mapping(known)
    if name in fields:
        return _pico(fields[name], 1000)
    value.fault(f"needs {name}")
    return 0


def _preview(found: Sheet, value: Value) -> None:
    plain = "usd_per_1000_calls_non_reasoning"
    known = {"usd_per_1000_calls", plain, "non_reasoning_models", *_SAID}
    found.tools["web_search_preview"] = _fee(value, known)
    found.tools["web_search_preview_non_reasoning"] = _fee(value, known, plain)
    names = value.mapping().get("non_reasoning_models")
    found.non_reasoning = frozenset(name.text() for name in names.items()) if names else frozenset()


def _containers(found: Sheet, value: Value) -> None:
    """A container costs its minimum: how long a session lasted is not visible."""
    fields = value.mapping({"usd_per_20_minutes", "minimum_minutes", *_SAID})
    if "usd_per_20_minutes" not in fields or "minimum_minutes" not in fields:
        value.fault("needs usd_per_20_minutes and minimum_minutes")
        return
    minutes = fields["minimum_minutes"].count()
    for size, price in fields["usd_per_20_minutes"].mapping().items():
        found.tools[f"container:{size}"] = _pico(price) * minutes // 20


def _training(found: Sheet, value: Value) -> None:
    names = ("name", "lookup", "training_usd_per_million", "training_usd_per_hour", "check")
    fields = value.mapping(names)
    if "training_usd_per_million" in fields:
        prices = fields["training_usd_per_million"].mapping()
        found.training = {name: _pico(price, 1_000_000) for name, price in prices.items()}


def _pico(value: Value, per: int = 1) -> int:
    try:
        return pico(value.number(), per)
    except ValueError as error:
        value.fault(str(error))
        return 0
