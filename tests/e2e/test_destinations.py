"""Every row of the destination table: refused before anything is dialled, or dialled as named."""

import pytest

from tests.support.clients import ConnectRefused, RawH1, RawH2, Reply, Way, bearer
from tests.support.clients.h2 import pseudo
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import Keys
from tests.support.relay import RelayThread

H = "api.openai.com"
REFUSED = "gateway_destination_refused"
type Pairs = list[tuple[str, str]]


def dialled_nothing(fake: FakeOpenAIThread, relay: RelayThread) -> None:
    assert relay.asked == []
    assert fake.connections == []


@pytest.mark.parametrize(
    "target",
    ["evil.example:443", f"{H}:80", f"{H}:8443", f"{H}.:443", "127.0.0.1:443", "localhost:9464",
     "169.254.169.254:80", "[::1]:443", "us.api.openai.com:443", "auth.openai.com:443",
     "api.openai.com.evil.example:443"],
)  # fmt: skip
def test_connect_elsewhere_is_refused_before_anything_is_dialled(
    way: Way, fake: FakeOpenAIThread, relay: RelayThread, target: str
) -> None:
    with pytest.raises(ConnectRefused) as refused:
        way.tunnel(target)
    assert (refused.value.reply.status, refused.value.reply.code) == (403, REFUSED)
    dialled_nothing(fake, relay)


def test_a_bare_connect_dials_nothing(way: Way, fake: FakeOpenAIThread, relay: RelayThread) -> None:
    way.tunnel().close()
    way.tls().close()
    dialled_nothing(fake, relay)


@pytest.mark.parametrize(
    "target",
    ["http://evil.example/v1/models", f"http://{H}/v1/models", f"https://{H}/v1/models",
     f"http://{H}:443/v1/models", "http://127.0.0.1:9464/metrics", "/v1/models"],
)  # fmt: skip
def test_absolute_form_without_a_tunnel_is_refused(
    way: Way, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys, target: str
) -> None:
    with RawH1(way.plain()) as client:
        client.request("GET", target, [("Host", H), bearer(keys.production)])
        reply = client.answer()
    assert (reply.status, reply.code) == (403, REFUSED)
    dialled_nothing(fake, relay)


def test_plain_http_inside_the_tunnel_is_refused(
    way: Way, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    with RawH1(way.tunnel()) as client:
        reply = client.call("GET", "/v1/models", keys.production)
    assert (reply.status, reply.code) == (403, REFUSED)
    dialled_nothing(fake, relay)


def inside(way: Way, keys: Keys, sni: str | None, target: str, hosts: list[str]) -> Reply:
    with RawH1(way.tls(sni=sni, verify=sni == H)) as client:
        client.request(
            "GET", target, [*(("Host", host) for host in hosts), bearer(keys.production)]
        )
        return client.answer()


@pytest.mark.parametrize(
    ("sni", "target", "hosts"),
    [
        ("evil.example", "/v1/models", [H]),
        (None, "/v1/models", [H]),
        (H, "/v1/models", ["evil.example"]),
        (H, "/v1/models", [f"{H}:80"]),
        (H, "/v1/models", [H, "evil.example"]),
        (H, "https://evil.example/v1/models", [H]),
        (H, "http://evil.example/v1/models", [H]),
        (H, "https://evil.example/v1/models", ["evil.example"]),
    ],
)
def test_inside_a_tunnel_every_name_must_be_the_one_that_is_dialled(
    way: Way, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys,
    sni: str | None, target: str, hosts: list[str],
) -> None:  # fmt: skip
    reply = inside(way, keys, sni, target, hosts)
    assert reply.status in (400, 403)
    assert reply.code in (REFUSED, "gateway_unreadable_body")
    dialled_nothing(fake, relay)


@pytest.mark.parametrize("authority", ["evil.example", f"{H}:80", f"{H}."])
def test_an_h2_authority_elsewhere_is_refused(
    way: Way, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys, authority: str
) -> None:
    with RawH2(way.tls(alpn=("h2",))) as client:
        headers = [
            *pseudo("GET", "/v1/models", authority),
            ("authorization", f"Bearer {keys.production}"),
        ]
        reply = client.answer(client.request(headers))
    assert (reply.status, reply.code) == (403, REFUSED)
    dialled_nothing(fake, relay)


def test_an_h2_host_header_elsewhere_is_refused(
    way: Way, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    with RawH2(way.tls(alpn=("h2",))) as client:
        headers = [*pseudo("GET", "/v1/models", H), ("host", "evil.example"),
                   ("authorization", f"Bearer {keys.production}")]  # fmt: skip
        reply = client.answer(client.request(headers))
    assert reply.status == 403 or not reply.complete
    dialled_nothing(fake, relay)


def test_raw_bytes_in_the_tunnel_go_nowhere(
    way: Way, fake: FakeOpenAIThread, relay: RelayThread
) -> None:
    with RawH1(way.tunnel()) as client:
        client.send(b"\x00\x01SSH-2.0-evil\r\n\r\n")
        assert client.rest().startswith(b"HTTP/1.1 400")
    dialled_nothing(fake, relay)


def test_the_good_call_reaches_the_named_host_through_the_proxy(
    way: Way, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    reply = inside(way, keys, H, "/v1/models", [H])
    assert reply.status == 200
    assert fake.wait()[0].values("authorization") == [f"Bearer {keys.staging}"]
    assert [asked.target for asked in relay.asked] == [f"{H}:443"]
