"""Which calls fail on purpose, in which order and how often, and what is answered for them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from openai_gateway.core.call import Call, Request
from openai_gateway.core.verdict import PASS, Answer, Pass, Silence
from openai_gateway.staging.failures import duration
from openai_gateway.staging.faults import KINDS, Faults
from openai_gateway.staging.plan import Plan
from openai_gateway.staging.unmatched import meaningless

TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Calls:
    key: Sequence[str] | None = None
    model: Sequence[str] | None = None
    client: Sequence[str] | None = None
    endpoint: Sequence[str] | None = None


@dataclass(frozen=True)
class Rule:
    fault: str
    name: str = "bad"
    match: Calls = Calls()
    probability: float = 1.0
    retry_after_s: float | None = None
    delay_s: float | None = None
    after_events: int | None = None


@dataclass(frozen=True)
class Policy:
    faults: Sequence[Rule] = field(default=())
    mode: str = "enforce"
    seed: int | None = 7


def call(model: str = "gpt-6-luna", *, stream: bool = False) -> Call:
    made = Call(Request("POST", "api.openai.com", b"/v1/chat/completions", []))
    made.key, made.client, made.endpoint = "default", "ci", "chat.create"
    made.model_requested, made.model_sent, made.stream = model, model, stream
    return made


def stage(*rules: Rule, mode: str = "enforce", seed: int | None = 7) -> Faults:
    return Faults(Policy(rules, mode, seed), "staging", TIMEOUT_S)


@pytest.mark.parametrize(
    ("kind", "status", "type_", "code", "retry"),
    [
        ("rate_limit", 429, "requests", "rate_limit_exceeded", "true"),
        ("slow_down", 429, "rate_limit_error", "slow_down", "true"),
        ("quota", 429, "insufficient_quota", "credit_balance_exhausted", "false"),
        ("server_error", 500, "server_error", None, "true"),
        ("overloaded", 503, "service_unavailable_error", "server_is_overloaded", "true"),
    ],
)
def test_openais_own_answer(kind: str, status: int, type_: str, code: str, retry: str) -> None:
    asked = call()
    said = stage(Rule(kind)).check(asked)
    assert isinstance(said, Answer)
    error = json.loads(said.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (said.status, error["type"], error["code"], error["param"]) == (
        status, type_, code, None,
    )  # fmt: skip
    headers = dict(said.headers)
    assert headers["x-should-retry"] == retry
    assert headers["x-request-id"] == asked.id
    assert (asked.fault, asked.fault_kind, said.outcome) == ("bad", kind, "faulted")
    assert asked.cost_nano_usd == 0


def test_a_rate_limit_says_when_to_come_back() -> None:
    """A limit of 3 a minute gives one back every 20 s: what OpenAI's own sum would say."""
    said = stage(Rule("rate_limit", retry_after_s=20)).check(call())
    assert isinstance(said, Answer)
    headers = dict(said.headers)
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("20", "20000")
    assert headers["x-ratelimit-reset-requests"] == "20s"
    assert (
        "Rate limit reached for gpt-6-luna in organization gateway-staging on requests per min "
        "(RPM): Limit 3, Used 3, Requested 1. Please try again in 20s."
    ) in json.loads(said.body)["error"]["message"]


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        ("rate_limit", None, ("1", "1000")),
        ("slow_down", 0.25, ("1", "250")),
        ("overloaded", 90, ("90", "90000")),
        ("overloaded", None, (None, None)),
        ("server_error", None, (None, None)),
        ("quota", 5, (None, None)),
    ],
)
def test_retry_after(kind: str, given: float | None, told: tuple[str | None, str | None]) -> None:
    said = stage(Rule(kind, retry_after_s=given)).check(call())
    assert isinstance(said, Answer)
    headers = dict(said.headers)
    assert (headers.get("retry-after"), headers.get("retry-after-ms")) == told


def test_timeouts_and_resets_are_no_answer() -> None:
    assert stage(Rule("timeout")).check(call()) == Silence(TIMEOUT_S, reason="bad")
    assert stage(Rule("timeout", delay_s=2)).check(call()) == Silence(2, reason="bad")
    assert stage(Rule("reset")).check(call()) == Silence(0.0, reset=True, reason="bad")


@pytest.mark.parametrize(
    ("rule", "plan"),
    [
        (Rule("cut_stream", after_events=3), Plan("bad", "cut_stream", 1.0, 3)),
        (Rule("cut_stream", after_events=0), Plan("bad", "cut_stream", 1.0, 0)),
        (Rule("slow_stream", delay_s=0.5), Plan("bad", "slow_stream", 0.5, 1)),
        (Rule("slow_stream"), Plan("bad", "slow_stream", 1.0, 1)),
    ],
)
def test_a_stream_passes_and_fails_on_its_way_back(rule: Rule, plan: Plan) -> None:
    asked = call(stream=True)
    assert isinstance(stage(rule).check(asked), Pass)
    assert (asked.plan, asked.fault) == (plan, None)
    whole = call()
    assert stage(rule).check(whole) is PASS
    assert whole.plan is None


def test_malformed_is_of_both() -> None:
    for stream in (False, True):
        asked = call(stream=stream)
        stage(Rule("malformed")).check(asked)
        assert asked.plan == Plan("bad", "malformed")


def test_the_first_rule_that_hits_decides() -> None:
    asked = call()
    rules = (
        Rule("quota", "other", Calls(model=("gpt-4*",))),
        Rule("quota", "never", probability=0.0),
        Rule("overloaded", "first"),
        Rule("reset", "second"),
    )
    stage(*rules).check(asked)
    assert asked.fault == "first"


@pytest.mark.parametrize(
    "match",
    [
        Calls(key=("other",)),
        Calls(client=("web", "app*")),
        Calls(endpoint=("responses.*",)),
        Calls(model=("gpt-6-sol",), endpoint=("chat.*",)),
    ],
)
def test_every_field_of_a_match_has_to_hold(match: Calls) -> None:
    assert stage(Rule("quota", match=match)).check(call()) is PASS


def test_either_model_counts() -> None:
    asked = call("gpt-6.1-sol")
    asked.model_sent = "gpt-6-luna"
    for glob in ("gpt-6.1-*", "gpt-6-luna"):
        assert isinstance(stage(Rule("quota", match=Calls(model=(glob,)))).check(asked), Answer)


def hits(faults: Faults, name: str, calls: int = 200) -> list[int]:
    found = []
    for number in range(calls):
        asked = call()
        faults.check(asked)
        if asked.fault == name:
            found.append(number)
    return found


def test_a_seed_repeats_the_sequence_and_no_other_rule_shifts_it() -> None:
    rare = Rule("quota", "rare", probability=0.1)
    alone = hits(stage(rare), "rare")
    assert hits(stage(rare), "rare") == alone
    # the other rule hits other calls, before or behind: what is left of this one's are the same
    common = Rule("overloaded", "common", probability=0.3)
    assert hits(stage(rare, common), "rare") == alone
    assert set(hits(stage(common, rare), "rare")) < set(alone)
    assert hits(stage(rare, seed=8), "rare") != alone


def test_the_probability_is_kept() -> None:
    """Of 2,000 calls at 0.1 some 200: four deviations are 54."""
    assert 146 <= len(hits(stage(Rule("quota", probability=0.1)), "bad", 2000)) <= 254


def test_observe_only_says_so() -> None:
    for kind in KINDS:
        asked = call(stream=True)
        said = stage(Rule(kind), mode="observe").check(asked)
        assert said == Pass("would_be_faulted: bad")
        assert (asked.would, asked.fault, asked.plan) == (["faulted"], None, None)


def test_off_does_nothing() -> None:
    assert stage(Rule("quota"), mode="off").check(call()) is PASS


def test_a_handshake_can_be_refused_and_nothing_else() -> None:
    for kind in KINDS:
        asked = replace(call(), websocket=True, stream=True)
        said = stage(Rule(kind)).check(asked)
        passes = kind in ("cut_stream", "slow_stream", "malformed")
        assert (said is PASS) == passes, kind


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        (Rule("cut_stream", after_events=1), []),
        (Rule("reset", after_events=1), ["after_events"]),
        (Rule("quota", retry_after_s=1), ["retry_after_s"]),
        (Rule("rate_limit", delay_s=1), ["delay_s"]),
        (Rule("timeout", delay_s=1), []),
        (Rule("timeout", probability=0.0), ["probability"]),
    ],
)
def test_what_means_nothing_is_told(rule: Rule, fields: list[str]) -> None:
    assert [name for name, _ in meaningless(rule)] == fields


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.02, "20ms"), (1.5, "1.5s"), (360, "6m0s"), (52151.04, "14h29m11.04s"), (0, "1ms")],
)
def test_a_wait_is_written_as_openai_does(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
