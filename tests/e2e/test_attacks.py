"""Ways past the gateway that once worked: none does any more."""

import contextlib
import gzip
import hashlib
import time
import zlib

import pytest

from tests.e2e.calls import (
    CHAT,
    HOST,
    JSON,
    VERSIONS,
    Pairs,
    bearer,
    nothing_left,
    refused,
    send,
)
from tests.e2e.conftest import MakeGateway
from tests.support.clients import RawH1, WebSocket
from tests.support.clients.h1 import chunked, head
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys

LEAKED = "gateway_production_key_leaked"
TOKEN = "openai-insecure-api-key."  # noqa: S105  # the name of a subprotocol
PROTOCOLS = "sec-websocket-protocol"


def fingerprints(keys: Keys) -> dict[str, object]:
    digest = hashlib.sha256(keys.production.encode()).hexdigest()
    mapping = {"name": "default", "production": [f"sha256:{digest}"]}
    return {"keys": {"mappings": [{**mapping, "staging": "env:OPENAI_API_KEY_STAGING"}]}}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("blank", ["\x0b", "\x0c"])
def test_what_only_looks_like_the_credentials_subprotocol_is_judged(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys, version: str, blank: str
) -> None:
    gateway = make_gateway(fingerprints(keys))
    beside = (PROTOCOLS, f"realtime,{blank}{TOKEN}{keys.production}")
    headers: Pairs = [bearer(keys.production), beside]
    refused(send(gateway.way, version, "GET", "/v1/models", headers), 403, LEAKED)
    nothing_left(fake, keys)


def deflated(data: bytes) -> bytes:
    coder = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return coder.compress(data) + coder.flush()


@pytest.mark.parametrize("coding", ["deflate, chunked", "gzip, chunked", "compress,chunked"])
@pytest.mark.parametrize("typed", [True, False])
def test_a_body_in_a_transfer_coding_never_leaves(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, coding: str, typed: bool
) -> None:
    text = b" " * 1_100_000 + b'{"input": "%s"}' % keys.production.encode()
    body = gzip.compress(text) if coding.startswith("gzip") else deflated(text)
    headers = [("Host", HOST), bearer(keys.production), ("Transfer-Encoding", coding)]
    headers += [JSON] if typed else []
    with RawH1(gateway.way.tls()) as client:
        client.send(head(f"POST {CHAT} HTTP/1.1", headers) + chunked([body], []))
        reply = client.answer("POST")
    assert reply.code in (LEAKED, "gateway_unsupported_encoding")
    nothing_left(fake, keys)


def test_a_key_in_a_hosts_place_is_not_repeated(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    for named in (keys.production, keys.production[:40]):
        with RawH1(gateway.way.tls()) as client:
            client.request("GET", "/v1/models", [("Host", named), bearer(keys.production)])
            reply = client.answer()
        refused(reply, 403, "gateway_destination_refused")
        assert b"FAKEprod" not in bytes(reply.body)
    nothing_left(fake, keys)


def test_a_pattern_of_passthrough_opens_no_way_into_the_machine(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    port = fake.port
    gateway = make_gateway({"upstream": {"proxy": None}, "passthrough": [f"*:{port}"]})
    for host in ("127.0.0.1", "127.1", "0x7f000001", "[::ffff:127.0.0.1]", "0.0.0.0"):  # noqa: S104  # asked for, not listened on
        with RawH1(gateway.way.plain()) as client:
            client.request("CONNECT", f"{host}:{port}", [("Host", f"{host}:{port}")])
            refused(client.answer("CONNECT"), 403, "gateway_destination_refused")
    assert fake.connections == []
    nothing_left(fake, keys)


def test_a_flood_of_empty_fragments_closes_the_socket_and_harms_nobody(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    path = "/v1/realtime?model=gpt-realtime-2.1"
    with WebSocket(gateway.way.tls(), path, [bearer(keys.production)]) as socket:
        socket.hear_type("session.created")
        empty = bytes([0x00, 0x80, 0, 0, 0, 0])
        with contextlib.suppress(OSError):
            socket.raw(bytes([0x01, 0x80, 0, 0, 0, 0]) + empty * 60_000)
        began = time.monotonic()
        with RawH1(gateway.way.tls()) as client:
            assert client.call("GET", "/v1/models", keys.production).status == 200
        assert time.monotonic() - began < 3
        said = socket.hear()
        assert said.kind in ("close", "eof", "reset")


def test_endless_chunk_extensions_and_trailers_are_cut(
    gateway: GatewayProcess, fake: FakeOpenAIThread
) -> None:
    for start in (b"1;", b"0\r\nx: "):
        with RawH1(gateway.way.tls()) as client:
            head = b"POST /v1/models HTTP/1.1\r\nHost: api.openai.com\r\n"
            client.send(head + b"Transfer-Encoding: chunked\r\n\r\n" + start)
            with pytest.raises(OSError, match=r"reset|[Bb]roken pipe|EOF"):
                client.send(b"a" * 26_000_000)
    assert fake.requests == []


def test_an_endless_head_of_the_upstream_is_a_fault_at_once(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add("/v1/models", raw=b"HTTP/1.1 200 OK\r\nx: " + b"a" * 600_000)
    with RawH1(gateway.way.tls()) as client:
        reply = client.call("GET", "/v1/models", keys.production)
    assert (reply.status, reply.code) == (502, "gateway_upstream_unreachable")


def test_connection_cannot_name_the_mappings_headers(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with RawH1(gateway.way.tls()) as client:
        named = ("Connection", "openai-project, authorization, close")
        headers = [("Host", "api.openai.com"), bearer(keys.production), named]
        client.request("GET", "/v1/models", headers)
        assert client.answer().status == 200
    assert fake.wait()[0].values("connection") == ["close"]


def test_a_production_key_in_the_head_wins_over_a_body_that_is_too_large(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with RawH1(gateway.way.tls()) as client:
        headers = [("Host", "api.openai.com"), bearer(keys.production), ("x", keys.production),
                   ("Content-Length", str(10**9))]  # fmt: skip
        client.request("POST", "/v1/responses", headers)
        reply = client.answer()
    assert (reply.status, reply.code) == (403, "gateway_production_key_leaked")
    assert fake.requests == []
