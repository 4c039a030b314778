"""Which models may be sent: denied ones, those without a price, and what `observe` says of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from openai_gateway.api.capabilities import Capabilities
from openai_gateway.api.prices import PriceTable
from openai_gateway.core.call import Call, Request
from openai_gateway.core.verdict import PASS, Pass, Refuse, Verdict
from openai_gateway.staging.models import Models

PRICES = PriceTable.load(Path("rules/prices.yaml"))
CAPABILITIES = Capabilities.load(Path("rules/models.yaml"))


@dataclass(frozen=True)
class Policy:
    mode: str = "enforce"
    deny: tuple[str, ...] = ()
    unpriced: str = "allow"
    substitute: Mapping[str, str] = field(default_factory=dict)


def asked(policy: Policy, model: str | None) -> tuple[Verdict, Call]:
    call = Call(Request("POST", "api.openai.com", b"/v1/chat/completions", []))
    call.model_requested = model
    return Models(policy, PRICES, CAPABILITIES).check(call), call


def code(verdict: Verdict) -> str | None:
    return verdict.refusal.code if isinstance(verdict, Refuse) else None


@pytest.mark.parametrize(
    ("policy", "model", "refused"),
    [
        (Policy(), "gpt-9-unheard-of", None),
        (Policy(deny=("gpt-4*",)), "gpt-4o", "gateway_model_denied"),
        (Policy(deny=("gpt-4*",)), "gpt-6-luna", None),
        (Policy(deny=("gpt-4*",)), None, None),
        (Policy(unpriced="block"), "gpt-9-unheard-of", "gateway_unpriced_model"),
        (Policy(unpriced="block"), "gpt-6-luna", None),
        (Policy(unpriced="block"), "gpt-4o-2024-08-06", None),
        (Policy(unpriced="block"), "ft:gpt-4.1-mini-2025-04-14:acme::x", None),
        (Policy(unpriced="block"), "omni-moderation-latest", None),  # free is a price
        (Policy(unpriced="assume_max"), "gpt-9-unheard-of", None),
        (Policy("off", ("*",), "block"), "gpt-9-unheard-of", None),
    ],
)
def test_a_model_is_sent_or_refused(policy: Policy, model: str | None, refused: str | None) -> None:
    verdict, call = asked(policy, model)
    assert code(verdict) == refused
    assert call.model_sent == model
    assert call.would == []


def test_a_refusal_names_the_model_and_the_line_to_change() -> None:
    verdict, _ = asked(Policy(deny=("gpt-4*",)), "gpt-4o")
    assert isinstance(verdict, Refuse)
    assert verdict.refusal.status == 403
    assert verdict.refusal.param == "model"
    for said in ("`gpt-4o`", "`gpt-4*`", "models.deny"):
        assert said in verdict.refusal.message


def test_observe_lets_it_pass_and_says_what_it_would_have_done() -> None:
    verdict, call = asked(Policy("observe", ("gpt-4*",)), "gpt-4o")
    assert verdict == Pass("would_be_denied: gateway_model_denied")
    assert call.would == ["denied"]


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"type": "response.create", "model": "gpt-4o"}, "gateway_model_denied"),
        ({"type": "response.create", "response": {"model": "gpt-4o"}}, "gateway_model_denied"),
        ({"type": "session.update", "session": {"model": "gpt-4o"}}, "gateway_model_denied"),
        ({"type": "response.create", "response": {"model": "gpt-6-luna"}}, None),
        ({"type": "response.create", "model": 4}, None),
        ({"type": "session.update", "session": None}, None),
        (["model", "gpt-4o"], None),
    ],
)
def test_a_frame_is_judged_by_the_model_that_it_names(said: object, refused: str | None) -> None:
    stage = Models(Policy(deny=("gpt-4*",)), PRICES, CAPABILITIES)
    call = Call(Request("WS", "api.openai.com", b"/v1/responses", []))
    assert code(stage.message(call, json.dumps(said).encode())) == refused


def test_an_escaped_name_is_a_name() -> None:
    stage = Models(Policy(deny=("gpt-4*",)), PRICES, CAPABILITIES)
    call = Call(Request("WS", "api.openai.com", b"/v1/responses", []))
    assert code(stage.message(call, b'{"\\u006dodel": "gpt-4o"}')) == "gateway_model_denied"


def test_frames_that_cannot_be_read_or_name_none_are_no_matter_of_models() -> None:
    stage = Models(Policy(deny=("*",)), PRICES, CAPABILITIES)
    call = Call(Request("WS", "api.openai.com", b"/v1/responses", []))
    assert stage.message(call, b'{"model": ') == PASS
    assert stage.message(call, b'{"type": "input_audio_buffer.append"}') == PASS
