"""Who may connect, and by which name a client is known in the log."""

import base64
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from openai_gateway.api.errors import refusal
from openai_gateway.core.secret import Secret
from openai_gateway.core.verdict import Refusal

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network
type Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(peer: str) -> Address:
    """A peer's address, an IPv4 one inside IPv6 unwrapped. Raises ValueError on anything else."""
    found = ipaddress.ip_address(peer.split("%", 1)[0])
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


@dataclass(frozen=True, slots=True)
class Clients:
    """`clients` of gateway.yaml."""

    allow: tuple[Network, ...]
    names: Mapping[str, tuple[Network, ...]]
    credentials: Mapping[str, Secret] = field(repr=False)

    def may_connect(self, peer: str) -> bool:
        """Whether this address may connect at all."""
        address = address_of(peer)
        return any(address in network for network in self.allow)

    def name(self, peer: str) -> str:
        """The name of the narrowest network that holds the address, else the address."""
        address = address_of(peer)
        held = [
            (network.prefixlen, name)
            for name, networks in self.names.items()
            for network in networks
            if address in network
        ]
        return max(held)[1] if held else str(address)

    def identify(self, peer: str, header: str | None) -> str | Refusal:
        """The client's name, from its Proxy-Authorization where credentials are set."""
        if not self.credentials:
            return self.name(peer)
        if header is None:
            return _refused("sent no Proxy-Authorization")
        user, password = _basic(header)
        known = self.credentials.get(user)
        # Compared even where the user is unknown: the time must not tell which users exist.
        expected = known.reveal() if known else "\0"
        if not hmac.compare_digest(expected.encode(), password.encode()) or known is None:
            return _refused("sent a wrong name or secret")
        return user


def _basic(header: str) -> tuple[str, str]:
    """User and password of a Basic header; two empty words where it is none."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(token.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, no ASCII, or no UTF-8 inside
        return "", ""
    return user, password


def _refused(what: str) -> Refusal:
    return refusal(
        "gateway_client_refused",
        f"This gateway asks its clients for a name and a secret (clients.credentials); this one "
        f"{what}. Set HTTPS_PROXY=http://NAME:SECRET@HOST:PORT.",
        reason="client",
    )
