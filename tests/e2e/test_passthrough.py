"""Blind tunnels: only to named hosts, only TLS for that name, never into a private net."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from typing import Self

import pytest
import trustme

from tests.e2e.conftest import MakeGateway
from tests.support.clients import ConnectRefused, Way
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys
from tests.support.loop_thread import LoopThread
from tests.support.relay import RelayThread, to_fake

NAME = "errors.example"
COUNT = "openai_gateway_passthrough_connections_total"


class Echo:
    """A TLS server that is not OpenAI: says back what it hears."""

    def __init__(self) -> None:
        self.authority = trustme.CA()
        self.port = 0
        self.accepted = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(NAME, "127.0.0.1", "localhost").configure_cert(context)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    made = Echo()
    thread = LoopThread(made, "echo")
    thread.start()
    yield made
    thread.stop()


@pytest.fixture(scope="module")
def through_proxy(the_fake: FakeOpenAIThread, echo: Echo) -> Iterator[RelayThread]:
    routes = {**to_fake(the_fake.port), f"{NAME}:443": ("127.0.0.1", echo.port)}
    with RelayThread(routes) as relay:
        yield relay


def tls_over(sock: socket.socket, echo: Echo, sni: str | None) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    echo.authority.configure_trust(context)
    context.check_hostname = sni is not None
    return context.wrap_socket(sock, server_hostname=sni)


def says_back(sock: ssl.SSLSocket, text: bytes) -> bytes:
    with sock:
        sock.settimeout(5)
        sock.sendall(text)
        got = b""
        while len(got) < len(text):
            got += sock.recv(65536)
        return got


def test_a_named_host_is_reached_through_the_corporate_proxy_unseen(
    make_gateway: MakeGateway, through_proxy: RelayThread, echo: Echo, keys: Keys
) -> None:
    process = make_gateway({"upstream": {"proxy": through_proxy.url}, "passthrough": [NAME]})
    sock = process.way.tunnel(f"{NAME}:443")
    assert (
        says_back(tls_over(sock, echo, NAME), keys.production.encode()) == keys.production.encode()
    )
    assert process.metric(COUNT, result="opened") == 1
    assert keys.production not in process.output()
    assert all(keys.production not in str(row) for row in process.rows(0, 0))


@pytest.fixture(scope="module")
def direct(the_fake: FakeOpenAIThread, echo: Echo, keys: Keys) -> Iterator[GatewayProcess]:
    from tests.support.gateway_process import environment, settings

    config = settings(None, the_fake.ca_pem_path)
    entries = [f"127.0.0.1:{echo.port}", f"localhost:{echo.port}", "*.internal.example:8443"]
    with GatewayProcess({**config, "passthrough": entries}, environment(keys)) as process:
        yield process


def test_a_named_address_is_reached(direct: GatewayProcess, echo: Echo) -> None:
    sock = direct.way.tunnel(f"127.0.0.1:{echo.port}")
    assert says_back(tls_over(sock, echo, None), b"hello") == b"hello"


def test_a_name_that_leads_into_a_private_net_is_not_dialled(
    direct: GatewayProcess, echo: Echo
) -> None:
    before = echo.accepted
    sock = direct.way.tunnel(f"localhost:{echo.port}")
    with pytest.raises((OSError, ssl.SSLError)):
        says_back(tls_over(sock, echo, "localhost"), b"hello")
    sock.close()
    assert echo.accepted == before


@pytest.mark.parametrize(
    "target", ["errors.example:443", "127.0.0.1:1", "api.openai.com.evil.example:443",
               "internal.example:8443", "x.internal.example:443"],
)  # fmt: skip
def test_what_is_not_named_is_refused(direct: GatewayProcess, target: str) -> None:
    with pytest.raises(ConnectRefused) as refused:
        direct.way.tunnel(target)
    assert refused.value.reply.code == "gateway_destination_refused"


@pytest.mark.parametrize("sni", ["evil.example", "api.openai.com", None])
def test_a_tunnel_that_asks_for_another_name_is_cut(
    make_gateway: MakeGateway, through_proxy: RelayThread, echo: Echo, sni: str | None
) -> None:
    process = make_gateway({"upstream": {"proxy": through_proxy.url}, "passthrough": [NAME]})
    before = echo.accepted
    sock = process.way.tunnel(f"{NAME}:443")
    with pytest.raises((OSError, ssl.SSLError)):
        tls_over(sock, echo, sni)
    sock.close()
    assert echo.accepted == before
    assert process.metric(COUNT, result="refused") == 1


def test_a_tunnel_without_tls_is_cut(direct: GatewayProcess, echo: Echo) -> None:
    before = echo.accepted
    with direct.way.tunnel(f"127.0.0.1:{echo.port}") as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert sock.recv(100) == b""
    assert echo.accepted == before


def test_a_client_hello_in_pieces_is_held_until_it_is_whole(
    direct: GatewayProcess, echo: Echo
) -> None:
    context = ssl.create_default_context()
    echo.authority.configure_trust(context)
    context.check_hostname = False
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    before = echo.accepted
    with direct.way.tunnel(f"127.0.0.1:{echo.port}") as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(5)
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        hello = outgoing.read()
        for at in range(0, len(hello) - 1, 40):
            sock.sendall(hello[at : min(at + 40, len(hello) - 1)])
        sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        assert echo.accepted == before
        sock.settimeout(5)
        sock.sendall(hello[-1:])
        while True:
            incoming.write(sock.recv(65536))
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                continue
            break
        sock.sendall(outgoing.read())
        tls.write(b"hello")
        sock.sendall(outgoing.read())
        while True:
            incoming.write(sock.recv(65536))
            try:
                assert tls.read(5) == b"hello"
            except ssl.SSLWantReadError:
                continue
            break
    assert echo.accepted == before + 1


def test_calls_to_openai_still_go_through_the_gateway(
    make_gateway: MakeGateway, through_proxy: RelayThread, keys: Keys, fake: FakeOpenAIThread
) -> None:
    from tests.support.clients import RawH1

    process = make_gateway({"upstream": {"proxy": through_proxy.url}, "passthrough": ["*"]})
    assert "passthrough" in process.output()  # it warns
    way = Way(process.proxy_url, process.ca_file)
    with RawH1(way.tls()) as client:
        assert client.call("GET", "/v1/models", keys.production).status == 200
    assert fake.wait()[0].values("authorization") == [f"Bearer {keys.staging}"]
    with pytest.raises(ConnectRefused):
        way.tunnel("auth.openai.com:443")
