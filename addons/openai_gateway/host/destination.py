"""Where a connection may go: the upstream's names on port 443, named passthrough hosts, no more.

Pure decisions over plain facts. What dials is the CONNECT authority; Host, `:authority` and SNI are
the client's choice and must all say the same.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from openai_gateway.api.errors import refusal
from openai_gateway.config.places import Destination
from openai_gateway.core.scrub import mask
from openai_gateway.core.verdict import Refusal

HTTPS: Final = 443
_OPENAI: Final = "openai.com"
_NUMBER: Final = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$")
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Target:
    """What a request asks for, as mitmproxy knows it when its head is read."""

    host: str
    port: int
    scheme: str
    client_tls: bool
    sni: str | None
    host_header: str | None
    authority: str
    via: tuple[str, int] | None = None


def is_openai(host: str) -> bool:
    """Whether a name belongs to OpenAI's API domain, a trailing dot notwithstanding."""
    bare = host.rstrip(".").lower()
    return bare == _OPENAI or bare.endswith("." + _OPENAI)


@dataclass(frozen=True, slots=True)
class Destinations:
    """The destinations of one configuration."""

    hosts: frozenset[str]
    passthrough: tuple[Destination, ...] = ()

    def connect(self, host: str, port: int) -> Refusal | None:
        """Judges a CONNECT before anything is dialled; None lets it pass."""
        if host in self.hosts and port == HTTPS:
            return None
        if self.passes(host, port):
            return None
        return self._refused(host, port)

    def passes(self, host: str, port: int) -> bool:
        """Whether the host is a blind tunnel of `passthrough`; patterns open no private address."""
        return any(
            entry.covers(host, port) and (entry.address is not None or not is_inward(host))
            for entry in self.passthrough
        )

    def request(self, target: Target) -> Refusal | None:
        """Judges a request inside a tunnel: every name in it must be the one that is dialled."""
        if target.host not in self.hosts or target.port != HTTPS:
            return self._refused(target.host, target.port)
        if target.scheme != "https" or not target.client_tls:
            return _mismatch("scheme", "plain HTTP", target.host)
        if target.sni != target.host:
            return _mismatch("TLS server name (SNI)", _shown(target.sni), target.host)
        allowed = (target.host, f"{target.host}:{HTTPS}")
        if target.host_header not in allowed:
            return _mismatch("Host header", _shown(target.host_header), target.host)
        if target.authority and target.authority not in allowed:
            return _mismatch("request authority", _shown(target.authority), target.host)
        return None

    def dials(self, address: tuple[str, int], proxy: tuple[str, int] | None) -> bool:
        """The backstop just before a socket opens: the proxy where there is one, else the host."""
        if proxy is not None:
            return address == proxy
        return address[0] in self.hosts and address[1] == HTTPS

    def _refused(self, host: str, port: int) -> Refusal:
        shown = _shown(host)
        fix = (
            f"Add `{shown}` to upstream.hosts in gateway.yaml"
            if is_openai(host)
            else f'To let it through as a blind tunnel, add `passthrough: ["{shown}:{port}"]` '
            "to gateway.yaml"
        )
        return refusal(
            "gateway_destination_refused",
            f"This gateway lets calls through to https://{'|'.join(sorted(self.hosts))} only, "
            f"not to {shown}:{port}. {fix}, or exclude the host with NO_PROXY.",
            reason="destination",
        )


def _mismatch(what: str, got: str, host: str) -> Refusal:
    return refusal(
        "gateway_destination_refused",
        f"The {what} of this request is {got}, but its tunnel leads to {host}. "
        f"Send https://{host} with matching names.",
        reason="mismatch",
    )


def _shown(name: str | None) -> str:
    """A client's host name, safe to print: short, of a host name's characters only, and no key."""
    if not name:
        return "missing"
    if mask(name) != name:
        return "(withheld)"
    return "".join(char if char.isascii() and (char.isalnum() or char in ".-:_*") else "?"
                   for char in name[:80])  # fmt: skip


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(address.packed[-4:]) if address in _NAT64 else None


def is_inward(host: str) -> bool:
    """Whether a host is an address of a private range, or a number that a resolver may take for one
    (127.1, 0x7f000001): no name of the public DNS ends in a number."""
    try:
        return is_private(host)
    except ValueError:
        return _NUMBER.search(host.rstrip(".").lower()) is not None


def is_private(address: str) -> bool:
    """Whether an address is of a range that a passthrough name must never lead to."""
    found = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or _nat64(found)
        if inner is not None:
            found = inner
    return not found.is_global or found.is_multicast
