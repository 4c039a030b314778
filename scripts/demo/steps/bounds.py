"""What production would stop: the fourth call of a minute, and the call after the money's end."""

from collections.abc import Iterator
from typing import Any, Final

from scripts.demo.step import Proof, Scene, Step
from tests.support.fake_openai import FakeOpenAIThread

THROTTLED, CAPPED = "gpt-6.1-terra", "gpt-5.4-nano"
A_MINUTE, CENTS = 3, 1
SETTINGS: Final[dict[str, Any]] = {
    "limits": {
        "rules": [
            {"name": "story", "match": {"model": THROTTLED}, "per": ["key", "model"],
             "rpm": A_MINUTE},
        ],
    },
    "budgets": [
        {"name": "trial", "usd": CENTS / 100, "period": "day", "match": {"model": CAPPED},
         "reserve": "worst"},
    ],
}  # fmt: skip
# What the fake says that each call used; at 0.20 USD a million tokens in and 1.25 out.
USAGE: Final = {"prompt_tokens": 12, "completion_tokens": 3000, "total_tokens": 3012}
A_CALL_NANO_USD: Final = 3_752_400  # 12 x 200 + 3,000 x 1,250
FIT: Final = 2  # a third could cost as much again: 0.0112572 USD in all


def throttled(scene: Scene) -> Iterator[Proof]:
    yield Proof.same(f"{A_MINUTE} calls arrived, the fourth did not", A_MINUTE, len(scene.calls))
    claim = "the SDK raised its own RateLimitError"
    yield Proof.same(claim, "429 rate_limit_exceeded", scene.heard(0))
    said = f"Rate limit reached for {THROTTLED} in organization gateway-staging on requests"
    told = scene.heard(1)
    yield Proof("the sentence is OpenAI's own", told.startswith(said), said, told)
    wait = int(scene.heard(2)) if scene.heard(2).isdigit() else 0
    yield Proof(
        "it says how long to wait", 18 <= wait <= 20, "20 s, less the time since", f"{wait}"
    )


def used_up(fake: FakeOpenAIThread) -> None:
    """Each call says that it used as much."""
    fake.knobs.add("/v1/chat/completions", times=FIT, patch={"usage": USAGE})


def stopped(scene: Scene) -> Iterator[Proof]:
    claim = f"{FIT} calls fit into the budget, and no more arrived"
    yield Proof.same(claim, FIT, len(scene.calls))
    claim = "the SDK raised its own RateLimitError and did not try again"
    yield Proof.same(claim, "insufficient_quota project_spend_limit_exceeded", scene.heard(FIT))
    told = scene.heard(FIT + 1)
    yield Proof("the message names the budget", "trial" in told, "trial", told)
    spent = scene.gateway.metric("openai_gateway_budget_spend_usd_total", budget="trial")
    claim = "0.0037524 USD a call were charged to it"
    yield Proof.same(claim, FIT * A_CALL_NANO_USD, round(spent * 1e9))


THROTTLE = Step(
    title="The limit is met where production would meet it",
    about=f"""Production would allow more; here it is {A_MINUTE} requests a minute. SDKs try again
by themselves, as told; this one was told not to, so that its error can be seen.""",
    code=f"""
from openai import OpenAI, RateLimitError

client = OpenAI(max_retries=0)
try:
    for number in range(4):
        client.chat.completions.create(
            model="{THROTTLED}",
            messages=[{{"role": "user", "content": "Say hello."}}],
        )
except RateLimitError as refused:
    print(refused.status_code, refused.code)
    print(refused.body["message"])
    print(refused.response.headers["retry-after"])
""",
    sent=(f"four times POST /v1/chat/completions, of {THROTTLED}",),
    check=throttled,
)

BUDGET = Step(
    title="The budget is held",
    about=f"""A trial may spend {CENTS} cent a day. Before each call the gateway puts aside the most
that it can cost, so that a thousand calls at once would not pass it either.""",
    code=f"""
from openai import OpenAI, RateLimitError

try:
    for number in range(5):
        answer = OpenAI().chat.completions.create(
            model="{CAPPED}",
            messages=[{{"role": "user", "content": "Say something."}}],
            max_completion_tokens=3000,
        )
        print(answer.usage.total_tokens, "tokens")
except RateLimitError as refused:
    print(refused.type, refused.code)
    print(refused.body["message"])
""",
    sent=(f"up to five times POST /v1/chat/completions, of {CAPPED}",),
    prepare=used_up,
    check=stopped,
)
