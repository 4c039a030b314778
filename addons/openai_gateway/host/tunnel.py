"""A blind tunnel to a passthrough host: TLS only, for that very name, to a public address.

The ClientHello is held until it is whole, however it is cut; then the bytes go through unseen.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from typing import Any, Final

from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers import TCPLayer
from mitmproxy.proxy.layers.http import _upstream_proxy
from mitmproxy.proxy.layers.tls import parse_client_hello, starts_like_tls_record

from openai_gateway.host.destination import is_private

type Commands = layer.CommandGenerator[Any]
type Count = Callable[[str], None]

MOST_HELLO: Final = 64 * 1024
RESOLVE_S: Final = 10.0


class Tunnel(layer.Layer):
    """Judges the ClientHello, then is a plain TCP relay. `count` takes `opened` or `refused`."""

    def __init__(
        self, context: Context, host: str, via: tuple[Any, tuple[str, int]] | None, count: Count
    ) -> None:
        super().__init__(context)
        self.host = host
        self.count = count
        self.held = bytearray()
        self.inner: layer.Layer | None = None
        if via is not None:
            context.server.via = via

    def _handle_event(self, event: events.Event) -> Commands:
        if self.inner is not None:
            yield from self.inner.handle_event(event)
        elif isinstance(event, events.DataReceived):
            self.held += event.data
            yield from self._judge()
        elif isinstance(event, events.ConnectionClosed):
            yield commands.CloseConnection(self.context.client)

    def _judge(self) -> Commands:
        try:
            hello = self._hello()
        except ValueError:
            yield from self._refuse()
            return
        if hello is None:
            return
        if (hello.sni or "").lower() != self._expected_sni():
            yield from self._refuse()
            return
        self.count("opened")
        self.inner = self._relay()
        yield from self.inner.handle_event(events.Start())
        data = bytes(self.held)
        self.held.clear()
        yield from self.inner.handle_event(events.DataReceived(self.context.client, data))

    def _hello(self) -> Any:
        """The ClientHello once it is whole, None until then; raises ValueError on anything else."""
        if len(self.held) > MOST_HELLO:
            raise ValueError("ClientHello too long")
        if len(self.held) >= 3 and not starts_like_tls_record(bytes(self.held)):
            raise ValueError("not TLS")
        return parse_client_hello(bytes(self.held))

    def _expected_sni(self) -> str:
        """A literal address is asked for without a name."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return self.host
        return ""

    def _relay(self) -> layer.Layer:
        relay = TCPLayer(self.context, ignore=True)
        if not self.context.server.via:
            return relay
        stack = _upstream_proxy.HttpUpstreamProxy.make(self.context, send_connect=True)
        stack /= relay
        return stack[0]

    def _refuse(self) -> Commands:
        self.count("refused")
        yield commands.CloseConnection(self.context.client)


async def public_address(host: str, port: int) -> str | None:
    """An address that the name leads to and that may be dialled; None if there is none.

    A literal address was named by the configuration itself and is given back. Raises OSError and
    TimeoutError where the name does not resolve.
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(RESOLVE_S):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    return next((address for address in addresses if not is_private(address)), None)
