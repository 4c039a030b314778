"""Production's own timing by model, from a file that `openai-gateway profile learn` writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openai_gateway.api.price_file import PriceFileError, Value, read

LONGEST_MS: Final = 3_600_000.0


@dataclass(frozen=True, slots=True)
class LearnedQuantiles:
    """In milliseconds."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class LearnedLatency:
    """How fast a model answers; without `tokens_per_s` only its first event is held."""

    ttft_ms: LearnedQuantiles
    tokens_per_s: float | None


def load(path: Path) -> Mapping[str, LearnedLatency]:
    """The section `latency` of the file; what else it holds is for others.

    Raises: OSError; PriceFileError with every fault's file, line and column.
    """
    top = read(path)
    found = top.mapping()
    if "latency" not in found:
        top.fault("lacks `latency`; write it with `openai-gateway profile learn`")
    models = found["latency"].mapping() if "latency" in found else {}
    made = {name: _latency(value) for name, value in models.items()}
    if top.faults:
        raise PriceFileError(top.faults)
    return made


def _latency(value: Value) -> LearnedLatency:
    fields = value.mapping(("ttft_ms", "tokens_per_s"))
    if "ttft_ms" not in fields:
        value.fault("lacks `ttft_ms`: {p50: MILLISECONDS, p95: MILLISECONDS}")
    quantiles = _quantiles(fields["ttft_ms"]) if "ttft_ms" in fields else LearnedQuantiles(0, 0)
    said = fields.get("tokens_per_s")
    return LearnedLatency(quantiles, _rate(said) if said is not None else None)


def _quantiles(value: Value) -> LearnedQuantiles:
    fields = value.mapping(("p50", "p95"))
    for name in ("p50", "p95"):
        if name not in fields:
            value.fault(f"lacks `{name}`, in milliseconds")
    p50, p95 = (_milliseconds(fields[name]) if name in fields else 0.0 for name in ("p50", "p95"))
    if len(fields) == 2 and p95 < p50:
        fields["p95"].fault("is below the p50; the p95 is the longer one")
    elif len(fields) == 2 and p50 == 0 < p95:
        fields["p50"].fault("is 0 and the p95 is not: no distribution fits; give at least 1")
    return LearnedQuantiles(p50, p95)


def _milliseconds(value: Value) -> float:
    number = float(value.number())
    if number > LONGEST_MS:
        value.fault("is above an hour; it is in milliseconds")
    return number


def _rate(value: Value) -> float | None:
    if value.node.value in ("null", "~", ""):
        return None
    number = float(value.number())
    if number <= 0:
        value.fault("must be above 0, or left out")
    return number
