"""Which calls fail on purpose, and how: the rules of shape.faults.

Each rule draws for each call that it matches, from a sequence of its own, whatever the others drew:
with a seed the same calls meet the same failures. The first rule that hits decides.
"""

from collections.abc import Sequence
from random import Random
from typing import Final, Protocol

from openai_gateway.core.call import Call
from openai_gateway.core.match import Match, holds
from openai_gateway.core.verdict import PASS, Pass, Silence, Verdict
from openai_gateway.staging.failures import FAILURES, answer
from openai_gateway.staging.plan import AFTER_EVENTS, SLOW_S, Plan

WOULD: Final = "faulted"
SILENT: Final = frozenset(("timeout", "reset"))
OF_STREAMS: Final = frozenset(("cut_stream", "slow_stream"))
KINDS: Final = (*FAILURES, *sorted(SILENT), *sorted(OF_STREAMS), "malformed")


class Rule(Protocol):
    """An entry of shape.faults."""

    @property
    def name(self) -> str: ...
    @property
    def match(self) -> Match: ...
    @property
    def probability(self) -> float: ...
    @property
    def fault(self) -> str: ...
    @property
    def retry_after_s(self) -> float | None: ...
    @property
    def delay_s(self) -> float | None: ...
    @property
    def after_events(self) -> int | None: ...


class Policy(Protocol):
    """The section `shape` of gateway.yaml."""

    @property
    def mode(self) -> str: ...
    @property
    def seed(self) -> int | None: ...
    @property
    def faults(self) -> Sequence[Rule]: ...


class Faults:
    """The stage after limits: what fails here has taken its place in them, and reaches nobody."""

    name: Final = "faults"
    limit_s: Final = 1.0

    def __init__(self, policy: Policy, environment: str, timeout_s: float) -> None:
        rules = policy.faults if policy.mode != "off" else ()
        self._rules = tuple((rule, _sequence(policy.seed, rule.name)) for rule in rules)
        self._enforced = policy.mode == "enforce"
        self._environment = environment
        self._timeout_s = timeout_s

    def check(self, call: Call) -> Verdict:
        """Answers in OpenAI's place, falls silent, or leaves a plan for the answer."""
        if not self._rules:
            return PASS
        rule = self._drawn(call)
        if rule is None:
            return PASS
        if not self._enforced:
            call.note_would(WOULD)
            return Pass(f"would_be_faulted: {rule.name}")
        if rule.fault in FAILURES or rule.fault in SILENT:
            call.fault, call.fault_kind, call.error_code = rule.name, rule.fault, rule.fault
            return self._instead(call, rule)
        call.plan = Plan(
            rule.name,
            rule.fault,
            SLOW_S if rule.delay_s is None else rule.delay_s,
            AFTER_EVENTS if rule.after_events is None else rule.after_events,
        )
        return Pass(f"planned: {rule.fault} ({rule.name})")

    def _drawn(self, call: Call) -> Rule | None:
        """The first rule that hits; the others have drawn too, so that no sequence shifts."""
        hits = [
            rule
            for rule, sequence in self._rules
            if fits(rule, call) and sequence.random() < rule.probability
        ]
        return hits[0] if hits else None

    def _instead(self, call: Call, rule: Rule) -> Verdict:
        if rule.fault == "reset":
            return Silence(0.0, reset=True, reason=rule.name)
        if rule.fault == "timeout":
            delay_s = self._timeout_s if rule.delay_s is None else rule.delay_s
            return Silence(delay_s, reason=rule.name)
        call.error_code = FAILURES[rule.fault].code or FAILURES[rule.fault].type
        return answer(
            rule.fault,
            model=call.model_requested or "this model",
            environment=self._environment,
            retry_after_s=rule.retry_after_s,
            call_id=call.id,
            rule=rule.name,
        )


def fits(rule: Rule, call: Call) -> bool:
    """Whether the rule is about this call, and the call can fail in this way."""
    if rule.fault in OF_STREAMS and not call.stream:
        return False
    if call.websocket and rule.fault not in FAILURES and rule.fault not in SILENT:
        return False
    return holds(rule.match, call)


def _sequence(seed: int | None, name: str) -> Random:
    return Random(None if seed is None else f"{seed}:{name}")  # noqa: S311  # no secret
