"""Calls of a log and limits for simulations, short to write."""

from typing import Any

from openai_gateway.config.kinds import Setting
from openai_gateway.config.policy import Limits
from openai_gateway.limits.arrival import Arrival
from openai_gateway.limits.rulings import Facts, Rulings
from openai_gateway.limits.simulate import Terms, simulate
from openai_gateway.limits.simulated import Simulated
from openai_gateway.limits.tiers import Tiers

BEGAN = 1_795_000_000_000_000
SECOND = 1_000_000


def came(at_s: float, model: str = "gpt-5-mini", **known: Any) -> Arrival:
    """A chat so many seconds after the log's beginning."""
    at = BEGAN + round(at_s * SECOND)
    endpoint = known.pop("endpoint", "chat.create")
    known.setdefault("id", f"gw_{at}")
    return Arrival(at, facts=Facts("default", model, "ci", endpoint), **known)


def limited(*rules: dict[str, Any], tiers: Tiers | None = None, **policy: Any) -> Rulings:
    read = Limits.model_validate({"rules": tuple(rules), **policy}, context=Setting())
    return Rulings(read, lambda _: "", tiers)


def run(calls: list[Arrival], rule: dict[str, Any], **terms: Any) -> Simulated:
    return simulate(calls, limited(rule), Terms(listed=1000, **terms))


def refusals(found: Simulated) -> list[tuple[float, str, float]]:
    """When each came, by what it was refused, and what it was told to wait."""
    return [
        ((met.call.at_us - BEGAN) / SECOND, met.limit.kind, met.wait_s)
        for met in found.met
        if not met.delayed
    ]


def delays(found: Simulated) -> list[tuple[float, float]]:
    """When each came that waited, and how long it did."""
    return [((m.call.at_us - BEGAN) / SECOND, m.wait_s) for m in found.met if m.delayed]
