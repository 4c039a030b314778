"""Tokens and cost, from outside: each sum worked out by hand from OpenAI's list prices."""

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeGateway
from tests.support.clients import RawH1, RawH2, Reply, WebSocket, bearer
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys

CHAT = "/v1/chat/completions"
NANO = 1_000_000_000


def call(
    gateway: GatewayProcess, keys: Keys, target: str, body: dict[str, object], version: str = "h1"
) -> Reply:
    content = json.dumps(body).encode()
    if version == "h2":
        with RawH2(gateway.way.tls(alpn=("h2",))) as client:
            return client.call("POST", target, keys.production, content)
    with RawH1(gateway.way.tls()) as client:
        return client.call("POST", target, keys.production, content)


def row_of(gateway: GatewayProcess, reply: Reply) -> dict[str, object]:
    return gateway.row(reply.first("x-gateway-request-id"))


CHAT_USAGE = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920},
    "completion_tokens_details": {"reasoning_tokens": 128},
}
# gpt-5.4-mini: 0.75, cached 0.075, out 4.50 USD per million
CHAT_COST = 86 * 750 + 1920 * 75 + 300 * 4500


@pytest.mark.parametrize("version", ["h1", "h2"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_call_is_charged_what_openai_would(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, stream: bool, version: str
) -> None:
    fake.knobs.add(CHAT, patch={"usage": CHAT_USAGE})
    labels = {"key": "default", "model": "gpt-5.4-mini"}
    before = gateway.metric("openai_gateway_cost_usd_total", **labels)
    tokens = gateway.metric("openai_gateway_tokens_total", **labels)
    body = {"model": "gpt-5.4-mini", "messages": [], "stream": stream}
    row = row_of(gateway, call(gateway, keys, CHAT, body, version))
    assert CHAT_COST == 1_558_500
    assert row["cost_nano_usd"] == CHAT_COST
    assert (row["input_tokens"], row["cached_input_tokens"]) == (2006, 1920)
    assert (row["output_tokens"], row["reasoning_tokens"]) == (300, 128)
    assert (row["total_tokens"], row["usage_source"]) == (2306, "reported")
    after = gateway.metric("openai_gateway_cost_usd_total", **labels)
    assert round((after - before) * NANO) == CHAT_COST
    assert gateway.metric("openai_gateway_tokens_total", **labels) - tokens == 2306


@pytest.mark.parametrize(
    ("told", "input_tokens", "anomaly"),
    [
        ({"prompt_tokens": -5, "completion_tokens": 1}, None, "negative"),
        ({"prompt_tokens": 10**18, "completion_tokens": 1}, 10**12, "absurd"),
        ({"prompt_tokens": "many", "completion_tokens": 1}, None, "wrong_type"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_usage_that_cannot_be_true_is_counted_and_never_a_crash(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, stream: bool,
    told: dict[str, object], input_tokens: int | None, anomaly: str,
) -> None:  # fmt: skip
    fake.knobs.add(CHAT, patch={"usage": told})
    labels = {"endpoint": "chat.create", "anomaly": anomaly}
    before = gateway.metric("openai_gateway_usage_anomalies_total", **labels)
    body: dict[str, object] = {"model": "gpt-5.4-mini", "messages": [], "stream": stream}
    reply = call(gateway, keys, CHAT, body)
    assert reply.status == 200
    row = row_of(gateway, reply)
    if input_tokens is not None:
        assert row["input_tokens"] == input_tokens
    assert f"odd usage: {anomaly}" in str(row["trace"])
    assert gateway.metric("openai_gateway_usage_anomalies_total", **labels) == before + 1


@pytest.mark.parametrize("split", [0, 1, 7])
def test_a_stream_that_did_not_ask_shows_the_bytes_that_it_would_have_had(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, split: int
) -> None:
    """The fake's stream with and without include_usage, by way of the gateway and past it."""
    fake.knobs.add(CHAT, split_bytes=split, patch={"id": "chatcmpl-1", "created": 1})
    body: dict[str, object] = {"model": "gpt-6-luna", "messages": [], "stream": True}
    plain = call(gateway, keys, CHAT, body)
    asked = call(gateway, keys, CHAT, {**body, "stream_options": {"include_usage": True}})
    assert b'"usage"' not in plain.body
    assert b'"usage"' in asked.body
    assert plain.body.endswith(b"data: [DONE]\n\n")
    sent = [request.json() for request in fake.wait(2)]
    assert [one["stream_options"] for one in sent] == [{"include_usage": True}] * 2  # type: ignore[index]
    assert row_of(gateway, plain)["usage_source"] == "reported"


def test_an_aborted_stream_settles_with_an_estimate(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add(CHAT, fail="reset", at="body", after_events=4)
    before = gateway.metric("openai_gateway_usage_missing_requests_total", reason="stream_aborted")
    reply = call(gateway, keys, CHAT, {"model": "gpt-6-luna", "messages": [], "stream": True})
    row = row_of(gateway, reply)
    assert row["usage_source"] == "estimated"
    assert isinstance(row["cost_nano_usd"], int)
    assert row["cost_nano_usd"] > 0
    after = gateway.metric("openai_gateway_usage_missing_requests_total", reason="stream_aborted")
    assert after == before + 1


def test_an_embedding_costs_its_input(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add("/v1/embeddings", patch={"usage": {"prompt_tokens": 8, "total_tokens": 8}})
    body = {"model": "text-embedding-3-small", "input": "x"}
    row = row_of(gateway, call(gateway, keys, "/v1/embeddings", body))
    assert row["cost_nano_usd"] == 8 * 20


def test_an_unpriced_model_costs_null_and_is_counted(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    before = gateway.metric("openai_gateway_unpriced_requests_total")
    body = {"model": "gpt-6.2-astra-law", "messages": []}
    row = row_of(gateway, call(gateway, keys, CHAT, body))
    assert row["cost_nano_usd"] is None
    assert row["input_tokens"] is not None
    assert gateway.metric("openai_gateway_unpriced_requests_total") == before + 1


def test_what_costs_nothing_costs_zero(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add("/v1/responses", status=500, body=b"{}")
    with RawH1(gateway.way.tls()) as client:
        models = client.call("GET", "/v1/models", keys.production)
        refused = client.call("POST", CHAT, "sk-unknown-FAKE", b"{}")
    failed = call(gateway, keys, "/v1/responses", {"model": "gpt-6-luna", "input": "x"})
    rows = [row_of(gateway, reply) for reply in (models, refused, failed)]
    assert [row["cost_nano_usd"] for row in rows] == [0, 0, 0]


def test_a_stored_response_is_charged_once(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    body = {"model": "gpt-6-luna", "input": "x"}
    made = call(gateway, keys, "/v1/responses", body)
    name = json.loads(bytes(made.body))["id"]
    with RawH1(gateway.way.tls()) as client:
        again = client.call("GET", f"/v1/responses/{name}", keys.production)
    first = row_of(gateway, made)["cost_nano_usd"]
    assert isinstance(first, int)
    assert first > 0
    assert row_of(gateway, again)["cost_nano_usd"] == 0


def test_a_background_response_is_charged_when_its_end_is_first_seen(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    body = {"model": "gpt-6-luna", "input": "x", "background": True}
    made = call(gateway, keys, "/v1/responses", body)
    told = json.loads(bytes(made.body))
    assert told["status"] == "queued"
    with RawH1(gateway.way.tls()) as client:
        reads = [client.call("GET", f"/v1/responses/{told['id']}", keys.production) for _ in "ab"]
    assert json.loads(bytes(reads[0].body))["status"] == "completed"
    costs = [row_of(gateway, reply)["cost_nano_usd"] for reply in (made, *reads)]
    assert costs[0] == 0
    assert isinstance(costs[1], int)
    assert costs[1] > 0
    assert costs[2] == 0


REALTIME = {
    "total_tokens": 700,
    "input_tokens": 500,
    "output_tokens": 200,
    "input_token_details": {
        "text_tokens": 119, "audio_tokens": 381, "cached_tokens": 320,
        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 256},
    },
    "output_token_details": {"text_tokens": 40, "audio_tokens": 160},
}  # fmt: skip


def test_each_response_on_a_realtime_socket_is_a_row_of_its_own(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add("/v1/realtime", patch={"usage": REALTIME})
    seen = len(gateway.rows(0, 0))
    path = "/v1/realtime?model=gpt-realtime-2.1"
    with WebSocket(gateway.way.tls(), path, [bearer(keys.production)]) as socket:
        socket.hear_type("session.created")
        for _ in range(2):
            socket.tell({"type": "response.create"})
            socket.hear_type("response.done")
    rows = gateway.rows(seen + 3)[seen:]
    assert [row["method"] for row in rows] == ["GET", "WS", "WS"]
    worked_out = 55 * 4000 + 125 * 32000 + 64 * 400 + 256 * 400 + 40 * 24000 + 160 * 64000
    assert worked_out == 15_548_000
    assert [row["cost_nano_usd"] for row in rows] == [0, worked_out, worked_out]
    assert [row["audio_output_tokens"] for row in rows] == [None, 160, 160]


def test_a_row_tells_what_the_request_was_like_and_what_openai_allows(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    body = {"model": "gpt-6-luna", "max_completion_tokens": 7,
            "messages": [{"role": "system", "content": "PROMPTWORD"}]}  # fmt: skip
    row = row_of(gateway, call(gateway, keys, CHAT, body))
    told = json.loads(str(row["features"]))
    assert told["fields"] == ["max_completion_tokens", "messages", "model"]
    assert told["limits"] == {"max_completion_tokens": 7}
    assert "PROMPTWORD" not in str(row)
    assert json.loads(str(row["upstream_limits"])) == {"rpm": 10_000, "tpm": 2_000_000}


def test_background_work_is_charged_once_also_over_a_restart(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys, tmp_path: Path
) -> None:
    """The end comes right after the read: its budget has paid all the same, and once."""
    del fake
    budget = {
        "name": "ordered",
        "usd": 1,
        "period": "day",
        "match": {"endpoint": "responses.create"},
    }
    config = {"log": {"database": f"sqlite:///{tmp_path / 'calls.db'}"}, "budgets": [budget]}
    body = {"model": "gpt-6-luna", "input": "x", "background": True}
    with contextlib.closing(sqlite3.connect(tmp_path / "calls.db")):
        pass
    before = make_gateway(config)
    name = json.loads(bytes(call(before, keys, "/v1/responses", body).body))["id"]
    before.stop()
    after = make_gateway(config)
    with RawH1(after.way.tls()) as client:
        replies = [client.call("GET", f"/v1/responses/{name}", keys.production) for _ in "ab"]
    after.stop()
    asked = [reply.first("x-gateway-request-id") for reply in replies]
    with contextlib.closing(sqlite3.connect(tmp_path / "calls.db")) as database:
        query = "SELECT id, cost_nano_usd FROM calls WHERE method = 'GET'"
        costs = dict(database.execute(query).fetchall())
        spent = database.execute("SELECT sum(spent_nano_usd) FROM spend").fetchone()[0]
    assert costs[asked[0]] > 0
    assert costs[asked[1]] == 0
    assert spent == costs[asked[0]]


def test_a_chunked_stream_that_is_made_to_tell_leaves_framed_in_one_way(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.tls.alpn = ("http/1.1",)
    body = json.dumps({"model": "gpt-6-luna", "messages": [], "stream": True}).encode()
    with RawH1(gateway.way.tls()) as client:
        headers = [("Host", "api.openai.com"), bearer(keys.production),
                   ("Content-Type", "application/json")]  # fmt: skip
        client.request("POST", CHAT, headers, chunks=[body[:20], body[20:]])
        assert client.answer("POST").status == 200
        assert client.call("GET", "/v1/models", keys.production).status == 200
    sent = fake.wait(2)[0]
    assert sent.json()["stream_options"] == {"include_usage": True}  # type: ignore[index]
    framings = [*sent.values("content-length"), *sent.values("transfer-encoding")]
    assert len(framings) == 1


def test_a_response_under_way_on_a_socket_is_booked_when_the_gateway_stops(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add("/v1/realtime", event_delay_s=0.5)
    process = make_gateway()
    path = "/v1/realtime?model=gpt-realtime-2.1"
    with WebSocket(process.way.tls(), path, [bearer(keys.production)]) as socket:
        socket.hear_type("session.created")
        socket.tell({"type": "response.create"})
        socket.hear_type("response.created")
        assert process.stop() == 0
    rows = process.rows(2)
    assert [row["method"] for row in rows] == ["GET", "WS"]
    assert rows[1]["usage_source"] == "estimated"
