"""The heart of it: the production key goes in, the staging key comes out, nothing else passes."""

from collections.abc import Iterator

from scripts.demo.step import Proof, Scene, Step
from tests.support.fake_openai.asking import TEXT

STRANGER = "sk-proj-" + "FAKE" * 10


def swapped(scene: Scene) -> Iterator[Proof]:
    staging = [f"Bearer {scene.keys.staging}"]
    yield Proof.same("OpenAI got the staging key", staging, scene.credentials)
    yield Proof.same("the application got OpenAI's answer", [TEXT], scene.said)


def named_in_prompt(scene: Scene) -> Iterator[Proof]:
    yield Proof.same("nothing was sent to OpenAI", [], scene.calls)
    yield Proof.same(
        "the SDK raised its own PermissionDeniedError, with the gateway's code",
        "gateway_production_key_leaked",
        scene.heard(0),
    )
    place, told = "messages[0].content", scene.heard(1)
    yield Proof("the message names the place", place in told, place, told)
    quoted = scene.keys.production in told
    yield Proof("it does not repeat the key", not quoted, "no key", told)


def refused(scene: Scene) -> Iterator[Proof]:
    yield Proof.same("nothing was sent to OpenAI", [], scene.calls)
    claim = "the SDK raised its own AuthenticationError"
    yield Proof.same(claim, "401 gateway_unknown_key", scene.heard())


SWAP = Step(
    title="The key is swapped",
    about="The application asks OpenAI as it always did, with the production key it always had.",
    code="""
from openai import OpenAI

answer = OpenAI().chat.completions.create(
    model="gpt-6-luna",
    messages=[{"role": "user", "content": "Say hello."}],
)
print(answer.choices[0].message.content)
""",
    sent=("POST /v1/chat/completions", "authorization: Bearer {production}"),
    check=swapped,
)

PROMPT = Step(
    title="A production key in the prompt is refused",
    about="""Somebody pastes the key into a question. Swapping the credential would not help: the
key would leave in the text. So the gateway looks everywhere else too.""",
    code="""
import os
from openai import OpenAI, PermissionDeniedError

question = "Why is " + os.environ["OPENAI_API_KEY"] + " refused?"
try:
    OpenAI().chat.completions.create(
        model="gpt-6-luna",
        messages=[{"role": "user", "content": question}],
    )
except PermissionDeniedError as refused:
    print(refused.code)
    print(refused.body["message"])
""",
    sent=(
        "POST /v1/chat/completions",
        "authorization: Bearer {production}",
        '… "content": "Why is {production} refused?"',
    ),
    check=named_in_prompt,
)

UNKNOWN = Step(
    title="A key that nobody mapped is refused",
    about="""A developer tries a key of their own. The gateway passes only the keys that its
configuration maps, so that nothing is spent or sent under a key that nobody knows of.""",
    code="""
from openai import AuthenticationError, OpenAI

try:
    OpenAI(api_key="sk-proj-" + "FAKE" * 10).models.list()
except AuthenticationError as refused:
    print(refused.status_code, refused.code)
""",
    sent=("GET /v1/models", "authorization: Bearer " + STRANGER),
    check=refused,
)
