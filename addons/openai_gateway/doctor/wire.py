"""How probes speak: TCP, a proxy's CONNECT, TLS that is verified, one small HTTP/1.1 exchange.

Nothing waits longer than WAIT_S, and no more than MOST bytes of an answer are read.
"""

import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

WAIT_S: Final = 3.0
MOST: Final = 65_536
HTTPS: Final = 443

type Address = tuple[str, int]


class Unreachable(Exception):
    """No answer came; the message says at which step, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, its headers by lower-case name, the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def error(self) -> Mapping[str, Any] | None:
        """OpenAI's envelope, where the body is one."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return None
        error = value.get("error") if isinstance(value, dict) else None
        return error if isinstance(error, dict) else None

    @property
    def code(self) -> str:
        """The envelope's code; empty where there is none."""
        return str((self.error or {}).get("code") or "")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; its headers may hold a key."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Route:
    """How a host is reached: directly or through a proxy, and what vouches for its certificate."""

    host: str
    trust: ssl.SSLContext = field(repr=False)
    proxy: Address | None = None
    proxy_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    port: int = HTTPS


@contextmanager
def opened(route: Route, wait_s: float = WAIT_S) -> Iterator[http.client.HTTPSConnection]:
    """A connection with its TLS up. Raises: Unreachable, also for what fails while it is used."""
    at, port = route.proxy or (route.host, route.port)
    connection = http.client.HTTPSConnection(at, port, timeout=wait_s, context=route.trust)
    if route.proxy is not None:
        connection.set_tunnel(route.host, route.port, dict(route.proxy_headers))
    try:
        connection.connect()
        yield connection
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(_why(error, f"{at}:{port}")) from error
    finally:
        connection.close()


def ask(route: Route, asked: Asked, wait_s: float = WAIT_S) -> Reply:
    """One exchange on a connection of its own. Raises: Unreachable."""
    with opened(route, wait_s) as connection:
        connection.request(asked.method, asked.path, asked.body, dict(asked.headers))
        answer = connection.getresponse()
        return reply(answer.status, answer.getheaders(), answer.read(MOST))


def ask_plain(address: Address, asked: Asked, tls: ssl.SSLContext | None = None) -> Reply:
    """One exchange with a server of our own, without a proxy. Raises: Unreachable."""
    kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
    how = {"context": tls} if tls else {}
    connection = kind(*address, timeout=WAIT_S, **how)  # type: ignore[arg-type]
    try:
        connection.request(asked.method, asked.path, headers=dict(asked.headers))
        answer = connection.getresponse()
        return reply(answer.status, answer.getheaders(), answer.read(MOST))
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(_why(error, f"{address[0]}:{address[1]}")) from error
    finally:
        connection.close()


def connect_only(address: Address, target: str) -> Reply:
    """What a proxy says to a CONNECT, whatever it is. Raises: Unreachable."""
    try:
        with socket.create_connection(address, WAIT_S) as sock:
            sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            answer = http.client.HTTPResponse(sock, method="GET")
            answer.begin()
            body = b"" if answer.status == http.client.OK else answer.read(MOST)
            return reply(answer.status, answer.getheaders(), body)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(_why(error, f"{address[0]}:{address[1]}")) from error


def answers(address: Address) -> bool:
    """Whether anything takes a connection there."""
    with suppress(OSError), socket.create_connection(address, WAIT_S):
        return True
    return False


def vouched(address: Address, host: str, trust: ssl.SSLContext) -> bool:
    """Whether what listens there speaks TLS itself, under this name and a CA that is trusted."""
    with (
        suppress(OSError),
        socket.create_connection(address, WAIT_S) as sock,
        trust.wrap_socket(sock, server_hostname=host),
    ):
        return True
    return False


def reply(status: int, headers: list[tuple[str, str]], body: bytes) -> Reply:
    """As the parts of http.client."""
    return Reply(status, {name.lower(): value for name, value in headers}, body)


def _why(error: Exception, where: str) -> str:
    """In words of our own: what a peer says could hold anything."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"the certificate is not trusted ({error.verify_message})"
        case ssl.SSLError():
            return f"TLS failed ({error.reason or 'cut off'})"
        case socket.gaierror():
            return f"{where}: the name does not resolve here"
        case TimeoutError():
            return f"{where}: no answer in time"
        case ConnectionRefusedError():
            return f"{where}: the connection was refused"
        case OSError() if str(error).startswith("Tunnel connection failed: "):
            return f"the proxy {where} refused the tunnel ({str(error)[26:29]})"
        case OSError():
            return f"{where}: {error.strerror or type(error).__name__}"
    return f"{where}: no HTTP answer ({type(error).__name__})"
