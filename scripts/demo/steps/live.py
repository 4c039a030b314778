"""What comes bit by bit: event streams, and the realtime WebSocket in both directions."""

import json
from collections.abc import Iterator

from scripts.demo.step import Proof, Scene, Step
from tests.support.fake_openai import FakeOpenAIThread

WORDS = "These words come one by one."
PAUSE_S = 0.2


def slowly(fake: FakeOpenAIThread) -> None:
    """The next stream pauses before each event."""
    fake.knobs.add("/v1/chat/completions", times=1, text=WORDS, event_delay_s=PAUSE_S)


def streamed(scene: Scene) -> Iterator[Proof]:
    staging = [f"Bearer {scene.keys.staging}"]
    yield Proof.same("OpenAI got the staging key", staging, scene.credentials)
    lines = [line.partition(" s  ") for line in scene.said]
    yield Proof.same("every word arrived", WORDS, " ".join(word for _, _, word in lines))
    spread = float(lines[-1][0]) - float(lines[0][0])
    least = PAUSE_S * (len(lines) - 1) / 2
    claim = "they came as OpenAI sent them, not all at the end"
    yield Proof(claim, spread > least, f"more than {least:.1f} s apart", f"{spread:.2f} s apart")


def conversed(scene: Scene) -> Iterator[Proof]:
    yield Proof.same(
        "OpenAI got the staging key in the handshake",
        [f"Bearer {scene.keys.staging}"],
        scene.credentials,
    )
    frames = [json.loads(data)["type"] for call in scene.arrived for data in call.messages()]
    yield Proof.same("the message with the key never left", ["response.create"], frames)
    heard = ["session.created", "gateway_production_key_leaked", "response.done"]
    yield Proof.same("it was refused, and the socket stayed open", heard, scene.said)


STREAM = Step(
    title="Streams arrive as they are made",
    about="""The same call as a stream. The fake OpenAI pauses 0.2 s before each word; the time
before each is when the application had it.""",
    code="""
import time
from openai import OpenAI

began = time.monotonic()
for chunk in OpenAI().chat.completions.create(
    model="gpt-6-luna",
    messages=[{"role": "user", "content": "Say something."}],
    stream=True,
):
    if word := chunk.choices[0].delta.content:
        print(f"{time.monotonic() - began:.2f} s  {word.strip()}")
""",
    sent=("POST /v1/chat/completions", "authorization: Bearer {production}"),
    prepare=slowly,
    check=streamed,
)

REALTIME = Step(
    title="A WebSocket is held to the same, message by message",
    about="""A realtime session: its handshake carries the key, which is swapped. Then a message
with the production key in it, and one without.""",
    code="""
import os
from openai import OpenAI

with OpenAI().realtime.connect(model="gpt-realtime-2.1") as session:
    print(session.recv().type)
    text = {"type": "input_text", "text": os.environ["OPENAI_API_KEY"]}
    item = {"type": "message", "role": "user", "content": [text]}
    session.conversation.item.create(item=item)
    print(session.recv().error.code)
    session.response.create()
    while (event := session.recv()).type != "response.done":
        pass
    print(event.type)
""",
    sent=(
        "GET /v1/realtime (WebSocket)",
        "authorization: Bearer {production}",
        '{"type": "conversation.item.create", … "text": "{production}"}',
        '{"type": "response.create"}',
    ),
    check=conversed,
)
