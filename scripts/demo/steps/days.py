"""What production does on a bad day, when a test asks for it: no model, and half a stream."""

from collections.abc import Iterator
from typing import Any, Final

from scripts.demo.step import Proof, Scene, Step

MODEL: Final = "gpt-6-sol"
EVENTS: Final = 3
SETTINGS: Final[dict[str, Any]] = {
    "shape": {
        "mode": "enforce",
        "faults": [
            {"name": "half-a-stream", "match": {"model": MODEL}, "probability": 1,
             "fault": "cut_stream", "after_events": EVENTS},
            {"name": "bad-hour", "match": {"model": MODEL}, "probability": 1,
             "fault": "overloaded"},
        ],
    },
}  # fmt: skip


def failed(scene: Scene) -> Iterator[Proof]:
    claim = "the SDK raised its own InternalServerError, with OpenAI's code"
    yield Proof.same(claim, "503 server_is_overloaded", scene.heard(0))
    said = "Our servers are currently overloaded. Please try again later."
    yield Proof.same("the sentence is OpenAI's own", said, scene.heard(1))
    claim = "the stream gave its first events and broke off, and never looked complete"
    yield Proof.same(claim, f"{EVENTS} events, then APIConnectionError", scene.heard(2))
    yield Proof.same("one call arrived: the stream; the other needed none", 1, len(scene.calls))
    fired = scene.gateway.metric("openai_gateway_faults_injected_total")
    yield Proof.same("both are counted", 2, round(fired))


BAD_DAY = Step(
    title="A bad day on demand",
    about="""Rules say which calls fail, how often and in which way; here every call of one model.
The application meets what it would meet in production, when a test wants it to.""",
    code=f"""
from openai import APIConnectionError, InternalServerError, OpenAI

client = OpenAI(max_retries=0)
count = {{"role": "user", "content": "Count to ten."}}
asked = {{"model": "{MODEL}", "messages": [count]}}
try:
    client.chat.completions.create(**asked)
except InternalServerError as fault:
    print(fault.status_code, fault.code)
    print(fault.body["message"])
events = 0
try:
    for event in client.chat.completions.create(**asked, stream=True):
        events += 1
except APIConnectionError as fault:
    print(events, "events, then", type(fault).__name__)
""",
    sent=(f"POST /v1/chat/completions, of {MODEL}: the stream",),
    check=failed,
)
