"""Ways past the gateway that once worked: none does any more."""

import gzip
import hashlib
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
from tests.support.clients import RawH1
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
