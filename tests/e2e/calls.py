"""One call over either HTTP version, byte for byte: what the end-to-end tests of bodies share."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import pytest

from tests.support.clients import RawH1, RawH2, Reply, Way
from tests.support.clients.h2 import pseudo
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.fake_openai.recorder import Received
from tests.support.gateway_process import Keys

HOST = "api.openai.com"
CHAT = "/v1/chat/completions"
FILES = "/v1/files"
JSON = ("content-type", "application/json")
BODY = b'{"model": "gpt-6-luna", "messages": [{"role": "user", "content": "hello"}]}'
STREAM = b'{"model": "gpt-6-luna", "stream": true, "messages": []}'
VERSIONS = ("h1", "h2")
# The client's version and the upstream's. An h1 client that offers both meets an h2 upstream.
ROUTES = (("h1", "h1"), ("h2", "h2"), ("h2", "h1"), ("h1", "h2"))
ALPN = {"h1": ("http/1.1", "h2"), "h2": ("h2",)}
IN_PROGRESS = "openai_gateway_requests_in_progress"
type Pairs = list[tuple[str, str]]

over_both = pytest.mark.parametrize("version", VERSIONS)
over_all = pytest.mark.parametrize(("version", "upstream"), ROUTES)


def eventually(met: Callable[[], bool], seconds: float = 3.0) -> bool:
    """Looks again and again, and once more when the time is over."""
    until = time.monotonic() + seconds
    while not met() and time.monotonic() < until:
        time.sleep(0.02)
    return met()


def offer(fake: FakeOpenAIThread, upstream: str) -> None:
    """The fake speaks this version from now on."""
    fake.tls.alpn = ("h2", "http/1.1") if upstream == "h2" else ("http/1.1",)


def bearer(key: str) -> tuple[str, str]:
    return ("authorization", f"Bearer {key}")


def connect(way: Way, version: str) -> RawH1 | RawH2:
    """A client with a connection of its own, for several calls on it."""
    sock = way.tls(alpn=ALPN[version])
    return RawH2(sock) if version == "h2" else RawH1(sock)


def send(
    way: Way,
    version: str,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    body: bytes = b"",
    *,
    chunks: list[bytes] | None = None,
    trailers: Pairs | None = None,
) -> Reply:
    """One request on a connection of its own. A body without `chunks` gets its length."""
    fields = list(headers)
    if body and not any(name == "content-length" for name, _ in fields):
        fields.append(("content-length", str(len(body))))
    with connect(way, version) as client:
        if isinstance(client, RawH2):
            whole = body if chunks is None else b"".join(chunks)
            number = client.request([*pseudo(method, target), *fields], whole, trailers)
            return client.answer(number)
        with suppress(OSError):  # answered and closed before all was sent
            client.request(method, target, [("Host", HOST), *fields], body, chunks=chunks,
                           trailers=trailers)  # fmt: skip
        return client.answer(method)


def post(
    way: Way, version: str, keys: Keys, body: bytes = BODY, *more: tuple[str, str],
    target: str = CHAT,
) -> Reply:  # fmt: skip
    """A JSON call with the production key where it belongs."""
    return send(way, version, "POST", target, [bearer(keys.production), JSON, *more], body)


def refused(reply: Reply, status: int, code: str, retry: bool = False) -> None:
    """The answer is our envelope, whole, in JSON, with the headers of every refusal."""
    assert (reply.status, reply.code) == (status, code)
    assert reply.values("content-type") == ["application/json"]
    assert reply.first("x-should-retry") == ("true" if retry else "false")
    assert reply.first("x-gateway-request-id").startswith("gw_")
    assert reply.first("x-request-id") == reply.first("x-gateway-request-id")
    assert reply.complete


def nothing_left(fake: FakeOpenAIThread, keys: Keys) -> None:
    """No request reached the upstream, and no byte of either key."""
    assert fake.requests == []
    arrived = fake.received_bytes()
    assert keys.production.encode() not in arrived
    assert keys.staging.encode() not in arrived


def arrived(fake: FakeOpenAIThread, keys: Keys) -> Received:
    """The one request that reached the upstream, under the staging key alone."""
    received = fake.wait()
    assert len(received) == 1
    assert received[0].values("authorization") == [f"Bearer {keys.staging}"]
    assert keys.production.encode() not in fake.received_bytes()
    return received[0]
