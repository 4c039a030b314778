"""Requests' bodies: what needs no change arrives byte for byte, what cannot be read is refused."""

import gzip
import os
import time
import zlib
from collections.abc import Callable, Iterator

import brotli
import pytest
import zstandard

from tests.e2e.calls import (
    BODY,
    CHAT,
    FILES,
    HOST,
    JSON,
    arrived,
    bearer,
    nothing_left,
    offer,
    over_all,
    over_both,
    post,
    refused,
    send,
)
from tests.support.clients import RawH1, RawH2, Way
from tests.support.clients.h2 import pseudo
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import (
    GatewayProcess,
    Keys,
    environment,
    merged,
    settings,
)
from tests.support.relay import RelayThread

UNREADABLE = "gateway_unreadable_body"
TOO_LARGE = "gateway_body_too_large"
SMALL_LIMIT = 100_000


@pytest.fixture(scope="module")
def tight(
    the_fake: FakeOpenAIThread, the_relay: RelayThread, keys: Keys
) -> Iterator[GatewayProcess]:
    """A gateway with a small leaks.max_body_bytes."""
    config = merged(
        settings(the_relay.url, the_fake.ca_pem_path), {"leaks": {"max_body_bytes": SMALL_LIMIT}}
    )
    with GatewayProcess(config, environment(keys)) as process:
        yield process


UNUSUAL = {
    "spaces": b'\r\n { "model" :\t"m" ,\n  "messages":[ ] ,  "temperature" : 1.0E+0 }\n\n ',
    "harmless duplicates": b'{"model":"m","metadata":{"a":"1","a":"2"},"user":"x","user":"y"}',
    "escapes": b'{"model":"m","messages":[{"content":"\\u00e4\\/\\u0041 \xc3\xa4"}]}',
    "numbers": b'{"model":"m","seed":12345678901234567890,"x":1e300,"y":-0.0}',
    "array": b'[{"model":"m"},{"model":"n"}]',
    "scalar": b'"just a string"',
}


@over_all
@pytest.mark.parametrize("body", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_json_arrives_byte_for_byte(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str, body: bytes
) -> None:
    offer(fake, upstream)
    post(way, version, keys, body)
    received = arrived(fake, keys)
    assert received.body == body
    assert (received.http_version == "2") == (upstream == "h2")


@over_all
@pytest.mark.parametrize("size", [1, 4095, 65536, 300_001])
def test_random_bytes_arrive_byte_for_byte(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str, size: int
) -> None:
    offer(fake, upstream)
    body = os.urandom(size)
    kind = ("content-type", "application/octet-stream")
    send(way, version, "POST", FILES, [bearer(keys.production), kind], body)
    assert arrived(fake, keys).body == body


@over_all
def test_ten_megabytes_arrive_byte_for_byte(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    offer(fake, upstream)
    body = os.urandom(10 * 2**20)
    kind = ("content-type", "application/octet-stream")
    send(way, version, "POST", FILES, [bearer(keys.production), kind], body)
    assert arrived(fake, keys).body == body


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@over_all
@pytest.mark.parametrize("coding", CODINGS)
def test_coded_bodies_arrive_still_coded(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str, coding: str
) -> None:
    offer(fake, upstream)
    body = CODINGS[coding](BODY)
    reply = post(way, version, keys, body, ("content-encoding", coding))
    assert reply.status == 200
    received = arrived(fake, keys)
    assert received.body == body
    assert received.values("content-encoding") == [coding]


@over_all
def test_several_gzip_members_arrive(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    offer(fake, upstream)
    body = gzip.compress(BODY[:20]) + gzip.compress(BODY[20:])
    post(way, version, keys, body, ("content-encoding", "gzip"))
    assert arrived(fake, keys).body == body


@over_all
def test_a_body_without_a_length_arrives_whole(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    """Chunked on HTTP/1.1, plain DATA frames on HTTP/2."""
    offer(fake, upstream)
    chunks = [BODY[at : at + 7] for at in range(0, len(BODY), 7)]
    head = [bearer(keys.production), JSON]
    reply = send(way, version, "POST", CHAT, head, chunks=chunks)
    assert reply.status == 200
    received = arrived(fake, keys)
    assert received.body == BODY
    assert b"GET " not in received.connection.raw


@over_all
def test_trailers_of_a_request_end_at_the_gateway(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    offer(fake, upstream)
    head = [bearer(keys.production), JSON, ("trailer", "x-checksum")]
    trailers = [("x-checksum", "abc123")]
    reply = send(way, version, "POST", CHAT, head, chunks=[BODY], trailers=trailers)
    assert (reply.status, reply.complete) == (200, True)
    received = arrived(fake, keys)
    assert received.body == BODY
    assert received.trailers == []
    assert b"abc123" not in fake.received_bytes()


@over_both
def test_a_call_after_trailers_works_on_the_same_connection(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    del fake
    trailers = [("x-checksum", "abc123")]
    head = [bearer(keys.production), JSON]
    if version == "h2":
        with RawH2(way.tls(alpn=("h2",))) as h2:
            h2.answer(h2.request([*pseudo("POST", CHAT), *head], BODY, trailers))
            assert h2.call("POST", CHAT, keys.production, BODY).status == 200
        return
    with RawH1(way.tls()) as h1:
        h1.request("POST", CHAT, [("Host", HOST), *head], chunks=[BODY], trailers=trailers)
        h1.answer()
        assert h1.call("POST", CHAT, keys.production, BODY).status == 200


def test_expect_100_continue_is_answered_before_the_body_is_sent(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with RawH1(way.tls()) as client:
        length = ("Content-Length", str(len(BODY)))
        head = [("Host", HOST), bearer(keys.production), JSON, length, ("Expect", "100-continue")]
        client.request("POST", CHAT, head)
        assert client.rest_of(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        assert fake.requests == []
        client.send(BODY)
        assert client.answer().status == 200
    received = arrived(fake, keys)
    assert received.body == BODY
    assert received.values("expect") == []


@over_all
@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", "/v1/models"), ("HEAD", "/v1/models"), ("DELETE", "/v1/files/file-1"),
     ("POST", "/v1/responses/resp_1/cancel"), ("OPTIONS", "/v1/models")],
)  # fmt: skip
def test_calls_without_a_body_stay_without(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str,
    method: str, target: str,
) -> None:  # fmt: skip
    offer(fake, upstream)
    reply = send(way, version, method, target, [bearer(keys.production)])
    assert reply.complete
    received = arrived(fake, keys)
    assert (received.method, received.target, received.body) == (method, target, b"")
    assert (method == "HEAD") == (not reply.body)


@over_all
def test_a_length_of_zero_is_passed_on(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    offer(fake, upstream)
    head = [bearer(keys.production), JSON, ("content-length", "0")]
    send(way, version, "POST", "/v1/responses/resp_1/cancel", head)
    assert arrived(fake, keys).body == b""


@over_all
def test_headers_of_the_client_arrive_as_they_were(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    offer(fake, upstream)
    more = [("x-stainless-lang", "python"), ("x-twice", "1"), ("x-twice", "2"),
            ("idempotency-key", "stainless-1"), ("x-odd", 'a "b", c; d=e')]  # fmt: skip
    post(way, version, keys, BODY, *more)
    received = arrived(fake, keys)
    for name, _ in more:
        assert received.values(name) == [value for key, value in more if key == name]


# ---- refused -------------------------------------------------------------------------------------


@over_both
@pytest.mark.parametrize(
    "coding",
    ["gzip, gzip", "gzip,br", "compress", "snappy", "gzip;q=1", "GZIP, identity, br", "\xe9"],
)
def test_unknown_and_stacked_codings_are_refused(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, coding: str
) -> None:
    body = gzip.compress(gzip.compress(BODY))
    reply = post(way, version, keys, body, ("content-encoding", coding))
    refused(reply, 415, "gateway_unsupported_encoding")
    nothing_left(fake, keys)


@over_both
def test_two_coding_headers_are_stacked_codings(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    twice = [("content-encoding", "gzip"), ("content-encoding", "br")]
    reply = post(way, version, keys, gzip.compress(BODY), *twice)
    refused(reply, 415, "gateway_unsupported_encoding")
    nothing_left(fake, keys)


COMPRESSED = gzip.compress(BODY)
BROKEN = {
    "gzip cut short": ("gzip", COMPRESSED[:-9]),
    "gzip without its checksum": ("gzip", COMPRESSED[:-8]),
    "gzip corrupt": ("gzip", COMPRESSED[:15] + b"\xff\xff" + COMPRESSED[17:]),
    "gzip and more": ("gzip", COMPRESSED + b'{"model":"gpt-6"}'),
    "gzip and zeros": ("gzip", COMPRESSED + bytes(8)),
    "not gzip": ("gzip", BODY),
    "deflate cut short": ("deflate", zlib.compress(BODY)[:-5]),
    "deflate and more": ("deflate", zlib.compress(BODY) + b"x"),
    "br cut short": ("br", brotli.compress(BODY)[:-2]),
    "br and more": ("br", brotli.compress(BODY) + b"xx"),
    "zstd cut short": ("zstd", zstandard.ZstdCompressor().compress(BODY)[:-3]),
    "zstd and more": ("zstd", zstandard.ZstdCompressor().compress(BODY) + b"xx"),
}


@over_both
@pytest.mark.parametrize(("coding", "body"), BROKEN.values(), ids=BROKEN.keys())
def test_a_body_that_does_not_decode_is_refused(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, coding: str, body: bytes
) -> None:
    reply = post(way, version, keys, body, ("content-encoding", coding))
    refused(reply, 400, UNREADABLE)
    nothing_left(fake, keys)


def bomb(coding: str) -> bytes:
    """200 MB of zeros, coded."""
    zeros = bytes(2**20)
    if coding == "gzip":
        press = zlib.compressobj(9, zlib.DEFLATED, 31)
        return b"".join(press.compress(zeros) for _ in range(200)) + press.flush()
    if coding == "br":
        brotlis = brotli.Compressor(quality=1)
        return bytes(b"".join(brotlis.process(zeros) for _ in range(200)) + brotlis.finish())
    zstds = zstandard.ZstdCompressor().compressobj()
    return b"".join(zstds.compress(zeros) for _ in range(200)) + zstds.flush()


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_bomb_costs_neither_memory_nor_time(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys, coding: str
) -> None:
    body = bomb(coding)
    before = resident(gateway.pid)
    began = time.monotonic()
    reply = post(way, "h1", keys, body, ("content-encoding", coding))
    assert time.monotonic() - began < 2.0
    refused(reply, 413, TOO_LARGE)
    assert resident(gateway.pid) - before < 300 * 2**20
    nothing_left(fake, keys)


def resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123  # no file, but the kernel's own
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


NOT_JSON = {
    "cut short": BODY[:-1],
    "two values": BODY + BODY,
    "single quotes": b"{'model': 'm'}",
    "comment": b'{"model": "m" /* no */}',
    "NaN": b'{"model": "m", "temperature": NaN}',
    "bad utf-8": b'{"model": "\xff\xfe"}',
    "lone surrogate": b'{"model": "\xed\xa0\x80"}',
    "utf-16": BODY.decode().encode("utf-16"),
    "utf-16-le without a mark": BODY.decode().encode("utf-16-le"),
    "utf-32": BODY.decode().encode("utf-32"),
    "mark of utf-8": b"\xef\xbb\xbf" + BODY,
    "blank": b"   ",
    "control character": b'{"model": "a\x00b"}',
    "two models": b'{"model": "gpt-6-luna", "model": "gpt-6-sol"}',
    "two models, one escaped": b'{"model": "gpt-6-luna", "mod\\u0065l": "gpt-6-sol"}',
    "two streams": b'{"model": "m", "stream": false, "stream": true}',
    "two maxima": b'{"model": "m", "max_tokens": 1, "max_tokens": 100000}',
    "deep": b"[" * 100_000 + b"]" * 100_000,
}


@over_both
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_json_that_reads_in_no_way_or_in_two_is_refused(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, body: bytes
) -> None:
    refused(post(way, version, keys, body), 400, UNREADABLE)
    nothing_left(fake, keys)


@over_both
def test_a_charset_other_than_utf8_is_refused(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    head = [bearer(keys.production), ("content-type", "application/json; charset=utf-16")]
    reply = send(way, version, "POST", CHAT, head, BODY.decode().encode("utf-16"))
    refused(reply, 400, UNREADABLE)
    nothing_left(fake, keys)


@over_both
def test_two_content_types_are_refused(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    reply = post(way, version, keys, BODY, ("content-type", "text/plain"))
    refused(reply, 400, UNREADABLE)
    nothing_left(fake, keys)


FORM = (
    b'--XyZ\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    b'--XyZ\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n\x00\xff--XyZ no\r\n\r\n--XyZ--\r\n"
)
BAD_FORMS = {
    "no end": ("boundary=XyZ", FORM[:-10]),
    "no boundary": ("", FORM),
    "another boundary": ("boundary=other", FORM),
    "empty boundary": ('boundary=""', FORM),
    "two models": (
        "boundary=XyZ",
        b'--XyZ\r\nContent-Disposition: form-data; name="model"\r\n\r\na\r\n'
        b'--XyZ\r\nContent-Disposition: form-data; name="model"\r\n\r\nb\r\n--XyZ--\r\n',
    ),
}


@over_all
def test_a_multipart_body_arrives_byte_for_byte(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, upstream: str
) -> None:
    offer(fake, upstream)
    kind = ("content-type", "multipart/form-data; boundary=XyZ")
    reply = send(way, version, "POST", FILES, [bearer(keys.production), kind], FORM)
    assert reply.status == 200
    assert arrived(fake, keys).body == FORM


@over_both
@pytest.mark.parametrize(("boundary", "body"), BAD_FORMS.values(), ids=BAD_FORMS.keys())
def test_a_multipart_body_that_does_not_read_is_refused(
    way: Way, fake: FakeOpenAIThread, keys: Keys, version: str, boundary: str, body: bytes
) -> None:
    kind = ("content-type", f"multipart/form-data; {boundary}".strip(" ;"))
    reply = send(way, version, "POST", FILES, [bearer(keys.production), kind], body)
    refused(reply, 400, UNREADABLE)
    nothing_left(fake, keys)


# ---- too large -----------------------------------------------------------------------------------


def padded(size: int) -> bytes:
    return b'{"model":"m","x":"' + b"y" * (size - 20) + b'"}'


@over_both
def test_a_body_as_large_as_the_limit_passes(
    tight: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    body = padded(SMALL_LIMIT)
    post(tight.way, version, keys, body)
    assert arrived(fake, keys).body == body


@over_both
def test_one_byte_more_is_refused(
    tight: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    reply = post(tight.way, version, keys, padded(SMALL_LIMIT + 1))
    refused(reply, 413, TOO_LARGE)
    nothing_left(fake, keys)
    row = tight.row(reply.first("x-gateway-request-id"))
    assert (row["status"], row["error_code"], row["outcome"]) == (413, TOO_LARGE, "blocked")


def test_an_announced_length_is_refused_before_the_body_comes(
    tight: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with RawH1(tight.way.tls()) as client:
        head = [("Host", HOST), bearer(keys.production), JSON, ("Content-Length", "9" * 9)]
        client.request("POST", CHAT, head, b'{"model":')
        began = time.monotonic()
        reply = client.answer()
    assert time.monotonic() - began < 1.0
    refused(reply, 413, TOO_LARGE)
    nothing_left(fake, keys)


def test_an_announced_length_on_h2_is_refused_before_the_body_comes(
    tight: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with RawH2(tight.way.tls(alpn=("h2",))) as client:
        length = ("content-length", "9" * 9)
        number = client.head([*pseudo("POST", CHAT), bearer(keys.production), JSON, length])
        began = time.monotonic()
        reply = client.answer(number)
        assert time.monotonic() - began < 1.0
        refused(reply, 413, TOO_LARGE)
        nothing_left(fake, keys)
        client.reset(number)
        assert client.call("POST", CHAT, keys.production, BODY).status == 200


def test_a_client_that_expects_100_is_told_413_instead(
    tight: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with RawH1(tight.way.tls()) as client:
        length = ("Content-Length", "9" * 9)
        head = [("Host", HOST), bearer(keys.production), JSON, length, ("Expect", "100-continue")]
        client.request("POST", CHAT, head)
        reply = client.answer()
    refused(reply, 413, TOO_LARGE)
    assert reply.informational == []
    nothing_left(fake, keys)


@over_both
def test_a_body_that_grows_beyond_the_limit_is_refused(
    tight: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    chunks = [b'{"model":"m","x":"', *[b"y" * 10_000] * 40, b'"}']
    head = [bearer(keys.production), JSON]
    reply = send(tight.way, version, "POST", CHAT, head, chunks=chunks)
    refused(reply, 413, TOO_LARGE)
    nothing_left(fake, keys)


def test_an_endless_upload_is_cut(
    tight: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """The answer comes at once, however long the client goes on."""
    with RawH1(tight.way.tls()) as client:
        head = [("Host", HOST), bearer(keys.production), JSON, ("Transfer-Encoding", "chunked")]
        client.request("POST", CHAT, head)
        for _ in range(20):
            client.send(b"2710\r\n" + b"y" * 10_000 + b"\r\n")
        reply = client.answer()
    refused(reply, 413, TOO_LARGE)
    nothing_left(fake, keys)


@over_both
def test_a_body_above_the_limit_once_decoded_is_refused(
    tight: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    body = gzip.compress(padded(SMALL_LIMIT + 1))
    reply = post(tight.way, version, keys, body, ("content-encoding", "gzip"))
    refused(reply, 413, TOO_LARGE)
    nothing_left(fake, keys)


# ---- framing -------------------------------------------------------------------------------------

CHUNKED = "Transfer-Encoding: chunked\r\n"
FRAMINGS = {
    "length and chunked": ("Content-Length: 4\r\n" + CHUNKED, b"0\r\n\r\n"),
    "two lengths": ("Content-Length: 2\r\nContent-Length: 3\r\n", b"{}x"),
    "two equal lengths": ("Content-Length: 2\r\nContent-Length: 2\r\n", b"{}"),
    "a list of lengths": ("Content-Length: 2, 2\r\n", b"{}"),
    "signed length": ("Content-Length: +2\r\n", b"{}"),
    "negative length": ("Content-Length: -2\r\n", b"{}"),
    "hex length": ("Content-Length: 0x2\r\n", b"{}"),
    "length with a zero before": ("Content-Length: 02\r\n", b"{}"),
    "chunked twice": (CHUNKED + CHUNKED, b"0\r\n\r\n"),
    "chunked, identity": ("Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
    "odd chunked": ("Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "gzip transfer": ("Transfer-Encoding: gzip\r\n", b""),
    "chunk size no number": (CHUNKED, b"xyz\r\n{}\r\n0\r\n\r\n"),
    "chunk size negative": (CHUNKED, b"-1\r\n{}\r\n0\r\n\r\n"),
    "chunk size huge": (CHUNKED, b"f" * 30 + b"\r\n{}\r\n0\r\n\r\n"),
    "chunk longer than told": (CHUNKED, b"2\r\n{}{}\r\n0\r\n\r\n"),
    "space before the colon": ("Content-Length : 2\r\n", b"{}"),
    "folded header": ("X-A: b\r\n folded\r\nContent-Length: 2\r\n", b"{}"),
    "no colon": ("Content-Length 2\r\n", b"{}"),
    "control character in a name": ("X-\x01: b\r\nContent-Length: 2\r\n", b"{}"),
    "NUL in a value": ("X-A: b\x00c\r\nContent-Length: 2\r\n", b"{}"),
    "bare CR in a value": ("X-A: b\rX-B: c\r\nContent-Length: 2\r\n", b"{}"),
}


@pytest.mark.parametrize(("fields", "body"), FRAMINGS.values(), ids=FRAMINGS.keys())
def test_a_request_that_can_be_framed_in_two_ways_is_refused(
    way: Way, fake: FakeOpenAIThread, keys: Keys, fields: str, body: bytes
) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {keys.production}\r\n"
    with RawH1(way.tls()) as client:
        client.send((head + fields).encode("latin-1") + b"\r\n" + body)
        reply = client.answer()
        client.sock.settimeout(0.1)
        assert client.rest() == b""
    refused(reply, 400, UNREADABLE)
    nothing_left(fake, keys)


def test_the_rows_of_malformed_requests_agree_with_their_answers(
    gateway: GatewayProcess, way: Way, keys: Keys
) -> None:
    known = {name: case for name, case in FRAMINGS.items() if name != "no colon"}
    ids: list[str] = []
    for fields, body in known.values():
        head = f"POST {CHAT} HTTP/1.1\r\nHost: {HOST}\r\n{bearer(keys.production)[0]}: x\r\n"
        with RawH1(way.tls()) as client:
            client.send((head + fields).encode("latin-1") + b"\r\n" + body)
            ids.append(client.answer().first("x-gateway-request-id"))
    rows = [gateway.row(call_id) for call_id in ids]
    assert {(row["status"], row["error_code"], row["outcome"]) for row in rows} <= {
        (400, UNREADABLE, "blocked"), (401, "gateway_unknown_key", "rejected_key")
    }  # fmt: skip


def test_a_smuggled_second_request_stays_a_body(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    inner = f"GET /v1/models HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    head = [bearer(keys.production), ("content-type", "text/plain")]
    send(way, "h1", "POST", FILES, head, inner)
    assert arrived(fake, keys).body == inner


@pytest.mark.parametrize(
    "headers",
    [
        [("x-a", "b\r\nx-injected: c")],
        [("x-a", "b\nx-injected: c")],
        [("x-a\r\nx-injected", "c")],
        [("x-a", "b\x00c")],
        [("X-Upper", "c")],
        [("transfer-encoding", "chunked")],
        [("connection", "close")],
        [("content-length", "1")],
        [("content-length", "999")],
        [("content-length", "75"), ("content-length", "75")],
    ],
)
def test_an_h2_request_that_would_read_otherwise_in_http1_is_refused(
    way: Way, fake: FakeOpenAIThread, keys: Keys, headers: list[tuple[str, str]]
) -> None:
    offer(fake, "h1")
    with RawH2(way.tls(alpn=("h2",))) as client:
        head = [*pseudo("POST", CHAT), bearer(keys.production), JSON, *headers]
        reply = client.answer(client.request(head, BODY))
    if reply.status:
        refused(reply, 400, UNREADABLE)
    else:  # a breach of HTTP/2 itself ends the connection
        assert reply.end in ("eof", "reset", "stream_reset")
    nothing_left(fake, keys)


@pytest.mark.parametrize(
    "line",
    ["GET /v1/models", "GET  /v1/models HTTP/1.1", "GET /v1/models HTTP/9.9", "G@T /v1/m HTTP/1.1",
     "GET /v1/mo dels HTTP/1.1", "\x00\x01\x02", "GET v1/models HTTP/1.1"],
)  # fmt: skip
def test_a_bad_request_line_is_answered_with_the_envelope(
    way: Way, fake: FakeOpenAIThread, keys: Keys, line: str
) -> None:
    with RawH1(way.tls()) as client:
        client.send(f"{line}\r\nHost: {HOST}\r\n\r\n".encode())
        reply = client.answer()
    assert reply.status in (400, 401, 403)
    assert reply.code.startswith("gateway_")  # type: ignore[union-attr]  # None fails too
    assert reply.values("content-type") == ["application/json"]
    nothing_left(fake, keys)


@pytest.mark.parametrize(
    ("name", "value"),
    [(":path", "/v1/models HTTP/1.1\r\nx-injected: y\r\n\r\n"), (":path", "/v1/mo dels"),
     (":path", ""), (":path", "v1/models"), (":path", "*"), (":method", "GET /v1/x HTTP/1.1"),
     (":method", "GE\r\nT"), (":scheme", "ftp"), (":scheme", "https\r\nx: y"), (":odd", "x")],
)  # fmt: skip
def test_an_h2_head_that_would_split_in_http1_leaves_nothing(
    way: Way, fake: FakeOpenAIThread, keys: Keys, name: str, value: str
) -> None:
    offer(fake, "h1")
    with RawH2(way.tls(alpn=("h2",))) as client:
        head = [(key, value if key == name else old) for key, old in pseudo("GET", "/v1/models")]
        head += [] if name in dict(head) else [(name, value)]
        reply = client.answer(client.request([*head, bearer(keys.production)]))
    if reply.status:
        assert reply.status in (400, 403)
        assert reply.code.startswith("gateway_")  # type: ignore[union-attr]  # None fails too
    else:
        assert reply.end in ("eof", "reset", "stream_reset")
    nothing_left(fake, keys)
