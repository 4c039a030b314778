"""Answers: they stream through as they arrive, byte for byte, and end when the client leaves."""

import gzip
import os
import threading
import time

import orjson
import pytest

from tests.e2e.calls import (
    BODY,
    CHAT,
    HOST,
    IN_PROGRESS,
    JSON,
    STREAM,
    Pairs,
    arrived,
    bearer,
    connect,
    eventually,
    offer,
    over_all,
    over_both,
    post,
    send,
)
from tests.support.clients import RawH1, RawH2, Reply, Way
from tests.support.clients.h2 import pseudo
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.fake_openai.recorder import Received
from tests.support.gateway_process import GatewayProcess, Keys

# ---- byte for byte -------------------------------------------------------------------------------


@over_all
@pytest.mark.parametrize(
    ("size", "framing"),
    [(0, "length"), (0, "chunked"), (0, "close"), (1000, "length"), (1000, "chunked"),
     (1000, "close"), (262_145, "length"), (5 * 2**20, "chunked")],
)  # fmt: skip
def test_binary_answers_come_back_byte_for_byte(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str,
    size: int, framing: str,
) -> None:  # fmt: skip
    offer(fake, upstream)
    body = os.urandom(size)
    dropped = [] if framing == "length" else ["content-length"]
    fake.knobs.add(CHAT, body=body, content_type="audio/mpeg", framing=framing,
                   drop_headers=dropped)  # fmt: skip
    reply = post(way, version, keys)
    assert (reply.status, reply.end) == (200, "complete")
    assert bytes(reply.body) == body


@over_all
def test_headers_come_back_as_they_were(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    offer(fake, upstream)
    more: Pairs = [("x-ratelimit-reset-tokens", "6m0s"), ("set-cookie", "a=1"),
                   ("set-cookie", "b=2"), ("x-odd", 'a "b"'), ("x-request-id", "r1")]  # fmt: skip
    fake.knobs.add(CHAT, headers=more)
    reply = post(way, version, keys)
    for name, _ in more:
        assert reply.values(name) == [value for key, value in more if key == name]
    # It would name the client a way past the gateway.
    assert reply.values("alt-svc") == []


@over_all
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_coded_answers_come_back_still_coded(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str, coding: str
) -> None:
    """They were not asked for: the gateway asks for plain ones."""
    offer(fake, upstream)
    body = gzip.compress(BODY * 100)
    fake.knobs.add(CHAT, body=body, headers=[("content-encoding", coding)])
    reply = post(way, version, keys, BODY, ("accept-encoding", "gzip, br, zstd"))
    assert bytes(reply.body) == body
    assert reply.values("content-encoding") == [coding]
    assert arrived(fake, keys).values("accept-encoding") == ["identity"]


@over_all
def test_the_upstreams_own_errors_pass_byte_for_byte(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys, version: str,
    upstream: str,
) -> None:  # fmt: skip
    offer(fake, upstream)
    body = b'{\n  "error": {"message": "Incorrect API key: sk-proj-********ab12",\n "code":"x"}}\n'
    ids: dict[int, str] = {}
    for status in (400, 401, 404, 429, 500, 503):
        fake.knobs.clear()
        fake.knobs.add(CHAT, status=status, body=body, headers=[("retry-after", "7")])
        reply = post(way, version, keys)
        assert (reply.status, bytes(reply.body)) == (status, body)
        assert reply.first("retry-after") == "7"
        assert reply.values("x-should-retry") == []
        ids[status] = reply.first("x-gateway-request-id")
    rows = {status: gateway.row(call_id) for status, call_id in ids.items()}
    assert {(row["status"], row["outcome"]) for row in rows.values()} == {
        (status, "forwarded") for status in ids
    }


@over_all
def test_the_upstreams_html_passes_as_it_is(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    offer(fake, upstream)
    fake.knobs.add(CHAT, html=True, status=520)
    reply = post(way, version, keys)
    assert reply.status == 520
    assert reply.body.startswith(b"<html>")
    assert reply.first("content-type") == "text/html"


@over_all
def test_a_redirect_is_not_followed(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    offer(fake, upstream)
    fake.knobs.add(CHAT, location="https://evil.example/v1/x")
    reply = post(way, version, keys)
    assert (reply.status, reply.first("location")) == (307, "https://evil.example/v1/x")
    arrived(fake, keys)


@over_all
@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body_end_at_once(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str, status: int
) -> None:
    offer(fake, upstream)
    fake.knobs.add(CHAT, status=status, body=b"", drop_headers=["content-length"])
    reply = post(way, version, keys)
    assert (reply.status, bytes(reply.body), reply.end) == (status, b"", "complete")


@over_all
def test_the_connection_goes_on_after_answers_without_a_body(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    offer(fake, upstream)
    fake.knobs.add(CHAT, status=204, body=b"", drop_headers=["content-length"], times=1)
    # A length here is legal; the h2 library takes it for a lie.
    length = [] if upstream == "h2" else [("content-length", "777")]
    fake.knobs.add(CHAT, status=304, body=b"", headers=length, times=1,
                   drop_headers=["content-length"])  # fmt: skip
    with connect(way, version) as client:
        statuses = [client.call("POST", CHAT, keys.production, BODY).status for _ in range(3)]
        head = client.call("HEAD", "/v1/models", keys.production)
        after = client.call("POST", CHAT, keys.production, BODY)
    assert statuses == [204, 304, 200]
    assert (head.status, bytes(head.body), head.complete) == (200, b"", True)
    assert int(head.first("content-length")) > 0
    assert after.status == 200


@over_both
@pytest.mark.parametrize("early", [[100], [103], [100, 102, 103, 103]])
def test_an_answer_after_informational_ones_arrives(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, early: list[int]
) -> None:
    offer(fake, "h1")
    fake.knobs.add(CHAT, informational=early)
    with connect(way, version) as client:
        reply = client.call("POST", CHAT, keys.production, BODY)
        assert reply.json()["object"] == "chat.completion"
        assert (reply.status, reply.informational) == (200, early)
        assert client.call("POST", CHAT, keys.production, STREAM).complete


def test_informational_answers_of_an_h2_upstream_do_no_harm(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add(CHAT, informational=[103])
    reply = post(way, "h2", keys)
    assert (reply.status, reply.complete) == (200, True)


@over_all
def test_trailers_of_an_answer_arrive(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    offer(fake, upstream)
    trailers = [("x-checksum", "abc"), ("server-timing", "total;dur=1")]
    fake.knobs.add(CHAT, trailers=trailers)
    with connect(way, version) as client:
        reply = client.call("POST", CHAT, keys.production, STREAM)
        assert (reply.complete, reply.trailers) == (True, trailers)
        assert reply.body.endswith(b"data: [DONE]\n\n")
        assert client.call("POST", CHAT, keys.production, BODY).status == 200


def test_an_h1_client_sees_where_the_answer_of_an_h2_upstream_ends(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """Such an answer needs no length; one that ended with the connection could be cut unseen."""
    with connect(way, "h1") as client:
        for body in (b"", b"x", os.urandom(300_000)):
            fake.knobs.clear()
            fake.knobs.add(CHAT, body=body, framing="chunked")
            reply = client.call("POST", CHAT, keys.production, BODY)
            assert (reply.status, reply.complete, bytes(reply.body)) == (200, True, body)
            assert reply.values("transfer-encoding") == ["chunked"]


# ---- event streams -------------------------------------------------------------------------------


@over_all
def test_events_arrive_as_they_are_sent(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    """The first events are here while the upstream holds the next."""
    offer(fake, upstream)
    gate = threading.Event()
    fake.knobs.add(CHAT, gate=gate, after_events=2, events=5)
    opener = threading.Timer(0.5, gate.set)
    with connect(way, version) as client:
        opener.start()
        began = time.monotonic()
        reply = client.call("POST", CHAT, keys.production, STREAM)
    opener.join()
    arrived_at = [at - began for at, _ in reply.pieces]
    assert reply.complete
    assert arrived_at[0] < 0.4
    assert arrived_at[-1] > 0.45
    assert reply.body.count(b"\n\n") == 8
    assert reply.body.endswith(b"data: [DONE]\n\n")


@over_both
def test_events_that_end_in_crlf_pass_as_they_are(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    fake.knobs.add(CHAT, crlf=True, events=5)
    reply = post(way, version, keys, STREAM)
    assert reply.complete
    assert reply.body.count(b"\r\n\r\n") == 8
    assert reply.body.count(b"\n") == 16


@over_both
def test_each_event_arrives_within_a_moment_of_the_last(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    fake.knobs.add("/v1/responses", events=10, event_delay_s=0.05)
    body = b'{"model":"m","input":"x","stream":true}'
    reply = post(way, version, keys, body, target="/v1/responses")
    times = [at for at, _ in reply.pieces]
    assert len({round(at, 2) for at in times}) >= 10
    assert times[-1] - times[0] > 0.4
    assert b"event: response.completed\n" in reply.body


@over_both
def test_a_huge_event_passes_whole(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    fake.knobs.add(CHAT, huge_event_bytes=3 * 2**20)
    reply = post(way, version, keys, STREAM)
    assert reply.complete
    assert b"h" * (3 * 2**20) in reply.body


@over_both
@pytest.mark.parametrize("size", [1, 3, 17])
def test_a_stream_cut_anywhere_passes_byte_for_byte(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, size: int
) -> None:
    fake.knobs.add(CHAT, events=3, split_bytes=size, one_piece=True)
    reply = post(way, version, keys, STREAM)
    assert reply.complete
    blocks = bytes(reply.body).split(b"\n\n")
    assert [orjson.loads(block.removeprefix(b"data: "))["object"] for block in blocks[:-2]]
    assert blocks[-2:] == [b"data: [DONE]", b""]


def test_a_slow_client_does_not_fill_the_gateways_memory(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    before = resident(gateway.pid)
    fake.knobs.add(CHAT, big_bytes=200 * 2**20)
    with RawH1(way.tls()) as client:
        head = [("Host", HOST), bearer(keys.production), JSON, ("Content-Length", str(len(BODY)))]
        client.request("POST", CHAT, head, BODY)
        time.sleep(1.5)
        assert resident(gateway.pid) - before < 100 * 2**20
        client.reset()


def test_a_stream_of_one_endless_event_costs_no_memory_and_no_books(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """100 MiB without an event's end, in a stream whose usage is to be taken out again."""
    before = resident(gateway.pid)
    fake.knobs.add(CHAT, big_bytes=100 * 2**20, content_type="text/event-stream")
    reply = post(way, "h1", keys, BODY.replace(b"{", b'{"stream": true, ', 1))
    assert len(reply.body) == 100 * 2**20
    assert resident(gateway.pid) - before < 60 * 2**20
    row = gateway.row(reply.first("x-gateway-request-id"))
    assert (row["status"], row["usage_source"]) == (200, "estimated")
    assert row["cost_nano_usd"] > 0


def resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123  # no file, but the kernel's own
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# ---- whole keys of ours are masked ---------------------------------------------------------------


@over_all
def test_our_keys_in_an_answer_are_masked(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    offer(fake, upstream)
    for key in (keys.staging, keys.production):
        fake.knobs.clear()
        body = f'{{"error":{{"message":"bad key {key}.","again":"{key}{key}"}}}}'.encode()
        fake.knobs.add(CHAT, status=401, body=body)
        reply = post(way, version, keys)
        assert bytes(reply.body) == body.replace(key.encode(), b"*" * len(key))


@over_both
def test_a_coding_that_is_none_hides_no_key(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    fake.knobs.add(CHAT, body=b"key " + keys.staging.encode(),
                   headers=[("content-encoding", "identity")])  # fmt: skip
    assert bytes(post(way, version, keys).body) == b"key " + b"*" * len(keys.staging)


@over_all
def test_our_keys_in_an_answers_head_are_masked(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    offer(fake, upstream)
    fake.knobs.add(
        CHAT, headers=[("x-echo", f"Bearer {keys.staging}"),
                       ("location", f"https://x/?k={keys.production}")],
    )  # fmt: skip
    reply = post(way, version, keys)
    shown = repr(reply.headers)
    assert keys.staging not in shown
    assert keys.production not in shown
    assert reply.first("x-echo").startswith("Bearer **")


@over_all
def test_our_keys_in_an_answers_trailers_are_masked(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    offer(fake, upstream)
    fake.knobs.add(CHAT, trailers=[("x-echo", keys.staging)])
    for body in (STREAM, BODY):
        reply = post(way, version, keys, body)
        assert reply.complete
        assert keys.staging not in repr(reply.trailers)


def test_our_key_in_a_stream_is_masked_wherever_it_is_cut(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """Every cut within the key, on one connection each version."""
    key = keys.staging.encode()
    whole = b"data: {" + b"x" * 40 + key + b"}\n\ndata: [DONE]\n\n"
    masked = whole.replace(key, b"*" * len(key))
    with RawH1(way.tls()) as h1, RawH2(way.tls(alpn=("h2",))) as h2:
        for cut in range(47, 47 + len(key) + 1, 2):
            fake.knobs.clear()
            fake.knobs.add(CHAT, body=whole, split_bytes=cut, content_type="text/event-stream",
                           drop_headers=["content-length"], event_delay_s=0.001)  # fmt: skip
            for client in (h1, h2):
                reply = client.call("POST", CHAT, keys.production, STREAM)
                assert bytes(reply.body) == masked, cut


def test_a_keys_beginning_is_held_back_no_longer_than_needed(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    body = b"data: " + keys.staging.encode()[:-1]
    fake.knobs.add(CHAT, body=body, split_bytes=10, content_type="text/event-stream")
    # It asks for its usage, so nothing has to be taken out, and what is no whole event passes too.
    asked = STREAM.replace(b"{", b'{"stream_options": {"include_usage": true}, ', 1)
    assert bytes(post(way, "h1", keys, asked).body) == body


def test_an_event_stream_is_known_as_one_in_any_case(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """A media type has no case (RFC 9110 §8.3.1)."""
    body = b'data: {"model": "gpt-6-luna", "choices": []}\n\ndata: [DONE]\n\n'
    fake.knobs.add(CHAT, body=body, content_type="Text/Event-Stream; charset=utf-8")
    reply = post(way, "h1", keys, STREAM)
    assert bytes(reply.body) == body
    row = gateway.row(reply.first("x-gateway-request-id"))
    assert (row["usage_source"], row["ttft_ms"] is None) == ("estimated", False)


@over_all
def test_the_id_of_an_answer_is_the_id_of_its_row(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys, version: str,
    upstream: str,
) -> None:  # fmt: skip
    offer(fake, upstream)
    fake.knobs.add(CHAT, headers=[("x-gateway-request-id", "not ours")])
    replies = [(body, post(way, version, keys, body)) for body in (BODY, STREAM)]
    for body, reply in replies:
        assert len(reply.values("x-gateway-request-id")) == 1
        row = gateway.row(reply.first("x-gateway-request-id"))
        assert (row["status"], row["outcome"], row["error_code"]) == (200, "forwarded", None)
        assert row["response_bytes"] == len(reply.body)
        assert row["openai_request_id"] == reply.first("x-request-id")
        assert row["stream"] == (body is STREAM)


# ---- a client that leaves ------------------------------------------------------------------------


def leave(way: Way, version: str, how: str, keys: Keys, body: bytes, wait: bytes) -> str:
    """Begins a call, leaves once `wait` has come, and gives the call's id."""
    length = ("content-length", str(len(body)))
    head = [bearer(keys.production), JSON, length]
    if version == "h1":
        h1 = RawH1(way.tls())
        h1.request("POST", CHAT, [("Host", HOST), *head], body)
        seen = h1.rest_of(b"\r\n\r\n") + h1.rest_of(wait)
        h1.reset() if how == "reset" else h1.close()
        lines = seen.decode().split("\r\n")
        return next(x.split(": ")[1] for x in lines if x.startswith("x-gateway-request-id"))
    h2 = RawH2(way.tls(alpn=("h2",)))
    number = h2.request([*pseudo("POST", CHAT), *head], body)
    reply = h2.replies[number]
    while wait not in reply.body:
        h2._more()
    if how == "stream_reset":
        h2.reset(number)
        assert h2.call("POST", "/v1/models", keys.production).status == 200
    h2.abort() if how == "reset" else h2.close()
    return reply.first("x-gateway-request-id")


@pytest.mark.parametrize(
    ("version", "upstream", "how"),
    [("h1", "h1", "reset"), ("h1", "h1", "close"), ("h2", "h2", "reset"), ("h2", "h2", "close"),
     ("h2", "h2", "stream_reset"), ("h2", "h1", "stream_reset"), ("h2", "h1", "reset")],
)  # fmt: skip
def test_a_client_that_leaves_in_the_middle_ends_the_upstream_call(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys, version: str,
    upstream: str, how: str,
) -> None:  # fmt: skip
    offer(fake, upstream)
    fake.knobs.add(CHAT, events=2000, event_delay_s=0.01)
    call_id = leave(way, version, how, keys, STREAM, b"w00003")
    fake.wait_for(lambda found: found[0].aborted, 3.0)
    row = gateway.row(call_id)
    assert (row["status"], row["outcome"], row["error_code"]) == (200, "forwarded", "client_closed")
    assert 0 < row["response_bytes"] < 500_000
    assert eventually(lambda: gateway.metric(IN_PROGRESS) == 0)
    fake.knobs.clear()
    assert post(way, version, keys).status == 200


@pytest.mark.parametrize(("version", "how"), [("h1", "close"), ("h2", "stream_reset")])
def test_a_client_that_leaves_a_silent_stream_ends_the_upstream_call(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, how: str
) -> None:
    fake.knobs.add(CHAT, fail="hang", at="body", after_events=2)
    leave(way, version, how, keys, STREAM, b"Hello")
    fake.wait_for(lambda found: found[0].aborted, 2.0)


@pytest.mark.parametrize(
    ("version", "upstream", "how"),
    [("h1", "h1", "reset"), ("h1", "h1", "close"), ("h2", "h2", "stream_reset"),
     ("h2", "h1", "stream_reset"), ("h2", "h2", "close")],
)  # fmt: skip
def test_a_client_that_leaves_before_the_head_ends_the_upstream_call(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys, version: str,
    upstream: str, how: str,
) -> None:  # fmt: skip
    offer(fake, upstream)
    fake.knobs.add(CHAT, fail="hang")
    since = id_now()
    head = [bearer(keys.production), JSON, ("content-length", str(len(BODY)))]
    client: RawH1 | RawH2
    if version == "h1":
        client = h1 = RawH1(way.tls())
        h1.request("POST", CHAT, [("Host", HOST), *head], BODY)
    else:
        client = h2 = RawH2(way.tls(alpn=("h2",)))
        number = h2.request([*pseudo("POST", CHAT), *head], BODY)
    fake.wait()
    if how == "stream_reset":
        h2.reset(number)
    elif how == "reset":
        h1.reset()
    else:
        client.close()
    fake.wait_for(lambda found: found[0].aborted, 3.0)
    assert eventually(lambda: gateway.metric(IN_PROGRESS) == 0)
    row = new_row(gateway, since)
    assert (row["outcome"], row["error_code"]) == ("error", "client_closed")
    client.close()


def id_now() -> str:
    """Ids begin with the time: those of later calls sort behind this."""
    return f"gw_{int(time.time() * 1000):012x}"


def new_row(gateway: GatewayProcess, since: str) -> dict[str, object]:
    assert eventually(lambda: any(row["id"] > since for row in gateway.rows(0)))
    return next(row for row in gateway.rows(0) if row["id"] > since)


@pytest.mark.parametrize(
    ("version", "how"),
    [("h1", "reset"), ("h1", "close"), ("h2", "stream_reset"), ("h2", "close")],
)
def test_a_client_that_leaves_during_its_upload_sends_nothing(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, how: str
) -> None:
    since = id_now()
    head = [bearer(keys.production), JSON, ("content-length", "100000")]
    if version == "h1":
        h1 = RawH1(way.tls())
        h1.request("POST", CHAT, [("Host", HOST), *head], BODY)
        time.sleep(0.1)
        h1.reset() if how == "reset" else h1.close()
    else:
        h2 = RawH2(way.tls(alpn=("h2",)))
        number = h2.head([*pseudo("POST", CHAT), *head])
        h2.data(number, BODY)
        time.sleep(0.1)
        if how == "stream_reset":
            h2.reset(number)
            assert h2.call("GET", "/v1/models", keys.production).status == 200
        h2.close()
    row = new_row(gateway, since)
    assert row["error_code"] == "client_closed"
    assert all(request.path != CHAT for request in fake.requests)


def test_a_sibling_stream_goes_on_when_one_is_reset(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add(CHAT, events=20, event_delay_s=0.02)
    head = [bearer(keys.production), JSON, ("content-length", str(len(STREAM)))]
    with RawH2(way.tls(alpn=("h2",))) as client:
        one = client.request([*pseudo("POST", CHAT), *head], STREAM)
        two = client.request([*pseudo("POST", CHAT), *head], STREAM)
        while not client.replies[one].body:
            client._more()
        client.reset(one)
        assert client.answer(two).complete
    aborted: list[Received] = fake.wait_for(lambda found: any(r.aborted for r in found))
    assert sum(r.aborted for r in aborted) == 1


def test_many_streams_of_one_connection_do_not_mix(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    with RawH2(way.tls(alpn=("h2",))) as client:
        numbers: dict[int, str] = {}
        for n in map(str, range(20)):
            body = orjson.dumps({"model": "m", "input": "x", "metadata": {"n": n}})
            length = ("content-length", str(len(body)))
            head = [*pseudo("POST", "/v1/responses"), bearer(keys.production), JSON, length]
            numbers[client.request(head, body)] = n
        for number, n in numbers.items():
            assert client.answer(number).json()["metadata"] == {"n": n}


def test_calls_one_after_the_other_share_one_connection(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    bodies = [BODY, STREAM, BODY]
    with RawH1(way.tls()) as client:
        replies: list[Reply] = [client.call("POST", CHAT, keys.production, b) for b in bodies]
    assert [reply.status for reply in replies] == [200, 200, 200]
    assert len(fake.connections) == 1


def test_pipelined_calls_are_answered_in_order(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    with RawH1(way.tls()) as client:
        head = [("Host", HOST), bearer(keys.production), JSON, ("Content-Length", str(len(BODY)))]
        client.request("POST", CHAT, head, BODY)
        client.request("GET", "/v1/models", [("Host", HOST), bearer(keys.production)])
        assert client.answer().json()["object"] == "chat.completion"
        assert client.answer().json()["object"] == "list"


def test_a_whole_call_by_send_is_complete(way: Way, fake: FakeOpenAIThread, keys: Keys) -> None:
    """A file goes up and comes back: the bytes of both ways at once."""
    data = os.urandom(400_000)
    form = (
        b'--B\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--B\r\n'
        b'Content-Disposition: form-data; name="file"; filename="a.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" + data + b"\r\n--B--\r\n"
    )
    kind = ("content-type", "multipart/form-data; boundary=B")
    made = send(way, "h2", "POST", "/v1/files", [bearer(keys.production), kind], form)
    back = send(way, "h1", "GET", f"/v1/files/{made.json()['id']}/content",
                [bearer(keys.production)])  # fmt: skip
    assert bytes(back.body) == data
    assert len(fake.requests) == 2
