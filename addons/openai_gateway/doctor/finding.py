"""What a probe says: a finding with its evidence and its fix; of several parts the worst counts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from openai_gateway.doctor.site import Site

type Status = Literal["pass", "warn", "fail", "unknown"]

# from harmless to grave: what is not known says less than what is known to be wrong
_ORDER: Final[Mapping[Status, int]] = {"pass": 0, "unknown": 1, "warn": 2, "fail": 3}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor; `fix` is empty where nothing is to be done."""

    id: str
    status: Status
    evidence: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the things that a finding is about."""

    status: Status
    evidence: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What one probe found. `clocks`: how many seconds others are ahead of this machine."""

    findings: tuple[Finding, ...]
    clocks: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Probe:
    """`ids` are those of its findings, so that one which fails or hangs still has its lines.

    `elsewhere`: whether it can tell anything on a machine that only uses the gateway. `outward`:
    whether it speaks to more than this machine and the gateway's own database and store.
    """

    ids: tuple[str, ...]
    look: Callable[["Site"], Told]
    elsewhere: bool = False
    outward: bool = False


def told(name: str, parts: Sequence[Part], clocks: Mapping[str, float] | None = None) -> Told:
    """One finding of these parts: the worst status, its evidence first, every fix once."""
    worst: Status = max((part.status for part in parts), key=_ORDER.__getitem__, default="unknown")
    ordered = sorted(parts, key=lambda part: -_ORDER[part.status])
    return Told(
        (Finding(name, worst, _joined(p.evidence for p in ordered), _fixes(ordered)),),
        clocks or {},
    )


def unknown(names: Iterable[str], evidence: str, fix: str) -> Told:
    """The same for each of these ids: it could not be told."""
    return Told(tuple(Finding(name, "unknown", evidence, fix) for name in names))


def _fixes(parts: Iterable[Part]) -> str:
    return _joined(part.fix for part in parts if part.status != "pass")


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))
