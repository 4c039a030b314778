"""Which answers of a process that retires say that their connection ends."""

from collections.abc import Iterator

import pytest
from mitmproxy.test import tutils

from openai_gateway.host.http1 import GatewayHttp1Server


@pytest.fixture
def server() -> Iterator[GatewayHttp1Server]:
    before = GatewayHttp1Server.retiring
    GatewayHttp1Server.retiring = staticmethod(lambda: True)
    made = GatewayHttp1Server.__new__(GatewayHttp1Server)
    made.request = tutils.treq(method=b"POST")
    yield made
    GatewayHttp1Server.retiring = before


@pytest.mark.parametrize(("status", "last"), [(200, True), (503, True), (101, False), (103, False)])
def test_an_answer_is_the_last_and_what_opens_a_socket_or_comes_early_is_not(
    server: GatewayHttp1Server, status: int, last: bool
) -> None:
    assert server._is_last(tutils.tresp(status_code=status)) is last


def test_a_tunnel_that_opens_stays_open(server: GatewayHttp1Server) -> None:
    server.request = tutils.treq(method=b"CONNECT")
    assert not server._is_last(tutils.tresp())


def test_while_nobody_takes_over_connections_stay(server: GatewayHttp1Server) -> None:
    GatewayHttp1Server.retiring = staticmethod(lambda: False)
    assert not server._is_last(tutils.tresp())
