"""How long answers are held to be as slow as production's: shape.latency.

The time to the first event is drawn from the log-normal distribution through the two points that
are given, p50 and p95. The draws are stratified: they walk through the distribution by the golden
ratio, so that any 30 in a row lie spread over all of it, and show both points already.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from statistics import NormalDist
from typing import Final, Protocol

from openai_gateway.core.call import Call
from openai_gateway.core.verdict import PASS, Pass, Verdict
from openai_gateway.staging.plan import Plan

GOLDEN: Final = (math.sqrt(5) - 1) / 2
NORMAL: Final = NormalDist()
Z95: Final = NORMAL.inv_cdf(0.95)
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


@dataclass(slots=True)
class Draws:
    """The times to the first event of one entry, one after the other, in seconds."""

    p50_ms: float
    p95_ms: float
    tokens_per_s: float | None
    _at: float = field(default=0.0, repr=False)

    def next(self) -> float:
        if self.p50_ms <= 0:
            return 0.0
        self._at = (self._at + GOLDEN) % 1.0
        share = min(max(self._at, FURTHEST), 1 - FURTHEST)
        sigma = math.log(self.p95_ms / self.p50_ms) / Z95
        return self.p50_ms / 1000 * math.exp(sigma * NORMAL.inv_cdf(share))


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
        ttft_s = draws.next()
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
    start = Random(None if seed is None else f"{seed}:{glob}").random()  # noqa: S311  # no secret
    return Draws(entry.ttft_ms.p50, entry.ttft_ms.p95, entry.tokens_per_s, start)
