"""Calls that fail on purpose: what a raw client gets, what the real SDK raises, what is booked."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import pytest

from tests.e2e.calls import (
    BODY,
    CHAT,
    IN_PROGRESS,
    STREAM,
    bearer,
    connect,
    eventually,
    over_both,
    post,
)
from tests.e2e.commands import told
from tests.e2e.conftest import MakeGateway
from tests.support.clients import RawH1
from tests.support.clients.h2 import pseudo
from tests.support.clients.library import client as library
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_books import Row
from tests.support.gateway_process import GatewayProcess, Keys, environment, merged, settings
from tests.support.relay import RelayThread

ANSWERS = {
    "rate_limit": (429, "rate_limit_exceeded"),
    "slow_down": (429, "slow_down"),
    "quota": (429, "credit_balance_exhausted"),
    "server_error": (500, None),
    "overloaded": (503, "server_is_overloaded"),
}
OTHERS = ("timeout", "reset", "cut_stream", "slow_stream", "malformed")
SETTINGS: dict[str, dict[str, Any]] = {
    "rate_limit": {"retry_after_s": 2},
    "timeout": {"delay_s": 0.3},
    "slow_stream": {"delay_s": 0.05},
    "cut_stream": {"after_events": 3},
}
RULES = [
    {"name": f"my-{kind}", "match": {"model": f"gpt-6-{kind}"}, "probability": 1, "fault": kind,
     **SETTINGS.get(kind, {})}
    for kind in (*ANSWERS, *OTHERS)
]  # fmt: skip


@pytest.fixture(scope="module")
def failing(
    the_fake: FakeOpenAIThread, the_relay: RelayThread, keys: Keys
) -> Iterator[GatewayProcess]:
    """Each model fails in its own way, under a budget and a limit of tokens."""
    own = {
        "shape": {"mode": "enforce", "faults": RULES},
        "limits": {"rules": [{"name": "all", "tpm": 1_000_000}]},
        "budgets": [{"name": "team", "usd": 5, "period": "total", "reserve": "worst"}],
    }
    config = merged(settings(the_relay.url, the_fake.ca_pem_path), own)
    with GatewayProcess(config, environment(keys)) as process:
        yield process


@pytest.fixture
def gateway_of_faults(failing: GatewayProcess, fake: FakeOpenAIThread) -> Iterator[GatewayProcess]:
    del fake
    yield failing
    assert eventually(lambda: failing.metric(IN_PROGRESS) == 0)


def fresh(process: GatewayProcess, fault: str, known: set[object]) -> Row:
    """The row of a call without an answer, that no id leads to."""

    def new(rows: list[Row]) -> list[Row]:
        return [row for row in rows if row["fault"] == fault and row["id"] not in known]

    assert eventually(lambda: bool(new(process.rows(0))), seconds=5)
    return new(process.rows(0))[-1]


def ids(process: GatewayProcess) -> set[object]:
    return {row["id"] for row in process.rows(0)}


def body(kind: str, stream: bool = False) -> bytes:
    return (STREAM if stream else BODY).replace(b"gpt-6-luna", f"gpt-6-{kind}".encode())


@over_both
@pytest.mark.parametrize("kind", ANSWERS)
def test_openais_error_comes_without_a_call(
    gateway_of_faults: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, kind: str, version: str
) -> None:
    process = gateway_of_faults
    reply = post(process.way, version, keys, body(kind))
    assert (reply.status, reply.json()["error"]["code"]) == ANSWERS[kind]
    assert reply.complete
    assert reply.values("content-type") == ["application/json"]
    assert reply.first("x-gateway-fault") == f"my-{kind}"
    assert reply.first("x-request-id") == reply.first("x-gateway-request-id")
    if kind == "rate_limit":
        assert (reply.first("retry-after"), reply.first("retry-after-ms")) == ("2", "2000")
    assert fake.requests == []
    row = process.row(reply.first("x-gateway-request-id"))
    assert (row["outcome"], row["fault"], row["status"]) == (
        "faulted", f"my-{kind}", ANSWERS[kind][0],
    )  # fmt: skip
    assert (row["cost_nano_usd"], row["model_sent"]) == (0, None)
    assert f'"faults","verdict":"answered: faulted (my-{kind})"' in row["trace"]
    assert '"stage":"keys.attach"' not in row["trace"]


def test_what_was_reserved_is_given_back(gateway_of_faults: GatewayProcess, keys: Keys) -> None:
    """A call of 1,000 tokens that never left takes none of the bucket, and no money."""
    process = gateway_of_faults
    large = body("overloaded").replace(b"{", b'{"max_completion_tokens": 100000, ', 1)
    for _ in range(12):
        assert post(process.way, "h1", keys, large).status == 503
    used = process.metric("openai_gateway_budget_used_usd", budget="team")
    assert used == 0
    passed = post(process.way, "h1", keys)
    assert passed.status == 200
    assert int(passed.first("x-ratelimit-remaining-tokens")) > 990_000


@over_both
@pytest.mark.parametrize("stream", [False, True])
def test_a_timeout_says_nothing_and_closes(
    gateway_of_faults: GatewayProcess,
    fake: FakeOpenAIThread,
    keys: Keys,
    version: str,
    stream: bool,
) -> None:
    process = gateway_of_faults
    before = ids(process)
    began = time.monotonic()
    reply = post(process.way, version, keys, body("timeout", stream))
    assert time.monotonic() - began >= 0.3
    assert (reply.status, reply.complete, bytes(reply.body)) == (0, False, b"")
    assert fake.requests == []
    row = fresh(process, "my-timeout", before)
    assert (row["outcome"], row["fault"], row["error_code"], row["status"]) == (
        "faulted", "my-timeout", "timeout", 0,
    )  # fmt: skip
    assert 300 <= row["injected_ms"] <= row["duration_ms"]
    assert row["upstream_ms"] is None


@over_both
def test_a_client_that_does_not_wait_for_the_timeout_ends_the_call(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    rule = {"fault": "timeout", "probability": 1, "delay_s": 60, "match": {"model": "*-luna"}}
    process = make_gateway({"shape": {"mode": "enforce", "faults": [rule]}})
    with connect(process.way, version) as client:
        length = ("content-length", str(len(BODY)))
        if isinstance(client, RawH1):
            head = [("Host", "api.openai.com"), bearer(keys.production), length]
            client.request("POST", CHAT, head, BODY)
            time.sleep(0.2)
        else:
            fields = [*pseudo("POST", CHAT), bearer(keys.production), length]
            number = client.request(fields, BODY)
            time.sleep(0.2)
            client.reset(number)
            # the connection serves on
            reply = client.call("GET", "/v1/models", keys.production)
            assert reply.status == 200, process.output()
    row = fresh(process, "fault-1", set())
    assert row["outcome"] == "faulted"
    assert all(one.method == "GET" for one in fake.requests)
    assert row["injected_ms"] < 30_000


def test_a_reset_is_a_reset(
    gateway_of_faults: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """No goodbye of TLS or HTTP: the socket itself says so."""
    process = gateway_of_faults
    before = ids(process)
    sock = process.way.tls(alpn=("http/1.1",))
    payload = body("reset")
    head = (
        f"POST {CHAT} HTTP/1.1\r\nHost: api.openai.com\r\nAuthorization: Bearer {keys.production}"
    )
    sock.sendall(f"{head}\r\nContent-Length: {len(payload)}\r\n\r\n".encode() + payload)
    with pytest.raises(ConnectionResetError):
        sock.recv(1024)
    sock.close()
    assert fake.requests == []
    row = fresh(process, "my-reset", before)
    assert (row["outcome"], row["fault"], row["status"]) == ("faulted", "my-reset", 0)


def test_other_connections_stay(gateway_of_faults: GatewayProcess, keys: Keys) -> None:
    process = gateway_of_faults
    with connect(process.way, "h1") as other:
        assert other.call("POST", CHAT, keys.production, BODY).status == 200
        post(process.way, "h1", keys, body("reset"))
        assert other.call("POST", CHAT, keys.production, BODY).status == 200


@over_both
def test_a_cut_stream_never_looks_complete(
    gateway_of_faults: GatewayProcess, keys: Keys, version: str
) -> None:
    process = gateway_of_faults
    reply = post(process.way, version, keys, body("cut_stream", stream=True))
    assert reply.status == 200
    assert not reply.complete
    assert bytes(reply.body).count(b"data: ") == 3
    assert b"[DONE]" not in reply.body
    row = process.row(reply.first("x-gateway-request-id"))
    assert (row["outcome"], row["fault"], row["error_code"], row["usage_source"]) == (
        "faulted", "my-cut_stream", "cut_stream", "estimated",
    )  # fmt: skip
    assert post(
        process.way, version, keys, body("cut_stream")
    ).complete  # no stream: nothing to cut


@over_both
def test_a_slow_stream_comes_whole_and_late(
    gateway_of_faults: GatewayProcess, keys: Keys, version: str
) -> None:
    process = gateway_of_faults
    began = time.monotonic()
    reply = post(process.way, version, keys, body("slow_stream", stream=True))
    took_ms = (time.monotonic() - began) * 1000
    events = bytes(reply.body).count(b"data: ")
    assert reply.complete
    assert bytes(reply.body).endswith(b"data: [DONE]\n\n")
    row = process.row(reply.first("x-gateway-request-id"))
    assert 50 * (events - 1) - 1 <= row["injected_ms"] <= took_ms
    assert (row["outcome"], row["fault"], row["usage_source"]) == (
        "forwarded", "my-slow_stream", "reported",
    )  # fmt: skip


@over_both
@pytest.mark.parametrize("framing", ["auto", "chunked"])
def test_a_malformed_answer_is_whole_for_http_and_broken_for_json(
    gateway_of_faults: GatewayProcess,
    fake: FakeOpenAIThread,
    keys: Keys,
    version: str,
    framing: str,
) -> None:
    fake.knobs.add(CHAT, framing=framing)
    process = gateway_of_faults
    reply = post(process.way, version, keys, body("malformed"))
    assert (reply.status, reply.complete) == (200, True)
    assert reply.body
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.body)
    row = process.row(reply.first("x-gateway-request-id"))
    assert (row["outcome"], row["fault"], row["usage_source"]) == (
        "faulted", "my-malformed", "reported",
    )  # fmt: skip


def test_an_answer_that_failed_by_itself_is_passed_on(
    gateway_of_faults: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add(CHAT, status=500, times=1)
    process = gateway_of_faults
    reply = post(process.way, "h1", keys, body("cut_stream", stream=True))
    assert (reply.status, reply.complete, reply.values("x-gateway-fault")) == (500, True, [])
    assert process.row(reply.first("x-gateway-request-id"))["fault"] is None


def sdk(process: GatewayProcess, keys: Keys) -> openai.OpenAI:
    return openai.OpenAI(api_key=keys.production, http_client=library(process.way), max_retries=0)


def _raises(error: type[Exception]) -> Callable[[openai.OpenAI, str], None]:
    def check(client: openai.OpenAI, model: str) -> None:
        with pytest.raises(error) as raised:
            client.chat.completions.create(model=model, messages=[])
        assert type(raised.value) is error

    return check


def _in_stream(client: openai.OpenAI, model: str) -> None:
    events = client.chat.completions.create(model=model, messages=[], stream=True)
    with pytest.raises((httpx.RemoteProtocolError, openai.APIConnectionError)):
        list(events)


def _not_json(client: openai.OpenAI, model: str) -> None:
    with pytest.raises((json.JSONDecodeError, openai.APIResponseValidationError)):
        client.chat.completions.create(model=model, messages=[])
    events = client.chat.completions.create(model=model, messages=[], stream=True)
    with pytest.raises(json.JSONDecodeError):
        list(events)


def _slowly(client: openai.OpenAI, model: str) -> None:
    began = time.monotonic()
    events = client.chat.completions.create(model=model, messages=[], stream=True)
    assert len(list(events)) > 2
    assert time.monotonic() - began > 0.1


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("rate_limit", _raises(openai.RateLimitError)),
        ("slow_down", _raises(openai.RateLimitError)),
        ("quota", _raises(openai.RateLimitError)),
        ("server_error", _raises(openai.InternalServerError)),
        ("overloaded", _raises(openai.InternalServerError)),
        ("timeout", _raises(openai.APIConnectionError)),
        ("reset", _raises(openai.APIConnectionError)),
        ("cut_stream", _in_stream),
        ("slow_stream", _slowly),
        ("malformed", _not_json),
    ],
)
def test_the_sdk_raises_what_it_would_raise(
    gateway_of_faults: GatewayProcess,
    keys: Keys,
    kind: str,
    check: Callable[[openai.OpenAI, str], None],
) -> None:
    with sdk(gateway_of_faults, keys) as client:
        check(client, f"gpt-6-{kind}")


def test_a_timeout_longer_than_the_sdks_is_its_own(
    gateway_of_faults: GatewayProcess, keys: Keys
) -> None:
    with sdk(gateway_of_faults, keys) as client:
        hasty = client.with_options(timeout=0.15)
        with pytest.raises(openai.APITimeoutError):
            hasty.chat.completions.create(model="gpt-6-timeout", messages=[])


def test_the_command_tells_what_is_active_and_how_often_it_fired(
    make_gateway: MakeGateway, keys: Keys
) -> None:
    rules = [
        {"name": "always", "probability": 1, "fault": "overloaded", "match": {"model": "gpt-6-*"}},
        {"name": "never", "probability": 0, "fault": "reset", "after_events": 2},
        {"fault": "quota", "match": {"endpoint": "chat.creat"}},
    ]
    process = make_gateway({"shape": {"mode": "enforce", "faults": rules}})
    for _ in range(3):
        post(process.way, "h1", keys)
    process.rows(3)
    rows = json.loads(told(process, "faults", "--json"))
    assert [(row["name"], row["active"], row["fired"]) for row in rows] == [
        ("always", True, 3), ("never", False, 0), ("fault-3", True, 0),
    ]  # fmt: skip
    assert rows[0]["match"] == {"model": ["gpt-6-*"]}
    assert rows[0]["last_fired_at"] is not None
    lines = told(process, "faults").splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[2].split()[:4] == ["always", "overloaded", "1", "3"]
    said = process.output()
    assert "shape.faults.1.probability: is 0: this rule never hits" in said
    assert "shape.faults.1.after_events: means nothing with reset" in said
    assert "shape.faults.2: can never match: no endpoint that is known fits" in said
    labels = {"fault": "overloaded"}
    assert process.metric("openai_gateway_faults_injected_total", **labels) == 3


def test_observe_and_public_tell_only_what_they_may(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    rule = {"name": "busy", "probability": 1, "fault": "overloaded"}
    process = make_gateway({"shape": {"mode": "observe", "faults": [rule]}})
    reply = post(process.way, "h1", keys)
    assert (reply.status, reply.first("x-gateway-would")) == (200, "faulted")
    assert reply.values("x-gateway-fault") == []
    assert process.row(reply.first("x-gateway-request-id"))["fault"] is None
    public = {"shape": {"mode": "enforce", "faults": [rule]}, "errors": {"detail": "public"}}
    process.reload(public)
    assert eventually(lambda: post(process.way, "h1", keys).status == 503, seconds=8)
    reply = post(process.way, "h1", keys)
    assert [name for name, _ in reply.headers if "gateway" in name.lower()] == [
        "x-gateway-request-id"
    ]
    del fake
