"""Destinations as pure facts; the same table runs end to end in tests/e2e/test_destinations.py."""

import dataclasses
import ipaddress

import pytest

from openai_gateway.config.places import Destination
from openai_gateway.host.destination import (
    Destinations,
    Target,
    is_openai,
    is_private,
)

H = "api.openai.com"
GOOD = Target(H, 443, "https", client_tls=True, sni=H, host_header=H, authority="")
ONLY = Destinations(frozenset({H}))


def test_a_request_whose_names_all_agree_passes() -> None:
    assert ONLY.request(GOOD) is None
    assert ONLY.request(dataclasses.replace(GOOD, host_header=f"{H}:443")) is None
    assert ONLY.request(dataclasses.replace(GOOD, authority=H)) is None
    assert ONLY.request(dataclasses.replace(GOOD, authority=f"{H}:443")) is None


@pytest.mark.parametrize(
    "change",
    [
        {"host": "evil.example"},
        {"host": H.upper()},
        {"host": H + "."},
        {"host": "api.openai.com.evil.example"},
        {"port": 80},
        {"port": 8443},
        {"scheme": "http"},
        {"client_tls": False},
        {"sni": None},
        {"sni": "evil.example"},
        {"sni": H + "."},
        {"host_header": None},
        {"host_header": "evil.example"},
        {"host_header": f"{H}, evil.example"},
        {"host_header": f"{H}:80"},
        {"authority": "evil.example"},
        {"authority": f"{H}:80"},
        {"authority": f"user@{H}"},
    ],
)
def test_a_request_with_any_name_out_of_line_is_refused(change: dict[str, object]) -> None:
    refused = ONLY.request(dataclasses.replace(GOOD, **change))  # type: ignore[arg-type]  # a table
    assert refused is not None
    assert refused.code == "gateway_destination_refused"


@pytest.mark.parametrize(
    ("host", "port", "passes"),
    [(H, 443, True), (H, 80, False), (H, 22, False), ("localhost", 443, False),
     ("169.254.169.254", 443, False), ("us.api.openai.com", 443, False)],
)  # fmt: skip
def test_connect_leads_to_the_upstream_only(host: str, port: int, passes: bool) -> None:
    assert (ONLY.connect(host, port) is None) is passes


def test_the_refusal_names_the_line_to_add() -> None:
    refused = ONLY.connect("errors.example", 443)
    assert refused is not None
    assert 'passthrough: ["errors.example:443"]' in refused.message


def test_the_refusal_never_prints_what_a_host_name_cannot_hold() -> None:
    refused = ONLY.connect("evil\x1b[31m\r\nx: y", 443)
    assert refused is not None
    assert "\x1b" not in refused.message
    assert "\n" not in refused.message


@pytest.mark.parametrize(
    ("pattern", "host", "covered"),
    [
        ("errors.example", "errors.example", True),
        ("errors.example", "a.errors.example", False),
        ("*.internal.example", "a.internal.example", True),
        ("*.internal.example", "a.b.internal.example", True),
        ("*.internal.example", "internal.example", False),
        ("*.internal.example", "evilinternal.example", False),
        ("*", "anything.example", True),
        ("*", "api.openai.com", False),
        ("*", "auth.openai.com.", False),
        ("*.openai.com", "auth.openai.com", False),
        ("*.com", "api.openai.com", False),
    ],
)
def test_passthrough_covers_what_it_names(pattern: str, host: str, covered: bool) -> None:
    entry = Destination(pattern, 443)
    assert entry.covers(host, 443) is covered
    assert not entry.covers(host, 444)


def test_what_is_dialled_is_the_proxy_where_there_is_one() -> None:
    proxy = ("10.0.0.1", 3128)
    assert ONLY.dials(proxy, proxy)
    assert not ONLY.dials((H, 443), proxy)
    assert ONLY.dials((H, 443), None)
    assert not ONLY.dials((H, 80), None)
    assert not ONLY.dials(("127.0.0.1", 443), None)


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True), ("10.1.2.3", True), ("172.16.0.1", True), ("192.168.1.1", True),
        ("169.254.169.254", True), ("0.0.0.1", True), ("100.64.0.1", True), ("224.0.0.1", True),
        ("::1", True), ("fe80::1%eth0", True), ("fc00::1", True), ("fd00:ec2::254", True),
        ("::ffff:127.0.0.1", True), ("::ffff:10.0.0.1", True), ("2002:7f00:1::", True),
        ("64:ff9b::7f00:1", True),
        ("8.8.8.8", False), ("2606:4700::1111", False), ("::ffff:8.8.8.8", False),
    ],
)  # fmt: skip
def test_private_ranges(address: str, private: bool) -> None:
    assert is_private(address) is private


@pytest.mark.parametrize(
    ("host", "theirs"),
    [("openai.com", True), ("API.openai.com.", True), ("notopenai.com", False),
     ("openai.com.evil.example", False)],
)  # fmt: skip
def test_is_openai(host: str, theirs: bool) -> None:
    assert is_openai(host) is theirs


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "10.1.2.3", "169.254.169.254", "fe80::1",  # noqa: S104  # asked for only
     "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1."],
)  # fmt: skip
def test_a_pattern_opens_no_tunnel_to_a_private_address(host: str) -> None:
    everything = Destinations(frozenset({H}), (Destination("*", 443),))
    assert not everything.passes(host, 443)
    assert everything.connect(host, 443) is not None


def test_a_pattern_opens_public_addresses_and_names_and_an_entry_its_own_address() -> None:
    local = ipaddress.ip_address("127.0.0.1")
    some = Destinations(frozenset({H}), (Destination("*", 443), Destination("127.0.0.1", 1, local)))
    assert some.passes("1.1.1.1", 443)
    assert some.passes("errors.example", 443)
    assert some.passes("127.0.0.1", 1)


@pytest.mark.parametrize("change", ["host", "host_header", "sni", "authority"])
def test_a_refusal_never_repeats_a_key(change: str) -> None:
    key = "sk-proj-" + "FAKE" * 10
    refused = ONLY.request(dataclasses.replace(GOOD, **{change: key}))  # type: ignore[arg-type]  # a table
    assert refused is not None
    assert "FAKE" not in refused.message
