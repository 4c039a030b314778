import base64
import ipaddress

import pytest

from openai_gateway.core.secret import Secret
from openai_gateway.core.verdict import Refusal
from openai_gateway.host.clients import Clients

LOOP = ipaddress.ip_network("127.0.0.0/8")
TEN = ipaddress.ip_network("10.0.0.0/8")
LOOP6 = ipaddress.ip_network("fd00::/8")
CI = ipaddress.ip_network("10.1.0.0/16")


def clients(**credentials: str) -> Clients:
    known = {name: Secret(value) for name, value in credentials.items()}
    return Clients((LOOP, TEN), {"all": (TEN,), "ci": (LOOP6, CI)}, known)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("peer", "may"),
    [("127.0.0.1", True), ("10.9.9.9", True), ("::ffff:10.9.9.9", True), ("8.8.8.8", False),
     ("::1", False), ("::ffff:8.8.8.8", False)],
)  # fmt: skip
def test_only_allowed_networks_connect(peer: str, may: bool) -> None:
    assert clients().may_connect(peer) is may


@pytest.mark.parametrize(
    ("peer", "name"),
    [("10.1.2.3", "ci"), ("10.2.2.3", "all"), ("127.0.0.1", "127.0.0.1"),
     ("::ffff:10.1.2.3", "ci")],
)  # fmt: skip
def test_the_narrowest_network_names_the_client(peer: str, name: str) -> None:
    assert clients().identify(peer, None) == name


def test_with_credentials_the_user_is_the_client() -> None:
    assert clients(ci="FAKE-secret").identify("10.1.2.3", basic("ci:FAKE-secret")) == "ci"
    assert clients(ci="a:b").identify("10.1.2.3", basic("ci:a:b")) == "ci"


@pytest.mark.parametrize(
    "header",
    [None, "", "Basic", "Basic !!!", "Bearer FAKE-secret", basic("ci:wrong"), basic("ci:"),
     basic("other:FAKE-secret"), basic(":\0"), basic("ci"), "Basic /w==", "Basic \xe9"],
)  # fmt: skip
def test_without_the_right_credentials_nothing_opens(header: str | None) -> None:
    refused = clients(ci="FAKE-secret").identify("10.1.2.3", header)
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.status) == ("gateway_client_refused", 407)
    assert ("proxy-authenticate", 'Basic realm="openai-gateway"') in refused.headers
    assert "FAKE-secret" not in refused.message
