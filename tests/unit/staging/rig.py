"""A call as it comes to the stage `models`, and what is asked of it there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import orjson

from openai_gateway.api.capabilities import Capabilities
from openai_gateway.api.endpoints import EndpointTable
from openai_gateway.api.prices import PriceTable
from openai_gateway.bodies.stage import CheckContent
from openai_gateway.content.body import read
from openai_gateway.core.call import Call, Request
from openai_gateway.core.verdict import Verdict
from openai_gateway.endpoints.stage import NameEndpoint
from openai_gateway.staging.models import Models

PRICES: Final = PriceTable.load(Path("rules/prices.yaml"))
CAPABILITIES: Final = Capabilities.load(Path("rules/models.yaml"))
TABLE: Final = EndpointTable.load(Path("rules/endpoints.yaml"))
TODAY: Final = date(2026, 11, 24)
CHAT: Final = b"/v1/chat/completions"
RESPONSES: Final = b"/v1/responses"
SOL, LUNA = "gpt-6.1-sol", "gpt-6-luna"


@dataclass(frozen=True)
class Policy:
    mode: str = "enforce"
    deny: tuple[str, ...] = ()
    unpriced: str = "allow"
    substitute: Mapping[str, str] = field(default_factory=dict)


def stage(policy: Policy) -> Models:
    return Models(policy, PRICES, CAPABILITIES, lambda: TODAY)


def call(
    body: bytes | Mapping[str, object], target: bytes = CHAT, kind: bytes = b"application/json",
    method: str = "POST",
) -> Call:  # fmt: skip
    """A call as far as the stages before this one have brought it."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    made = Call(Request(method, "api.openai.com", target, [(b"content-type", kind)], raw))
    NameEndpoint(TABLE).check(made)
    made.content = read(made.request.headers, raw, 2**20)
    CheckContent().check(made)
    return made


def asked(policy: Policy, made: Call) -> Verdict:
    said = stage(policy).check(made)
    assert not hasattr(said, "__await__")
    return said  # type: ignore[return-value]
