"""Answers as slow as production's: the first event, the pace, and none that waits for another."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.calls import (
    BODY,
    CHAT,
    IN_PROGRESS,
    JSON,
    STREAM,
    bearer,
    connect,
    eventually,
    over_both,
    post,
)
from tests.e2e.conftest import MakeGateway
from tests.support.clients import RawH1, RawH2
from tests.support.clients.h2 import pseudo
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_books import Row
from tests.support.gateway_process import GatewayProcess, Keys, environment, merged, settings
from tests.support.relay import RelayThread

TTFT_MS, RATE = 300, 40
SAME = {"p50": TTFT_MS, "p95": TTFT_MS}
DELTAS = 10
TEXT = "word " * DELTAS
LATENCY: dict[str, Any] = {
    "gpt-6-*": {"ttft_ms": SAME, "tokens_per_s": RATE},
    "gpt-6-sol": {"ttft_ms": {"p50": 60_000, "p95": 60_000}},
}


@pytest.fixture(scope="module")
def slow(
    the_fake: FakeOpenAIThread, the_relay: RelayThread, keys: Keys
) -> Iterator[GatewayProcess]:
    own = {"shape": {"mode": "enforce", "latency": LATENCY, "seed": 1}}
    config = merged(settings(the_relay.url, the_fake.ca_pem_path), own)
    with GatewayProcess(config, environment(keys)) as process:
        yield process


@pytest.fixture
def process(slow: GatewayProcess, fake: FakeOpenAIThread) -> Iterator[GatewayProcess]:
    del fake
    yield slow
    assert eventually(lambda: slow.metric(IN_PROGRESS) == 0)


@over_both
def test_a_stream_begins_at_its_time_and_comes_event_by_event(
    process: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    fake.knobs.add(CHAT, text=TEXT)
    began = time.monotonic()
    reply = post(process.way, version, keys, STREAM)
    took_ms = (time.monotonic() - began) * 1000
    assert reply.complete
    row = process.row(reply.first("x-gateway-request-id"))
    # ten words of five letters are two tokens each: 18 after the first word's, at 40 a second
    assert took_ms >= TTFT_MS + 18 * 1000 / RATE
    assert row["ttft_ms"] >= TTFT_MS - 1
    assert TTFT_MS + 18 * 1000 / RATE - row["upstream_ms"] - 1 <= row["injected_ms"] < took_ms
    assert row["overhead_ms"] + row["injected_ms"] + row["upstream_ms"] <= row["duration_ms"] + 1
    assert row["usage_source"] == "reported"


@over_both
@pytest.mark.parametrize("framing", ["auto", "chunked"])
def test_an_answer_that_is_no_stream_is_held_for_all_its_tokens(
    process: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, version: str, framing: str
) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 20, "total_tokens": 29}
    fake.knobs.add(CHAT, patch={"usage": usage}, framing=framing)
    began = time.monotonic()
    reply = post(process.way, version, keys)
    took_ms = (time.monotonic() - began) * 1000
    assert (reply.status, reply.complete) == (200, True)
    assert json.loads(reply.body)["usage"]["completion_tokens"] == 20
    assert took_ms >= TTFT_MS + 20 * 1000 / RATE
    row = process.row(reply.first("x-gateway-request-id"))
    assert row["injected_ms"] + row["upstream_ms"] >= TTFT_MS + 20 * 1000 / RATE - 1
    assert row["overhead_ms"] < row["injected_ms"]
    assert (row["outcome"], row["usage_source"]) == ("forwarded", "reported")


def test_no_answer_is_hurried_and_a_late_one_is_not_held(
    process: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
    fake.knobs.add(CHAT, delay_s=1.0, patch={"usage": usage})
    reply = post(process.way, "h1", keys)
    row = process.row(reply.first("x-gateway-request-id"))
    assert row["duration_ms"] >= 1000
    assert row["injected_ms"] < 50


def test_an_error_is_not_held(process: GatewayProcess, fake: FakeOpenAIThread, keys: Keys) -> None:
    fake.knobs.add(CHAT, status=429, times=1)
    reply = post(process.way, "h1", keys, BODY.replace(b"luna", b"sol"))
    assert reply.status == 429
    assert process.row(reply.first("x-gateway-request-id"))["injected_ms"] == 0


@over_both
def test_twenty_streams_take_no_longer_than_one(
    process: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    """One after the other they would take 15 s; over HTTP/2 they share one connection."""
    fake.knobs.add(CHAT, text=TEXT)
    began = time.monotonic()
    if version == "h1":
        threads = [
            threading.Thread(target=post, args=(process.way, "h1", keys, STREAM)) for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    else:
        with connect(process.way, "h2") as client:
            assert isinstance(client, RawH2)
            length = ("content-length", str(len(STREAM)))
            fields = [*pseudo("POST", CHAT), bearer(keys.production), JSON, length]
            numbers = [client.request(fields, STREAM) for _ in range(20)]
            assert all(client.answer(number).complete for number in numbers)
    assert time.monotonic() - began < 20 * (TTFT_MS + 18 * 1000 / RATE) / 1000 / 2


@over_both
@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_ends_its_held_call_at_once(
    process: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, version: str, stream: bool
) -> None:
    """Held for a minute; the row is there long before."""
    before = {row["id"] for row in process.rows(0)}

    def left() -> list[Row]:
        rows = [row for row in process.rows(0) if row["id"] not in before]
        return [row for row in rows if row["error_code"] == "client_closed"]

    payload = (STREAM if stream else BODY).replace(b"luna", b"sol")
    length = ("content-length", str(len(payload)))
    with connect(process.way, version) as client:
        if isinstance(client, RawH1):
            head = [("Host", "api.openai.com"), bearer(keys.production), JSON, length]
            client.request("POST", CHAT, head, payload)
        else:
            fields = [*pseudo("POST", CHAT), bearer(keys.production), JSON, length]
            number = client.request(fields, payload)
        fake.wait_for(lambda requests: len(requests) == 1)
        time.sleep(0.3)
        if isinstance(client, RawH2):
            client.reset(number)
            assert eventually(lambda: bool(left()), seconds=5)
    assert eventually(lambda: bool(left()), seconds=5)
    row = left()[0]
    assert 0 < row["injected_ms"] < 30_000


def test_a_client_that_leaves_ends_the_upstreams_call(
    process: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add(CHAT, events=200, event_delay_s=0.05)
    with RawH1(process.way.tls()) as client:
        length = ("content-length", str(len(STREAM)))
        head = [("Host", "api.openai.com"), bearer(keys.production), JSON, length]
        client.request("POST", CHAT, head, STREAM)
        fake.wait_for(lambda requests: len(requests) == 1)
        time.sleep(0.5)
    assert eventually(lambda: process.metric(IN_PROGRESS) == 0)
    assert eventually(lambda: fake.requests[0].aborted)


def test_the_metric_holds_what_was_added(
    process: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    name, model = "openai_gateway_injected_delay_seconds", {"model": "gpt-6-luna"}
    before = process.metric(f"{name}_sum", **model)
    reply = post(process.way, "h1", keys)
    row = process.row(reply.first("x-gateway-request-id"))
    added = process.metric(f"{name}_sum", **model) - before
    assert added * 1000 == pytest.approx(row["injected_ms"], abs=0.01)


def test_a_reload_leaves_a_held_answer_its_own_time(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """Read from a profile file, which is watched: the next call is as fast as it comes."""
    del fake
    process = make_gateway()
    profile = process.folder / "production.yaml"
    profile.write_text("latency: {gpt-6-luna: {ttft_ms: {p50: 3000, p95: 3000}}}\n")
    process.reload({"shape": {"mode": "enforce", "latency": "production.yaml"}})
    assert eventually(lambda: "gateway.yaml reloaded" in process.output(), seconds=8)
    began, replies = time.monotonic(), []
    held = threading.Thread(target=lambda: replies.append(post(process.way, "h1", keys)))
    held.start()
    time.sleep(0.3)
    profile.write_text("latency: {gpt-6-luna: {ttft_ms: {p50: 1, p95: 1}}}\n")
    assert eventually(lambda: process.output().count("gateway.yaml reloaded") == 2, seconds=8)
    fast = post(process.way, "h1", keys)
    assert process.row(fast.first("x-gateway-request-id"))["injected_ms"] < 1000
    held.join()
    assert time.monotonic() - began >= 3
    assert replies[0].status == 200
    profile.write_text("latency: {gpt-6-luna: {ttft_ms: {p50: 2, p95: 1}}}\n")
    said = "latency.gpt-6-luna.ttft_ms.p95: is below the p50"
    assert eventually(lambda: said in process.output(), seconds=8)
