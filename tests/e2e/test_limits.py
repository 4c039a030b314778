"""Limits, from outside: OpenAI's words, headers and retries, by the contract's own numbers."""

import asyncio
import json
import re
import threading
import time
from typing import Any

import openai
import pytest

from tests.e2e.calls import BODY, CHAT, eventually, post, refused
from tests.e2e.conftest import MakeGateway
from tests.support.clients import RawH1, WebSocket, bearer
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys

THROTTLED = "openai_gateway_throttled_requests_total"


def limited(make: MakeGateway, *rules: dict[str, Any], **more: Any) -> GatewayProcess:
    named = [{"name": f"r{number}", **rule} for number, rule in enumerate(rules)]
    return make({"limits": {"rules": named, **more}})


def test_requests_above_the_limit_are_refused_in_openais_words(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """rpm: 3 holds three and gives one back every 20 s."""
    process = limited(make_gateway, {"rpm": 3, "per": ["model"]})
    replies = [post(process.way, "h1", keys) for _ in range(4)]
    assert [reply.status for reply in replies] == [200, 200, 200, 429]
    assert [reply.first("x-ratelimit-remaining-requests") for reply in replies[:3]] == [
        "2", "1", "0",
    ]  # fmt: skip
    last = replies[3]
    error = last.json()["error"]
    assert (error["type"], error["code"], error["param"]) == (
        "requests",
        "rate_limit_exceeded",
        None,
    )
    told = re.fullmatch(
        r"Rate limit reached for gpt-6-luna in organization gateway-staging on requests per min "
        r"\(RPM\): Limit 3, Used 3, Requested 1\. Please try again in (\d+\.?\d*)s\..*"
        r"\(rule r0, gateway\.yaml:\d+\)",
        error["message"],
    )
    assert told is not None, error["message"]
    assert 18 < float(told[1]) <= 20
    assert last.first("x-should-retry") == "true"
    assert 18_000 < int(last.first("retry-after-ms")) <= 20_000
    assert int(last.first("retry-after")) in (19, 20)
    assert last.first("x-ratelimit-limit-requests") == "3"
    assert len(fake.wait(3)) == 3
    row = process.row(last.first("x-gateway-request-id"))
    assert (row["outcome"], row["status"], row["error_code"]) == (
        "throttled", 429, "rate_limit_exceeded",
    )  # fmt: skip
    assert "r0" in row["trace"]
    labels = {"key": "default", "model": "gpt-6-luna", "limit": "rpm", "action": "rejected"}
    assert process.metric(THROTTLED, **labels) == 1
    gauge = {"key": "all", "model": "gpt-6-luna", "limit": "rpm"}
    assert process.metric("openai_gateway_limit_capacity", **gauge) == 3
    assert process.metric("openai_gateway_limit_remaining", **gauge) == 0


def test_a_request_larger_than_the_whole_limit_is_terminal(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = limited(make_gateway, {"tpm": 100})
    body = BODY.replace(b"{", b'{"max_completion_tokens": 1000, ', 1)
    reply = post(process.way, "h2", keys, body)
    refused(reply, 429, "rate_limit_exceeded")
    message = reply.json()["error"]["message"]
    assert message.startswith("Request too large for gpt-6-luna in organization gateway-staging")
    assert "Limit 100, Requested 10" in message
    assert reply.values("retry-after") == reply.values("retry-after-ms") == []
    assert fake.requests == []


def test_the_answers_usage_corrects_the_bucket(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """1,000 tokens reserved, 21 used: 10,000 - 21 are left, and refill a little."""
    usage = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
    fake.knobs.add(CHAT, patch={"usage": usage})
    process = limited(make_gateway, {"tpm": 10_000})
    body = BODY.replace(b"{", b'{"max_completion_tokens": 1000, ', 1)
    first = int(post(process.way, "h1", keys, body).first("x-ratelimit-remaining-tokens"))
    assert 8_900 <= first < 9_000
    second = int(post(process.way, "h1", keys, body).first("x-ratelimit-remaining-tokens"))
    assert 10_000 - 21 - 1_050 <= second < 9_000


def test_a_refusal_takes_nothing(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = limited(make_gateway, {"rpd": 100, "per": ["key"]}, {"concurrency": 1})
    fake.knobs.add(CHAT, delay_s=1.0, times=1)
    slow = threading.Thread(target=post, args=(process.way, "h1", keys))
    slow.start()
    fake.wait_for(lambda requests: len(requests) == 1)
    for _ in range(5):
        reply = post(process.way, "h1", keys)
        assert (reply.status, reply.json()["error"]["type"]) == (429, "requests")
        assert "on concurrent requests: Limit 1, Used 1, Requested 1" in reply.body.decode()
    slow.join()
    assert post(process.way, "h1", keys).first("x-ratelimit-remaining-requests") == "98"


def test_waiting_calls_come_through_in_order_and_say_how_long(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """rpm: 20 gives one back each 3 s: however slow the machine, one of so many finds none left."""
    del fake
    process = limited(make_gateway, {"rpm": 20}, on_limit="wait", max_wait_s=10)
    for _ in range(60):
        began = time.monotonic()
        reply = post(process.way, "h1", keys)
        took_ms = (time.monotonic() - began) * 1000
        assert reply.status == 200
        row = process.row(reply.first("x-gateway-request-id"))
        if row["injected_ms"] > 1000:
            break
    assert 1000 < row["injected_ms"] < 3500
    assert took_ms >= row["injected_ms"]
    assert row["overhead_ms"] < row["injected_ms"], "waiting is no overhead"
    assert "wait_ms=" in row["trace"]
    assert process.metric(THROTTLED, action="delayed") >= 1


def test_a_client_that_goes_away_gives_its_place_up(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = limited(make_gateway, {"concurrency": 1}, on_limit="wait", max_wait_s=30)
    fake.knobs.add(CHAT, delay_s=2.0, times=1)
    slow = threading.Thread(target=post, args=(process.way, "h1", keys))
    slow.start()
    fake.wait_for(lambda requests: len(requests) == 1)
    leaving = RawH1(process.way.tls())
    head = [("Host", "api.openai.com"), ("Content-Length", str(len(BODY)))]
    leaving.request("POST", CHAT, [*head, bearer(keys.production)], BODY)
    time.sleep(0.3)
    leaving.reset()
    slow.join()
    assert post(process.way, "h1", keys).status == 200
    rows = process.rows(3)
    assert sorted(str(row["error_code"]) for row in rows) == ["None", "None", "client_closed"]
    assert len(fake.requests) == 2
    assert process.metric("openai_gateway_internal_errors_total") == 0


def test_observe_lets_all_pass_and_counts(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = limited(make_gateway, {"rpm": 1}, mode="observe")
    replies = [post(process.way, "h1", keys) for _ in range(3)]
    assert [reply.status for reply in replies] == [200] * 3
    assert [reply.values("x-gateway-would") for reply in replies] == [
        [], ["throttled"], ["throttled"],
    ]  # fmt: skip
    assert process.metric(THROTTLED, action="would_reject") == 2
    assert len(fake.wait(3)) == 3


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_sdk_backs_off_and_succeeds(
    make_gateway: MakeGateway,
    fake: FakeOpenAIThread,
    keys: Keys,
    monkeypatch: pytest.MonkeyPatch,
    asynchronous: bool,
) -> None:
    """rpm: 12 gives one back each 5 s; the SDK waits as it is told and comes through."""
    process = limited(make_gateway, {"rpm": 12})
    with RawH1(process.way.tls()) as client:
        while client.call("POST", CHAT, keys.production, BODY).status == 200:
            assert len(fake.requests) < 100
    refused = process.metric(THROTTLED, action="rejected")
    for name, value in process.client_env(keys.production).items():
        monkeypatch.setenv(name, value)
    ask: dict[str, Any] = {"model": "gpt-6-luna", "messages": []}
    if asynchronous:

        async def asked() -> Any:
            async with openai.AsyncOpenAI() as client:
                return await client.chat.completions.create(**ask)

        answer = asyncio.run(asked())
    else:
        with openai.OpenAI() as sdk:
            answer = sdk.chat.completions.create(**ask)
    assert answer.choices
    # once: it came back no earlier than it was told
    assert process.metric(THROTTLED, action="rejected") - refused == 1


def test_each_response_on_a_socket_is_a_call_of_its_own(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = limited(make_gateway, {"rpm": 2})
    frame = {"type": "response.create", "model": "gpt-6-luna", "input": "hello"}
    with WebSocket(process.way.tls(), "/v1/responses", [bearer(keys.production)]) as socket:
        for _ in range(2):
            socket.tell(frame)
            assert socket.hear_type("response.completed")
        socket.tell(frame)
        answer = socket.hear_type("error")
        assert (answer["status"], answer["error"]["code"]) == (429, "rate_limit_exceeded")
        assert answer["error"]["type"] == "requests"
    rows = process.rows(4)
    assert sorted(row["outcome"] for row in rows) == [
        "forwarded", "forwarded", "forwarded", "throttled",
    ]  # fmt: skip
    assert len([m for r in fake.requests for m in r.messages()]) == 2


def test_the_tighter_of_ours_and_openais_is_shown(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    told = [
        ("x-ratelimit-limit-requests", "500"),
        ("x-ratelimit-remaining-requests", "4"),
        ("x-ratelimit-reset-requests", "120ms"),
    ]
    fake.knobs.add(CHAT, headers=told, drop_headers=[name for name, _ in told])
    process = limited(make_gateway, {"rpm": 6})
    shown = [post(process.way, "h1", keys).first("x-ratelimit-limit-requests") for _ in range(3)]
    assert shown == ["500", "500", "6"]  # 5 and 4 of ours are left, then 3
    labels = {"key": "default", "model": "gpt-6-luna", "limit": "rpm"}
    assert process.metric("openai_gateway_upstream_limit_remaining", **labels) == 4


def test_a_changed_limit_is_in_force_within_two_seconds(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    process = make_gateway()
    assert post(process.way, "h1", keys).status == 200
    process.reload({"limits": {"rules": [{"name": "tight", "rpm": 1}]}})
    assert eventually(lambda: post(process.way, "h1", keys).status == 429)


def test_a_rule_that_can_never_match_is_told_at_the_start(make_gateway: MakeGateway) -> None:
    process = limited(make_gateway, {"rpm": 5}, {"rpm": 3, "match": {"model": "gpt-5*"}})
    assert "limits.rules.1" in process.output()


def test_a_store_that_is_away_is_answered_by_policy(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """A port where nobody listens: local shares, or a refusal that may be tried again."""
    pytest.importorskip("redis")
    rule = {"name": "r", "rpm": 4}
    local = make_gateway(
        {"limits": {"rules": [rule], "store": "redis://127.0.0.1:1/0", "instances": 2}}
    )
    statuses = [post(local.way, "h1", keys).status for _ in range(3)]
    assert statuses == [200, 200, 429]  # floor(4 / 2)
    assert local.metric("openai_gateway_store_errors_total", policy="local") >= 1
    closed = make_gateway(
        {
            "limits": {
                "rules": [rule],
                "store": "redis://127.0.0.1:1/0",
                "on_store_error": "closed",
            }
        }
    )
    fake.reset()
    fake.staging_keys.add(keys.staging)
    refused(post(closed.way, "h1", keys), 503, "gateway_store_unavailable", retry=True)
    assert fake.requests == []
    assert json.loads(closed.get("/readyz")[1] or "{}") is not None
