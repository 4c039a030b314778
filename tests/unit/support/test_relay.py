"""The relay opens what it was told to open, and keeps who asked for what."""

import base64

import pytest

from tests.support.clients import ConnectRefused, RawH1, Way
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.relay import RelayThread, to_fake


def test_a_known_target_is_joined_and_noted(way: Way, relay: RelayThread, key: str) -> None:
    with RawH1(way.tls()) as raw:
        assert raw.call("GET", "/v1/models", key).status == 200
    (asked,) = relay.asked
    assert (asked.method, asked.target, asked.dialled) == ("CONNECT", "api.openai.com:443", True)


@pytest.mark.parametrize("target", ["evil.example:443", "api.openai.com:80"])
def test_another_target_is_refused_and_noted(way: Way, relay: RelayThread, target: str) -> None:
    with pytest.raises(ConnectRefused) as refused:
        way.tunnel(target)
    assert refused.value.reply.status == 403
    assert [(asked.target, asked.dialled) for asked in relay.asked] == [(target, False)]


def test_credentials_are_wanted_where_they_are_set(fake: FakeOpenAIThread) -> None:
    with RelayThread(to_fake(fake.port), credentials="user:pass word") as relay:
        way = Way(relay.url, fake.ca_pem_path)
        with pytest.raises(ConnectRefused) as refused:
            way.tunnel()
        assert refused.value.reply.status == 407
        basic = base64.b64encode(b"user:pass word").decode()
        way.tunnel(headers=[("Proxy-Authorization", f"Basic {basic}")]).close()


def test_it_refuses_hangs_and_resets_when_told(way: Way, relay: RelayThread) -> None:
    relay.inner.mode = "refuse"
    with pytest.raises(ConnectRefused):
        way.tunnel()
    ends = {}
    for mode in ("hang", "reset"):
        relay.inner.mode = "hang" if mode == "hang" else "reset"
        with RawH1(way.plain()) as raw:
            raw.sock.settimeout(0.2)
            raw.request("CONNECT", "api.openai.com:443", [])
            ends[mode] = raw.answer("CONNECT").end
    assert ends == {"hang": "timeout", "reset": "reset"}
