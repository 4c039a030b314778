"""Whatever fails inside, nothing leaves: each stage and hook, each way to fail, both HTTP versions.

Every assertion is on the bytes that arrived at the upstream, read after the call was answered.
"""

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.calls import eventually
from tests.e2e.conftest import MakeGateway
from tests.support.clients import (
    ConnectRefused,
    RawH1,
    RawH2,
    Refused,
    Reply,
    WebSocket,
    bearer,
)
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.faults import HOOK_WAYS, SCRIPT, STAGE_WAYS, Planter
from tests.support.gateway_process import GatewayProcess, Keys, environment, merged, settings
from tests.support.relay import RelayThread

BODY = b'{"model": "gpt-6-luna", "messages": [{"role": "user", "content": "hello"}]}'
STREAM = b'{"model": "gpt-6-luna", "stream": true, "messages": []}'
CHAT = "/v1/chat/completions"
STAGES = (
    "route",
    "content",
    "tripwire",
    "keys.identify",
    "endpoints",
    "body",
    "leaks",
    "models",
    "budgets",
    "limits",
    "faults",
    "latency",
    "accounting",
    "keys.attach",
)
# Both stages are there, and do nothing to these calls.
SHAPED = {
    "shape": {
        "mode": "enforce",
        "faults": [{"fault": "reset", "match": {"model": "gpt-4o"}, "probability": 1}],
        "latency": {"gpt-4o": {"ttft_ms": {"p50": 1, "p95": 1}}},
    }
}
VERSIONS = ("h1", "h2")


@pytest.fixture(scope="module")
def planter(tmp_path_factory: pytest.TempPathFactory) -> Planter:
    return Planter(tmp_path_factory.mktemp("faults") / "fault")


@pytest.fixture(scope="module")
def faulty(
    planter: Planter, the_fake: FakeOpenAIThread, the_relay: RelayThread, keys: Keys
) -> Iterator[GatewayProcess]:
    config = merged(settings(the_relay.url, the_fake.ca_pem_path), SHAPED)
    env = {**environment(keys), "FAULT_FILE": str(planter.file)}
    with GatewayProcess(config, env, script=SCRIPT) as process:
        yield process


@pytest.fixture(autouse=True)
def _clean(planter: Planter) -> Iterator[None]:
    yield
    planter.clear()


def call(process: GatewayProcess, keys: Keys, version: str, body: bytes = BODY) -> Reply:
    way = process.way
    if version == "h2":
        with RawH2(way.tls(alpn=("h2",))) as client:
            return client.call("POST", CHAT, keys.production, body)
    with RawH1(way.tls()) as client:
        return client.call("POST", CHAT, keys.production, body)


def nothing_left(fake: FakeOpenAIThread, keys: Keys) -> None:
    assert fake.requests == []
    assert keys.production.encode() not in fake.received_bytes()
    assert keys.staging.encode() not in fake.received_bytes()


@pytest.mark.parametrize("version", VERSIONS)
def test_without_a_fault_the_call_arrives_with_the_staging_key(
    faulty: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    reply = call(faulty, keys, version)
    assert reply.status == 200
    received = fake.wait()[0]
    assert received.values("authorization") == [f"Bearer {keys.staging}"]
    assert received.body == BODY
    assert keys.production.encode() not in fake.received_bytes()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", STAGE_WAYS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_fails_lets_nothing_leave(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, keys: Keys,
    stage: str, how: str, version: str,
) -> None:  # fmt: skip
    planter.plant(stage, how)
    before = faulty.metric("openai_gateway_internal_errors_total", stage=stage)
    reply = call(faulty, keys, version)
    assert (reply.status, reply.code) == (503, "gateway_internal_error")
    assert reply.first("x-should-retry") == "false"
    assert reply.first("x-gateway-request-id").startswith("gw_")
    nothing_left(fake, keys)
    assert faulty.metric("openai_gateway_internal_errors_total", stage=stage) == before + 1
    planter.clear()
    assert call(faulty, keys, version).status == 200


def test_every_stage_of_the_chain_is_in_the_matrix(
    faulty: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    reply = call(faulty, keys, "h1")
    trace = faulty.row(reply.first("x-gateway-request-id"))["trace"]
    assert tuple(re.findall(r'"stage":"([^"]+)"', trace)) == STAGES


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", HOOK_WAYS)
@pytest.mark.parametrize("hook", ["requestheaders", "request"])
def test_a_request_hook_that_fails_lets_nothing_leave(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, keys: Keys,
    hook: str, how: str, version: str,
) -> None:  # fmt: skip
    planter.plant(f"hook:{hook}", how)
    reply = call(faulty, keys, version)
    assert (reply.status, reply.code) == (503, "gateway_internal_error")
    nothing_left(fake, keys)


@pytest.mark.parametrize("how", HOOK_WAYS)
def test_a_connect_hook_that_fails_opens_nothing(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, relay: RelayThread, how: str
) -> None:
    planter.plant("hook:http_connect", how)
    with pytest.raises(ConnectRefused) as refused:
        faulty.way.tls()
    assert refused.value.reply.code == "gateway_internal_error"
    assert fake.connections == []
    assert relay.asked == []


@pytest.mark.parametrize("how", HOOK_WAYS)
def test_a_client_whose_admission_fails_is_cut(
    faulty: GatewayProcess, planter: Planter, how: str
) -> None:
    planter.plant("hook:client_connected", how)
    with pytest.raises((OSError, EOFError, ConnectRefused)):
        faulty.way.tls()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", HOOK_WAYS)
def test_a_backstop_that_fails_dials_nothing(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, relay: RelayThread,
    keys: Keys, how: str, version: str,
) -> None:  # fmt: skip
    planter.plant("hook:server_connect", how)
    reply = call(faulty, keys, version)
    assert (reply.status, reply.code) == (502, "gateway_upstream_unreachable")
    assert relay.asked == []
    nothing_left(fake, keys)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", HOOK_WAYS)
@pytest.mark.parametrize("body", [BODY, STREAM])
def test_an_answer_whose_head_cannot_be_looked_at_is_withheld(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, keys: Keys,
    how: str, version: str, body: bytes,
) -> None:  # fmt: skip
    fake.knobs.add(CHAT, text="SECRETANSWER")
    planter.plant("hook:responseheaders", how)
    reply = call(faulty, keys, version, body)
    assert (reply.status, reply.code) == (503, "gateway_internal_error")
    assert b"SECRETANSWER" not in reply.body
    planter.clear()
    assert call(faulty, keys, version).status == 200


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", HOOK_WAYS)
def test_a_small_answer_that_cannot_be_looked_at_is_withheld(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, keys: Keys,
    how: str, version: str,
) -> None:  # fmt: skip
    fake.knobs.add(CHAT, text="SECRETANSWER")
    planter.plant("hook:response", how)
    reply = call(faulty, keys, version)
    assert (reply.status, reply.code) == (503, "gateway_internal_error")
    assert b"SECRETANSWER" not in reply.body


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", HOOK_WAYS)
def test_a_stream_that_cannot_be_looked_at_breaks_off_visibly(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, keys: Keys,
    how: str, version: str,
) -> None:  # fmt: skip
    fake.knobs.add(CHAT, text="SECRETANSWER", event_delay_s=0.01)
    planter.plant("hook:stream", how)
    before = faulty.metric("openai_gateway_internal_errors_total", stage="stream")
    reply = call(faulty, keys, version, STREAM)
    assert reply.status == 200
    assert not reply.complete
    assert b"SECRETANSWER" not in reply.body
    assert b'data: {"error":{' in reply.body
    assert faulty.metric("openai_gateway_internal_errors_total", stage="stream") == before + 1
    assert "internal error in stream" in faulty.output()
    planter.clear()
    assert call(faulty, keys, version).status == 200


@pytest.mark.parametrize("how", HOOK_WAYS)
def test_an_error_hook_that_fails_still_answers(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, keys: Keys, how: str
) -> None:
    fake.knobs.add(CHAT, fail="reset")
    planter.plant("hook:error", how)
    reply = call(faulty, keys, "h1")
    assert (reply.status, reply.code) == (502, "gateway_upstream_unreachable")


@pytest.mark.parametrize("how", HOOK_WAYS)
def test_a_websocket_message_that_cannot_be_judged_is_not_sent_on(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, keys: Keys, how: str
) -> None:
    way = faulty.way
    with WebSocket(
        way.tls(), "/v1/realtime?model=gpt-realtime-2.1", [bearer(keys.production)]
    ) as ws:
        ws.hear_type("session.created")
        planter.plant("hook:websocket_message", how)
        ws.text('{"type": "response.create", "note": "UNSEEN"}')
        said = ws.hear()
        assert said.kind == "close"
        assert said.code == 1008
    assert b"UNSEEN" not in fake.received_bytes()


@pytest.mark.parametrize("how", HOOK_WAYS)
def test_an_event_of_openai_that_cannot_be_looked_at_closes_the_socket(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, keys: Keys, how: str
) -> None:
    fake.knobs.add("/v1/realtime", event_delay_s=0.4)
    path = "/v1/realtime?model=gpt-realtime-2.1"
    with WebSocket(faulty.way.tls(), path, [bearer(keys.production)]) as ws:
        ws.hear_type("session.created")
        ws.text('{"type": "response.create"}')
        ws.hear_type("response.created")
        planter.plant("hook:websocket_message", how)
        said = ws.hear()
    assert (said.kind, said.code) == ("close", 1008)


@pytest.mark.parametrize("how", HOOK_WAYS)
def test_a_ping_that_cannot_be_judged_closes_the_socket(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, keys: Keys, how: str
) -> None:
    path = "/v1/realtime?model=gpt-realtime-2.1"
    with WebSocket(faulty.way.tls(), path, [bearer(keys.production)]) as ws:
        ws.hear_type("session.created")
        planter.plant("tripwire:message", how)
        ws.ping(b"UNSEEN")
        said = ws.hear()
    assert (said.kind, said.code) == ("close", 1008)
    assert b"UNSEEN" not in fake.received_bytes()
    assert "internal error in websocket_control" in faulty.output()


@pytest.mark.parametrize("how", HOOK_WAYS)
@pytest.mark.parametrize("body", [BODY, STREAM])
def test_a_bill_that_cannot_be_worked_out_is_not_booked_as_free(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, keys: Keys,
    how: str, body: bytes,
) -> None:  # fmt: skip
    del fake
    planter.plant("books:settle", how)
    reply = call(faulty, keys, "h1", body)
    assert (reply.status, reply.complete) == (200, True)
    row = row_of(faulty, reply)
    assert (row["status"], row["cost_nano_usd"]) == (200, None)
    assert "internal error in settle" in faulty.output()


@pytest.mark.parametrize("how", HOOK_WAYS)
@pytest.mark.parametrize(("body", "place"), [(BODY, "answer:whole"), (STREAM, "answer:feed")])
def test_an_answer_that_cannot_be_searched_for_what_is_only_reported_passes(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, keys: Keys,
    how: str, body: bytes, place: str,
) -> None:  # fmt: skip
    del fake
    planter.plant(place, how)
    reply = call(faulty, keys, "h1", body)
    assert (reply.status, reply.complete) == (200, True)
    row = row_of(faulty, reply)
    assert (row["status"], row["outcome"]) == (200, "forwarded")
    assert "internal error in answer_search" in faulty.output()


@pytest.mark.parametrize("how", HOOK_WAYS)
@pytest.mark.parametrize(("body", "place"), [(BODY, "answer:whole"), (STREAM, "answer:feed")])
def test_an_answer_that_cannot_be_redacted_does_not_reach_the_client(
    planter: Planter, fake: FakeOpenAIThread, keys: Keys, make_gateway: MakeGateway,
    how: str, body: bytes, place: str,
) -> None:  # fmt: skip
    fake.knobs.add(CHAT, text="UNSEEN words")
    env = {"FAULT_FILE": str(planter.file)}
    process = make_gateway({"leaks": {"responses": "redact"}}, env=env, script=SCRIPT)
    planter.plant(place, how)
    reply = call(process, keys, "h1", body)
    assert b"UNSEEN" not in reply.body
    assert process.metric("openai_gateway_internal_errors_total") == 1


@pytest.mark.parametrize("how", HOOK_WAYS)
def test_a_call_that_cannot_be_counted_has_its_row_all_the_same(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, keys: Keys, how: str
) -> None:
    del fake
    planter.plant("books:metrics", how)
    reply = call(faulty, keys, "h1")
    assert reply.status == 200
    assert row_of(faulty, reply)["cost_nano_usd"] > 0
    assert "internal error in record" in faulty.output()


def row_of(process: GatewayProcess, reply: Reply) -> dict[str, Any]:
    name = reply.first("x-gateway-request-id")
    found: list[dict[str, Any]] = []

    def written() -> bool:
        found[:] = [row for row in process.rows(0) if row["id"] == name]
        return bool(found)

    assert eventually(written)
    return found[0]


def test_a_reload_that_fails_within_does_not_end_the_next(
    faulty: GatewayProcess, planter: Planter
) -> None:
    planter.plant("upkeep:reload", "raise")
    faulty.signal(signal.SIGHUP)
    assert eventually(lambda: "gateway.yaml not reloaded (ValueError)" in faulty.output())
    planter.clear()
    before = faulty.metric("openai_gateway_config_reloads_total", result="success")
    faulty.signal(signal.SIGHUP)
    assert eventually(
        lambda: faulty.metric("openai_gateway_config_reloads_total", result="success") > before
    )


@pytest.mark.parametrize("stage", STAGES)
def test_a_handshake_with_a_failing_stage_opens_no_socket(
    faulty: GatewayProcess, planter: Planter, fake: FakeOpenAIThread, keys: Keys, stage: str
) -> None:
    planter.plant(stage, "raise")
    with faulty.way.tls() as sock, pytest.raises(Refused) as refused:
        WebSocket(sock, "/v1/realtime?model=m", [bearer(keys.production)])
    assert refused.value.reply.code == "gateway_internal_error"
    nothing_left(fake, keys)


def test_before_the_start_has_finished_nothing_is_served(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys, tmp_path: Path
) -> None:
    planter = Planter(tmp_path / "fault")
    planter.plant("hook:running", "wait")
    process = make_gateway(env={"FAULT_FILE": str(planter.file)}, script=SCRIPT, wait=False)
    refused = first_answer(process)
    assert (refused.status, refused.code) == (503, "gateway_not_ready")
    assert refused.first("x-should-retry") == "true"
    assert fake.connections == []
    planter.clear()
    process.wait_ready()
    assert call(process, keys, "h1").status == 200


def first_answer(process: GatewayProcess) -> Reply:
    """What the port says as soon as it is open."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            process.way.tunnel()
        except ConnectRefused as refused:
            return refused.reply
        except (OSError, EOFError):
            time.sleep(0.02)
    raise AssertionError(f"no answer within 20 s\n{process.output()}")
