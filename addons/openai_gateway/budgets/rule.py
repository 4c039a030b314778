"""A budget of gateway.yaml made ready: money as exact nano-dollars, thresholds as amounts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil
from typing import Final

from openai_gateway.budgets.period import Kind
from openai_gateway.config.policy import Budget
from openai_gateway.core.secret import Secret

NANO_PER_USD: Final = 10**9

type Thresholds = tuple[tuple[str, int], ...]
"""Each share of the limit as it is written, and the spend in nano-dollars that reaches it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One budget. `limit` is what gateway.yaml says; an override may stand in its place."""

    name: str
    limit: int
    period: Kind
    zone: str
    hard: bool
    worst: bool
    shares: tuple[float, ...]
    where: str = ""
    webhooks: tuple[Secret, ...] = field(default=(), repr=False)

    def thresholds(self, limit: int) -> Thresholds:
        """The amounts at which somebody is told, of this limit."""
        return tuple((str(share), ceil(Fraction(str(share)) * limit)) for share in self.shares)


def rules(
    budgets: Sequence[Budget],
    where: Callable[[str], str] = lambda _: "",
    webhooks: Sequence[Secret] = (),
) -> tuple[Rule, ...]:
    """The budgets of a configuration; `where` tells the file and line of a field, `webhooks` are
    told of budgets that name none of their own."""
    return tuple(
        Rule(
            name=one.name,
            limit=nano_of(one.usd),
            period=one.period,
            zone=one.timezone,
            hard=one.hard,
            worst=one.reserve == "worst",
            shares=tuple(sorted(set(one.alert_at))),
            where=where(f"budgets.{place}"),
            webhooks=(one.webhook.secret,) if one.webhook else tuple(webhooks),
        )
        for place, one in enumerate(budgets)
    )


def nano_of(usd: float | Decimal) -> int:
    """Dollars as nano-dollars, half up: of what was written, not of the float beside it."""
    return int((Decimal(str(usd)) * NANO_PER_USD).to_integral_value(ROUND_HALF_UP))
