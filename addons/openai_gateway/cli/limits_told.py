"""What a simulation found, for people and programs: times in UTC, shares, waits, who is meant."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from openai_gateway.cli.limits_given import Given

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from openai_gateway.limits.gauge import Tally
    from openai_gateway.limits.limit import Limit
    from openai_gateway.limits.simulate import Terms
    from openai_gateway.limits.simulated import Met, Simulated
    from openai_gateway.readiness.arrivals import Skipped

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """What is told: what was found, and for what."""

    found: "Simulated"
    skipped: "Skipped"
    given: Given
    terms: "Terms"
    top: int

    @property
    def waits(self) -> bool:
        """Whether calls were held."""
        return self.terms.max_wait_s is not None

    def unlisted(self) -> Mapping[str, int]:
        """Models that the tier's file does not name: their limits are its `default`."""
        tiers = self.given.tiers
        if tiers is None:
            return {}
        limited = self.found.models.items()
        return {name: calls for name, calls in limited if name and not tiers.lists(name)}


def as_json(told: Told) -> dict[str, Any]:
    """Times are ISO 8601 in UTC, shares from 0 to 1, waits in seconds; null where there is none."""
    found, terms = told.found, told.terms
    made: dict[str, Any] = {
        "limits": told.given.words,
        "on_limit": "wait" if told.waits else "reject",
        "max_wait_s": terms.max_wait_s,
        "scale": terms.scale,
        "from": _iso(found.began_us),
        "until": _iso(found.ended_us),
        "rows": [_tally_json(tally) for tally in found.tallies[: told.top]],
        "total": {
            "limits": len(found.tallies),
            "calls": found.calls,
            "refused": found.refused,
            "delayed": found.delayed,
            "share": _share(found.refused + found.delayed, found.calls),
            "longest_delay_s": _rounded(found.longest_delay_s),
            "first_refusal_at": _iso(found.first.call.at_us) if found.first else None,
        },
        "unlimited": _counts(found.unlimited, told.top),
        "unlisted": _counts(told.unlisted(), told.top),
        "skipped": {"handshakes": told.skipped.handshakes, "stopped": told.skipped.stopped},
        "set_back": found.set_back,
    }
    if terms.listed:
        made["calls"] = [_met_json(met) for met in found.met]
    return made


def _counts(counts: Mapping[str, int], top: int) -> list[dict[str, Any]]:
    told = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [{"model": name or None, "calls": calls} for name, calls in told[:top]]


def _tally_json(tally: "Tally") -> dict[str, Any]:
    limit = tally.limit
    return {
        "limit": limit.kind,
        "amount": limit.amount,
        "rule": limit.rule,
        "per": per(limit),
        "calls": tally.calls,
        "refused": tally.refused,
        "too_large": tally.too_large,
        "delayed": tally.delayed,
        "share": _share(tally.refused + tally.delayed, tally.calls),
        "longest_wait_s": _rounded(tally.longest_s),
        "peak_percent": round(tally.used_share * 100, 2),
        "first_refusal_at": _iso(tally.first_us),
    }


def _met_json(met: "Met") -> dict[str, Any]:
    call, facts = met.call, met.call.facts
    return {
        "id": call.id,
        "at": _iso(call.at_us),
        "key": facts.key,
        "model": facts.model or None,
        "client": facts.client,
        "endpoint": facts.endpoint,
        "action": "delayed" if met.delayed else "rejected",
        "limit": met.limit.kind,
        "rule": met.limit.rule,
        "wait_s": None if math.isinf(met.wait_s) else _rounded(met.wait_s),
    }


def per(limit: "Limit") -> dict[str, str]:
    """What the bucket is for: the model, the key, and so on."""
    pairs = (part.partition("=") for part in limit.bucket.split("|")[1:])
    return {name: value for name, is_said, value in pairs if is_said}


def _iso(at_us: int | None) -> str | None:
    return None if at_us is None else moment(at_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(at_us: int) -> datetime:
    """Microseconds since 1970 as a time in UTC."""
    return _EPOCH + timedelta(microseconds=at_us)


def _share(part: int, whole: int) -> float:
    return _rounded(part / whole) if whole else 0.0


def _rounded(number: float) -> float:
    return round(number, 6)
