"""OpenAI's own error answers, made on purpose: status, body and headers as OpenAI sends them, so
that what handles a bad day in staging handles production's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from openai_gateway.core.verdict import Answer

OUTCOME: Final = "faulted"
RETRY_AFTER_S: Final = 1.0
VERSION: Final = "2020-10-01"


@dataclass(frozen=True, slots=True)
class Failure:
    """`message` may name {model}, {organization}, {limit} and {wait}. `waits`: it says when to come
    back."""

    status: int
    type: str
    code: str | None
    message: str
    waits: bool = False
    retry: bool = True


FAILURES: Final[Mapping[str, Failure]] = {
    "rate_limit": Failure(
        429, "requests", "rate_limit_exceeded",
        "Rate limit reached for {model} in organization {organization} on requests per min (RPM): "
        "Limit {limit}, Used {limit}, Requested 1. Please try again in {wait}. Visit "
        "https://platform.openai.com/account/rate-limits to learn more.",
        waits=True,
    ),
    "slow_down": Failure(
        429, "rate_limit_error", "slow_down",
        "Your request rate has grown too fast. Please slow down to your earlier rate and raise it "
        "gradually.",
        waits=True,
    ),
    "quota": Failure(
        429, "insufficient_quota", "credit_balance_exhausted",
        "You exceeded your current quota, please check your plan and billing details. For more "
        "information on this error, read the docs: "
        "https://platform.openai.com/docs/guides/error-codes/api-errors.",
        retry=False,
    ),
    "server_error": Failure(
        500, "server_error", None,
        "The server had an error while processing your request. Sorry about that!",
    ),
    "overloaded": Failure(
        503, "service_unavailable_error", "server_is_overloaded",
        "Our servers are currently overloaded. Please try again later.",
    ),
}  # fmt: skip
RETRYABLE: Final = frozenset(("rate_limit", "slow_down", "server_error", "overloaded"))


def answer(
    kind: str, *, model: str, environment: str, retry_after_s: float | None, call_id: str, rule: str
) -> Answer:
    """What OpenAI would answer. `retry_after_s`: None takes a second where OpenAI says a time."""
    failure = FAILURES[kind]
    wait_s = RETRY_AFTER_S if retry_after_s is None and failure.waits else retry_after_s
    limit = max(1, round(60 / wait_s)) if wait_s else 3000
    organization = f"gateway-{environment}"
    message = failure.message.format(
        model=model, organization=organization, limit=limit, wait=duration(wait_s or 0)
    )
    error = {"message": message, "type": failure.type, "param": None, "code": failure.code}
    headers = [
        ("content-type", "application/json"),
        ("x-request-id", call_id),
        ("openai-organization", organization),
        ("openai-version", VERSION),
        ("x-should-retry", "true" if failure.retry else "false"),
    ]
    if wait_s is not None and kind in RETRYABLE:
        headers += retry_after(wait_s)
    if kind == "rate_limit":
        headers += _limits(limit, wait_s or 0)
    body = orjson.dumps({"error": error})
    return Answer(failure.status, tuple(headers), body, OUTCOME, rule)


def retry_after(wait_s: float) -> list[tuple[str, str]]:
    """Whole seconds, at least 1, and the same to the millisecond."""
    wait_ms = max(1, round(wait_s * 1000))
    return [("retry-after", str(-(-wait_ms // 1000))), ("retry-after-ms", str(wait_ms))]


def duration(seconds: float) -> str:
    """As OpenAI writes a wait: `20ms`, `1.5s`, `6m0s`, `14h29m11.04s`."""
    wait_ms = max(1, round(seconds * 1000))
    if wait_ms < 1000:
        return f"{wait_ms}ms"
    minutes, rest_ms = divmod(wait_ms, 60_000)
    shown = f"{rest_ms / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{shown}"
    return f"{minutes}m{shown}" if minutes else shown


def _limits(limit: int, wait_s: float) -> list[tuple[str, str]]:
    return [
        ("x-ratelimit-limit-requests", str(limit)),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", duration(wait_s)),
    ]
