"""An upstream that fails: the envelope before the head, a visibly broken answer after it."""

import time
from collections.abc import Iterator
from typing import Literal

import pytest

from tests.e2e.calls import (
    BODY,
    CHAT,
    STREAM,
    VERSIONS,
    arrived,
    bearer,
    connect,
    nothing_left,
    offer,
    over_all,
    over_both,
    post,
    refused,
    send,
)
from tests.support.clients import Reply, Way
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import (
    GatewayProcess,
    Keys,
    environment,
    merged,
    settings,
)
from tests.support.relay import RelayThread

UNREACHABLE = "gateway_upstream_unreachable"


@pytest.fixture(scope="module")
def gateway(
    the_fake: FakeOpenAIThread, the_relay: RelayThread, keys: Keys
) -> Iterator[GatewayProcess]:
    """A gateway that gives its upstream little time."""
    config = merged(settings(the_relay.url, the_fake.ca_pem_path), {"upstream": {"timeout_s": 0.6}})
    with GatewayProcess(config, environment(keys)) as process:
        yield process


def unreachable(reply: Reply) -> None:
    """The answer is the envelope of a 502."""
    refused(reply, 502, UNREACHABLE, retry=True)


# ---- before the head -----------------------------------------------------------------------------


@over_all
@pytest.mark.parametrize("fail", ["reset", "close", "garbage"])
@pytest.mark.parametrize("body", [BODY, STREAM], ids=["json", "stream"])
def test_a_failure_before_the_head_is_the_envelope(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str,
    upstream: str, fail: str, body: bytes,
) -> None:  # fmt: skip
    offer(fake, upstream)
    fake.knobs.add(CHAT, fail=fail)
    unreachable(post(way, version, keys, body))
    arrived(fake, keys)


def test_the_row_of_a_failure_says_what_the_client_was_told(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    ids: list[str] = []
    for fail in ("reset", "close", "garbage"):
        for upstream in VERSIONS:
            fake.knobs.clear()
            offer(fake, upstream)
            fake.knobs.add(CHAT, fail=fail)
            ids.append(post(way, upstream, keys).first("x-gateway-request-id"))
    rows = [gateway.row(call_id) for call_id in ids]
    assert {(row["status"], row["outcome"], row["error_code"]) for row in rows} == {
        (502, "error", UNREACHABLE)
    }


@over_all
def test_a_failure_in_the_head_is_the_envelope(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str,
    upstream: str,
) -> None:  # fmt: skip
    offer(fake, upstream)
    fake.knobs.add(CHAT, fail="reset", at="in_head")
    unreachable(post(way, version, keys))


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}x",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad name: x\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: evil\r\nconnection: upgrade\r\n\r\nraw",
        b"<html>nginx says no</html>",
        b"",
    ],
    ids=["no http", "no status", "two lengths", "length and chunked", "no colon", "bad name",
         "unasked 101", "html", "nothing"],
)  # fmt: skip
@over_both
def test_an_answer_that_is_no_http_is_the_envelope(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, raw: bytes
) -> None:
    offer(fake, "h1")
    fake.knobs.add(CHAT, raw=raw)
    reply = post(way, version, keys)
    unreachable(reply)
    assert b"nginx" not in reply.body


@over_both
def test_an_upstream_that_hangs_is_a_timeout(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    fake.knobs.add(CHAT, fail="hang")
    began = time.monotonic()
    reply = post(way, version, keys)
    assert 0.5 < time.monotonic() - began < 2.5
    refused(reply, 504, "gateway_upstream_timeout", retry=True)
    if version == "h1":
        row = gateway.row(reply.first("x-gateway-request-id"))
        assert (row["status"], row["error_code"]) == (504, "gateway_upstream_timeout")
    assert fake.wait_for(lambda found: found[0].aborted)


@over_both
def test_a_timeout_of_one_call_spares_the_next_on_the_same_connection(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    fake.knobs.add(CHAT, fail="hang", times=1)
    with connect(way, version) as client:
        assert client.call("POST", CHAT, keys.production, BODY).status == 504
        assert client.call("POST", CHAT, keys.production, BODY).status == 200


def test_a_slow_head_within_the_time_limit_passes(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add(CHAT, delay_s=0.3)
    assert post(way, "h1", keys).status == 200


def test_a_stream_may_take_longer_than_the_time_to_its_head(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add(CHAT, events=2, event_delay_s=0.35)
    reply = post(way, "h1", keys, STREAM)
    assert (reply.status, reply.complete) == (200, True)


# ---- the way there -------------------------------------------------------------------------------


@over_both
@pytest.mark.parametrize("leaf", ["wrong_name", "untrusted"])
def test_a_certificate_that_is_not_openais_gets_no_request(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys, version: str,
    leaf: Literal["wrong_name", "untrusted"],
) -> None:  # fmt: skip
    fake.tls.leaf = leaf
    unreachable(post(way, version, keys))
    nothing_left(fake, keys)
    assert gateway.metric("openai_gateway_upstream_errors_total", error="tls") > 0


@over_both
@pytest.mark.parametrize("mode", ["refuse", "reset"])
def test_a_proxy_that_does_not_open_is_the_envelope(
    way: Way, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys,
    version: str, mode: Literal["refuse", "reset"],
) -> None:  # fmt: skip
    relay.inner.mode = mode
    unreachable(post(way, version, keys))
    nothing_left(fake, keys)


@over_both
def test_a_proxy_that_hangs_is_a_timeout(
    way: Way, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys, version: str
) -> None:
    relay.inner.mode = "hang"
    refused(post(way, version, keys), 504, "gateway_upstream_timeout", retry=True)
    nothing_left(fake, keys)


@over_both
@pytest.mark.parametrize("fault", ["proxy", "certificate"])
def test_what_failed_once_is_tried_anew_on_the_same_client_connection(
    way: Way, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys, version: str, fault: str
) -> None:
    """SDKs try again on the connection they have: a failure must not stick to it."""
    with connect(way, version) as client:
        if fault == "proxy":
            relay.inner.mode = "refuse"
        else:
            fake.tls.leaf = "untrusted"
        assert client.call("POST", CHAT, keys.production, BODY).status == 502
        relay.inner.mode, fake.tls.leaf = "relay", "right"
        assert client.call("POST", CHAT, keys.production, BODY).status == 200


@over_both
def test_an_upstream_that_closed_between_two_calls_is_dialled_anew(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    fake.knobs.add(CHAT, headers=[("connection", "close")], framing="close", times=1)
    offer(fake, "h1")
    with connect(way, version) as client:
        assert client.call("POST", CHAT, keys.production, BODY).status == 200
        if version == "h1":  # an answer without a length ends the client's connection as well
            return
        assert client.call("POST", CHAT, keys.production, BODY).status == 200


# ---- after the head ------------------------------------------------------------------------------


def broken(reply: Reply) -> None:
    """What came cannot be taken for a whole answer."""
    assert reply.end in ("eof", "reset", "stream_reset")


@over_all
@pytest.mark.parametrize("fail", ["reset", "close", "garbage", "stream_reset"])
def test_a_stream_that_breaks_after_some_events_never_looks_whole(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys, version: str,
    upstream: str, fail: str,
) -> None:  # fmt: skip
    offer(fake, upstream)
    fake.knobs.add(CHAT, fail=fail, at="body", after_events=3, event_delay_s=0.02)
    reply = post(way, version, keys, STREAM)
    assert reply.status == 200
    broken(reply)
    assert b"[DONE]" not in reply.body
    assert reply.body.count(b"data: ") >= (0 if fail == "reset" else 3)
    if (fail, upstream) == ("close", "h1"):  # a row takes its time
        row = gateway.row(reply.first("x-gateway-request-id"))
        assert (row["status"], row["error_code"]) == (200, "protocol")


@over_all
@pytest.mark.parametrize("fail", ["reset", "close"])
def test_a_stream_that_breaks_after_its_head_never_looks_whole(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str, fail: str
) -> None:
    offer(fake, upstream)
    fake.knobs.add(CHAT, fail=fail, at="after_head")
    reply = post(way, version, keys, STREAM)
    if reply.status == 200:
        broken(reply)
    else:
        refused(reply, 502, UNREACHABLE, retry=True)


@over_all
@pytest.mark.parametrize("size", [1000, 600_000], ids=["held", "streamed"])
@pytest.mark.parametrize("fail", ["reset", "close"])
def test_a_body_shorter_than_its_length_never_looks_whole(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str, fail: str, size: int
) -> None:
    offer(fake, upstream)
    fake.knobs.add(CHAT, body=b"x" * size, fail=fail, at="body", after_bytes=size // 2)
    reply = post(way, version, keys)
    if reply.status == 200:
        broken(reply)
        assert len(reply.body) < size
    else:
        refused(reply, 502, UNREACHABLE, retry=True)


@over_both
def test_a_chunked_body_without_its_end_never_looks_whole(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    offer(fake, "h1")
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    fake.knobs.add(CHAT, raw=head + b'8\r\n{"a": 1}\r\n')
    reply = post(way, version, keys)
    assert reply.status == 200
    broken(reply)


@over_both
def test_a_call_beside_one_that_breaks_is_answered(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    fake.knobs.add(CHAT, fail="reset", times=1)
    with connect(way, version) as client:
        assert client.call("POST", CHAT, keys.production, BODY).status == 502
        assert client.call("POST", CHAT, keys.production, BODY).status == 200


def test_a_proxy_that_is_not_there_is_told_to_the_public_without_names_of_ours(
    fake: FakeOpenAIThread, keys: Keys
) -> None:
    config = settings("http://127.0.0.1:1", fake.ca_pem_path)
    with GatewayProcess(
        merged(config, {"errors": {"detail": "public"}}), environment(keys)
    ) as process:
        for version in VERSIONS:
            reply = post(process.way, version, keys)
            unreachable(reply)
            assert b"proxy" not in reply.body
        place = f"/v1/models?k={keys.production}"
        leaked = send(process.way, "h1", "GET", place, [bearer(keys.production)])
        refused(leaked, 403, "gateway_production_key_leaked")
        assert b"mapping" not in leaked.body
    nothing_left(fake, keys)
