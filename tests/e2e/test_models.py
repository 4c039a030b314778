"""Which models go out, and by which prices they are counted: own prices, reload, refusals."""

import json
from typing import Any

import pytest
import yaml

from tests.e2e.calls import CHAT, eventually, nothing_left, refused
from tests.e2e.conftest import MakeGateway
from tests.support.clients import RawH1, Reply, WebSocket, bearer
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys

LAST = "openai_gateway_config_last_reload_successful"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}


def call(process: GatewayProcess, keys: Keys, model: str) -> Reply:
    body = json.dumps({"model": model, "messages": []}).encode()
    with RawH1(process.way.tls()) as client:
        return client.call("POST", CHAT, keys.production, body)


def cost(process: GatewayProcess, keys: Keys, model: str) -> object:
    reply = call(process, keys, model)
    assert reply.status == 200
    return process.row(reply.first("x-gateway-request-id"))["cost_nano_usd"]


def own_prices(usd_in: float, usd_out: float, name: str = "gpt-9-own") -> str:
    prices = {"usd_per_million": {"input": usd_in, "output": usd_out}}
    return yaml.safe_dump({"as_of": "2026-11-24", "models": {name: prices}})


def test_own_prices_count_and_are_read_again_when_their_file_changes(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """1,000 in at 2 USD a million, 500 out at 4: 2,000,000 + 2,000,000 nano-dollars."""
    fake.knobs.add(CHAT, patch={"usage": USAGE, "model": "gpt-9-own"})
    process = make_gateway()
    assert cost(process, keys, "gpt-9-own") is None
    file = process.folder / "own.yaml"
    file.write_text(own_prices(2, 4))
    process.reload({"models": {"prices": "own.yaml"}})
    assert eventually(lambda: cost(process, keys, "gpt-9-own") == 4_000_000)
    file.write_text(own_prices(4, 8))
    assert eventually(lambda: cost(process, keys, "gpt-9-own") == 8_000_000)
    file.write_text("as_of: 2026-11-24\nmodels: {gpt-9-own: {usd_per_milion: {input: 1}}}\n")
    assert eventually(lambda: process.metric(LAST) == 0)
    assert "own.yaml:2:22: models.gpt-9-own.usd_per_milion: is unknown" in process.output()
    assert cost(process, keys, "gpt-9-own") == 8_000_000
    file.write_text(own_prices(1, 2))
    assert eventually(lambda: process.metric(LAST) == 1)
    assert cost(process, keys, "gpt-9-own") == 2_000_000


def test_a_price_file_that_cannot_be_used_stops_the_start(make_gateway: MakeGateway) -> None:
    process = make_gateway({"models": {"prices": "absent.yaml"}}, wait=False)
    assert process.wait_exit() == 1
    assert "absent.yaml:1:1: (file): cannot be read (No such file or directory)" in process.output()
    assert "Traceback" not in process.output()


@pytest.mark.parametrize(
    ("models", "code"),
    [
        ({"deny": ["gpt-9-*"]}, "gateway_model_denied"),
        ({"unpriced": "block"}, "gateway_unpriced_model"),
    ],
)
def test_a_model_that_may_not_be_sent_stays_here(
    make_gateway: MakeGateway,
    fake: FakeOpenAIThread,
    keys: Keys,
    models: dict[str, Any],
    code: str,
) -> None:
    process = make_gateway({"models": models})
    reply = call(process, keys, "gpt-9-unheard-of")
    refused(reply, 403, code)
    nothing_left(fake, keys)
    row = process.row(reply.first("x-gateway-request-id"))
    assert (row["outcome"], row["error_code"], row["model_sent"]) == ("blocked", code, None)
    assert call(process, keys, "gpt-6-luna").status == 200


def test_a_socket_may_not_name_a_denied_model_either(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = make_gateway({"models": {"deny": ["gpt-9-*"]}})
    frame = {"type": "response.create", "model": "gpt-9-x", "input": "hello"}
    with WebSocket(process.way.tls(), "/v1/responses", [bearer(keys.production)]) as socket:
        socket.tell(frame)
        answer = socket.hear().json()
    assert (answer["status"], answer["error"]["code"]) == (403, "gateway_model_denied")
    assert b"gpt-9-x" not in fake.received_bytes()


def test_observe_lets_it_pass_and_says_so(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = make_gateway({"models": {"mode": "observe", "deny": ["gpt-9-*"]}})
    reply = call(process, keys, "gpt-9-x")
    assert reply.status == 200
    assert reply.values("x-gateway-would") == ["denied"]
    assert len(fake.wait()) == 1
    trace = json.loads(process.row(reply.first("x-gateway-request-id"))["trace"])
    assert {"stage": "models", "verdict": "would_be_denied: gateway_model_denied"}.items() <= next(
        step for step in trace if step["stage"] == "models"
    ).items()
