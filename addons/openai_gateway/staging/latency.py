"""How long answers are held to be as slow as production's: shape.latency.

The time to the first event is drawn from the log-normal distribution through the two points that
are given, p50 and p95. The draws are stratified: of any ten in a row each comes from another tenth
of the distribution, and the one of the slowest tenth is the p95 itself (each tenth of those lies
beyond it). So 30 calls already show both points.
"""

import math
from collections.abc import Mapping
from fnmatch import fnmatchcase
from random import Random
from statistics import NormalDist
from typing import Final, Protocol

from openai_gateway.core.call import Call
from openai_gateway.core.verdict import PASS, Pass, Verdict
from openai_gateway.staging.plan import Plan

STRATA: Final = 10
STRIDE: Final = 3  # no common factor with STRATA: every tenth has its turn, neighbours lie apart
NORMAL: Final = NormalDist()
SLOWEST: Final = 0.95
Z95: Final = NORMAL.inv_cdf(SLOWEST)
# No draw lies further out: one in 1,000 calls would else take many times the p95.
FURTHEST: Final = 0.001
_WILD: Final = "*?["


class Quantiles(Protocol):
    """In milliseconds."""

    @property
    def p50(self) -> float: ...
    @property
    def p95(self) -> float: ...


class Latency(Protocol):
    """An entry of shape.latency."""

    @property
    def ttft_ms(self) -> Quantiles: ...
    @property
    def tokens_per_s(self) -> float | None: ...


class Draws:
    """The times to the first event of one entry, one after the other."""

    __slots__ = ("_chance", "_middle_s", "_sigma", "_stratum", "_tops", "tokens_per_s")

    def __init__(self, entry: Latency, chance: Random) -> None:
        p50, p95 = entry.ttft_ms.p50, entry.ttft_ms.p95
        self.tokens_per_s = entry.tokens_per_s
        self._middle_s = p50 / 1000
        self._sigma = math.log(p95 / p50) / Z95 if p50 > 0 else 0.0
        self._chance = chance
        self._stratum = chance.randrange(STRATA)
        self._tops = chance.randrange(STRATA)

    def next_s(self) -> float:
        """In seconds."""
        return self._middle_s * math.exp(self._sigma * NORMAL.inv_cdf(self._share()))

    def _share(self) -> float:
        """Which share of all calls is faster than the next one."""
        self._stratum = (self._stratum + STRIDE) % STRATA
        if self._stratum < STRATA - 1:
            within = max(FURTHEST, self._chance.random())
            return (self._stratum + within) / STRATA
        self._tops = (self._tops + 1) % STRATA
        return SLOWEST if self._tops else self._chance.uniform(SLOWEST, 1 - FURTHEST)


class Slowed:
    """The stage that plans when an answer may be there. `table`: None or empty plans nothing."""

    name: Final = "latency"
    limit_s: Final = 1.0

    def __init__(self, mode: str, seed: int | None, table: Mapping[str, Latency] | None) -> None:
        entries = sorted((table or {}).items(), key=lambda item: _exactness(item[0]))
        self._entries = [(glob, _draws(seed, glob, entry)) for glob, entry in entries]
        self._on = mode != "off" and bool(entries)
        self._enforced = mode == "enforce"

    def check(self, call: Call) -> Verdict:
        """The model that was asked for decides, as production would send that one."""
        if not self._on or call.websocket or call.model_requested is None:
            return PASS
        draws = self._of(call.model_requested)
        if draws is None:
            return PASS
        ttft_s = draws.next_s()
        if not self._enforced:
            return Pass(f"would_delay: {round(ttft_s * 1000)} ms to the first event")
        plan = call.plan if isinstance(call.plan, Plan) else Plan()
        call.plan = plan.with_latency(ttft_s, draws.tokens_per_s)
        return Pass(f"planned: {round(ttft_s * 1000)} ms to the first event")

    def _of(self, model: str) -> Draws | None:
        return next((draws for glob, draws in self._entries if fnmatchcase(model, glob)), None)


def _exactness(glob: str) -> tuple[bool, int, str]:
    """A name before globs; of globs the one that spells out most."""
    plain = sum(sign not in _WILD for sign in glob)
    return (plain != len(glob), -plain, glob)


def _draws(seed: int | None, glob: str, entry: Latency) -> Draws:
    return Draws(entry, Random(None if seed is None else f"{seed}:{glob}"))  # noqa: S311  # no secret
