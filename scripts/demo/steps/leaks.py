"""Secrets in what is said: a token stops the call, a customer's number is taken out of it."""

import random
from collections.abc import Iterator
from typing import Final

from openai_gateway.leaks.rules.template import fill
from scripts.demo.step import Proof, Scene, Step

# Made up at run time, with a checksum that is right: as GitHub's own are.
TOKEN: Final = fill("ghp_{alnum:30}{crc32}", random.Random(2026)).decode()  # noqa: S311
NUMBER: Final = "CUST-20261124"
MARK: Final = "[REDACTED:customer-number]"


def stopped(scene: Scene) -> Iterator[Proof]:
    yield Proof.same("nothing was sent to OpenAI", [], scene.calls)
    yield Proof.same(
        "the SDK raised its own PermissionDeniedError, with the gateway's code",
        "gateway_secret_detected",
        scene.heard(0),
    )
    place, told = "github-pat in messages[0].content", scene.heard(1)
    yield Proof("the message names the rule and the place", place in told, place, told)
    yield Proof("it does not repeat the token", TOKEN not in told, "no token", told)


def taken_out(scene: Scene) -> Iterator[Proof]:
    received = b"".join(request.body for request in scene.arrived).decode()
    claim = "the call arrived, with a mark in the number's place"
    yield Proof(claim, MARK in received, MARK, received)
    yield Proof("the number is in none of its bytes", NUMBER not in received, "none", received)
    yield Proof.same("the answer's header names the rule", "customer-number", scene.heard(0))


TOKEN_IN_LOG = Step(
    title="A secret in a prompt is refused",
    about="""A log is pasted into a question, and in it, in base64, stands a GitHub token.""",
    code=f"""
import base64
from openai import OpenAI, PermissionDeniedError

token = b"{TOKEN}"
log = base64.b64encode(b"pushing as " + token).decode()
try:
    OpenAI().chat.completions.create(
        model="gpt-6-luna",
        messages=[{{"role": "user", "content": "What is wrong? " + log}}],
    )
except PermissionDeniedError as refused:
    print(refused.code)
    print(refused.body["message"])
""",
    sent=("POST /v1/chat/completions", '… "content": "What is wrong? cHVzaGluZyBhcyBn…"'),
    check=stopped,
)

CUSTOMER = Step(
    title="What a team's own rule names is redacted",
    about="""The rules are data. This team has one of its own, for the numbers of its customers,
with action `redact`: the call goes on without the number.""",
    code=f"""
from openai import OpenAI

answer = OpenAI().chat.completions.with_raw_response.create(
    model="gpt-6-luna",
    messages=[{{"role": "user", "content": "Write to {NUMBER}."}}],
)
print(answer.headers["x-gateway-leaks"])
""",
    sent=("POST /v1/chat/completions", f'… "content": "Write to {NUMBER}."'),
    check=taken_out,
)
