"""Which model takes which one's place (`models.substitute`), and what forbids it whatever the call:
a dearer or unpriced model, one that is shut down, one of another class."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from openai_gateway.api.capabilities import Capabilities, Capable
from openai_gateway.api.dearer import dearer
from openai_gateway.api.prices import PriceTable
from openai_gateway.api.rates import Entry

WILD: Final = frozenset("*?[")
MOST_SEEN: Final = 1024
# The class of what rules/models.yaml does not list, where its price says what the model does. None
# of these is ever replaced: vectors of two models cannot be compared, and so on.
_BY_MODE: Final[Mapping[str, str]] = {
    "embedding": "embedding",
    "moderation": "moderation",
    "image_generation": "image",
    "video_generation": "video",
    "completion": "completion",
    "audio_speech": "speech",
    "audio_transcription": "transcription",
}


@dataclass(frozen=True, slots=True)
class Model:
    """One model with what is known of it; `can` is None where nothing is."""

    name: str
    price: Entry | None
    can: Capable | None

    @property
    def kind(self) -> str | None:
        """Its class; None where it is not known."""
        if self.can is not None:
            return self.can.kind
        return _BY_MODE.get(self.price.mode) if self.price else None


@dataclass(frozen=True, slots=True)
class Pair:
    """A model and its substitute. `why` is the reason that forbids it (`dearer`, `unpriced`,
    `shut_down`, `class`, `unknown`), `detail` says more."""

    requested: Model
    sent: Model
    why: str = ""
    detail: str = ""


class Pairs:
    """The section's answer for every model that calls name."""

    def __init__(
        self, substitute: Mapping[str, str], prices: PriceTable, capabilities: Capabilities
    ) -> None:
        self._exact = {name: to for name, to in substitute.items() if WILD.isdisjoint(name)}
        globs = [name for name in substitute if name not in self._exact]
        self._globs = [(glob, substitute[glob]) for glob in sorted(globs, key=_exactness)]
        self._prices = prices
        self._capabilities = capabilities
        self.of = lru_cache(maxsize=MOST_SEEN)(self._of)

    def __bool__(self) -> bool:
        return bool(self._exact or self._globs)

    def _of(self, model: str, today: date) -> Pair | None:
        """The pair of a model on that day; None where it is to be sent as it is. The most exact
        pattern decides, and what it names is never looked up again."""
        to = self._exact.get(model)
        if to is None:
            to = next((to for glob, to in self._globs if fnmatchcase(model, glob)), model)
        return None if to == model else self.pair(model, to, today)

    def pair(self, requested: str, sent: str, today: date) -> Pair:
        """The two with what forbids it."""
        one, other = self._model(requested), self._model(sent)
        why, detail = _forbidden(one, other, today)
        return Pair(one, other, why, detail)

    def _model(self, name: str) -> Model:
        price = self._prices.lookup(name)
        can = self._capabilities.lookup(name)
        if can is None and price is not None:
            can = self._capabilities.lookup(price.name)  # an alias of the price list
        return Model(name, price, can)


def today() -> date:
    """The day by which models are shut down."""
    return datetime.now(UTC).date()


def _exactness(glob: str) -> tuple[int, int]:
    """The most exact glob comes first: the one with the most letters of its own."""
    return -sum(sign not in WILD for sign in glob), sum(sign in WILD for sign in glob)


def _forbidden(requested: Model, sent: Model, on: date) -> tuple[str, str]:
    if sent.price is None:
        return "unpriced", f"{sent.name} has no price in the list"
    if sent.price.shutdown is not None and sent.price.shutdown <= on.isoformat():
        return "shut_down", f"{sent.name} was shut down on {sent.price.shutdown}"
    if requested.kind and sent.kind and requested.kind != sent.kind:
        return "class", f"{requested.name} is of the class {requested.kind}, not {sent.kind}"
    if sent.can is None and sent.kind is not None:
        return "class", f"models of the class {sent.kind} never take another's place"
    if requested.price is None:
        return "unpriced", f"{requested.name} has no price, so nobody can say which is dearer"
    kind = dearer(requested.price, sent.price)
    if kind is not None:
        return "dearer", f"{sent.name} costs more for {kind} than {requested.name}"
    return _unknown(requested, sent)


def _unknown(requested: Model, sent: Model) -> tuple[str, str]:
    for model in (requested, sent):
        if model.can is None:
            return "unknown", f"rules/models.yaml does not know {model.name}"
    if sent.can is not None and not sent.can.endpoints:
        return "unknown", f"rules/models.yaml names no endpoint where {sent.name} may stand in"
    return "", ""


@dataclass(frozen=True, slots=True)
class Remark:
    """What is wrong with one entry of `models.substitute`; not `grave`: it starts all the same."""

    pattern: str
    message: str
    grave: bool


def remarks(
    substitute: Mapping[str, str], prices: PriceTable, capabilities: Capabilities, on: date
) -> Iterator[Remark]:
    """What can be told of the section before any call."""
    pairs = Pairs(substitute, prices, capabilities)
    for pattern, to in substitute.items():
        if not WILD.isdisjoint(to):
            yield Remark(pattern, f"must name one model, not a pattern ({to})", grave=True)
        elif pattern == to:
            yield Remark(pattern, "names itself as its substitute; take it out", grave=True)
        elif _leads_back(substitute, pattern):
            message = f"leads back to itself by {to}; nothing is chained: take one of them out"
            yield Remark(pattern, message, grave=True)
        else:
            yield from _judged(pairs, pattern, to, prices.names, on)
            yield from _chained(substitute, pattern, to)


def _leads_back(substitute: Mapping[str, str], pattern: str) -> bool:
    name = pattern
    for _ in substitute:
        name = substitute.get(name, "")
        if name == pattern:
            return True
    return False


def _judged(
    pairs: Pairs, pattern: str, to: str, names: frozenset[str], on: date
) -> Iterator[Remark]:
    exact = WILD.isdisjoint(pattern)
    known = names if not exact else frozenset({pattern})
    found = sorted(name for name in known if fnmatchcase(name, pattern) and name != to)
    if exact and pattern not in names:
        found = []
    told = [pairs.pair(name, to, on) for name in found]
    wrong = [pair for pair in told if pair.why]
    if not told:
        fault = pairs.pair(pattern, to, on)
        if fault.sent.price is None or fault.why == "shut_down":
            yield Remark(pattern, f"{fault.detail}; name another model", grave=True)
        else:
            yield Remark(pattern, "fits no model of the price list", grave=False)
    elif len(wrong) == len(told):
        unsure = any(pair.why == "unknown" for pair in wrong)
        end = "no call will have its model replaced" if unsure else "name another model"
        yield Remark(pattern, f"{wrong[0].detail}; {end}", grave=not unsure)
    elif dear := [pair.requested.name for pair in wrong if pair.why != "unknown"]:
        shown = ", ".join(dear[:3]) + (f" and {len(dear) - 3} more" if len(dear) > 3 else "")
        yield Remark(pattern, f"never holds for {shown}: {wrong_word(wrong)}", grave=False)


def wrong_word(wrong: list[Pair]) -> str:
    """Why some models of a pattern keep their place, in a few words."""
    said = {
        "dearer": "the substitute is dearer",
        "class": "of another class",
        "unpriced": "without a price",
    }
    return ", ".join(dict.fromkeys(said[pair.why] for pair in wrong if pair.why in said))


def _chained(substitute: Mapping[str, str], pattern: str, to: str) -> Iterator[Remark]:
    other = next((glob for glob in substitute if fnmatchcase(to, glob) and glob != pattern), None)
    if other is not None and substitute[other] != to:
        message = f"is sent as {to}, although {other} has a substitute too: nothing is chained"
        yield Remark(pattern, message, grave=False)
