"""Webhooks through the corporate proxy: a tunnel for https, the whole URL for http."""

import asyncio
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from openai_gateway.budgets import post as posting
from openai_gateway.budgets import way
from openai_gateway.budgets.post import NotSent, post
from openai_gateway.budgets.way import proxy_for, target
from openai_gateway.config.places import Proxy
from openai_gateway.config.secrets import Reference
from openai_gateway.core.secret import Secret
from tests.support.relay import Relay
from tests.unit.budgets.test_post import BODY, Recorder, serving

HOST = "hooks.example"
LOGIN = "ci:FAKEpass"


@pytest.fixture
def server_context(monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """A certificate for the webhook's host, from an authority that the gateway trusts."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    monkeypatch.setattr(way, "_context", lambda: trusting)
    return context


def proxy(port: int, login: str | None = None) -> Proxy:
    auth = Reference("env:LOGIN", Secret(login)) if login else None
    return Proxy("http", "127.0.0.1", port, "http://proxy.example", auth)


def recorder() -> Recorder:
    return Recorder(b"HTTP/1.1 200 OK\r\n\r\n")


async def test_https_goes_through_a_tunnel_with_tls_to_the_webhook_itself(
    server_context: ssl.SSLContext,
) -> None:
    server = recorder()
    async with (
        serving(server, server_context) as port,
        Relay({f"{HOST}:443": ("127.0.0.1", port)}, LOGIN) as relay,
    ):
        await post(Secret(f"https://{HOST}/services/T1"), BODY, proxy(relay.port, LOGIN))
    ((head, body),) = server.got
    assert (head[0], body) == ("POST /services/T1 HTTP/1.1", BODY)
    assert f"Host: {HOST}" in head
    assert not any(line.lower().startswith("proxy-") for line in head)
    (asked,) = relay.asked
    assert (asked.method, asked.target, asked.dialled) == ("CONNECT", f"{HOST}:443", True)
    assert asked.first("proxy-authorization") == "Basic Y2k6RkFLRXBhc3M="


async def test_http_is_asked_of_the_proxy_with_the_whole_url() -> None:
    server = recorder()
    async with (
        serving(server) as port,
        Relay({f"{HOST}:8080": ("127.0.0.1", port)}, LOGIN) as relay,
    ):
        url = Secret(f"http://{HOST}:8080/hook?x=1")
        await post(url, BODY, proxy(relay.port, LOGIN))
    ((head, body),) = server.got
    assert (head[0], body) == ("POST /hook?x=1 HTTP/1.1", BODY)
    assert f"Host: {HOST}:8080" in head
    (asked,) = relay.asked
    assert (asked.method, asked.target) == ("POST", f"http://{HOST}:8080/hook?x=1")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_another_login_is_named_as_what_refused(scheme: str) -> None:
    async with Relay({}, LOGIN) as relay:
        with pytest.raises(NotSent, match="answered 407"):
            await post(Secret(f"{scheme}://{HOST}/SECRET"), BODY, proxy(relay.port))


@pytest.mark.parametrize(("mode", "why"), [("refuse", "the proxy answered 403"), ("reset", ".")])
async def test_a_proxy_that_leads_nowhere_sends_nothing(mode: Any, why: str) -> None:
    async with Relay({f"{HOST}:443": ("127.0.0.1", 1)}) as relay:
        relay.mode = mode
        with pytest.raises(NotSent, match=why) as told:
            await post(Secret(f"https://{HOST}/SECRET"), BODY, proxy(relay.port))
    assert "SECRET" not in str(told.value)


async def test_a_proxy_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "ANSWER_S", 0.05)
    async with Relay({}) as relay:
        relay.mode = "hang"
        with pytest.raises(NotSent, match="no answer within"):
            await post(Secret(f"https://{HOST}/"), BODY, proxy(relay.port))


@pytest.mark.parametrize("said", [b"SSH-2.0\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500, b""])
async def test_whoever_is_no_proxy_gets_nothing(said: bytes) -> None:
    async def odd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert b"POST" not in await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    async with serving(odd) as port:
        with pytest.raises(NotSent):
            await post(Secret(f"https://{HOST}/"), BODY, proxy(port))


async def test_a_tunnel_to_somebody_else_is_not_told(server_context: ssl.SSLContext) -> None:
    server = recorder()
    async with (
        serving(server, server_context) as port,
        Relay({"other.example:443": ("127.0.0.1", port)}) as relay,
    ):
        with pytest.raises(NotSent, match="SSLCertVerificationError"):
            await post(Secret("https://other.example/"), BODY, proxy(relay.port))
    assert server.got == []


async def test_a_proxy_of_https_is_held_to_its_certificate_too(
    server_context: ssl.SSLContext,
) -> None:
    server = recorder()
    async with serving(server, server_context) as port:
        over = Proxy("https", "localhost", port, "https://localhost")
        with pytest.raises(NotSent, match="SSLCertVerificationError"):
            await post(Secret("http://far.example/"), BODY, over)
    assert server.got == []


@pytest.mark.parametrize(
    ("url", "through"),
    [
        ("http://127.0.0.1:1/", False),
        ("http://127.9.9.9/", False),
        ("https://[::1]/", False),
        ("http://localhost:8080/", False),
        ("http://10.0.0.1/", True),
        ("https://hooks.example/", True),
        ("https://localhost.example/", True),
    ],
)
def test_only_this_machine_is_reached_past_the_proxy(url: str, through: bool) -> None:
    there = proxy(3128)
    assert proxy_for(target(url), there) == (there if through else None)
    assert proxy_for(target(url), None) is None
