"""The way to the gateway: a CONNECT of any form, then TLS under any name."""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.clients.h1 import RawH1
from tests.support.clients.reply import Reply
from tests.support.clients.shape import HOST, TARGET, Pairs

WAIT_S = 10.0


class ConnectRefused(Exception):
    """The proxy did not open the tunnel; `reply` is what it said."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"CONNECT refused: {reply!r}")
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Way:
    """How a client reaches the gateway: its URL and the CA it trusts."""

    proxy_url: str
    ca_file: Path
    wait_s: float = WAIT_S

    def plain(self) -> socket.socket:
        """The bare connection to the proxy, for absolute-form requests and worse."""
        parts = urlsplit(self.proxy_url)
        sock = socket.create_connection((parts.hostname, parts.port or 80), timeout=self.wait_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def tunnel(self, target: str = TARGET, headers: Pairs | None = None) -> socket.socket:
        """After a CONNECT that was answered 200; else ConnectRefused."""
        connection = RawH1(self.plain())
        connection.request("CONNECT", target, [("Host", target), *(headers or [])])
        reply = connection.answer("CONNECT")
        if reply.status != 200:
            connection.close()
            raise ConnectRefused(reply)
        return connection.sock

    def tls(
        self,
        target: str = TARGET,
        *,
        sni: str | None = HOST,
        alpn: tuple[str, ...] = ("http/1.1",),
        headers: Pairs | None = None,
        verify: bool = True,
    ) -> ssl.SSLSocket:
        """TLS inside a tunnel. `sni` may be any name, or none; the name itself is not checked."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        context.set_alpn_protocols(list(alpn))
        sock = self.tunnel(target, headers)
        try:
            return context.wrap_socket(sock, server_hostname=sni)
        except BaseException:
            sock.close()
            raise
