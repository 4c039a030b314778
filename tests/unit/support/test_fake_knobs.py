"""Each knob of the fake does what its name says, seen by a client that believes nothing."""

import contextlib
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import brotli  # type: ignore[import-untyped]  # ships no types
import orjson
import pytest
import zstandard
from h2.exceptions import ProtocolError

from tests.support.clients import RawH1, RawH2, Reply, Way, bearer
from tests.support.clients.h2 import pseudo
from tests.support.fake_openai import FakeOpenAIThread

CHAT = "/v1/chat/completions"
WHOLE = orjson.dumps({"model": "gpt-6-luna", "messages": []})
STREAM = orjson.dumps({"model": "gpt-6-luna", "messages": [], "stream": True})
PLAIN: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: zlib.decompress(data, 31),
    "deflate": lambda data: zlib.decompress(data, 15),
    "br": brotli.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
type Raw = RawH1 | RawH2


@pytest.fixture(params=["h1", "h2"])
def raw(request: pytest.FixtureRequest, way: Way) -> Iterator[Raw]:
    made: Raw = RawH1(way.tls()) if request.param == "h1" else RawH2(way.tls(alpn=("h2",)))
    with made:
        yield made


def ask(raw: Raw, key: str, body: bytes = WHOLE) -> Reply:
    return raw.call("POST", CHAT, key, body)


@pytest.mark.parametrize("fail", ["reset", "stream_reset", "close", "garbage"])
@pytest.mark.parametrize("at", ["before_head", "in_head", "after_head", "body"])
def test_a_failure_is_never_a_complete_answer(
    raw: Raw, fake: FakeOpenAIThread, key: str, fail: str, at: str
) -> None:
    fake.knobs.add(CHAT, fail=fail, at=at)
    if fail == "garbage":
        with contextlib.suppress(ValueError, IndexError, ProtocolError):
            assert not ask(raw, key).complete
        return
    reply = ask(raw, key)
    assert reply.end in ("eof", "reset", "stream_reset")
    assert not fake.requests[0].answered
    if at in ("before_head", "in_head"):
        assert reply.status == 0


def test_a_reset_is_a_reset_and_a_close_is_not(way: Way, fake: FakeOpenAIThread, key: str) -> None:
    ends = {}
    for fail in ("reset", "close"):
        fake.knobs.add(CHAT, fail=fail, times=1)
        with RawH1(way.tls()) as raw:
            ends[fail] = ask(raw, key).end
    assert ends == {"reset": "reset", "close": "eof"}


def test_a_stream_breaks_off_after_so_many_events(
    raw: Raw, fake: FakeOpenAIThread, key: str
) -> None:
    fake.knobs.add(CHAT, fail="close", at="body", after_events=3)
    reply = ask(raw, key, STREAM)
    assert reply.body.count(b"data: ") == 3
    assert not reply.complete
    assert b"[DONE]" not in reply.body


def test_a_body_breaks_off_after_so_many_bytes(raw: Raw, fake: FakeOpenAIThread, key: str) -> None:
    fake.knobs.add(CHAT, fail="close", at="body", after_bytes=100)
    reply = ask(raw, key)
    assert len(reply.body) == 100
    assert not reply.complete


def test_hang_says_nothing_and_notices_who_leaves(
    way: Way, fake: FakeOpenAIThread, key: str
) -> None:
    fake.knobs.add(CHAT, fail="hang")
    with RawH1(way.tls()) as raw:
        raw.sock.settimeout(0.2)
        assert ask(raw, key).end == "timeout"
        assert not fake.requests[0].aborted
    fake.wait_for(lambda found: found[0].aborted)


def test_a_stream_that_the_client_resets_is_marked_aborted(
    way: Way, fake: FakeOpenAIThread, key: str
) -> None:
    fake.knobs.add(CHAT, event_delay_s=5)
    with RawH2(way.tls(alpn=("h2",))) as raw:
        headers = [*pseudo("POST", CHAT), ("authorization", f"Bearer {key}")]
        number = raw.request(headers, STREAM)
        fake.wait()
        raw.reset(number)
        fake.wait_for(lambda found: found[0].aborted)


def test_a_gate_holds_a_stream_until_the_test_opens_it(
    way: Way, fake: FakeOpenAIThread, key: str
) -> None:
    gate = threading.Event()
    fake.knobs.add(CHAT, gate=gate, after_events=2)
    with RawH1(way.tls()) as raw:
        raw.sock.settimeout(0.2)
        held = ask(raw, key, STREAM)
        assert (held.end, held.body.count(b"data: ")) == ("timeout", 2)
        gate.set()
        raw.sock.settimeout(3)
        assert b"[DONE]" in raw.rest_of(b"\r\n0\r\n\r\n")


def test_delays_before_the_head_and_between_events(
    raw: Raw, fake: FakeOpenAIThread, key: str
) -> None:
    fake.knobs.add(CHAT, delay_s=0.1, event_delay_s=0.05, events=4)
    began = time.monotonic()
    reply = ask(raw, key, STREAM)
    times = [at for at, _ in reply.pieces]
    assert times[0] - began >= 0.1
    assert times[-1] - times[0] >= 0.2


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("body", [WHOLE, STREAM], ids=["whole", "stream"])
def test_codings(raw: Raw, fake: FakeOpenAIThread, key: str, coding: str, body: bytes) -> None:
    fake.knobs.add(CHAT, coding=coding)
    reply = ask(raw, key, body)
    assert reply.first("content-encoding") == coding
    data = bytes(reply.body)
    assert b"chat.completion" in PLAIN[coding](data)


@pytest.mark.parametrize(
    ("knob", "status", "kind"),
    [
        ({"status": 204, "body": b"", "content_type": ""}, 204, ""),
        ({"status": 304, "body": b""}, 304, "application/json"),
        ({"status": 503, "body": b'{"error":{}}'}, 503, "application/json"),
        ({"html": True}, 502, "text/html"),
        ({"location": "https://evil.example/v1"}, 307, ""),
    ],
)
def test_answers_replaced(
    raw: Raw, fake: FakeOpenAIThread, key: str, knob: dict[str, Any], status: int, kind: str
) -> None:
    fake.knobs.add(CHAT, **knob)
    reply = ask(raw, key)
    assert reply.complete
    assert (reply.status, reply.first("content-type")) == (status, kind)
    assert reply.first("location") == knob.get("location", "")


def test_informational_answers_and_trailers(raw: Raw, fake: FakeOpenAIThread, key: str) -> None:
    trailers = [("x-checksum", "abc")]
    fake.knobs.add(CHAT, informational=[100, 103], trailers=trailers, framing="chunked")
    reply = ask(raw, key)
    assert reply.informational == [100, 103]
    assert reply.trailers == trailers
    assert reply.complete


def test_an_answer_to_head_has_no_body(raw: Raw, key: str) -> None:
    reply = raw.call("HEAD", "/v1/models", key)
    if isinstance(raw, RawH1):
        reply_again = raw.call("HEAD", "/v1/models", key)
        assert reply_again.status == 200
    assert (reply.status, bytes(reply.body)) == (200, b"")
    assert int(reply.first("content-length")) > 0


def test_malformed_json_whole_and_in_one_event(raw: Raw, fake: FakeOpenAIThread, key: str) -> None:
    fake.knobs.add(CHAT, malformed=True, after_events=2)
    with pytest.raises(orjson.JSONDecodeError):
        ask(raw, key).json()
    blocks = bytes(ask(raw, key, STREAM).body).split(b"\n\n")
    faults = [number for number, block in enumerate(blocks[:-2]) if not _reads(block)]
    assert faults == [2]


def _reads(block: bytes) -> bool:
    try:
        orjson.loads(block.removeprefix(b"data: "))
    except orjson.JSONDecodeError:
        return False
    return True


def test_big_bodies_and_huge_events(raw: Raw, fake: FakeOpenAIThread, key: str) -> None:
    fake.knobs.add(CHAT, big_bytes=1_000_001, times=1)
    fake.knobs.add(CHAT, huge_event_bytes=300_000)
    assert len(ask(raw, key).body) == 1_000_001
    assert b"h" * 300_000 in ask(raw, key, STREAM).body


def test_line_ends_and_pieces_of_a_stream(raw: Raw, fake: FakeOpenAIThread, key: str) -> None:
    fake.knobs.add(CHAT, crlf=True, split_bytes=7)
    reply = ask(raw, key, STREAM)
    assert b"data: [DONE]\r\n\r\n" in reply.body
    assert max(len(piece) for _, piece in reply.pieces) == 7


def test_headers_added_replaced_and_dropped(raw: Raw, fake: FakeOpenAIThread, key: str) -> None:
    odd = [("x-odd", "1"), ("x-odd", "2"), ("openai-version", "1999")]
    fake.knobs.add(CHAT, headers=odd, drop_headers=["x-request-id"])
    reply = ask(raw, key)
    assert reply.values("x-odd") == ["1", "2"]
    assert reply.values("openai-version") == ["1999"]
    assert not reply.values("x-request-id")


def test_patch_sets_the_usage_of_json_and_stream(
    raw: Raw, fake: FakeOpenAIThread, key: str
) -> None:
    fake.knobs.add(CHAT, patch={"usage": {"prompt_tokens": 7}, "service_tier": "flex"})
    value = ask(raw, key).json()
    assert (value["usage"], value["service_tier"]) == ({"prompt_tokens": 7}, "flex")


def test_a_rule_is_used_up_and_bound_to_path_and_method(
    raw: Raw, fake: FakeOpenAIThread, key: str
) -> None:
    fake.knobs.add("/v1/mod*", method="POST", status=500, times=1)
    assert raw.call("GET", "/v1/models", key).status == 200
    assert raw.call("POST", "/v1/moderations", key, b"{}").status == 500
    assert raw.call("POST", "/v1/moderations", key, b"{}").status == 200


def test_raw_bytes_in_place_of_an_answer(way: Way, fake: FakeOpenAIThread, key: str) -> None:
    fake.knobs.add(CHAT, raw=b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab")
    with RawH1(way.tls()) as raw:
        reply = ask(raw, key)
    assert (reply.status, bytes(reply.body), reply.end) == (200, b"ab", "eof")


def test_a_body_that_ends_with_the_connection(way: Way, fake: FakeOpenAIThread, key: str) -> None:
    fake.knobs.add(CHAT, framing="close")
    with RawH1(way.tls()) as raw:
        reply = ask(raw, key)
    assert reply.complete
    assert not reply.values("content-length")
    assert reply.json()["object"] == "chat.completion"


def test_an_answer_before_the_body_has_come(way: Way, fake: FakeOpenAIThread, key: str) -> None:
    fake.knobs.add(CHAT, early=True, status=413, body=b"{}")
    with RawH1(way.tls()) as raw:
        headers = [("Host", "api.openai.com"), bearer(key), ("Content-Length", "1000000")]
        raw.request("POST", CHAT, headers, b"{")
        assert raw.answer().status == 413
    assert not fake.requests[0].complete


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
def test_only_one_protocol_is_offered(way: Way, fake: FakeOpenAIThread, alpn: str) -> None:
    fake.tls.alpn = (alpn,)
    with way.tls(alpn=("h2", "http/1.1")) as sock:
        assert sock.selected_alpn_protocol() == alpn


@pytest.mark.parametrize("leaf", ["wrong_name", "untrusted"])
def test_a_wrong_certificate_is_refused_by_a_client_that_checks(
    way: Way, fake: FakeOpenAIThread, leaf: Any
) -> None:
    fake.tls.leaf = leaf
    context = ssl.create_default_context(cafile=str(way.ca_file))
    with way.tunnel() as sock, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(sock, server_hostname="api.openai.com")
    fake.tls.leaf = "right"
    with way.tunnel() as sock, context.wrap_socket(sock, server_hostname="eu.api.openai.com"):
        pass


def test_chunks_and_trailers_of_a_request_are_kept(
    way: Way, fake: FakeOpenAIThread, key: str
) -> None:
    with RawH1(way.tls(sni=None)) as raw:
        headers = [("Host", "api.openai.com"), bearer(key), ("X-Two", "1"), ("x-two", "2")]
        chunks = [b'{"input"', b':"x"}']
        raw.request("POST", "/v1/moderations", headers, chunks=chunks, trailers=[("x-end", "1")])
        assert raw.answer().status == 200
    (kept,) = fake.requests
    assert kept.body == b'{"input":"x"}'
    assert kept.trailers == [(b"x-end", b"1")]
    assert kept.headers[2:4] == [(b"X-Two", b"1"), (b"x-two", b"2")]
    assert kept.connection.sni is None


def test_an_upload_that_breaks_off_is_kept_as_far_as_it_came(
    way: Way, fake: FakeOpenAIThread, key: str
) -> None:
    headers = [("Host", "api.openai.com"), bearer(key), ("Content-Length", "100")]
    for leave in (RawH1.close, RawH1.reset):
        fake.reset()
        raw = RawH1(way.tls())
        raw.request("POST", CHAT, headers, b"half of it")
        fake.wait_for(lambda found: bool(found and found[0].body))
        leave(raw)
        (kept,) = fake.wait_for(lambda found: found[0].aborted)
        assert (kept.body, kept.complete) == (b"half of it", False)


def test_what_is_no_http_is_kept_too(way: Way, fake: FakeOpenAIThread) -> None:
    with RawH1(way.tls()) as raw:
        raw.send(b"POST / HTTP/1.1\r\ncontent-length: many\r\n\r\nsomething")
        assert raw.rest() == b""
    assert "many" in fake.connections[0].fault
    assert b"something" in fake.received_bytes()


def test_many_streams_at_once_on_one_connection(way: Way, fake: FakeOpenAIThread, key: str) -> None:
    fake.knobs.add(CHAT, event_delay_s=0.01)
    with RawH2(way.tls(alpn=("h2",))) as raw:
        headers = [*pseudo("POST", CHAT), ("authorization", f"Bearer {key}")]
        numbers = [raw.request(headers, STREAM) for _ in range(10)]
        assert all(raw.answer(number).complete for number in numbers)
    assert len(fake.connections) == 1


def test_a_large_upload_passes_the_windows(raw: Raw, fake: FakeOpenAIThread, key: str) -> None:
    body = orjson.dumps({"input": "x" * 2_000_000})
    assert raw.call("POST", "/v1/moderations", key, body).status == 200
    assert fake.requests[0].body == body
