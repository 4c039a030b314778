"""The first books: a row for each call, counters that equal the rows, and no key in any sink."""

import base64
import json
import time
from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.conftest import MakeGateway
from tests.support.clients import ConnectRefused, RawH1, RawH2, WebSocket, bearer
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys, fresh_keys

CHAT = "/v1/chat/completions"
COLUMNS = (
    "id started_at environment key client endpoint method path model_requested model_sent "
    "model_response service_tier stream status outcome error_code input_tokens "
    "cached_input_tokens cache_write_tokens output_tokens reasoning_tokens audio_input_tokens "
    "audio_output_tokens image_input_tokens image_output_tokens total_tokens billed_units "
    "cost_nano_usd usage_source duration_ms upstream_ms ttft_ms overhead_ms injected_ms "
    "request_bytes response_bytes leaks fault features upstream_limits openai_request_id sdk trace"
)


def body(model: str = "gpt-6-luna", **more: object) -> bytes:
    return json.dumps({"model": model, "messages": [], **more}).encode()


ASKING = body(stream=True, stream_options={"include_usage": True})


def test_a_call_has_one_row_with_every_column(
    gateway: GatewayProcess, keys: Keys, fake: FakeOpenAIThread
) -> None:
    with RawH1(gateway.way.tls()) as client:
        reply = client.call("POST", CHAT, keys.production, ASKING)
    row = gateway.row(reply.first("x-gateway-request-id"))
    assert sorted(row) == sorted(COLUMNS.split())
    assert row["endpoint"] == "chat.create"
    assert row["path"] == CHAT
    assert row["method"] == "POST"
    assert row["model_requested"] == row["model_sent"] == "gpt-6-luna"
    assert (row["status"], row["outcome"], row["error_code"]) == (200, "forwarded", None)
    assert (row["key"], row["client"], row["stream"]) == ("default", "127.0.0.1", 1)
    assert row["request_bytes"] == len(ASKING)
    assert row["response_bytes"] == len(reply.body)
    assert row["openai_request_id"] == reply.first("x-request-id")
    assert row["duration_ms"] > row["upstream_ms"] > row["ttft_ms"] > 0
    assert 0 < row["overhead_ms"] < 50
    assert json.loads(row["trace"])[-1]["stage"] == "keys.attach"
    assert fake.wait()[0].body == ASKING


def test_a_refusal_has_a_row_too(gateway: GatewayProcess, fake: FakeOpenAIThread) -> None:
    with RawH1(gateway.way.tls()) as client:
        reply = client.call("POST", CHAT, "sk-unknown-FAKE", body())
    row = gateway.row(reply.first("x-gateway-request-id"))
    assert (row["status"], row["outcome"], row["error_code"]) == (
        401, "rejected_key", "gateway_unknown_key",
    )  # fmt: skip
    assert row["upstream_ms"] is None
    assert fake.requests == []


def test_a_refused_connect_has_a_row_too(gateway: GatewayProcess) -> None:
    with pytest.raises(ConnectRefused) as refused:
        gateway.way.tunnel("evil.example:443")
    row = gateway.row(refused.value.reply.first("x-gateway-request-id"))
    assert (row["method"], row["status"], row["outcome"]) == ("CONNECT", 403, "blocked")
    assert row["path"] == "(withheld)"


def test_the_counters_equal_the_rows(
    make_gateway: MakeGateway, keys: Keys, fake: FakeOpenAIThread
) -> None:
    process = make_gateway()
    fake.knobs.add("/v1/embeddings", status=500, body=b'{"error": {"code": "server_error"}}')
    with RawH1(process.way.tls()) as client:
        for number in range(12):
            client.call("POST", CHAT, keys.production, body(stream=bool(number % 2)))
        client.call("POST", "/v1/embeddings", keys.production, body())
        client.call("POST", CHAT, "sk-unknown-FAKE", body())
        client.call("GET", "/v1/organization/users", keys.production)
        client.call("POST", CHAT, keys.production, b"{not json")
        client.call("POST", CHAT, keys.production, body(model="invented-model"))
    with RawH2(process.way.tls(alpn=("h2",))) as client2:
        client2.call("GET", "/v1/models", keys.production)
    rows = process.rows(18)
    assert len(rows) == 18
    counted: Counter[tuple[str, str, str]] = Counter()
    for family in text_string_to_metric_families(process.get("/metrics")[1]):
        for sample in family.samples:
            if sample.name == "openai_gateway_requests_total":
                at = sample.labels
                counted[at["endpoint"], at["outcome"], at["status"]] += int(sample.value)
    assert counted == Counter((r["endpoint"], r["outcome"], str(r["status"])) for r in rows)
    assert (
        process.metric("openai_gateway_key_swaps_total", key="default") == len(fake.requests) == 15
    )
    assert process.metric("openai_gateway_key_rejections_total", reason="unknown") == 1
    assert process.metric("openai_gateway_upstream_errors_total", error="server_error") == 1
    assert process.metric("openai_gateway_requests_total", model="other") == 1
    assert process.metric("openai_gateway_log_records_total", result="written") == 18
    assert process.metric("openai_gateway_requests_in_progress") == 0
    assert process.metric("openai_gateway_internal_errors_total") == 0


def test_invented_names_add_no_series(
    gateway: GatewayProcess, keys: Keys, fake: FakeOpenAIThread
) -> None:
    del fake

    def series() -> int:
        lines = gateway.get("/metrics")[1].splitlines()
        return sum(line.startswith("openai_gateway_requests_total{") for line in lines)

    with RawH1(gateway.way.tls()) as client:
        client.call("POST", CHAT, keys.production, body(model="invented"))
        client.call("POST", "/v1/invented", keys.production, body(model="invented"))
        client.call("POST", CHAT, "sk-invented-FAKE", body(model="invented"))
        before = series()
        for number in range(20):
            client.call("POST", CHAT, keys.production, body(model=f"invented-{number}"))
            client.call("POST", f"/v1/invented-{number}", keys.production, body(model="x"))
            client.call("POST", CHAT, f"sk-invented-FAKE-{number}", body(model="x"))
    assert series() == before


def test_no_key_is_in_any_sink(
    make_gateway: MakeGateway, keys: Keys, fake: FakeOpenAIThread
) -> None:
    """stdout, stderr, log, database bytes, metrics, answers: after every way to plant a key."""
    other = fresh_keys()
    admin = "sk-admin-" + "FAKE" * 12
    process = make_gateway()
    p, answers = keys.production, []
    percent = "".join(f"%{byte:02x}" for byte in p.encode())
    coded = base64.b64encode(b"x" + p.encode()).decode()
    fake.knobs.add("/v1/embeddings", status=401, body=json.dumps({"echo": keys.staging}).encode())
    with RawH1(process.way.tls()) as client:
        for target, key, content in [
            (f"/v1/models/{p}", p, None), (f"/v1/models?key={p}", p, None),
            (f"/v1/models/{percent}", p, None), (f"/v1/{p}", other.production, None),
            (CHAT, p, body(note=p)), (CHAT, p, body(note=coded)), (CHAT, p, body(model=p)),
            (CHAT, other.production, body()), (CHAT, admin, body()), (CHAT, keys.staging, body()),
            ("/v1/embeddings", p, body()),
        ]:  # fmt: skip
            answers.append(client.call("POST" if content else "GET", target, key, content))
        # Their answers are not looked at: the upstream repeats what it was asked for.
        client.call("GET", f"/v1/x/{other.production}", p)
        client.call("POST", CHAT, p, body(user=other.production, model=other.production))
        client.request("GET", "/v1/models", [("Host", "api.openai.com"), bearer(p), bearer(p)])
        answers.append(client.answer())
        client.request(
            "GET", "/v1/models", [("Host", "api.openai.com"), bearer(p), (f"X-{p}", "1")]
        )
        answers.append(client.answer())
    with WebSocket(process.way.tls(), "/v1/realtime?model=gpt-realtime", [bearer(p)]) as socket:
        socket.hear_type("session.created")
        socket.tell({"type": "response.create", "note": p})
        answers_text = str(socket.hear_type("error"))
    with pytest.raises(ConnectRefused) as refused:
        process.way.tunnel(f"{p}.example:443")
    answers.append(refused.value.reply)
    process.rows(len(answers) + 3)
    time.sleep(0.7)
    metrics = process.get("/metrics")[1]
    process.stop()
    sinks = {
        "output": process.output().encode(),
        "database": process.database_bytes(),
        "metrics": metrics.encode(),
        "answers": b"".join(bytes(a.body) + str(a.headers).encode() for a in answers)
        + answers_text.encode(),
    }
    secrets = [p, keys.staging, other.production, admin, percent, coded, p[12:]]
    for name, data in sinks.items():
        for secret in secrets:
            assert secret.encode() not in data, f"{secret[:12]}… is in {name}"
    assert p.encode() not in fake.received_bytes()
