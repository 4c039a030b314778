"""What a rule of shape.faults says that means nothing: told at the start, for who relies on it."""

from collections.abc import Iterator, Sequence

from openai_gateway.staging.failures import RETRYABLE
from openai_gateway.staging.faults import Rule

DELAYED = frozenset(("timeout", "slow_stream"))


def meaningless(rule: Rule) -> Iterator[tuple[str, str]]:
    """The field, and why it does nothing."""
    if rule.probability == 0:
        yield "probability", "is 0: this rule never hits"
    if rule.retry_after_s is not None and rule.fault not in RETRYABLE:
        yield "retry_after_s", _only(rule, sorted(RETRYABLE))
    if rule.delay_s is not None and rule.fault not in DELAYED:
        yield "delay_s", _only(rule, sorted(DELAYED))
    if rule.after_events is not None and rule.fault != "cut_stream":
        yield "after_events", _only(rule, ["cut_stream"])


def _only(rule: Rule, kinds: Sequence[str]) -> str:
    return f"means nothing with {rule.fault}, and is not used; it is of {', '.join(kinds)}"
