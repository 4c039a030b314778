"""Whether this machine's clock is right, by what the upstream, the database and Redis say.

Certificates, budgets' periods and limits' windows all hang on it.
"""

from collections.abc import Mapping
from typing import Final

from openai_gateway.doctor.finding import Part, Told, told, unknown

ODD_S: Final = 5.0
WRONG_S: Final = 60.0
_FIX: Final = "set this machine's clock by NTP (timedatectl set-ntp true), or the other's"


def judged(clocks: Mapping[str, float]) -> Told:
    """By how many seconds each of these clocks is ahead of this machine's."""
    if not clocks:
        return unknown(("clock",), "nothing to compare with answered", "look at `upstream` first")
    return told("clock", [_part(name, ahead) for name, ahead in sorted(clocks.items())])


def _part(name: str, ahead: float) -> Part:
    off = abs(ahead)
    if off < ODD_S:
        return Part("pass", f"{name}: within {ODD_S:g} s")
    direction = "ahead of" if ahead > 0 else "behind"
    status = "fail" if off >= WRONG_S else "warn"
    return Part(status, f"{name}: {off:.0f} s {direction} this machine", _FIX)  # type: ignore[arg-type]
