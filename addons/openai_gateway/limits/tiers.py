"""OpenAI's published limits by usage tier and model, as rules/limits.yaml tells them. Every model
has an answer: what the file does not list gets its tier's `default`, in a pool of its own."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from yaml.nodes import SequenceNode

from openai_gateway.api.price_file import PriceFileError, Value, read
from openai_gateway.limits.limit import Kind

type Amounts = Mapping[Kind, int]
type ByTier = Mapping[int, Amounts]

TIERS: Final = range(1, 6)
# OpenAI publishes no tokens per day and no concurrency of requests.
KINDS: Final[tuple[Kind, ...]] = ("rpm", "tpm", "rpd", "ipm")
SURE: Final = ("agree", "one", "differ", "assumed")
_NONE: Final[Amounts] = {}
_SNAPSHOT: Final = re.compile(r"(.+)-[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SEEN: Final = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])(?:-[0-3][0-9])?")
_TOP: Final = ("as_of", "source", "check", "rules", "default", "families", "long_context")


@dataclass(frozen=True, slots=True)
class Published:
    """One model's limits in one tier. Models of one `pool` share their buckets.

    A request whose input is above `above` tokens is held to `long` instead, in buckets of its own.
    """

    pool: str
    amounts: Amounts
    above: int | None = None
    long: Amounts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Family:
    """What is the same for all its pools; `above` of a family of long context only."""

    tiers: ByTier
    above: int | None = None


class Tiers:
    """The file, read; built once, asked once for each model that calls name."""

    __slots__ = ("_default", "_families", "_long", "_pools", "as_of")

    def __init__(self, top: Value) -> None:
        """`top` may hold faults, which the reader has recorded: `load` judges."""
        found = top.mapping(_TOP)
        self._pools: dict[str, str] = {}
        self._families: dict[str, _Family] = {}
        self._long: dict[str, _Family] = {}
        sources = found["source"].mapping() if "source" in found else {}
        self.as_of = found["as_of"].date() if "as_of" in found else _missing(top, "as_of")
        self._default = self._read_default(top, found, sources)
        for value in _each(found, "families"):
            self._read_family(value, sources)
        for value in _each(found, "long_context"):
            self._read_long(value, sources)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises: OSError; PriceFileError with every fault's file, line and column."""
        top = read(path)
        made = cls(top)
        if top.faults:
            raise PriceFileError(top.faults)
        return made

    def of(self, tier: int, model: str) -> Published:
        """The limits of a model: by its name, without its date, or as a fine-tune of its base."""
        name = next((name for name in listed_as(model) if name in self._pools), None)
        if name is None:
            return Published(model, self._default.tiers[tier])
        pool = self._pools[name]
        long = self._long.get(pool)
        return Published(
            pool,
            self._families[pool].tiers[tier],
            long.above if long else None,
            long.tiers[tier] if long else _NONE,
        )

    def lists(self, model: str) -> bool:
        """Whether the file names the model, by one of its names; else it gets `default`."""
        return any(name in self._pools for name in listed_as(model))

    def names(self) -> frozenset[str]:
        """All models that the file lists."""
        return frozenset(self._pools)

    def _read_default(
        self, top: Value, found: Mapping[str, Value], sources: Mapping[str, Value]
    ) -> _Family:
        if "default" not in found:
            _missing(top, "default")
            return _Family(dict.fromkeys(TIERS, _NONE))
        fields = found["default"].mapping(("tiers", "check"))
        _checked(found["default"], fields, sources)
        return _Family(_tiers(found["default"], fields))

    def _read_family(self, value: Value, sources: Mapping[str, Value]) -> None:
        fields = value.mapping(("models", "tiers", "check"))
        _checked(value, fields, sources)
        family = _Family(_tiers(value, fields))
        for pool in fields["models"].items() if "models" in fields else ():
            names = list(_names(pool))
            for said, name in names:
                if name in self._pools:
                    said.fault("is listed twice; keep it once")
                self._pools[name] = names[0][1]
            if names:
                self._families[names[0][1]] = family

    def _read_long(self, value: Value, sources: Mapping[str, Value]) -> None:
        fields = value.mapping(("models", "above_input_tokens", "tiers", "check"))
        _checked(value, fields, sources)
        above = fields["above_input_tokens"].count() if "above_input_tokens" in fields else None
        if above is None:
            _missing(value, "above_input_tokens")
        family = _Family(_tiers(value, fields), above)
        for said in fields["models"].items() if "models" in fields else ():
            name = said.text()
            if name not in self._families:
                said.fault("is no model that `families` lists first in a pool")
            self._long[name] = family


def listed_as(model: str) -> Iterator[str]:
    """The names under which a model may be listed, the most exact first."""
    yield model
    yield _undated(model)
    if model.startswith("ft:"):
        base = model.split(":", 2)[1]
        yield base
        yield _undated(base)


def amounts(value: Value, kinds: tuple[Kind, ...]) -> dict[Kind, int]:
    """{KIND: N}, as a file writes it; recorded faults leave out what they are about."""
    fields = value.mapping(kinds)
    return {kind: fields[kind].count() for kind in kinds if kind in fields}


def _undated(model: str) -> str:
    found = _SNAPSHOT.fullmatch(model)
    return found[1] if found else model


def _each(found: Mapping[str, Value], name: str) -> Iterator[Value]:
    yield from found[name].mapping().values() if name in found else ()


def _names(pool: Value) -> Iterator[tuple[Value, str]]:
    """The names of a pool: one text, or a list of them."""
    several = isinstance(pool.node, SequenceNode)
    for value in pool.items() if several else [pool]:
        yield value, value.text()


def _tiers(value: Value, fields: Mapping[str, Value]) -> dict[int, Amounts]:
    """The amounts of each tier; a fault for one that is left out."""
    if "tiers" not in fields:
        _missing(value, "tiers")
        return dict.fromkeys(TIERS, _NONE)
    given = fields["tiers"].mapping([str(tier) for tier in TIERS])
    found: dict[int, Amounts] = {}
    for tier in TIERS:
        if str(tier) not in given:
            _missing(fields["tiers"], str(tier))
        found[tier] = amounts(given[str(tier)], KINDS) if str(tier) in given else _NONE
    return found


def _checked(value: Value, fields: Mapping[str, Value], sources: Mapping[str, Value]) -> None:
    """Numbers without a source are no facts: who says so, when, and how sure it is."""
    if "check" not in fields:
        _missing(value, "check")
        return
    check = fields["check"].mapping(("by", "seen", "sure", "note"))
    for name in ("by", "seen", "sure"):
        if name not in check:
            _missing(fields["check"], name)
    for source in check["by"].items() if "by" in check else ():
        source.word(sources)
    if "seen" in check and not _SEEN.fullmatch(check["seen"].text()):
        check["seen"].fault("must be a month or a day, like 2026-10 or 2026-10-05")
    unsure = "sure" in check and check["sure"].word(SURE) in ("differ", "assumed")
    if unsure and "note" not in check:
        check["sure"].fault("needs a note that says why")


def _missing(value: Value, name: str) -> str:
    value.fault(f"lacks `{name}`; add it")
    return ""
