"""Staging is to stay cheap: a small model answers in the place of a large one."""

from collections.abc import Iterator
from typing import Any, Final

from scripts.demo.step import Proof, Scene, Step
from tests.support.fake_openai import FakeOpenAIThread

LARGE, SMALL = "gpt-6.1-sol", "gpt-6-luna"
SETTINGS: Final[dict[str, Any]] = {"models": {"substitute": {LARGE: SMALL}}}
USAGE: Final = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
# 1,000 x 2 USD a million tokens in and 500 x 10 out, less 0.10 and 0.50
AVOIDED_NANO_USD: Final = 6_650_000


def used(fake: FakeOpenAIThread) -> None:
    """The call says that it used so much."""
    fake.knobs.add("/v1/chat/completions", times=1, patch={"usage": USAGE})


def cheaper(scene: Scene) -> Iterator[Proof]:
    bodies = [call.body for call in scene.arrived]
    yield Proof.same("one call arrived", 1, len(bodies))
    named = f'"model":"{SMALL}"'.encode() in bodies[0] and LARGE.encode() not in bodies[0]
    yield Proof(f"it named {SMALL} and nothing else", named, SMALL, bodies[0].decode())
    yield Proof.same("the application was told", f"{LARGE} {SMALL}", scene.heard(1))
    pair = {"requested": LARGE, "sent": SMALL}
    avoided = scene.gateway.metric("openai_gateway_cost_avoided_usd_total", **pair)
    claim = "0.00665 USD were not spent"
    yield Proof.same(claim, AVOIDED_NANO_USD, round(avoided * 1e9))


CHEAPER = Step(
    title="A cheaper model answers",
    about=f"""Production runs on {LARGE}. Staging need not: the gateway sends {SMALL} in its
place, at a twentieth of the price, where it can do what the call asks. Nothing else changes.""",
    code=f"""
from openai import OpenAI

answer = OpenAI().chat.completions.with_raw_response.create(
    model="{LARGE}",
    messages=[{{"role": "user", "content": "Say hello."}}],
)
print(answer.parse().choices[0].message.content)
told = answer.headers
print(told["x-gateway-model-requested"], told["x-gateway-model-sent"])
""",
    sent=(f"POST /v1/chat/completions, of {LARGE}",),
    prepare=used,
    check=cheaper,
)
