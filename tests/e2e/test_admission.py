"""Who may use the gateway: networks, names, credentials; and its own way through a proxy."""

import base64

import pytest

from tests.e2e.conftest import MakeGateway
from tests.support.clients import ConnectRefused, RawH1, bearer
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys
from tests.support.relay import RelayThread, to_fake

H = "api.openai.com"


def basic(text: str) -> tuple[str, str]:
    return ("Proxy-Authorization", "Basic " + base64.b64encode(text.encode()).decode())


def call(process: GatewayProcess, key: str, headers: list[tuple[str, str]] | None = None) -> int:
    with RawH1(process.way.tls(headers=headers or [])) as client:
        return client.call("GET", "/v1/models", key).status


def test_a_network_that_is_not_allowed_is_cut_at_connect(
    make_gateway: MakeGateway, fake: FakeOpenAIThread
) -> None:
    process = make_gateway({"clients": {"allow": ["10.0.0.0/8"]}})
    with pytest.raises((OSError, EOFError, ConnectRefused)):
        process.way.tls()
    assert fake.connections == []


def test_the_networks_name_is_the_client_in_the_row(
    make_gateway: MakeGateway, keys: Keys, fake: FakeOpenAIThread
) -> None:
    del fake
    process = make_gateway({"clients": {"names": {"ci": "127.0.0.0/8"}}})
    assert call(process, keys.production) == 200
    assert process.rows()[-1]["client"] == "ci"


@pytest.fixture
def with_credentials(make_gateway: MakeGateway) -> GatewayProcess:
    return make_gateway(
        {"clients": {"credentials": {"ci": "env:CI_SECRET"}}}, env={"CI_SECRET": "FAKE-secret-1"}
    )


def test_with_credentials_the_user_is_the_client_and_its_secret_stays(
    with_credentials: GatewayProcess, keys: Keys, fake: FakeOpenAIThread, relay: RelayThread
) -> None:
    assert call(with_credentials, keys.production, [basic("ci:FAKE-secret-1")]) == 200
    assert with_credentials.rows()[-1]["client"] == "ci"
    assert fake.wait()[0].values("proxy-authorization") == []
    assert all(asked.first("proxy-authorization") is None for asked in relay.asked)
    assert "FAKE-secret-1" not in with_credentials.output()


@pytest.mark.parametrize("headers", [[], [basic("ci:wrong")], [basic("x:FAKE-secret-1")]])
def test_without_the_right_credentials_no_tunnel_opens(
    with_credentials: GatewayProcess, fake: FakeOpenAIThread, headers: list[tuple[str, str]]
) -> None:
    with pytest.raises(ConnectRefused) as refused:
        with_credentials.way.tls(headers=headers)
    reply = refused.value.reply
    assert (reply.status, reply.code) == (407, "gateway_client_refused")
    assert reply.first("proxy-authenticate").startswith("Basic")
    assert fake.connections == []
    row = with_credentials.rows()[-1]
    assert (row["method"], row["status"]) == ("CONNECT", 407)


def test_a_proxy_authorization_inside_the_tunnel_never_goes_upstream(
    make_gateway: MakeGateway, keys: Keys, fake: FakeOpenAIThread
) -> None:
    process = make_gateway()
    with RawH1(process.way.tls()) as client:
        headers = [("Host", H), bearer(keys.production), basic("ci:FAKE-secret-2")]
        client.request("GET", "/v1/models", headers)
        assert client.answer().status == 200
    assert fake.wait()[0].values("proxy-authorization") == []


def test_the_corporate_proxys_credentials_go_to_it_and_nowhere_else(
    make_gateway: MakeGateway, keys: Keys, fake: FakeOpenAIThread
) -> None:
    with RelayThread(to_fake(fake.port), credentials="user:FAKE-pw") as guarded:
        address = guarded.url.removeprefix("http://")
        process = make_gateway(
            {"upstream": {"proxy": f"http://env:PROXY_LOGIN@{address}"}},
            env={"PROXY_LOGIN": "user:FAKE-pw"},
        )
        assert call(process, keys.production) == 200
        assert guarded.asked[0].first("proxy-authorization") == basic("user:FAKE-pw")[1]
    assert fake.wait()[0].values("proxy-authorization") == []
    assert "FAKE-pw" not in process.output()
