"""What a call hears that a limit refuses: OpenAI's own wording, numbers and durations, so that what
handles the refusal in staging handles production's."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from openai_gateway.api.errors import refusal
from openai_gateway.core.verdict import Refusal
from openai_gateway.limits.bucket import PERIODS_US, SECOND_US
from openai_gateway.limits.headers import duration, milliseconds, ours
from openai_gateway.limits.limit import Charge, Kind, State

CODE: Final = "rate_limit_exceeded"
# The Node SDK waits no longer than this, and would come back early instead.
LONGEST_RETRY_S: Final = 60
WORDS: Final[Mapping[Kind, str]] = {
    "rpm": "requests per min (RPM)",
    "tpm": "tokens per min (TPM)",
    "rpd": "requests per day (RPD)",
    "tpd": "tokens per day (TPD)",
    "ipm": "images per min (IPM)",
    "concurrency": "concurrent requests",
}
_OF_TOKENS: Final = frozenset(("tpm", "tpd"))
_LESS_TOKENS: Final = "The input or output tokens must be reduced in order to run successfully."
_LESS_IMAGES: Final = "The number of images must be reduced in order to run successfully."


def longest(states: Sequence[State]) -> int:
    """Which of the states is the refusal's: the one with the longest wait, the first of equals."""
    return max(range(len(states)), key=lambda at: (states[at].wait_s, -at))


def refused(
    states: Sequence[State],
    charges: Sequence[Charge],
    subject: str,
    environment: str,
    asked_for: str = "",
) -> Refusal:
    """The refusal of a call that asked for `charges`. `subject`: the model, as messages name it;
    `asked_for`: the client's own name for it, where another one was sent in its place."""
    state = states[longest(states)]
    limit = state.limit
    asked = next((one.amount for one in charges if one.limit.kind == limit.kind), 1)
    on = f"in organization gateway-{environment} on {WORDS[limit.kind]}"
    terminal = math.isinf(state.wait_s)
    sentence = _too_large if terminal else _reached
    said = sentence(state, asked, f"{subject} {on}")
    return refusal(
        CODE,
        f"{said} (rule {limit.rule}{f', {limit.where}' if limit.where else ''})",
        reason=f"{limit.kind} by {limit.rule}",
        headers=(() if terminal else _retry_after(state.wait_s)) + ours(states),
        type_="tokens" if limit.kind in _OF_TOKENS else "requests",
        retry=state.wait_s <= LONGEST_RETRY_S,
        public=sentence(state, asked, f"{asked_for or subject} {on}"),
    )


def used(state: State, asked: int) -> int:
    """What is used of the limit; above the limit where corrections took more than there was.

    By OpenAI's own sum: wait = (used + asked - limit) * period / limit.
    """
    limit = state.limit
    period = PERIODS_US.get(limit.kind)
    if state.remaining or period is None:
        return limit.amount - state.remaining
    missing = round(state.wait_s * SECOND_US) * limit.amount // period
    return max(limit.amount, limit.amount - asked + missing)


def _reached(state: State, asked: int, where: str) -> str:
    return (
        f"Rate limit reached for {where}: Limit {state.limit.amount}, Used {used(state, asked)}, "
        f"Requested {asked}. Please try again in {duration(milliseconds(state.wait_s))}."
    )


def _too_large(state: State, asked: int, where: str) -> str:
    less = _LESS_TOKENS if state.limit.kind in _OF_TOKENS else _LESS_IMAGES
    return f"Request too large for {where}: Limit {state.limit.amount}, Requested {asked}. {less}"


def _retry_after(wait_s: float) -> tuple[tuple[str, str], ...]:
    """Whole seconds, at least 1, and the same to the millisecond; both rounded up."""
    wait_ms = max(1, milliseconds(wait_s))
    return (("retry-after", str(-(-wait_ms // 1000))), ("retry-after-ms", str(wait_ms)))
