"""A cheaper model in the place of the one that was asked for: the bytes that left, what the client
is told, and what is counted."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.calls import CHAT, JSON, bearer, over_both, send
from tests.e2e.conftest import MakeGateway
from tests.support.clients import Reply, WebSocket
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys

SOL, LUNA, LIVE, MINI = "gpt-6.1-sol", "gpt-6-luna", "gpt-realtime-2.1", "gpt-realtime-2.1-mini"
SUBSTITUTE = {
    SOL: LUNA,
    "gpt-5*": LUNA,
    "gpt-4*": LUNA,
    LIVE: MINI,
    "whisper-1": "gpt-transcribe",
    "tts-1-hd": "tts-1",
}
ODD = (
    b'{ "metadata" : {"model":"gpt-6.1-sol"},\n\t"mod\\u0065l" : "gpt-6\\u002e1-sol" ,'
    b' "messages":[{"role":"user","content":"\\"model\\":\\"gpt-6.1-sol\\" \\u20ac"}] }'
)
SPLICED = ODD.replace(b'"gpt-6\\u002e1-sol" ,', b'"gpt-6-luna" ,')
USAGE = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
type Cheap = Callable[..., GatewayProcess]


@pytest.fixture
def cheap(make_gateway: MakeGateway) -> Cheap:
    def make(more: dict[str, Any] | None = None, **models: Any) -> GatewayProcess:
        return make_gateway({"models": {"substitute": SUBSTITUTE, **models}, **(more or {})})

    return make


def ask(
    process: GatewayProcess, keys: Keys, body: bytes, target: str = CHAT, version: str = "h1",
    *fields: tuple[str, str],
) -> Reply:  # fmt: skip
    return send(
        process.way, version, "POST", target, [bearer(keys.production), *(fields or (JSON,))], body
    )


def chat(model: str, **more: object) -> bytes:
    messages = [{"role": "user", "content": "hello"}]
    return json.dumps({"model": model, "messages": messages, **more}).encode()


def told(reply: Reply, name: str) -> list[str]:
    return list(reply.values(f"x-gateway-{name}"))


@over_both
def test_only_the_models_name_differs_in_what_leaves(
    cheap: Cheap, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    """1,000 in and 500 out cost 350,000 nano-dollars with luna, 7,000,000 with sol."""
    fake.knobs.add(CHAT, patch={"usage": USAGE, "model": LUNA})
    process = cheap()
    reply = ask(process, keys, ODD, CHAT, version)
    assert reply.status == 200
    assert fake.requests[0].body == SPLICED
    assert (told(reply, "model-requested"), told(reply, "model-sent")) == ([SOL], [LUNA])
    assert told(reply, "model-kept") == told(reply, "would") == []
    assert reply.json()["model"] == LUNA
    row = process.row(reply.first("x-gateway-request-id"))
    assert (row["model_requested"], row["model_sent"], row["model_response"]) == (SOL, LUNA, LUNA)
    assert row["cost_nano_usd"] == 1000 * 100 + 500 * 500
    trace = json.loads(row["trace"])
    assert (
        next(one for one in trace if one["stage"] == "models")["verdict"] == f"substituted {LUNA}"
    )
    pair = {"requested": SOL, "sent": LUNA}
    assert process.metric("openai_gateway_model_substitutions_total", **pair) == 1
    avoided = process.metric("openai_gateway_cost_avoided_usd_total", **pair)
    assert round(avoided * 1e9) == (1000 * 2000 + 500 * 10_000) - 350_000
    cost = process.metric("openai_gateway_cost_usd_total", key="default", model=LUNA)
    assert round(cost * 1e9) == 350_000


def test_a_packed_body_leaves_plain_where_it_is_changed_and_as_it_came_where_not(
    cheap: Cheap, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = cheap()
    packed, other = gzip.compress(ODD), gzip.compress(chat("gpt-6-luna"))
    for body in (packed, other):
        coded = ("content-encoding", "gzip")
        assert ask(process, keys, body, CHAT, "h1", JSON, coded).status == 200
    changed, same = fake.requests
    assert (changed.body, changed.values("content-encoding")) == (SPLICED, [])
    assert (same.body, same.values("content-encoding")) == (other, ["gzip"])


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        (chat(SOL, n=2), "parameter", "n"),
        (chat(SOL, my_own=1), "parameter", "not listed"),
        (chat("gpt-5-nano"), "dearer", ""),
        (chat("gpt-5-mini", temperature=0.2), "parameter", "temperature"),
        (chat("gpt-5-mini", tools=[{"type": "function"}]), "tools", "function"),
        (chat("gpt-5-chat-latest"), "unknown", ""),
    ],
)
def test_a_call_that_the_substitute_cannot_do_keeps_its_model_and_says_why(
    cheap: Cheap, fake: FakeOpenAIThread, keys: Keys, body: bytes, reason: str, detail: str
) -> None:
    process = cheap()
    reply = ask(process, keys, body)
    assert reply.status == 200
    assert fake.requests[0].body == body
    assert told(reply, "model-kept") == [reason]
    assert told(reply, "model-sent") == []
    row = process.row(reply.first("x-gateway-request-id"))
    model = json.loads(body)["model"]
    assert (row["model_requested"], row["model_sent"]) == (model, model)
    verdict = next(one for one in json.loads(row["trace"]) if one["stage"] == "models")["verdict"]
    assert verdict == f"kept: {reason} {detail}".rstrip()
    kept = "openai_gateway_model_substitutions_kept_total"
    assert process.metric(kept, requested=model, reason=reason) == 1


def test_what_ran_without_thinking_goes_on_without(
    cheap: Cheap, fake: FakeOpenAIThread, keys: Keys
) -> None:
    body = chat("gpt-4o", max_tokens=50, temperature=0.2)
    assert ask(cheap(), keys, body).status == 200
    left = fake.requests[0].body
    plain = body.replace(b'"gpt-4o"', b'"gpt-6-luna"')
    plain = plain.replace(b'"max_tokens"', b'"max_completion_tokens"')
    assert left == b'{"reasoning_effort":"none",' + plain[1:]


def test_the_model_of_a_form_is_replaced_and_the_sound_is_left_alone(
    cheap: Cheap, fake: FakeOpenAIThread, keys: Keys
) -> None:
    sound = bytes(range(256)) * 400
    body = (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
        b"Content-Type: audio/wav\r\n\r\n" + sound + b"\r\n--B\r\n"
        b'Content-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--B--\r\n'
    )
    kind = ("content-type", "multipart/form-data; boundary=B")
    process = cheap()
    reply = ask(process, keys, body, "/v1/audio/transcriptions", "h1", kind)
    assert reply.status == 200
    assert fake.requests[0].body == body.replace(b"\r\nwhisper-1\r\n", b"\r\ngpt-transcribe\r\n")
    assert told(reply, "model-sent") == ["gpt-transcribe"]


def test_speech_is_spoken_by_the_cheaper_voice(
    cheap: Cheap, fake: FakeOpenAIThread, keys: Keys
) -> None:
    body = b'{"input":"hi","model":"tts-1-hd","voice":"alloy"}'
    assert ask(cheap(), keys, body, "/v1/audio/speech").status == 200
    assert fake.requests[0].body == body.replace(b"tts-1-hd", b"tts-1")


def test_a_session_that_is_minted_is_minted_for_the_substitute(
    cheap: Cheap, fake: FakeOpenAIThread, keys: Keys
) -> None:
    body = b'{"session": {"type": "realtime", "model": "gpt-realtime-2.1"}}'
    assert ask(cheap(), keys, body, "/v1/realtime/client_secrets").status == 200
    assert fake.requests[0].body == body.replace(LIVE.encode(), MINI.encode())


def test_a_realtime_socket_runs_on_the_substitute_from_its_query_on(
    cheap: Cheap, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = cheap()
    target = f"/v1/realtime?model={LIVE}"
    update = b'{"type": "session.update", "session": {"model" : "gpt-realtime-2.1", "x": 1}}'
    with WebSocket(process.way.tls(), target, [bearer(keys.production)]) as socket:
        assert dict(socket.headers)["x-gateway-model-sent"] == MINI
        socket.hear_type("session.created")
        socket.text(update.decode())
        socket.tell({"type": "response.create"})
        socket.hear_type("response.done")
    request = fake.requests[0]
    assert request.target == f"/v1/realtime?model={MINI}"
    assert request.messages("text")[0] == update.replace(LIVE.encode(), MINI.encode())
    rows = process.rows(2)
    assert [(row["model_requested"], row["model_sent"]) for row in rows[:2]] == [(LIVE, MINI)] * 2


def test_each_response_of_a_socket_has_its_model_replaced(
    cheap: Cheap, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = cheap()
    frame = b'{"type": "response.create", "model" : "gpt-6.1-sol", "input": "hello"}'
    with WebSocket(process.way.tls(), "/v1/responses", [bearer(keys.production)]) as socket:
        socket.text(frame.decode())
        socket.hear_type("response.completed")
        socket.tell({"type": "response.create", "model": SOL, "input": "hello", "prompt": {}})
        socket.hear_type("response.completed")
    first, second = fake.requests[0].messages("text")
    assert first == frame.replace(SOL.encode(), LUNA.encode())
    assert json.loads(second)["model"] == SOL
    rows = [row for row in process.rows(3) if row["method"] == "WS"]
    assert [(row["model_requested"], row["model_sent"]) for row in rows] == [
        (SOL, LUNA),
        (SOL, SOL),
    ]
    pair = {"requested": SOL, "sent": LUNA}
    assert process.metric("openai_gateway_model_substitutions_total", **pair) == 1
    assert process.metric("openai_gateway_cost_avoided_usd_total", **pair) > 0
    kept = "openai_gateway_model_substitutions_kept_total"
    assert process.metric(kept, requested=SOL, reason="parameter") == 1


def test_a_limit_and_a_denial_are_of_the_model_that_is_sent(
    cheap: Cheap, fake: FakeOpenAIThread, keys: Keys
) -> None:
    rules = [{"name": "few", "match": {"model": LUNA}, "rpm": 1}]
    process = cheap({"limits": {"rules": rules}}, deny=["gpt-5-mini", "tts-1"])
    assert ask(process, keys, chat("gpt-5-mini")).status == 200
    again = ask(process, keys, chat(SOL))
    assert (again.status, again.code) == (429, "rate_limit_exceeded")
    speech = b'{"input":"hi","model":"tts-1-hd","voice":"alloy"}'
    assert ask(process, keys, speech, "/v1/audio/speech").code == "gateway_model_denied"
    assert len(fake.requests) == 1


def test_a_budget_counts_the_model_that_is_sent(
    cheap: Cheap, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add(CHAT, patch={"usage": USAGE, "model": LUNA})
    budget = {"name": "b", "usd": 1, "period": "day", "match": {"model": LUNA}}
    process = cheap({"budgets": [budget]})
    assert ask(process, keys, chat(SOL)).status == 200
    spend = process.metric("openai_gateway_budget_spend_usd_total", budget="b")
    assert round(spend * 1e9) == 350_000


def test_observe_changes_nothing_and_says_what_it_would(
    cheap: Cheap, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = cheap(mode="observe", deny=[LUNA])
    reply = ask(process, keys, ODD)
    assert fake.requests[0].body == ODD
    assert told(reply, "would") == ["substituted,denied"]
    assert told(reply, "model-sent") == []
    row = process.row(reply.first("x-gateway-request-id"))
    assert (row["model_requested"], row["model_sent"]) == (SOL, SOL)


def test_off_sends_what_was_asked_for(cheap: Cheap, fake: FakeOpenAIThread, keys: Keys) -> None:
    assert ask(cheap(mode="off"), keys, ODD).status == 200
    assert fake.requests[0].body == ODD


def test_public_detail_tells_nothing_of_it(
    cheap: Cheap, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add(CHAT, patch={"usage": USAGE})
    rules = [{"name": "few", "match": {"model": LUNA}, "rpm": 2}]
    process = cheap({"errors": {"detail": "public"}, "limits": {"rules": rules}})
    for body in (ODD, chat(SOL, n=2), chat("gpt-5.6-terra")):
        reply = ask(process, keys, body)
        ours = [name for name, _ in reply.headers if name.lower().startswith("x-gateway-")]
        assert [name.lower() for name in ours] == ["x-gateway-request-id"]
    refused = ask(process, keys, chat(SOL))
    assert refused.status == 429
    message = refused.json()["error"]["message"]
    assert message.startswith(f"Rate limit reached for {SOL} in organization")
    assert "luna" not in message
    assert "few" not in message


def test_a_substitute_that_never_may_be_stops_the_start(make_gateway: MakeGateway) -> None:
    wrong = {
        "gpt-6-luna": SOL,
        "gpt-6-sol": "gpt-6-sol",
        "gpt-5": "gpt-9-unheard-of",
        "gpt-4o": "gpt-6-*",
        "gpt-5.1": MINI,
        "gpt-5.2": "gpt-4.1-nano",
    }
    process = make_gateway({"models": {"substitute": wrong}}, wait=False)
    assert process.wait_exit() == 1
    output = process.output()
    for pattern, words in {
        "gpt-6-luna": "gpt-6.1-sol costs more for input than gpt-6-luna; name another model",
        "gpt-6-sol": "names itself as its substitute; take it out",
        "gpt-5": "gpt-9-unheard-of has no price in the list; name another model",
        "gpt-4o": "must name one model, not a pattern (gpt-6-*)",
        "gpt-5.1": "gpt-5.1 is of the class chat, not realtime; name another model",
        "gpt-5.2": "gpt-4.1-nano was shut down on 2026-10-23; name another model",
    }.items():
        assert f": models.substitute.{pattern}: {words}" in output
    assert "Traceback" not in output
