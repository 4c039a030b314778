"""What a call may ask of a substitute, what is written otherwise, and what keeps its model."""

from typing import Any

import orjson
import pytest

from openai_gateway.core.verdict import Pass
from openai_gateway.staging.fit import Asking, Unfit, fit
from openai_gateway.staging.pairs import Pairs
from tests.unit.staging.rig import (
    CAPABILITIES,
    CHAT,
    LUNA,
    PRICES,
    RESPONSES,
    SOL,
    TODAY,
    Policy,
    asked,
    call,
)

MESSAGES = [{"role": "user", "content": "hi"}]
FUNCTION = [{"type": "function", "function": {"name": "f"}}]
ALL = Policy(substitute={"*": LUNA})


def outcome(body: dict[str, Any], target: bytes, policy: Policy = ALL) -> tuple[str, Any]:
    made = call(body, target)
    verdict = asked(policy, made)
    assert isinstance(verdict, Pass)
    left = orjson.loads(made.request.body)
    assert left == made.content.parsed
    return verdict.note, left


def chat(model: str, **more: object) -> dict[str, Any]:
    return {"model": model, "messages": MESSAGES, **more}


def responses(model: str, **more: object) -> dict[str, Any]:
    return {"model": model, "input": "hi", **more}


@pytest.mark.parametrize(
    ("asked_for", "added"),
    [
        (chat(SOL), {}),
        (chat("gpt-5-mini"), {}),  # both think as much where nothing is said
        (chat("gpt-5.1"), {"reasoning_effort": "none"}),
        (chat("gpt-4o"), {"reasoning_effort": "none"}),
        (chat("gpt-4o", temperature=0.2, logprobs=True), {"reasoning_effort": "none"}),
        (chat("gpt-4o", tools=FUNCTION), {"reasoning_effort": "none"}),
        (chat("gpt-5-mini", reasoning_effort="low"), {}),
        (chat("gpt-5-mini", temperature=1, top_p=1.0), {}),
        (chat("gpt-5.1", reasoning_effort="none", temperature=0.3), {}),
        (chat(SOL, response_format={"type": "json_schema"}, service_tier="flex"), {}),
    ],
)
def test_chat_goes_on_with_the_effort_that_it_had(
    asked_for: dict[str, Any], added: dict[str, Any]
) -> None:
    note, left = outcome(asked_for, CHAT)
    assert note.startswith(f"substituted {LUNA}")
    assert left == {**asked_for, "model": LUNA, **added}


def test_max_tokens_gets_its_other_name() -> None:
    note, left = outcome(chat("gpt-4o", max_tokens=50), CHAT)
    assert left == chat(LUNA, max_completion_tokens=50, reasoning_effort="none")
    assert note == f"substituted {LUNA} (reasoning_effort, max_tokens)"


@pytest.mark.parametrize(
    ("asked_for", "left"),
    [
        (responses("gpt-5.1"), responses(LUNA, reasoning={"effort": "none"})),
        (
            responses("gpt-5.1", reasoning={"summary": "auto"}),
            responses(LUNA, reasoning={"effort": "none", "summary": "auto"}),
        ),
        (responses("gpt-5.1", reasoning={}), responses(LUNA, reasoning={"effort": "none"})),
        (
            responses(SOL, previous_response_id="resp_1", tools=[{"type": "web_search"}]),
            responses(LUNA, previous_response_id="resp_1", tools=[{"type": "web_search"}]),
        ),
    ],
)
def test_responses_go_on_with_the_effort_that_they_had(
    asked_for: dict[str, Any], left: dict[str, Any]
) -> None:
    assert outcome(asked_for, RESPONSES)[1] == left


IMAGE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]
SOUND = [{"role": "user", "content": [{"type": "input_audio"}]}]


@pytest.mark.parametrize(
    ("body", "target", "note"),
    [
        *((chat(SOL, **{name: 1}), CHAT, f"parameter {name}") for name in ("n", "stop", "seed")),
        (chat(SOL, of_its_own=1), CHAT, "parameter not listed"),
        (chat("gpt-5-mini", temperature=0.2), CHAT, "parameter temperature"),
        (chat("gpt-5-mini", logprobs=True), CHAT, "parameter logprobs"),
        (chat("gpt-5-mini", reasoning_effort="minimal"), CHAT, "parameter reasoning_effort"),
        (chat("gpt-5.1", reasoning_effort=None), CHAT, "parameter reasoning_effort"),
        (chat("gpt-5-mini", max_tokens=5), CHAT, "parameter max_tokens"),
        (chat("gpt-4o", max_tokens=5, max_completion_tokens=5), CHAT, "parameter max_tokens"),
        (chat("gpt-5-mini", tools=FUNCTION), CHAT, "tools function"),
        (chat(SOL, modalities=["text", "audio"]), CHAT, "parameter modalities"),
        (chat(SOL, service_tier="ultrafast"), CHAT, "parameter service_tier"),
        (chat(SOL, service_tier=["flex"]), CHAT, "parameter service_tier"),
        (chat(SOL, max_completion_tokens=128_001), CHAT, "context output"),
        ({"model": SOL, "messages": SOUND}, CHAT, "input"),
        ({"model": SOL, "messages": [{"role": {}}]}, CHAT, "input"),
        ({"model": SOL, "messages": "hi"}, CHAT, "input"),
        (responses("gpt-5.1", reasoning=None), RESPONSES, "parameter reasoning_effort"),
        (responses("gpt-5.1", reasoning=[]), RESPONSES, "parameter reasoning"),
        (responses(SOL, tools=[{"type": "computer_use_preview"}]), RESPONSES,
         "tools computer_use_preview"),
        (responses(SOL, tools=[{"type": {}}]), RESPONSES, "tools"),
        (responses(SOL, tools="f"), RESPONSES, "tools"),
        (responses(SOL, prompt={"id": "p"}), RESPONSES, "parameter prompt"),
        (responses(SOL, include=["x"]), RESPONSES, "parameter include"),
        (responses(SOL, include=[{}]), RESPONSES, "parameter include"),
        (responses(SOL, include=["message.output_text.logprobs"]), RESPONSES, "parameter include"),
        ({"model": SOL, "input": [{"type": ["message"]}]}, RESPONSES, "input"),
        (responses(SOL), b"/v1/responses/compact", "endpoint"),
        (responses(SOL), b"/v1/nowhere", "endpoint"),
        (chat("gpt-5-nano"), CHAT, "dearer"),
        (chat("gpt-9-own"), CHAT, "unpriced"),
        (chat("chat-latest"), CHAT, "unknown"),
    ],
)  # fmt: skip
def test_what_the_substitute_may_not_do_keeps_the_model(
    body: dict[str, Any], target: bytes, note: str
) -> None:
    made = call(body, target)
    before = made.request.body
    assert asked(ALL, made) == Pass(f"kept: {note}")
    assert made.request.body == before
    assert made.kept == [(body["model"], note.split()[0])]
    assert made.model_sent == body["model"]


def test_a_picture_goes_to_a_model_that_sees() -> None:
    assert outcome({"model": SOL, "messages": IMAGE}, CHAT)[1]["model"] == LUNA
    blind = Policy(substitute={SOL: "gpt-5.4-nano", "gpt-5.5": "gpt-5.4-mini"})
    note, left = outcome({"model": "gpt-5.5", "messages": IMAGE}, CHAT, blind)
    assert (note, left["model"]) == ("kept: input", "gpt-5.5")


@pytest.mark.parametrize(("tokens", "fits"), [(922_000, True), (922_001, False)])
def test_a_call_that_may_be_longer_than_the_window_keeps_its_model(tokens: int, fits: bool) -> None:
    pair = Pairs(ALL.substitute, PRICES, CAPABILITIES).pair(SOL, LUNA, TODAY)
    asking = Asking("chat.create", chat(SOL), tokens * 4)
    if fits:
        assert fit(asking, pair, CAPABILITIES) == ()
    else:
        with pytest.raises(Unfit) as unfit:
            fit(asking, pair, CAPABILITIES)
        assert (unfit.value.reason, unfit.value.detail) == ("context", "input")
