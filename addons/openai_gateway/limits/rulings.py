"""Which limits hold for a call: own rules first, then the profile, then the published tier.

The first rule that names a kind wins for that kind; what it leaves open the next in line may name.
So a call has one limit of a kind at most.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, NamedTuple, Protocol

from openai_gateway.core.match import Match
from openai_gateway.limits.limit import Kind, Limit
from openai_gateway.limits.profile import Profile
from openai_gateway.limits.tiers import Amounts, Tiers

KINDS: Final[tuple[Kind, ...]] = ("rpm", "tpm", "rpd", "tpd", "ipm", "concurrency")
WEIGHED: Final = frozenset(("tpm", "tpd", "ipm"))
MOST_CACHED: Final = 4096
ALL: Final = "all"
UNNAMED: Final = "unknown"


class Facts(NamedTuple):
    """What a limit may hang on. `model` is empty where the call names none."""

    key: str
    model: str
    client: str
    endpoint: str


class Rule(Protocol):
    """An entry of limits.rules. An amount that is None is not named."""

    @property
    def name(self) -> str: ...
    @property
    def match(self) -> Match: ...
    @property
    def per(self) -> Sequence[str]: ...


class Policy(Protocol):
    """What of the section `limits` says how much."""

    @property
    def rules(self) -> Sequence[Rule]: ...
    @property
    def tier(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Ruling:
    """The limits of a call; `long` holds instead where its input is above `above` tokens.

    `weighs`: whether any of them counts tokens or images, so that an estimate is needed.
    """

    limits: tuple[Limit, ...] = ()
    above: int | None = None
    long: tuple[Limit, ...] = ()
    weighs: bool = field(init=False)

    def __post_init__(self) -> None:
        weighs = any(limit.kind in WEIGHED for limit in (*self.limits, *self.long))
        object.__setattr__(self, "weighs", weighs)

    def at(self, input_tokens: int) -> tuple[Limit, ...]:
        """The limits for an input of this size."""
        return self.long if self.above is not None and input_tokens > self.above else self.limits


class Rulings:
    """One configuration's limits; a ruling is worked out once for each kind of call."""

    __slots__ = ("_cache", "_policy", "_profile", "_tiers", "_where")

    def __init__(
        self,
        policy: Policy,
        where: Callable[[str], str],
        tiers: Tiers | None = None,
        profile: Profile | None = None,
    ) -> None:
        """`where`: a field's `gateway.yaml:LINE`, for messages; `tiers` is needed with a tier."""
        self._policy = policy
        self._where = where
        self._tiers = tiers
        self._profile = profile
        self._cache: dict[Facts, Ruling] = {}

    def of(self, facts: Facts) -> Ruling:
        """The limits of a call. A client that makes names up empties the cache, no more."""
        found = self._cache.get(facts)
        if found is None:
            if len(self._cache) >= MOST_CACHED:
                self._cache.clear()
            found = self._cache[facts] = self._ruling(facts)
        return found

    def _ruling(self, facts: Facts) -> Ruling:
        named: dict[Kind, Limit] = {}
        for limit in (*self._own(facts), *self._profiled(facts)):
            named.setdefault(limit.kind, limit)
        if self._tiers is None or self._policy.tier is None or not facts.model:
            return Ruling(_ordered(named))
        published = self._tiers.of(self._policy.tier, facts.model)
        tier = self._limits("tier", f"tier {self._policy.tier}", published.pool, published.amounts)
        usual = _ordered({limit.kind: limit for limit in tier} | named)
        if published.above is None:
            return Ruling(usual)
        name = f"tier {self._policy.tier} long context"
        tier = self._limits("tier", name, published.pool, published.long)
        return Ruling(usual, published.above, _ordered({one.kind: one for one in tier} | named))

    def _own(self, facts: Facts) -> Iterator[Limit]:
        """In the order of the rules: the first of a kind wins."""
        for number, rule in enumerate(self._policy.rules):
            if holds(rule.match, facts):
                yield from self._ruled(rule, number, facts)

    def _ruled(self, rule: Rule, number: int, facts: Facts) -> Iterator[Limit]:
        where = self._where(f"limits.rules.{number}")
        values = "".join(f"|{name}={getattr(facts, name) or UNNAMED}" for name in sorted(rule.per))
        labels = (
            facts.key if "key" in rule.per else ALL,
            (facts.model or UNNAMED) if "model" in rule.per else ALL,
        )
        for kind, amount in amounts_of(rule).items():
            yield Limit(kind, amount, f"rule:{rule.name}{values}", rule.name, where, labels)

    def _profiled(self, facts: Facts) -> list[Limit]:
        found = self._profile.of(facts.model) if self._profile and facts.model else None
        return self._limits("profile", "profile", *found) if found else []

    def _limits(self, field: str, rule: str, pool: str, amounts: Amounts) -> list[Limit]:
        """Limits per model, one bucket for all keys: as an organization has them."""
        where = self._where(f"limits.{field}")
        return [
            Limit(kind, amount, f"{rule}|model={pool}", rule, where, (ALL, pool))
            for kind, amount in amounts.items()
        ]


def holds(match: Match, facts: Facts) -> bool:
    """Whether each field that the match names holds for the call."""
    return (
        _any(match.key, facts.key)
        and _any(match.model, facts.model)
        and _any(match.client, facts.client)
        and _any(match.endpoint, facts.endpoint)
    )


def amounts_of(rule: Rule) -> dict[Kind, int]:
    """What a rule names."""
    told = {kind: getattr(rule, kind) for kind in KINDS}
    return {kind: amount for kind, amount in told.items() if amount is not None}


def _any(globs: Sequence[str] | None, value: str) -> bool:
    return globs is None or any(fnmatchcase(value, glob) for glob in globs)


def _ordered(named: Mapping[Kind, Limit]) -> tuple[Limit, ...]:
    return tuple(named[kind] for kind in KINDS if kind in named)
