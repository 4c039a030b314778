"""What the hooks share: the settings in force, the calls under way, and whether it is ready."""

import base64
from dataclasses import dataclass, field
from typing import Any

from openai_gateway.chain import Chain
from openai_gateway.config.load import Loaded
from openai_gateway.config.places import Proxy
from openai_gateway.core.secret import Secret
from openai_gateway.host.clients import Clients
from openai_gateway.host.destination import Destinations
from openai_gateway.host.exchange import Exchange
from openai_gateway.services import Services


@dataclass(frozen=True, slots=True)
class InForce:
    """One configuration, compiled. A reload swaps the whole; calls keep the one they began with."""

    chain: Chain
    destinations: Destinations
    clients: Clients
    proxy_authorization: str | None = field(repr=False)


@dataclass(slots=True)
class State:
    """The running gateway. Without settings in force nothing passes."""

    services: Services | None = None
    loaded: Loaded | None = None
    in_force: InForce | None = None
    ready: bool = False
    draining: bool = False
    retiring: bool = False  # others serve on: what is open is served, and closes
    calls: dict[str, Exchange] = field(default_factory=dict)
    # WebSockets past their handshake, which has its row already; by flow id, like the calls.
    sockets: dict[str, Exchange] = field(default_factory=dict)
    # What a CONNECT established, by client connection id.
    clients: dict[str, str] = field(default_factory=dict)
    tunnels: dict[str, str] = field(default_factory=dict)

    def proxies(self, client_id: str) -> set[tuple[str, int] | None]:
        """Where the calls of one client connection go out: each as its own settings say."""
        chains = [call.chain for call in self.calls.values() if call.client_id == client_id]
        if not chains and self.in_force is not None:
            chains = [self.in_force.chain]
        return {(c.proxy.host, c.proxy.port) if c.proxy else None for c in chains}

    def serving(self) -> InForce | None:
        """The settings for a new call, or None while starting or draining."""
        return self.in_force if self.ready and not self.draining else None


def compile_settings(loaded: Loaded, chain: Chain) -> InForce:
    """Everything that the hooks need of one configuration."""
    config = loaded.config
    proxy = config.upstream.proxy
    return InForce(
        chain=chain,
        destinations=Destinations(
            frozenset(config.upstream.hosts),
            config.passthrough,
        ),
        clients=Clients(
            tuple(config.clients.allow),
            dict(config.clients.names),
            {name: ref.secret for name, ref in config.clients.credentials.items()},
        ),
        proxy_authorization=basic(proxy.auth.secret) if proxy and proxy.auth else None,
    )


def basic(user_and_password: Secret) -> str:
    """The Proxy-Authorization header of a corporate proxy."""
    return "Basic " + base64.b64encode(user_and_password.reveal().encode()).decode()


def via(proxy: Proxy) -> tuple[Any, tuple[str, int]]:
    """A proxy as mitmproxy wants it; the scheme is http or https, as the configuration checked."""
    return proxy.scheme, (proxy.host, proxy.port)
