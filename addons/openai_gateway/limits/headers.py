"""The x-ratelimit-* headers: ours in OpenAI's syntax, and which of ours and OpenAI's is shown.

For requests and for tokens the one with fewer remaining is shown, its three values together.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from openai_gateway.core.call import Call
from openai_gateway.limits.limit import Kind, State
from openai_gateway.limits.reservation import Reservation

type Fields = tuple[tuple[str, str], ...]

FAMILIES: Final[Mapping[str, tuple[Kind, ...]]] = {
    "requests": ("rpm", "rpd"),
    "tokens": ("tpm", "tpd"),
}
_REMAINING: Final = re.compile(r"[0-9]{1,15}")
_S: Final = 1000
_MIN: Final = 60 * _S
_HOUR: Final = 60 * _MIN


def duration(milliseconds: int) -> str:
    """As OpenAI writes it: `20ms`, `1.5s`, `6m0s`, `14h29m11.04s`."""
    if 0 < milliseconds < _S:
        return f"{milliseconds}ms"
    hours, rest = divmod(milliseconds, _HOUR)
    minutes, rest = divmod(rest, _MIN)
    seconds = f"{rest // _S}.{rest % _S:03d}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds


def milliseconds(seconds: float) -> int:
    """Rounded up: whoever waits as told must not come too early."""
    return -(-round(seconds * 1_000_000) // 1000)


def tightest(states: Sequence[State], family: str) -> State | None:
    """The state with the fewest remaining, of requests or of tokens."""
    found = [state for state in states if state.limit.kind in FAMILIES[family]]
    return min(found, key=lambda state: state.remaining, default=None)


def ours(states: Sequence[State]) -> Fields:
    """All that our own limits say."""
    found: Fields = ()
    for family in FAMILIES:
        state = tightest(states, family)
        if state is not None:
            found += _three(state, family)
    return found


def headers_for(call: Call, upstream: Mapping[str, str]) -> Fields:
    """What is to be set on an answer that passes; the rest of OpenAI's headers stay as they are.

    `upstream` is the answer's head, with names in lower case (or without regard to case).
    """
    held = call.reserved
    if not isinstance(held, Reservation) or not held.shown:
        return ()
    found: Fields = ()
    for family in FAMILIES:
        state = tightest(held.states, family)
        if state is not None and _tighter(state, upstream, family):
            found += _three(state, family)
    return found


def _tighter(state: State, upstream: Mapping[str, str], family: str) -> bool:
    """Whether ours is to be shown. What OpenAI tells and cannot be read decides nothing."""
    told = upstream.get(f"x-ratelimit-remaining-{family}", "")
    return not _REMAINING.fullmatch(told) or state.remaining < int(told)


def _three(state: State, family: str) -> Fields:
    return (
        (f"x-ratelimit-limit-{family}", str(state.limit.amount)),
        (f"x-ratelimit-remaining-{family}", str(state.remaining)),
        (f"x-ratelimit-reset-{family}", duration(milliseconds(state.reset_s))),
    )
